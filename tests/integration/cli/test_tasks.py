"""Submitting, following and changing tasks with the command line."""

from __future__ import annotations

import signal
from pathlib import Path

from integration.cli.conftest import Ran, Shell, Submit, ended
from system import System

_QUICK = ("--param", "width=64", "--param", "height=64")
SMALL = {"width": 64, "height": 64}


async def test_a_picture_is_submitted_followed_and_saved(darkroom: Shell, tmp_path: Path) -> None:
    picture = tmp_path / "picture.png"

    ran = await darkroom("submit", "create", "a red bicycle", "-o", str(picture), *_QUICK)

    assert (ran.exit_code, ran.stdout) == (0, f"{picture}\n"), ran.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")


async def test_a_photo_is_uploaded_and_its_result_saved_into_a_directory(
    darkroom: Shell, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.png"
    await darkroom("submit", "CREATE", "a yellow vase", "-o", str(photo), *_QUICK)

    ran = await darkroom(
        *("submit", "WHITE_BACKGROUND", "--image", str(photo), "-o", f"{tmp_path}/results/"),
        "--json",
    )

    assert ran.exit_code == 0, ran.stderr
    assert ran.json["status"] == "completed"
    assert len(ran.json["reference_images"]) == 1
    saved = [Path(path) for path in ran.json["saved"]]
    assert [path.parent.name for path in saved] == ["results"]
    assert len(saved[0].read_bytes()) == ran.json["artifacts"][0]["bytes"]


async def test_a_failed_task_exits_1_and_tells_why(darkroom: Shell) -> None:
    ran = await darkroom(
        *("submit", "CREATE", "x", "--wait", "--param", 'simulate={"fail": "Out of paint."}')
    )

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "Out of paint. (darkroom tasks retry" in ran.stderr


async def test_the_same_key_gives_the_same_task(submitted: Submit) -> None:
    words = ("CREATE", "once", "--idempotency-key", "cli-1", *_QUICK)

    assert await submitted(*words) == await submitted(*words)


async def test_what_no_provider_understands_is_refused_with_its_place(darkroom: Shell) -> None:
    ran = await darkroom("submit", "CREATE", "x", "--param", "width=7")

    assert ran.exit_code == 2
    assert "width" in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


async def test_interrupted_the_task_goes_on_and_the_way_back_is_told(
    darkroom: Shell, system: System
) -> None:
    process = await darkroom.start(
        *("submit", "CREATE", "slow", "--wait", "--param", 'simulate={"seconds": 60}', *_QUICK)
    )
    assert process.stderr is not None
    task_id = (await process.stderr.readline()).decode().removeprefix("task ").strip()
    await process.stderr.readline()
    process.send_signal(signal.SIGINT)
    ran = await ended(process)

    assert ran.exit_code == 130
    assert f"The task goes on. Come back to it with: darkroom tasks show {task_id}" in ran.stderr
    back = await darkroom("tasks", "show", task_id, "--json")
    assert (back.exit_code, back.json["status"]) == (0, "processing")
    assert (await darkroom("tasks", "cancel", task_id)).exit_code == 0


async def test_a_gateway_that_is_restarted_does_not_end_the_following(
    darkroom: Shell, system: System
) -> None:
    process = await darkroom.start(
        *("submit", "CREATE", "slow", "--wait", "--json"),
        *("--param", 'simulate={"seconds": 3}', *_QUICK),
    )
    assert process.stderr is not None
    await process.stderr.readline()
    await system.kill("gateway")

    ran = await ended(process)

    assert (ran.exit_code, ran.json["status"]) == (0, "completed"), ran.stderr


async def test_tasks_are_listed_shown_cancelled_and_retried(
    darkroom: Shell, submitted: Submit
) -> None:
    task_id = await submitted("CREATE", "to cancel", "--param", 'simulate={"seconds": 60}')

    listed = await darkroom("tasks", "list", "--type", "CREATE", "--limit", "5", "--json")
    cancelled = await darkroom("tasks", "cancel", task_id)
    again = await darkroom("tasks", "cancel", task_id)
    retried = await darkroom("tasks", "retry", task_id, "--json")
    shown = await darkroom("tasks", "show", task_id)
    table = await darkroom("tasks", "list", "--status", "cancelled")

    assert task_id in [task["task_id"] for task in listed.json]
    assert (cancelled.exit_code, cancelled.stdout) == (0, f"{task_id} cancelled\n")
    assert again.exit_code == 1
    assert retried.json["metadata"]["retry_of"] == task_id
    assert "to cancel" in shown.stdout
    assert task_id in table.stdout
    await darkroom("tasks", "cancel", retried.json["task_id"])


async def test_an_unknown_task_exits_2(darkroom: Shell) -> None:
    ran = await darkroom("tasks", "show", "0199f0c2-7e4a-7000-8000-00000000dead")

    assert (ran.exit_code, ran.stderr) == (2, "Error: There is no such task.\n")


async def test_a_task_is_shown_as_it_was_at_a_sequence_of_the_log(
    darkroom: Shell, system: System
) -> None:
    task_id = await system.submit("past", type="CREATE", prompt="mine", provider_params=SMALL)
    await system.ended(task_id)
    patched = await system.http.patch(f"/tasks/{task_id}/metadata", json={"page": 1})
    assert patched.status_code == 200
    now = (await darkroom("tasks", "show", task_id, "--json")).json
    told = (await darkroom("events", "show", task_id, "--json")).json
    sequences = {event["type"]: event["sequence"] for event in told}

    async def at(sequence: int) -> Ran:
        return await darkroom("tasks", "show", task_id, "--at", str(sequence), "--json")

    asked = (await at(sequences["generation.requested"])).json
    done = (await at(sequences["generation.annotated"] - 1)).json
    latest = (await at(now["sequence"] + 1000)).json
    before = await at(sequences["generation.requested"] - 1)
    both = await darkroom("tasks", "show", task_id, "--at", "1", "--wait")

    assert (asked["status"], asked["attempt"], asked["image_url"]) == ("processing", 0, None)
    assert (done["status"], done["metadata"]) == ("completed", {})
    assert done["image_url"] == now["image_url"]
    times = {"created_at", "started_at", "updated_at", "finished_at"}
    assert {k: v for k, v in latest.items() if k not in times} == {
        k: v for k, v in now.items() if k not in times
    }
    assert before.exit_code == 1
    assert f"began at sequence {sequences['generation.requested']}" in before.stderr
    assert both.exit_code == 2
