"""What an operator sees of the whole, and mends from the page."""

from __future__ import annotations

import re

import nats
from playwright.async_api import Page, expect

from contracts.subjects import progress_subject
from darkroom.stack.addresses import discover
from delivery.connection import connection_options
from e2e.axe import found_by_axe
from e2e.conftest import SCREENSHOTS
from e2e.steps import begin
from system import System


async def test_an_operator_sees_the_whole_and_tries_what_is_on_hold_again(
    page: Page, system: System
) -> None:
    task_id = await begin(system, "a harbour that waits", seconds=600)
    client = await nats.connect(
        str(discover(system.data_dir).nats_url), **connection_options("test")
    )
    try:
        stray = await client.jetstream().publish(progress_subject("CREATE", task_id), b"no event")
    finally:
        await client.close()

    await page.goto("/operations")

    figure = page.locator("dl > div")
    await expect(figure.filter(has_text="Rows behind the log").locator("dd")).to_be_visible()
    await expect(page.get_by_text("1 event of 1 task")).to_be_visible()
    await expect(figure.filter(has_text="Events per second").locator("dd")).to_have_text(
        re.compile(r"\d")
    )
    await expect(page.get_by_text("Figures count everybody’s tasks.")).to_be_visible()
    await expect(page.get_by_role("columnheader", name="Longest wait")).to_be_visible()
    await expect(page.get_by_role("row").filter(has_text=task_id)).to_contain_text("undecodable")
    await page.get_by_role("button", name=f"Try {task_id} again").click()
    await expect(page.get_by_text(re.compile(r"0 applied, \d+ still on hold"))).to_be_visible()
    assert await found_by_axe(page) == []
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / "operations-on-hold.png", full_page=True)

    dropped = await system.http.post(f"/dead-letters/{stray.seq}/drop", json={"note": "a stray"})

    assert dropped.json()["dropped"] == 1
    await expect(page.get_by_role("row").filter(has_text=task_id)).to_have_count(0)
    await system.http.post(f"/tasks/{task_id}/cancel")
