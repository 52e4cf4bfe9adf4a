"""Money is spent once: a generator killed at random moments around submit and record."""

from __future__ import annotations

from pathlib import Path
from random import Random

from faults.kills import ground

KILLS = 3


async def test_what_a_killed_generator_handed_over_is_taken_once_or_by_policy(
    tmp_path: Path,
) -> None:
    """ComfyUI can be asked for a job; Kie can't, and the policy is not to submit again."""
    async with ground(tmp_path, kie="fail") as made:
        seen = await made.killed(KILLS, Random())

    comfyui, kie = seen["comfyui"], seen["kie"]
    assert made.kills == KILLS
    assert (comfyui.taken, comfyui.completed) == ({1: KILLS}, KILLS), comfyui
    assert kie.more_than_once == 0, kie
    assert kie.completed + kie.failed_unknown == KILLS, kie
    assert kie.completed <= kie.taken.get(1, 0), kie
    assert (comfyui.ended_once, kie.ended_once) == (KILLS, KILLS), seen
