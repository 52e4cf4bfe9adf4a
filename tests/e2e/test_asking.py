"""From a prompt or a photo to a picture, or to the reason why there is none."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.async_api import Page, Route, expect

from e2e.conftest import opened_browser
from e2e.steps import ask, card, press_until_focused, shows_picture
from system import System


async def test_a_prompt_becomes_a_picture_that_can_be_saved(page: Page, tmp_path: Path) -> None:
    await page.goto("/")
    await ask(page, "a red bicycle by the sea")

    done = card(page, "a red bicycle by the sea")
    await expect(done).to_be_visible()
    await expect(page.get_by_label("Prompt", exact=True)).to_have_value("")
    await shows_picture(done)
    await expect(done.get_by_role("progressbar")).to_have_count(0)

    async with page.expect_download() as download:
        await done.get_by_role("link", name="Download").click()
    saved = await download.value
    assert saved.suggested_filename == "a-red-bicycle-by-the-sea.png"
    await saved.save_as(tmp_path / "saved.png")
    with Image.open(tmp_path / "saved.png") as picture:
        assert picture.size == (1024, 768)


async def test_three_pictures_are_asked_for_and_shown(page: Page, system: System) -> None:
    prompt = "three lighthouses in the fog"
    await page.goto("/image")
    await page.get_by_label("Prompt", exact=True).fill(prompt)
    await page.get_by_role("button", name="Options").click()
    await page.get_by_label("How many").select_option("3")
    await page.get_by_role("button", name="Create the images").click()

    done = card(page, prompt)
    await expect(done.get_by_text("Done", exact=True)).to_be_visible()
    pictures = done.get_by_role("img")
    await expect(pictures).to_have_count(3)
    for number in range(3):
        await expect(pictures.nth(number)).to_have_js_property("complete", True)
        assert await pictures.nth(number).evaluate("image => image.naturalWidth") > 0
    sources = await pictures.evaluate_all("images => images.map((image) => image.src)")
    task = (await system.http.get("/tasks", params={"limit": 1})).json()["tasks"][0]
    assert [urlsplit(each).path for each in sources] == [
        urlsplit(each["url"]).path for each in task["artifacts"]
    ]
    assert len({each["sha256"] for each in task["artifacts"]}) == 3
    await done.get_by_role("button", name=f"Look closer at {prompt}").click()
    await expect(page.get_by_role("dialog").get_by_role("status")).to_have_text("1 of 3")


async def test_a_photo_becomes_one_on_white(page: Page, photo: Path) -> None:
    await page.goto("/white-background")

    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a photo").click()
    await (await chooser.value).set_files(photo)
    await expect(page.get_by_role("figure")).to_be_visible()
    await expect(page.get_by_role("progressbar")).to_have_count(0)
    await page.get_by_role("button", name="Make it white").click()

    done = page.get_by_role("article").first
    await expect(done.get_by_role("button", name="Look closer")).to_be_visible()
    await expect(done.get_by_alt_text("Reference picture 1")).to_be_visible()


async def test_a_photo_can_be_pasted_and_dropped(page: Page) -> None:
    await page.goto("/clothing-change")
    give = """([kind, type]) => {
      const pixel = Uint8Array.from(atob(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
      ), (char) => char.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([pixel], `${kind}.png`, { type: "image/png" }));
      const target = kind === "pasted" ? window : document.querySelector("form");
      const event = kind === "pasted"
        ? new ClipboardEvent(type, { clipboardData: files, bubbles: true })
        : new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true });
      target.dispatchEvent(event);
    }"""
    await expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    await page.evaluate(give, ["pasted", "paste"])
    await expect(page.get_by_alt_text("pasted.png")).to_be_visible()

    await page.evaluate(give, ["dropped", "drop"])
    await expect(page.get_by_alt_text("dropped.png")).to_be_visible()


async def test_a_file_that_is_no_picture_is_refused_and_can_be_removed(
    page: Page, tmp_path: Path
) -> None:
    note = tmp_path / "note.png"
    note.write_text("this is no picture")
    await page.goto("/white-background")

    async with page.expect_file_chooser() as chooser:
        await page.get_by_role("button", name="Choose a photo").click()
    await (await chooser.value).set_files(note)

    refusal = page.get_by_text("This is neither a picture nor a video that can be used.")
    await expect(refusal).to_be_visible()
    await page.get_by_role("button", name="Make it white").click()
    await expect(page.get_by_role("alert")).to_have_text("Remove the photo that was refused first.")
    await page.get_by_role("button", name="Remove note.png").click()
    await expect(refusal).to_have_count(0)


async def test_a_task_that_fails_says_why_and_can_be_tried_again(page: Page) -> None:
    await page.goto("/")
    await ask(page, "a fox that hides", "Fails for good")

    failed = card(page, "a fox that hides")
    await expect(failed.get_by_text("The provider refused")).to_be_visible()
    await expect(failed.get_by_text("This failure was asked for.")).to_be_visible()
    await expect(failed.get_by_role("progressbar")).to_have_count(0)

    await failed.get_by_role("button", name="Try again").click()
    await expect(failed).to_have_count(2)
    await expect(failed.get_by_text("The provider refused")).to_have_count(2)


async def test_what_is_tried_again_in_the_large_view_is_shown_there(page: Page) -> None:
    await page.goto("/")
    await ask(page, "a fox that hides again", "Fails for good")
    await expect(card(page, "a fox that hides again").get_by_text("asked for")).to_be_visible()
    await page.goto("/history?status=failed")
    await page.get_by_role("button", name="a fox that hides again").click()
    viewer = page.get_by_role("dialog", name="a fox that hides again")
    first = page.url

    await viewer.get_by_role("button", name="Try again").click()

    await expect(page).not_to_have_url(first)
    await expect(viewer.get_by_text("This failure was asked for.")).to_be_visible()
    await expect(viewer.get_by_role("button", name="Try again")).to_be_visible()


async def test_a_task_that_falls_silent_is_told_to_have_timed_out_also_after_a_reload(
    page: Page,
) -> None:
    await page.goto("/")
    await ask(page, "a silent lighthouse", "Falls silent")

    late = card(page, "a silent lighthouse")
    await expect(late.get_by_text("Developing")).to_be_visible()
    await expect(late.get_by_text("Stopped: it took too long")).to_be_visible()
    await expect(late.get_by_text("Its time limit of 12 s was over")).to_be_visible()
    await expect(late.get_by_role("progressbar")).to_have_count(0)

    await page.reload()

    await expect(late.get_by_text("Stopped: it took too long")).to_be_visible()
    await expect(late.get_by_text("Its time limit of 12 s was over")).to_be_visible()
    await expect(late.get_by_role("progressbar")).to_have_count(0)


async def test_a_task_can_be_cancelled(page: Page) -> None:
    await page.goto("/")
    await ask(page, "a fox that changes its mind", "Takes 20 seconds longer")

    going = card(page, "a fox that changes its mind")
    await expect(going.get_by_text("Developing")).to_be_visible()
    await going.get_by_role("button", name="Cancel").click()

    await expect(going.get_by_text("Cancelled", exact=True)).to_be_visible()
    await expect(going.get_by_role("button", name="Try again")).to_be_visible()


async def test_everything_can_be_done_by_keyboard(page: Page) -> None:
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Prompt", exact=True)).to_be_focused()
    await page.keyboard.type("a quiet street in the rain")
    await page.keyboard.press("Control+Enter")

    done = card(page, "a quiet street in the rain")
    closer = done.get_by_role("button", name="Look closer at a quiet street in the rain")
    await expect(closer).to_be_visible()
    await press_until_focused(page, "Tab", closer)
    await page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog", name="a quiet street in the rain")
    await expect(viewer.get_by_text("Completed")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(viewer).to_have_count(0)
    await expect(closer).to_be_focused()

    settings = page.get_by_role("button", name="Appearance and language")
    await press_until_focused(page, "Shift+Tab", settings)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menu")).to_be_visible()
    await press_until_focused(
        page, "ArrowDown", page.get_by_role("menuitemradio", name="Dark", exact=True)
    )
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")


async def test_what_nobody_offers_cannot_be_asked_for(page: Page) -> None:
    """As where a deployment's providers make no models and no films."""

    async def offer_less(route: Route) -> None:
        answer = await route.fetch()
        told = await answer.json()
        for kind in told["types"]:
            if kind["type"] in ("PHOTO_TO_3D", "VIDEO"):
                kind["providers"] = []
        await route.fulfill(response=answer, json=told)

    await page.route("**/generation-types", offer_less)
    await page.goto("/")
    await expect(page.get_by_role("link", name="Clothing")).to_be_visible()
    await expect(page.get_by_role("link", name="Photo to 3D")).to_have_count(0)
    await expect(page.get_by_role("link", name="Video")).to_have_count(0)

    await page.goto("/photo-to-3d")

    await expect(page.get_by_text("This can't be asked for here")).to_be_visible()
    await expect(page.get_by_role("button", name="Build the model")).to_have_count(0)


async def test_from_another_machine_without_https_it_works_as_well(
    system: System,
) -> None:
    """A browser takes such a page for insecure, and lends it neither clipboard nor UUIDs."""
    async with opened_browser("--host-resolver-rules=MAP 192.0.2.1 127.0.0.1") as browser:
        page = await browser.new_page(locale="en-GB")
        await page.goto(f"http://192.0.2.1:{system.port}/")
        assert await page.evaluate("isSecureContext") is False
        prompt = "a lighthouse seen from afar"
        await ask(page, prompt)
        await shows_picture(card(page, prompt))
        await card(page, prompt).get_by_role("button", name="Look closer").click()
        await expect(page.get_by_role("dialog").get_by_text("Completed")).to_be_visible()


async def test_under_a_name_that_was_made_to_lead_here_nothing_is_to_be_had(
    system: System,
) -> None:
    async with opened_browser("--host-resolver-rules=MAP evil.example 127.0.0.1") as browser:
        page = await browser.new_page(locale="en-GB")
        await page.goto(f"http://evil.example:{system.port}/")
        told = page.get_by_text("under a name that the server doesn't know as its own")
        await expect(told.first).to_be_visible()
        read = "fetch('/tasks').then((answer) => answer.status)"
        removed = "fetch('/tasks/1', { method: 'DELETE' }).then((answer) => answer.status)"
        assert [await page.evaluate(read), await page.evaluate(removed)] == [403, 403]
