"""Whatever happens to the page, the tasks are there when it is back, and go on."""

from __future__ import annotations

import asyncio
import io
import uuid

from PIL import Image
from playwright.async_api import BrowserContext, Page, expect

from e2e.steps import ask, begin, card, cut, lose_the_answer, shows_picture
from servers import eventually
from system import System


async def test_after_a_reload_the_card_is_there_and_goes_on(page: Page, system: System) -> None:
    prompt = "a lighthouse that is reloaded"
    await begin(system, prompt, seconds=6)
    await page.goto("/")
    await expect(card(page, prompt).get_by_text("Developing")).to_be_visible()

    await page.reload()

    await expect(card(page, prompt)).to_be_visible()
    await shows_picture(card(page, prompt))


async def test_clothing_is_recovered_and_its_picture_shown(page: Page, system: System) -> None:
    figure = Image.new("RGB", (240, 320), (230, 230, 230))
    figure.paste((190, 150, 120), (100, 30, 140, 80))
    figure.paste((60, 90, 160), (80, 80, 160, 300))
    photo = io.BytesIO()
    figure.save(photo, "PNG")
    files = {"file": ("person.png", photo.getvalue(), "image/png")}
    upload = (await system.http.post("/uploads", files=files)).json()
    prompt = "a long yellow raincoat"
    await system.submit(
        str(uuid.uuid4()),
        type="CLOTHING_CHANGE",
        prompt=prompt,
        reference_images=[upload["url"]],
        provider_params={"simulate": {"seconds": 4}},
    )
    await page.goto("/clothing-change")
    await expect(card(page, prompt).get_by_text("Developing")).to_be_visible()

    await page.reload()

    recovered = card(page, prompt)
    await expect(recovered.get_by_alt_text("Reference picture 1")).to_be_visible()
    await expect(recovered.get_by_role("button", name="Look closer")).to_be_visible()
    await page.get_by_role("link", name="Create", exact=True).click()
    await expect(page.get_by_role("heading", name="Your tasks")).to_be_visible()
    await expect(card(page, prompt)).to_have_count(0)


async def test_a_failure_is_still_told_after_a_reload(page: Page, system: System) -> None:
    prompt = "a fox that stays away"
    await system.ended(await begin(system, prompt, fail="No fox was seen."))
    await page.goto("/")
    await expect(card(page, prompt).get_by_text("No fox was seen.")).to_be_visible()

    await page.reload()

    await expect(card(page, prompt).get_by_text("No fox was seen.")).to_be_visible()
    await expect(card(page, prompt).get_by_role("progressbar")).to_have_count(0)


async def test_a_reload_while_it_is_being_sent_makes_one_task(page: Page, system: System) -> None:
    prompt = "a fox that is sent once"
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    # The task is taken, and the answer never arrives.
    await page.route("**/tasks", lose_the_answer)
    await ask(page, prompt)
    await expect(card(page, prompt)).to_be_visible()

    async def times_taken() -> int:
        history = (await system.http.get("/tasks", params={"limit": 100})).json()["tasks"]
        return [task["prompt"] for task in history].count(prompt)

    await eventually(times_taken, 20, "the task was not taken")
    await page.unroute("**/tasks")
    await page.reload()

    await shows_picture(card(page, prompt))
    assert await times_taken() == 1


async def test_three_tasks_stand_at_1_2_3_and_move_up(page: Page, system: System) -> None:
    await begin(system, "blocker", seconds=8)
    await page.goto("/")
    await expect(card(page, "blocker").get_by_text("Developing")).to_be_visible()
    prompts = ["first in line", "second in line", "third in line"]
    for place, prompt in enumerate(prompts, start=1):
        await ask(page, prompt, "Takes 20 seconds longer" if place == 1 else "Nothing, just do it")
        await expect(card(page, prompt).get_by_text(f"Number {place} in line")).to_be_visible()

    # A reload asks the server: no place is a remembered one.
    await page.reload()
    for place, prompt in enumerate(prompts, start=1):
        await expect(card(page, prompt).get_by_text(f"Number {place} in line")).to_be_visible()

    await expect(card(page, "first in line").get_by_text("Developing")).to_be_visible()
    await expect(card(page, "second in line").get_by_text("Number 1 in line")).to_be_visible()
    await expect(card(page, "third in line").get_by_text("Number 2 in line")).to_be_visible()
    await card(page, "first in line").get_by_role("button", name="Cancel").click()
    await shows_picture(card(page, "second in line"))
    await shows_picture(card(page, "third in line"))


async def test_another_tab_shows_the_same(context: BrowserContext, page: Page) -> None:
    other = await context.new_page()
    await page.goto("/")
    await other.goto("/")
    await expect(other.get_by_role("heading", level=1)).to_be_visible()
    prompt = "a bicycle in two tabs"
    await page.bring_to_front()
    await ask(page, prompt)

    await expect(card(other, prompt)).to_be_visible()
    await shows_picture(card(page, prompt))
    await expect(card(other, prompt).get_by_text("Done", exact=True)).to_be_visible()
    await other.bring_to_front()
    await shows_picture(card(other, prompt))


async def test_tasks_from_two_tabs_at_once_stand_at_places_of_their_own(
    context: BrowserContext, page: Page, system: System
) -> None:
    await begin(system, "what holds the line up", seconds=600)
    other = await context.new_page()
    asked = {page: ["one of a", "two of a"], other: ["one of b", "two of b"]}
    for tab in asked:
        await tab.goto("/")
        held = card(tab, "what holds the line up")
        await expect(held.get_by_text("Developing")).to_be_visible()

    async def ask_for(tab: Page, prompts: list[str]) -> None:
        for prompt in prompts:
            await ask(tab, prompt)

    await asyncio.gather(*(ask_for(tab, prompts) for tab, prompts in asked.items()))

    all_asked = [prompt for prompts in asked.values() for prompt in prompts]

    async def told() -> dict[str, int] | None:
        tasks = (await system.http.get("/tasks/processing")).json()["tasks"]
        waiting = [task for task in tasks if task["attempt"] == 0]
        found = {task["prompt"]: task["queue_position"] for task in waiting}
        return found if found.keys() == set(all_asked) else None

    places: dict[str, int] = await eventually(told, 20, "not all of them are in line")
    assert sorted(places.values()) == [1, 2, 3, 4]
    for tab in asked:
        for prompt, place in places.items():
            await expect(card(tab, prompt).get_by_text(f"Number {place} in line")).to_be_visible()


async def test_what_ended_on_another_page_is_there_and_new(page: Page, system: System) -> None:
    await page.goto("/")
    await expect(page.get_by_role("heading", name="Your tasks")).to_be_visible()
    prompt = "a fox that ends unseen"
    first = await begin(system, "what is before the fox", seconds=600)
    await ask(page, prompt)
    await expect(card(page, prompt).get_by_text("Number 1 in line")).to_be_visible()
    await page.get_by_role("link", name="Operations").click()
    await expect(page.get_by_role("heading", name="Operations", level=1)).to_be_visible()
    tasks = (await system.http.get("/tasks", params={"limit": 1})).json()["tasks"]
    assert tasks[0]["prompt"] == prompt
    await system.http.post(f"/tasks/{first}/cancel")
    await system.ended(tasks[0]["task_id"])

    await page.get_by_role("link", name="Create", exact=True).click()
    await shows_picture(card(page, prompt))
    await expect(card(page, prompt).get_by_text("New", exact=True)).to_be_visible()
    # Once seen, it is new no more.
    await page.reload()
    await shows_picture(card(page, prompt))
    await expect(card(page, prompt).get_by_text("New", exact=True)).to_have_count(0)


async def test_a_completion_enters_the_history_without_a_reload(page: Page, system: System) -> None:
    await page.goto("/history")
    await expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    prompt = "a lighthouse for the history"
    await begin(system, prompt)

    tile = page.get_by_role("button", name=prompt)
    await expect(tile).to_be_visible()
    await expect(tile).to_contain_text("Picture")

    await page.get_by_label("Search prompts").fill("lighthouse history")
    await expect(page.get_by_role("listitem").get_by_role("button", name=prompt)).to_have_count(1)
    await page.get_by_label("Status").select_option(label="Failed")
    await expect(page.get_by_text("Nothing matches")).to_be_visible()
    await page.get_by_role("button", name="Clear the filters").click()
    await tile.click()
    await expect(page.get_by_role("dialog").get_by_text("Completed")).to_be_visible()


async def test_when_the_gateway_is_killed_the_page_says_so_and_comes_back(
    page: Page, system: System
) -> None:
    prompt = "a lighthouse through a crash"
    await begin(system, prompt, seconds=8)
    await page.goto("/")
    await expect(card(page, prompt).get_by_text("Developing")).to_be_visible()
    # Between the kill and the restart lies less than a poll: the wire stays cut until it was seen.
    await page.context.route("**/*", cut)
    await system.kill("gateway")

    await expect(page.get_by_text("The server does not answer")).to_be_visible()
    await expect(card(page, prompt)).to_be_visible()
    await page.context.unroute("**/*")

    await expect(page.get_by_text("The server does not answer")).to_have_count(0)
    await shows_picture(card(page, prompt))


async def test_a_page_that_was_never_opened_opens_offline(page: Page) -> None:
    await page.goto("/")
    # The browser has been told to keep what the other pages are made of, and has.
    script = "link[rel=prefetch][href*=HistoryPage]"
    await expect(page.locator(script)).to_have_count(1)
    kept = f"() => performance.getEntriesByName(document.querySelector('{script}').href).length"
    await eventually(lambda: page.evaluate(kept), 20)

    await page.context.set_offline(True)
    await page.get_by_role("link", name="History", exact=True).click()

    await expect(page.get_by_role("heading", name="History", level=1)).to_be_visible()
    # What is not known is not told as nothing.
    await page.get_by_role("link", name="On white").click()
    await expect(page.get_by_text("The server can't be reached.")).to_be_visible()
    await expect(page.get_by_text("No photos yet.")).to_have_count(0)
    await page.get_by_role("link", name="Operations").click()
    await expect(page.get_by_role("heading", name="Recent failures")).to_be_visible()
    await expect(page.get_by_text("None. May it stay so.")).to_have_count(0)


async def test_a_page_whose_script_was_cut_off_comes_when_the_wire_is_back(page: Page) -> None:
    await page.goto("/")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await page.context.route("**/*", cut)
    await page.get_by_role("link", name="Operations").click()
    await expect(page.get_by_text("The server does not answer")).to_be_visible()
    await expect(page.get_by_role("heading", name="Operations", level=1)).to_have_count(0)

    await page.context.unroute("**/*")

    await expect(page.get_by_role("heading", name="Operations", level=1)).to_be_visible()


async def test_a_picture_that_did_not_load_is_loaded_again(page: Page, system: System) -> None:
    prompt = "a lighthouse that loads late"
    await system.ended(await begin(system, prompt))
    await page.context.route("**/artifacts/**", cut)
    await page.goto("/")
    late = card(page, prompt)
    await expect(late.get_by_text("The picture can't be loaded right now")).to_be_visible()

    await page.context.unroute("**/artifacts/**")

    await shows_picture(late)


async def test_offline_and_back_the_card_is_there_and_what_was_asked_for_is_sent(
    page: Page, system: System
) -> None:
    prompt = "a lighthouse offline"
    await begin(system, prompt, seconds=5)
    await page.goto("/")
    await expect(card(page, prompt)).to_be_visible()

    await page.context.set_offline(True)
    await expect(page.get_by_text("You are offline")).to_be_visible()
    await expect(card(page, prompt)).to_be_visible()
    await ask(page, "asked for while offline")
    unsent = card(page, "asked for while offline")
    await expect(unsent.get_by_text("Not sent yet")).to_be_visible()
    await page.context.set_offline(False)

    await expect(page.get_by_text("You are offline")).to_have_count(0)
    await shows_picture(card(page, prompt))
    await shows_picture(unsent)
