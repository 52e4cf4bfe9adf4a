"""The five steps of a photo on its way to a 3D model, as a person sees them."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Locator, Page, expect

from e2e.steps import press_until_focused

STEPS = (
    "Photo uploaded",
    "Removing background",
    "Queueing job",
    "Generating 3D model",
    "Model ready",
)


def form(photo: Path) -> dict[str, tuple[str, bytes, str]]:
    """The photo as one uploads it."""
    return {"file": (photo.name, photo.read_bytes(), "image/png")}


async def choose(page: Page, photo: Path) -> None:
    """Choose the photo that the form asks for."""
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a photo").click()
    await (await chooser.value).set_files(photo)
    await expect(page.get_by_role("figure")).to_be_visible()


async def bring(page: Page, going: Locator, photo: Path) -> None:
    """Choose the photo that a task on the page waits for."""
    async with page.expect_file_chooser() as chooser:
        await going.get_by_role("button", name="Choose the photo").click()
    await (await chooser.value).set_files(photo)


async def stands_at(going: Locator, step: int) -> None:
    states = ["done"] * step + ["now"] + ["to come"] * (4 - step)
    shown = going.get_by_role("list", name="Steps").get_by_role("listitem")
    told = [f"{name}, {state}" for name, state in zip(STEPS, states, strict=True)]
    await expect(shown).to_have_text(told)
    await expect(_here(going)).to_have_text(f"{STEPS[step]}, now")


async def is_done(going: Locator) -> None:
    """Each step is behind it."""
    await expect(going.get_by_text("Done", exact=True)).to_be_visible()
    steps = going.get_by_role("list", name="Steps").get_by_role("listitem")
    await expect(steps).to_have_text([f"{step}, done" for step in STEPS])
    await expect(_here(going)).to_have_text("Model ready, done")


async def failed_at(failed: Locator, at: int, shown: str) -> Locator:
    """The step at which it failed says so; that step."""
    step = failed.get_by_role("list", name="Steps").get_by_role("listitem").nth(at)
    await expect(step).to_have_attribute("aria-current", "step")
    await expect(step).to_contain_text(f"{shown}, failed here")
    return step


async def tells_why(page: Page, failed: Locator, at: int, shown: str, why: str) -> str:
    """The step has an icon of its own, and tells why to those who come by keyboard; the icon."""
    step = await failed_at(failed, at, shown)
    button = step.get_by_role("button")
    icons = (
        await failed.get_by_role("listitem")
        .locator("svg")
        .evaluate_all("each => each.map((icon) => icon.innerHTML)")
    )
    icon = await button.locator("svg").inner_html()
    assert icons.count(icon) == 1
    await press_until_focused(page, "Tab", button)
    tooltip = failed.get_by_role("tooltip")
    await expect(tooltip).to_contain_text(why)
    assert await button.get_attribute("aria-describedby") == await tooltip.get_attribute("id")
    await page.keyboard.press("Escape")
    await expect(tooltip).to_be_hidden()
    await button.hover()
    await expect(tooltip).to_be_visible()
    await page.mouse.move(0, 0)
    await expect(tooltip).to_be_hidden()
    return icon


def _here(going: Locator) -> Locator:
    """Where the task stands."""
    return going.locator("[aria-current=step]")
