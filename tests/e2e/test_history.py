"""The history goes on below what is seen, down to the first task."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from e2e.steps import begin
from servers import eventually
from system import System

PAGE = 48
"""As many as the page asks for at once."""


async def test_scrolling_down_shows_every_task_once(page: Page, system: System) -> None:
    begun = [begin(system, f"one of many, {number}", fail="Enough.") for number in range(PAGE + 12)]
    for task_id in await asyncio.gather(*begun):
        await system.ended(task_id)
    known = await _failed(system)
    await page.goto("/history?status=failed")
    tiles = page.locator("main [data-task]")
    await expect(tiles).to_have_count(PAGE)
    everything = page.get_by_text("That is everything.")

    async def is_at_the_end() -> bool:
        await page.keyboard.press("End")
        return await everything.is_visible()

    await eventually(is_at_the_end, 45, "scrolling brings no more")

    assert len(known) > PAGE
    shown = await tiles.evaluate_all("tiles => tiles.map((tile) => tile.dataset.task)")
    assert shown == known


async def _failed(system: System) -> list[str]:
    """Every task that failed, newest first."""
    found: list[str] = []
    asked = {"status": "failed"}
    while True:
        answer = (await system.http.get("/tasks", params=asked)).json()
        found += [task["task_id"] for task in answer["tasks"]]
        if answer["next_cursor"] is None:
            return found
        asked["cursor"] = answer["next_cursor"]
