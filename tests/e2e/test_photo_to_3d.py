"""A photo becomes a 3D model by the provider that is built in, or the page says where it failed.

First come the failures: a finished model turns on the page, which is much to draw without a
graphics card.
"""

from __future__ import annotations

import os
import re
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, expect

from e2e.axe import found_by_axe
from e2e.conftest import SCREENSHOTS
from e2e.photo_steps import bring, choose, failed_at, form, is_done, stands_at, tells_why
from e2e.steps import card
from generator.studio.pipeline import FAILURES
from servers import eventually
from system import System

WORKING = {"uploaded": 1, "bgr_removed": 2, "job_created": 3, "model_generated": 3}
"""The stages in which it is worked on, each with its step on the page, from 0."""
SHOWN = {
    "upload_failed": "Upload failed",
    "bgr_removal_failed": "Background removal failed",
    "job_creation_failed": "Job creation failed",
    "model_generation_failed": "Model generation failed",
    "model_saving_failed": "Saving failed",
}
"""The failures in the order of the steps at which they are shown, and what they are called."""

_NOW = "aria-valuenow"


async def test_a_photo_that_is_none_fails_at_the_first_step(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "photo.png"
    text.write_text("This is no picture.")
    await page.goto("/photo-to-3d")
    await choose(page, text)
    await page.get_by_role("button", name="Build the model").click()

    failed = card(page, "Photo to 3D").filter(has_text="Upload failed")
    why = "This is neither a picture nor a video that can be used."
    await tells_why(page, failed, 0, "Upload failed", why)
    await page.reload()
    await tells_why(page, failed, 0, "Upload failed", why)


async def test_a_photo_that_fails_says_at_which_step_and_why(
    page: Page, system: System, photo: Path
) -> None:
    assert SHOWN.keys() == FAILURES.keys()
    upload = (await system.http.post("/uploads", files=form(photo))).json()
    cards = {stage: card(page, f"a cup whose {stage}") for stage in SHOWN}
    await page.goto("/photo-to-3d")
    tasks = {
        stage: await system.submit(
            str(uuid.uuid4()),
            type="PHOTO_TO_3D",
            prompt=f"a cup whose {stage}",
            reference_images=[upload["url"]],
            provider_params={"simulate": {"fail_at": stage}},
        )
        for stage in SHOWN
    }
    for step, (stage, shown) in enumerate(SHOWN.items()):
        await failed_at(cards[stage], step, shown)
        task = await system.task(tasks[stage])
        assert (task["status"], task["stage"]) == ("failed", stage)

    await page.reload()
    icons = {
        await tells_why(page, cards[stage], step, shown, FAILURES[stage])
        for step, (stage, shown) in enumerate(SHOWN.items())
    }
    assert len(icons) == len(SHOWN)
    SCREENSHOTS.mkdir(exist_ok=True)
    name = "photo-to-3d-failed-desktop-light.png"
    await page.screenshot(path=SCREENSHOTS / name, full_page=True)
    assert await found_by_axe(page) == []


@asynccontextmanager
async def held(system: System, task_id: str, stage: str) -> AsyncIterator[None]:
    """From when the task is in this stage, it stays there: the generator stands still."""

    async def is_there() -> bool:
        return bool((await system.task(task_id))["stage"] == stage)

    await eventually(is_there, 30, f"the task does not come to {stage}")
    generator = system.pid("generator")
    assert generator is not None
    os.kill(generator, signal.SIGSTOP)
    try:
        yield
        assert await is_there()
    finally:
        os.kill(generator, signal.SIGCONT)


async def test_a_page_that_is_reloaded_in_any_stage_shows_it_and_goes_on_to_the_end(
    page: Page, system: System, photo: Path
) -> None:
    """What follows on a stage is shown to the page that was reloaded in it, and to no newer one."""
    prompt = "a cup that is reloaded"
    task_id = await system.submit(
        str(uuid.uuid4()),
        type="PHOTO_TO_3D",
        prompt=prompt,
        provider_params={"simulate": {"seconds": 2}},
    )
    going = card(page, prompt)
    await page.goto("/photo-to-3d")
    await stands_at(going, 0)
    await page.reload()
    await stands_at(going, 0)
    await bring(page, going, photo)
    for stage, step in WORKING.items():
        async with held(system, task_id, stage):
            await stands_at(going, step)
            if stage == "model_generated":
                # At the same step as before: that the page goes on shows in how far it is.
                percent = re.compile(r"8[5-9]|9\d")
                await expect(going.get_by_role("progressbar")).to_have_attribute(_NOW, percent)
            await page.reload()
            await stands_at(going, step)
    await is_done(going)
    await expect(going.locator("[data-model=there]")).to_be_visible()
    task = await system.task(task_id)
    assert (task["stage"], task["provider"]) == ("model_saved", "studio")
    await page.reload()
    await is_done(going)
