"""What a person does on the page, and what they look for."""

from __future__ import annotations

import uuid
from typing import Any

from playwright.async_api import Locator, Page, Route, expect

from servers import eventually
from system import System


def card(page: Page, prompt: str) -> Locator:
    """The card of a task on a generation page."""
    return page.get_by_role("article", name=prompt, exact=True)


async def ask(page: Page, prompt: str, rehearsal: str | None = None) -> None:
    """Fill in the prompt, choose what shall go wrong, and send."""
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    if rehearsal is not None:
        options = page.get_by_role("button", name="Options")
        if await options.get_attribute("aria-expanded") == "false":
            await options.click()
        await page.get_by_label("Rehearse").select_option(label=rehearsal)
    await page.get_by_role("button", name="Create", exact=True).click()


async def begin(system: System, prompt: str, **simulate: Any) -> str:
    """A task that was asked for elsewhere; its id."""
    params = {"simulate": simulate} if simulate else {}
    key = str(uuid.uuid4())
    return await system.submit(key, type="CREATE", prompt=prompt, provider_params=params)


async def shows_picture(place: Locator) -> None:
    """There is a picture in it, and the browser could decode it."""
    picture = place.get_by_role("img")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("image => image.naturalWidth") > 0


async def press_until_focused(page: Page, key: str, goal: Locator) -> None:
    """Press a key again and again, as one does who has no mouse."""

    async def is_there() -> bool:
        await page.keyboard.press(key)
        return bool(await goal.evaluate("each => each === document.activeElement"))

    await eventually(is_there, 60, f"{key} does not lead there")


async def cut(route: Route) -> None:
    """The wire is cut."""
    await route.abort("connectionfailed")


async def lose_the_answer(route: Route) -> None:
    """What is submitted arrives, and its answer never does."""
    if route.request.method == "POST":
        await route.fetch()
    else:
        await route.fallback()
