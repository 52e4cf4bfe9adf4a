"""A task whose worker fell silent ends with a message for its user, and makes room for others."""

from __future__ import annotations

from contracts.records import to_record
from integration.whole_path.conftest import SILENCE_S, SMALL, recovered, submit
from system import System, ends_by_task


async def test_a_stuck_task_ends_once_with_its_error_kept_and_frees_its_place(
    system: System,
) -> None:
    hangs = SMALL | {"simulate": {"hang": True}}
    stuck = (await submit(system, provider_params=hangs))["task_id"]

    shown = await system.ended(stuck)

    error = {
        "code": "timeout",
        "message": f"Nothing was heard of this task for {SILENCE_S} s, so it was stopped. "
        "Please try again.",
        "retryable": True,
        "attempts": 1,
        "params": {"seconds": SILENCE_S},
    }
    assert (shown["status"], shown["progress"], shown["error"]) == ("failed", 0, error)
    assert (shown["error_msg"], shown["image_url"], shown["artifacts"]) == (
        error["message"],
        None,
        [],
    )
    assert list(await recovered(system)) == []

    another = (await submit(system))["task_id"]
    assert (await system.ended(another))["status"] == "completed"
    ends = ends_by_task(await system.log())
    assert (ends[stuck], ends[another]) == (1, 1)

    async with system.database() as database:
        row = to_record((await database.tasks())[stuck])
    assert (row["status"], row["progress"], row["error"]) == ("failed", 0, error)
