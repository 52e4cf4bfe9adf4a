"""The pages that appear once a provider offers their type: a photo to 3D, and a video."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from e2e.axe import found_by_axe
from e2e.conftest import PATIENCE_MS, SCREENSHOTS
from e2e.steps import card, cut, press_until_focused
from e2e.workshop import FOLDER, STAGES
from servers import eventually
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


STEPS = (
    "Photo uploaded",
    "Removing background",
    "Queueing job",
    "Generating 3D model",
    "Model ready",
)


async def test_a_photo_goes_stage_by_stage_to_a_model_over_a_reload_in_each(
    page: Page, workplace: Workplace, photo: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    going = card(page, "Photo to 3D")
    await page.route("**/tasks/*/photo", cut)
    await page.goto("/")
    await page.get_by_role("link", name="Photo to 3D").click()
    await _choose(page, photo)
    await _choose_provider(page)
    await page.get_by_role("button", name="Build the model").click()

    await expect(going.get_by_text("The photo has not arrived")).to_be_visible()
    await _stands_at(going, 0)
    assert await found_by_axe(page) == []
    await page.reload()
    await expect(going.get_by_text("The task waits for its photo")).to_be_visible()
    await page.unroute("**/tasks/*/photo")
    async with page.expect_file_chooser() as chooser:
        await going.get_by_role("button", name="Choose the photo").click()
    await (await chooser.value).set_files(photo)

    await _stands_at(going, 1)
    await expect(going.get_by_alt_text("Reference picture 1")).to_be_visible()
    for stage, step in (("bgr_removed", 2), ("job_created", 3), ("model_generated", 3)):
        workplace.let(stage)
        await _is_at(workplace.system, stage)
        await _stands_at(going, step)
        await page.reload()
        await _stands_at(going, step)
    name = "photo-to-3d-stages-desktop-light.png"
    await page.screenshot(path=SCREENSHOTS / name, full_page=True)
    assert await found_by_axe(page) == []
    workplace.let("model_saved")

    await expect(going.get_by_text("Done", exact=True)).to_be_visible()
    await page.reload()
    steps = going.get_by_role("list", name="Steps").get_by_role("listitem")
    await expect(steps).to_have_text([f"{step}, done" for step in STEPS])
    await expect(_step(going)).to_have_text("Model ready, done")
    await expect(going.locator("[data-model=there]")).to_be_visible()
    async with page.expect_download() as download:
        await going.get_by_role("link", name="Download").click()
    saved = await download.value
    assert saved.suggested_filename == "photo-to-3d.glb"
    assert (await saved.path()).read_bytes()[:4] == b"glTF"
    await page.screenshot(path=SCREENSHOTS / "photo-to-3d-done-desktop-light.png", full_page=True)
    assert await found_by_axe(page) == []

    await going.get_by_role("button", name="Look closer at Photo to 3D").click()
    large = page.get_by_role("dialog").locator("model-viewer")
    await expect(page.get_by_role("dialog").locator("[data-model=there]")).to_be_visible()
    await press_until_focused(page, "Tab", large)
    before = await large.evaluate(_ORBIT)
    await page.keyboard.press("ArrowUp")
    await eventually(lambda: _has_turned(large, before), 20, "the arrows do not turn the model")
    await page.screenshot(path=SCREENSHOTS / "photo-to-3d-viewer-desktop-light.png")
    assert await found_by_axe(page) == []
    assert {urlsplit(url).netloc for url in asked if not url.startswith("blob:")} == {
        f"127.0.0.1:{workplace.system.port}"
    }


_ORBIT = "viewer => viewer.getCameraOrbit().phi"


async def _has_turned(viewer: Locator, before: float) -> bool:
    return bool(await viewer.evaluate(_ORBIT) != before)


async def test_a_model_is_still_for_those_who_want_it_still(
    browser: Browser, workplace: Workplace, photo: Path
) -> None:
    for stage in STAGES:
        workplace.let(stage)
    task = await workplace.system.ended(await _begin(workplace, photo, "a cup that keeps still"))
    assert task["status"] == "completed"
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{workplace.system.port}",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto(f"/history?task={task['task_id']}")
    viewer = page.get_by_role("dialog").locator("model-viewer")
    await expect(viewer).to_be_visible()
    assert await viewer.get_attribute("auto-rotate") is None
    await context.close()


async def test_a_browser_that_draws_no_models_offers_the_file(
    browser: Browser, workplace: Workplace, photo: Path
) -> None:
    for stage in STAGES:
        workplace.let(stage)
    task = await workplace.system.ended(await _begin(workplace, photo, "a cup that is not drawn"))
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{workplace.system.port}", locale="en-GB"
    )
    page = await context.new_page()
    await page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    await page.goto(f"/history?task={task['task_id']}")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_text("This browser can't show 3D models.")).to_be_visible()
    await expect(dialog.get_by_role("link", name="Download")).to_be_visible()
    assert await found_by_axe(page) == []
    await context.close()


@pytest.mark.parametrize(
    ("stage", "step", "shown"),
    [
        ("bgr_removal_failed", 1, "Background removal failed"),
        ("job_creation_failed", 2, "Job creation failed"),
        ("model_generation_failed", 3, "Model generation failed"),
        ("model_saving_failed", 4, "Saving failed"),
    ],
)
async def test_a_photo_that_fails_says_at_which_step_and_why(
    page: Page, workplace: Workplace, photo: Path, stage: str, step: int, shown: str
) -> None:
    prompt = f"a cup whose {shown}"
    task_id = await _begin(workplace, photo, prompt, fail_at=stage)
    task = await workplace.system.ended(task_id)
    assert (task["status"], task["stage"]) == ("failed", stage)

    await page.goto("/photo-to-3d")
    failed = card(page, prompt)
    await _tells_why(page, failed, step, shown, "It fell off the bench.")
    await page.reload()
    await _tells_why(page, failed, step, shown, "It fell off the bench.")
    await page.screenshot(path=SCREENSHOTS / f"photo-to-3d-{stage}-desktop-light.png")
    assert await found_by_axe(page) == []


async def test_a_photo_that_is_none_fails_at_the_first_step(page: Page, tmp_path: Path) -> None:
    text = tmp_path / "photo.png"
    text.write_text("This is no picture.")
    await page.goto("/photo-to-3d")
    await _choose(page, text)
    await _choose_provider(page)
    await page.get_by_role("button", name="Build the model").click()

    failed = card(page, "Photo to 3D").filter(has_text="Upload failed")
    why = "This is neither a picture nor a video that can be used."
    await _tells_why(page, failed, 0, "Upload failed", why)
    await page.reload()
    await _tells_why(page, failed, 0, "Upload failed", why)


async def _tells_why(page: Page, failed: Locator, at: int, shown: str, why: str) -> None:
    """The step has an icon of its own, and tells why to those who come by keyboard."""
    step = failed.get_by_role("list", name="Steps").get_by_role("listitem").nth(at)
    await expect(step).to_have_attribute("aria-current", "step")
    await expect(step).to_contain_text(f"{shown}, failed here")
    button = step.get_by_role("button")
    icons = (
        await failed.get_by_role("listitem")
        .locator("svg")
        .evaluate_all("each => each.map((icon) => icon.innerHTML)")
    )
    assert icons.count(await button.locator("svg").inner_html()) == 1
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
    await eventually(lambda: done.locator("video").evaluate(_PLAYED), 20, "it does not play")
    await page.screenshot(path=SCREENSHOTS / "video-done-desktop-light.png", full_page=True)
    assert await found_by_axe(page) == []
    await done.get_by_role("button", name=f"Look closer at {prompt}").click()
    viewer = page.get_by_role("dialog", name=prompt)
    await expect(viewer.get_by_text("Completed")).to_be_visible()
    large = viewer.locator("video")
    await eventually(lambda: large.evaluate(_PLAYED), 20, "it does not play in the large view")
    assert await large.evaluate("video => [video.controls, video.loop]") == [True, True]


async def test_a_video_waits_to_be_played_by_those_who_want_little_motion(
    browser: Browser, workplace: Workplace
) -> None:
    prompt = "a lamp that waits"
    params = {"service": "WORKSHOP"}
    await workplace.system.ended(
        await workplace.system.submit("lamp", type="VIDEO", prompt=prompt, provider_params=params)
    )
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{workplace.system.port}",
        locale="en-GB",
        reduced_motion="reduce",
    )
    page = await context.new_page()
    await page.goto("/video")
    video = card(page, prompt).locator("video")
    await expect(video).to_have_js_property("videoWidth", 320)
    assert await video.evaluate("video => [video.paused, video.played.length]") == [True, 0]
    await context.close()


_PLAYED = "video => video.played.length > 0"


async def _begin(workplace: Workplace, photo: Path, prompt: str, **params: str) -> str:
    """A task with its photo, asked for elsewhere; its id."""
    upload = (await workplace.system.http.post("/uploads", files=_form(photo))).json()
    return await workplace.system.submit(
        str(uuid.uuid4()),
        type="PHOTO_TO_3D",
        prompt=prompt,
        reference_images=[upload["url"]],
        provider_params={"service": "WORKSHOP", **params},
    )


async def _is_at(system: System, stage: str) -> None:
    async def is_there() -> bool:
        tasks = (await system.http.get("/tasks/processing")).json()["tasks"]
        return [task["stage"] for task in tasks] == [stage]

    await eventually(is_there, 30, f"no task is at {stage}")


async def _stands_at(going: Locator, step: int) -> None:
    states = ["done"] * step + ["now"] + ["to come"] * (4 - step)
    shown = going.get_by_role("list", name="Steps").get_by_role("listitem")
    told = [f"{name}, {state}" for name, state in zip(STEPS, states, strict=True)]
    await expect(shown).to_have_text(told)
    await expect(_step(going)).to_have_text(f"{STEPS[step]}, now")


def _form(photo: Path) -> dict[str, tuple[str, bytes, str]]:
    return {"file": (photo.name, photo.read_bytes(), "image/png")}


async def _choose(page: Page, photo: Path) -> None:
    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a photo").click()
    await (await chooser.value).set_files(photo)
    await expect(page.get_by_role("figure")).to_be_visible()


async def _choose_provider(page: Page) -> None:
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("Provider").select_option(label="WORKSHOP")


def _step(going: Locator) -> Locator:
    """Where the task stands."""
    return going.locator("[aria-current=step]")
