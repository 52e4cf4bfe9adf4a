"""Every page, light and dark, large and small: nothing that axe finds, and a picture of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from e2e.conftest import SCREENSHOTS
from e2e.steps import begin, card
from servers import eventually
from system import System

AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
PAGES = {
    "create": "/",
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
_LOADED = """() => document.fonts.status === "loaded" &&
  [...document.images].every((each) => each.complete)"""
_VIOLATIONS = """async () => {
  await Promise.all(document.getAnimations().map((each) => {
    if (each.effect?.getComputedTiming().iterations !== Infinity) each.finish();
    return each.effect?.getComputedTiming().iterations === Infinity ? null : each.finished;
  }));
  const { violations } = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html, any, all, none }) =>
    [html.slice(0, 200), [...any, ...all, ...none].map(({ message }) => message)])]);
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


@pytest.fixture(scope="module")
def axe() -> str:
    return AXE.read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
async def test_axe_finds_nothing_on(
    browser: Browser, system: System, busy: None, axe: str, name: str, size: str, scheme: Any
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

    # The page's own policy lets no script in but its own; the debugger's does not ask it.
    await page.evaluate(axe)
    found = await page.evaluate(_VIOLATIONS)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    await context.close()

    assert found == []
    assert wide <= 0, f"{name} is {wide} px wider than a {size}"


async def _settled(page: Page) -> None:
    """What the server knows is on the page."""
    await expect(page.locator("h1")).to_be_visible()
    await expect(page.locator("[aria-busy=true], [aria-label=Loading]")).to_have_count(0)
    # `wait_for_function` evaluates a string in the page, which its policy does not allow.
    await page.evaluate("[...document.images].forEach((each) => { each.loading = 'eager'; })")
    await eventually(lambda: page.evaluate(_LOADED), 20)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_in_what_opens(
    browser: Browser, system: System, busy: None, axe: str, scheme: Any
) -> None:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}", color_scheme=scheme, locale="en-GB"
    )
    page = await context.new_page()
    await page.goto("/")
    await page.get_by_role("button", name="Options").click()
    await page.get_by_text("About these pictures").click()
    await page.evaluate(axe)
    assert await page.evaluate(_VIOLATIONS) == []

    await (
        card(page, "a red bicycle by the sea at sunset")
        .get_by_role("button", name="Look closer")
        .click()
    )
    await expect(page.get_by_role("dialog").get_by_text("Completed")).to_be_visible()
    await page.screenshot(path=SCREENSHOTS / f"viewer-desktop-{scheme}.png")
    assert await page.evaluate(_VIOLATIONS) == []
    await page.keyboard.press("Escape")

    await page.get_by_role("button", name="Appearance and language").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    assert await page.evaluate(_VIOLATIONS) == []
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
    await context.close()
