"""A page that was closed, reloaded or opened elsewhere finds its tasks again, whole."""

from __future__ import annotations

from integration.whole_path.conftest import HOLDS_THE_SLOT, SMALL, Line, recovered, submit, upload
from servers import eventually
from system import System

TYPES = ("CREATE", "WHITE_BACKGROUND", "CLOTHING_CHANGE")


async def test_a_submitted_task_is_processing_with_an_id_and_a_type_of_its_own(line: Line) -> None:
    system = line.system
    photo = await upload(system)
    tasks = [
        await submit(system, tasktype, prompt=f"for {tasktype}", reference_images=[photo])
        for tasktype in TYPES
        for _ in range(3)
    ]
    line.waiting += [task["task_id"] for task in tasks]

    pages = {tasktype: await recovered(system, tasktype) for tasktype in TYPES}
    async with system.database() as database:
        rows = await database.tasks()

    assert len({task["task_id"] for task in tasks}) == 9
    assert {task["status"] for task in tasks} == {"processing"}
    for number, task in enumerate(tasks):
        tasktype = TYPES[number // 3]
        row = rows[task["task_id"]]
        assert (task["type"], row.type, row.status) == (tasktype, tasktype, "processing")
    for tasktype, page in pages.items():
        mine = [task["task_id"] for task in tasks if task["type"] == tasktype]
        assert [task_id for task_id in page if task_id != line.holder] == mine
        for task_id in mine:
            shown = page[task_id]
            assert (shown["prompt"], shown["reference_images"]) == (f"for {tasktype}", [photo])


async def test_recovery_lists_exactly_the_tasks_that_have_not_ended(system: System) -> None:
    done = (await submit(system))["task_id"]
    failing = SMALL | {"simulate": {"fail": "no"}}
    failed = (await submit(system, provider_params=failing))["task_id"]
    assert (await system.ended(done))["status"] == "completed"
    assert (await system.ended(failed))["status"] == "failed"
    running = (await submit(system, provider_params=SMALL | HOLDS_THE_SLOT))["task_id"]

    async def at_work() -> bool:
        return bool((await system.task(running))["attempt"])

    await eventually(at_work, 30)
    waiting = (await submit(system))["task_id"]
    cancelled = (await submit(system))["task_id"]
    assert (await system.http.post(f"/tasks/{cancelled}/cancel")).status_code == 202

    assert list(await recovered(system)) == [running, waiting]

    assert (await system.http.post(f"/tasks/{running}/cancel")).status_code == 202
    assert (await system.ended(waiting))["status"] == "completed"
    assert list(await recovered(system)) == []


async def test_a_reload_finds_every_field_in_the_database(system: System) -> None:
    done = (await submit(system))["task_id"]
    failing = SMALL | {"simulate": {"fail": "The lamp broke."}}
    failed = (await submit(system, provider_params=failing))["task_id"]
    over = [await system.ended(done), await system.ended(failed)]
    photo = await upload(system)
    running = await submit(system, provider_params=SMALL | HOLDS_THE_SLOT)
    waiting = [
        await submit(
            system,
            prompt=f"a boat, version {number}",
            prompt_id=f"p-{number}",
            reference_images=[photo],
            metadata={"page": {"tab": number}},
        )
        for number in range(2)
    ]
    before = [(await recovered(system))[task["task_id"]] for task in waiting]

    # Nothing of what answers now remembers anything: only the rows do.
    await system.kill("gateway")
    await system.kill("task-store")
    await eventually(system.ready, 30)
    page = await recovered(system)
    history = (await system.http.get("/tasks", params={"limit": 5})).json()["tasks"]

    assert list(page) == [task["task_id"] for task in (running, *waiting)]
    assert list(page.values())[1:] == before
    assert [await system.task(task["task_id"]) for task in waiting] == before
    assert [(task["prompt_id"], task["queue_position"]) for task in before] == [
        ("p-0", 1),
        ("p-1", 2),
    ]
    assert history[-2:] == over[::-1]
    assert (history[-2]["status"], history[-2]["error_msg"]) == ("failed", "The lamp broke.")
    assert (await system.http.get(history[-1]["image_url"])).status_code == 200

    for task in (*waiting, running):
        await system.http.post(f"/tasks/{task['task_id']}/cancel")


async def test_each_type_becomes_a_picture(system: System) -> None:
    photo = await upload(system)
    asked = [
        await submit(system),
        await submit(system, "WHITE_BACKGROUND", reference_images=[photo]),
        await submit(system, "CLOTHING_CHANGE", prompt="red", reference_images=[photo]),
    ]

    ended = [await system.ended(task["task_id"]) for task in asked]

    assert [(task["status"], task["error"]) for task in ended] == [("completed", None)] * 3
    for task in ended:
        picture = await system.http.get(task["image_url"])
        assert picture.content.startswith(b"\x89PNG")
