"""Every page, light and dark, large and small: nothing that axe finds, and a picture of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from e2e.axe import found_by_axe
from e2e.conftest import SCREENSHOTS
from e2e.steps import begin, card
from servers import eventually
from system import System

PAGES = {
    "create": "/",
    "image": "/image",
    "white-background": "/white-background",
    "clothing-change": "/clothing-change",
    "photo-to-3d": "/photo-to-3d",
    "video": "/video",
    "history": "/history",
    "operations": "/operations",
    "no-such-task": "/history?task=0199f0c2-0000-7000-8000-000000000000",
}
SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 360, "height": 740},
}
_LOADED = """() => {
  for (const each of document.images) each.loading = "eager";
  return document.fonts.status === "loaded" &&
    [...document.images].every((each) => each.complete);
}"""


@pytest.fixture(scope="module")
async def busy(system: System) -> AsyncIterator[None]:
    """A task in each state that a card can have."""
    await system.ended(await begin(system, "a red bicycle by the sea at sunset"))
    await system.ended(
        await begin(system, "a fox that does not come out", fail="The paint ran out.")
    )
    prompts = ("a lighthouse in a storm", "a quiet street in the rain", "a forest at night")
    going = [await begin(system, prompt, seconds=600) for prompt in prompts]
    cancelled = await begin(system, "a plan that was given up")
    await system.http.post(f"/tasks/{cancelled}/cancel")
    yield
    for task_id in going:
        await system.http.post(f"/tasks/{task_id}/cancel")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
async def test_axe_finds_nothing_on(
    browser: Browser, system: System, busy: None, name: str, size: str, scheme: Any
) -> None:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}",
        viewport=SIZES[size],
        color_scheme=scheme,
        locale="en-GB",
    )
    page = await context.new_page()
    await page.goto(PAGES[name])
    await _settled(page)
    folder = SCREENSHOTS
    folder.mkdir(exist_ok=True)
    await page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)

    found = await found_by_axe(page)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    await context.close()

    assert found == []
    assert wide <= 0, f"{name} is {wide} px wider than a {size}"


async def _settled(page: Page) -> None:
    """What the server knows is on the page."""
    await expect(page.locator("h1")).to_be_visible()
    # A status has a label while it stands for what is loading, in whatever language.
    await expect(page.locator("[aria-busy=true], [role=status][aria-label]")).to_have_count(0)
    # `wait_for_function` evaluates a string in the page, which its policy does not allow.
    await eventually(lambda: page.evaluate(_LOADED), 20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_what_opens(
    browser: Browser, system: System, busy: None, scheme: Any
) -> None:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}", color_scheme=scheme, locale="en-GB"
    )
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_role("button", name="Options").click()
    await page.get_by_text("About these pictures").click()
    assert await found_by_axe(page) == []

    await (
        card(page, "a red bicycle by the sea at sunset")
        .get_by_role("button", name="Look closer")
        .click()
    )
    await expect(page.get_by_role("dialog").get_by_text("Completed")).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / f"viewer-desktop-{scheme}.png")
    assert await found_by_axe(page) == []
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="Appearance and language").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await found_by_axe(page) == []
    await context.close()


@pytest.mark.parametrize(
    ("language", "title"),
    [("zh-CN", "想冲洗什么？"), ("tr-TR", "Ne banyo edelim?"), ("fr-FR", "What shall we develop?")],
)
async def test_the_page_speaks_the_readers_language(
    browser: Browser, system: System, busy: None, language: str, title: str
) -> None:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}", locale=language, viewport=SIZES["phone"]
    )
    page = await context.new_page()
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    spoken = language.partition("-")[0] if "What" not in title else "en"
    await expect(page.locator("html")).to_have_attribute("lang", spoken)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await _settled(page)
    await page.screenshot(path=SCREENSHOTS / f"create-phone-{language}.png", full_page=True)
    assert await found_by_axe(page) == []
    await page.goto("/history")
    await _settled(page)
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    await page.screenshot(path=SCREENSHOTS / f"history-phone-{language}.png", full_page=True)
    assert await found_by_axe(page) == []
    await context.close()


async def test_axe_finds_nothing_where_there_is_no_such_page(
    browser: Browser, system: System
) -> None:
    """The server has an answer of its own; the page has one for a step within it."""
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}", locale="en-GB", color_scheme="light"
    )
    page = await context.new_page()
    answer = await page.goto("/no-such-page")
    assert answer is not None
    assert answer.status == 404

    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.evaluate(
        "history.pushState(null, '', '/no-such-page'); dispatchEvent(new Event('popstate'))"
    )

    await expect(page.get_by_text("There is no such page")).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / "no-such-page-desktop-light.png")
    assert await found_by_axe(page) == []
    await page.get_by_role("link", name="Create a picture").click()
    await expect(page.get_by_label("Prompt", exact=True)).to_be_visible()
    await context.close()
