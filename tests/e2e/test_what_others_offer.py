"""The pages that appear once a provider offers their type: a photo to 3D, and a video."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from e2e.axe import found_by_axe
from e2e.conftest import PATIENCE_MS, SCREENSHOTS
from e2e.steps import card
from e2e.workshop import FOLDER
from system import System, running_system

TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Workplace:
    """A system with one more provider, and the folder that lets it go on."""

    system: System
    folder: Path

    def let(self, stage: str) -> None:
        """The next model may reach this stage."""
        (self.folder / stage).touch()


@pytest.fixture(scope="module")
async def workplace(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workplace]:
    folder = tmp_path_factory.mktemp("workshop")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))
        patch.setenv(FOLDER, str(folder))
        async with running_system(
            tmp_path_factory.mktemp("offered"), EXTRA_PROVIDERS="e2e.workshop:Workshop"
        ) as made:
            yield Workplace(made, folder)


@pytest.fixture
async def page(browser: Browser, workplace: Workplace) -> AsyncIterator[Page]:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{workplace.system.port}",
        locale="en-GB",
        color_scheme="light",
        viewport={"width": 1280, "height": 900},
    )
    context.set_default_timeout(PATIENCE_MS)
    SCREENSHOTS.mkdir(exist_ok=True)
    yield await context.new_page()
    await context.close()


async def test_a_photo_goes_stage_by_stage_to_a_model(
    page: Page, workplace: Workplace, photo: Path
) -> None:
    await page.goto("/")
    await page.get_by_role("link", name="Photo to 3D").click()
    await _choose(page, photo)
    await _choose_provider(page)
    await page.get_by_role("button", name="Build the model").click()

    going = card(page, "Photo to 3D")
    await expect(going.get_by_alt_text("Reference picture 1")).to_be_visible()
    await expect(_step(going)).to_have_text("Background removed, now")
    workplace.let("bgr_removed")
    await expect(_step(going)).to_have_text("Job created, now")
    workplace.let("job_created")
    await expect(_step(going)).to_have_text("Model generated, now")
    steps = going.get_by_role("list", name="Steps").get_by_role("listitem")
    await expect(steps).to_have_text(
        [
            "Photo uploaded, done",
            "Background removed, done",
            "Job created, done",
            "Model generated, now",
            "Model saved, to come",
        ]
    )
    await page.screenshot(path=SCREENSHOTS / "photo-to-3d-stages-desktop-light.png", full_page=True)
    assert await found_by_axe(page) == []
    await page.reload()
    await expect(_step(going)).to_have_text("Model generated, now")
    workplace.let("model_generated")
    await expect(_step(going)).to_have_text("Model saved, now")
    workplace.let("model_saved")

    await expect(going.get_by_text("Done", exact=True)).to_be_visible()
    await expect(going.get_by_text("No preview for this kind of file")).to_be_visible()
    async with page.expect_download() as download:
        await going.get_by_role("link", name="Download").click()
    saved = await download.value
    assert saved.suggested_filename == "photo-to-3d.glb"
    assert (await saved.path()).read_bytes()[:4] == b"glTF"
    await page.screenshot(path=SCREENSHOTS / "photo-to-3d-done-desktop-light.png", full_page=True)


@pytest.mark.parametrize(
    ("stage", "shown"),
    [
        ("bgr_removal_failed", "Background removal failed"),
        ("job_creation_failed", "Job creation failed"),
        ("model_generation_failed", "Model generation failed"),
        ("model_saving_failed", "Saving failed"),
    ],
)
async def test_a_photo_that_fails_says_at_which_step(
    page: Page, workplace: Workplace, photo: Path, stage: str, shown: str
) -> None:
    http = workplace.system.http
    upload = (await http.post("/uploads", files=_form(photo))).json()
    task_id = await workplace.system.submit(
        stage,
        type="PHOTO_TO_3D",
        prompt=f"a cup whose {shown}",
        reference_images=[upload["url"]],
        provider_params={"service": "WORKSHOP", "fail_at": stage},
    )
    task = await workplace.system.ended(task_id)
    assert (task["status"], task["stage"]) == ("failed", stage)

    await page.goto("/photo-to-3d")

    failed = card(page, f"a cup whose {shown}")
    await expect(failed.get_by_text("It fell off the bench.")).to_be_visible()
    await expect(failed.get_by_role("listitem").filter(has_text="failed here")).to_have_text(
        f"{shown}, failed here"
    )
    await page.reload()
    await expect(failed.get_by_text("It fell off the bench.")).to_be_visible()


async def test_words_become_a_video_that_plays(page: Page) -> None:
    await page.goto("/")
    await page.get_by_role("link", name="Video").click()
    await expect(page.get_by_role("heading", name="Set it in motion")).to_be_visible()
    prompt = "a lamp that is turned up"
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await _choose_provider(page)
    await page.get_by_role("button", name="Create the video").click()

    done = card(page, prompt)
    await expect(done.locator("video")).to_have_js_property("videoWidth", 320)
    await page.screenshot(path=SCREENSHOTS / "video-done-desktop-light.png", full_page=True)
    assert await found_by_axe(page) == []
    await done.get_by_role("button", name=f"Look closer at {prompt}").click()
    viewer = page.get_by_role("dialog", name=prompt)
    await expect(viewer.get_by_text("Completed")).to_be_visible()
    await viewer.locator("video").evaluate("video => { video.muted = true; return video.play(); }")
    await expect(viewer.locator("video")).to_have_js_property("ended", True)


def _form(photo: Path) -> dict[str, tuple[str, bytes, str]]:
    return {"file": (photo.name, photo.read_bytes(), "image/png")}


async def _choose(page: Page, photo: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a photo").click()
    await (await chooser.value).set_files(photo)
    await expect(page.get_by_role("figure")).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_have_count(0)


async def _choose_provider(page: Page) -> None:
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("Provider").select_option(label="WORKSHOP")


def _step(going: Locator) -> Locator:
    """Where the task stands."""
    return going.locator("[aria-current=step]")
