"""What other providers than the built-in one offer: models and videos, and nothing for a while."""

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
from e2e.photo_steps import bring, choose, form, is_done, stands_at
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
            tmp_path_factory.mktemp("offered"),
            EXTRA_PROVIDERS="e2e.workshop:Workshop,e2e.workshop:Ruin",
            BREAKER_THRESHOLD="1",
            BREAKER_COOLDOWN_S="3600",
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


async def test_a_photo_goes_stage_by_stage_to_a_model_over_a_reload_in_each(
    page: Page, workplace: Workplace, photo: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    going = card(page, "Photo to 3D")
    await page.route("**/tasks/*/photo", cut)
    await page.goto("/")
    await page.get_by_role("link", name="Photo to 3D").click()
    await choose(page, photo)
    await _choose_provider(page)
    await page.get_by_role("button", name="Build the model").click()

    await expect(going.get_by_text("The photo has not arrived")).to_be_visible()
    await stands_at(going, 0)
    assert await found_by_axe(page) == []
    await page.reload()
    await expect(going.get_by_text("The task waits for its photo")).to_be_visible()
    await page.unroute("**/tasks/*/photo")
    await bring(page, going, photo)

    await stands_at(going, 1)
    await expect(going.get_by_alt_text("Reference picture 1")).to_be_visible()
    for stage, step in (("bgr_removed", 2), ("job_created", 3), ("model_generated", 3)):
        workplace.let(stage)
        await _is_at(workplace.system, stage)
        await stands_at(going, step)
        await page.reload()
        await stands_at(going, step)
    name = "photo-to-3d-stages-desktop-light.png"
    await page.screenshot(path=SCREENSHOTS / name, full_page=True)
    assert await found_by_axe(page) == []
    workplace.let("model_saved")

    await expect(going.get_by_text("Done", exact=True)).to_be_visible()
    await page.reload()
    await is_done(going)
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


async def test_a_task_whose_provider_is_down_says_what_it_waits_for(
    page: Page, workplace: Workplace
) -> None:
    params = {"service": "RUIN"}
    system = workplace.system
    first = await system.submit("ruin", type="CREATE", prompt="a knock", provider_params=params)

    async def is_open() -> bool:
        [kind] = [
            each
            for each in (await system.http.get("/generation-types")).json()["types"]
            if each["type"] == "CREATE"
        ]
        states = {each["name"]: each["breaker"]["state"] for each in kind["providers"]}
        return bool(states["RUIN"] == "open")

    await eventually(is_open, 30, "the breaker does not open")
    prompt = "a tree beside a ruin"
    await page.goto("/")
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await _choose_provider(page, "RUIN, not answering")
    await page.get_by_role("button", name="Create", exact=True).click()

    waiting = card(page, prompt)
    held = waiting.get_by_text("RUIN is having trouble: tried again at")
    await expect(held).to_be_visible()
    await page.reload()
    await expect(held).to_be_visible()
    [mine] = [
        task
        for task in (await system.http.get("/tasks/processing")).json()["tasks"]
        if task["prompt"] == prompt
    ]
    assert (mine["waiting_for"]["code"], mine["attempt"]) == ("circuit_open", 0)
    assert await found_by_axe(page) == []
    for task_id in (first, mine["task_id"]):
        await system.http.post(f"/tasks/{task_id}/cancel")


_PLAYED = "video => video.played.length > 0"


async def _begin(workplace: Workplace, photo: Path, prompt: str, **params: str) -> str:
    """A task with its photo, asked for elsewhere; its id."""
    upload = (await workplace.system.http.post("/uploads", files=form(photo))).json()
    return await workplace.system.submit(
        str(uuid.uuid4()),
        type="PHOTO_TO_3D",
        prompt=prompt,
        reference_images=[upload["url"]],
        provider_params={"service": "WORKSHOP", **params},
    )


async def _is_at(system: System, stage: str) -> None:
    async def is_there() -> bool:
        tasks = (await system.http.get("/tasks/processing", params={"type": "PHOTO_TO_3D"})).json()[
            "tasks"
        ]
        return [task["stage"] for task in tasks] == [stage]

    await eventually(is_there, 30, f"no task is at {stage}")


async def _choose_provider(page: Page, label: str = "WORKSHOP") -> None:
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("Provider").select_option(label=label)
