"""Trouble on order: what ``provider_params.simulate`` makes happen, for demonstrations."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from generator.provider import Rejected, Unavailable

LONGEST_SILENCE_S = 5.0

_WISHES: Mapping[str, Any] = {
    "seconds": {
        "type": "number",
        "minimum": 0,
        "maximum": 86400,
        "description": "Last this much longer, with progress.",
    },
    "fail": {
        "type": "string",
        "minLength": 1,
        "maxLength": 1000,
        "description": "Fail for good, with this message.",
    },
    "flaky": {
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "description": "Fail this many attempts first.",
    },
    "fail_at": {
        "type": "string",
        "minLength": 1,
        "maxLength": 100,
        "description": "End in this failure stage.",
    },
    "hang": {"type": "boolean", "description": "Fall silent."},
    "crash": {"type": "boolean", "description": "Kill the generator at the first attempt."},
}


def schema(failures: Sequence[str] = ()) -> Mapping[str, Any]:
    """What may be wished for; ``failures`` are the stages in which a pipeline can fail."""
    wishes = dict(_WISHES)
    if failures:
        wishes["fail_at"] = {**_WISHES["fail_at"], "enum": list(failures)}
    return {
        "type": "object",
        "title": "Trouble on order, for demonstrations and tests",
        "additionalProperties": False,
        "properties": wishes,
    }


async def simulated(
    wish: Mapping[str, Any], attempt: int, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> AsyncGenerator[int, None]:
    """Yield percentages for as long as was asked, then make the wished trouble happen."""
    crashes = _crashes(wish, attempt)
    async for percent in waiting(float(wish.get("seconds", 0)), sleep):
        yield percent
        if crashes and percent >= 50:
            break
    if crashes:
        yield 50
        crash(wish, attempt)
    async for percent in silence(wish):
        yield percent
    refuse(wish, attempt)
    if "fail_at" in wish:
        stage = str(wish["fail_at"])
        raise Rejected(f"Simulated: failed at {stage}.", stage=stage)


def crash(wish: Mapping[str, Any], attempt: int) -> None:
    """Kill this process, if that is wished for."""
    if _crashes(wish, attempt):
        os.kill(os.getpid(), signal.SIGKILL)


def _crashes(wish: Mapping[str, Any], attempt: int) -> bool:
    return bool(wish.get("crash")) and attempt == 1


async def silence(wish: Mapping[str, Any]) -> AsyncGenerator[int, None]:
    """Say one percentage and then nothing ever, if that is wished for."""
    if wish.get("hang"):
        yield 10
        await asyncio.Event().wait()


def refuse(wish: Mapping[str, Any], attempt: int) -> None:
    """Fail this attempt, or the task, if that is wished for."""
    if attempt <= int(wish.get("flaky", 0)):
        raise Unavailable(f"Simulated: attempt {attempt} fails, a later one will not.")
    if "fail" in wish:
        raise Rejected(str(wish["fail"]))


async def waiting(
    seconds: float, sleep: Callable[[float], Awaitable[None]]
) -> AsyncGenerator[int, None]:
    """Yield 9, 18, … 90 over so many seconds, and at least every five seconds."""
    if seconds <= 0:
        return
    steps = max(10, -int(-seconds // LONGEST_SILENCE_S))
    for done in range(1, steps + 1):
        await sleep(seconds / steps)
        yield 90 * done // steps
