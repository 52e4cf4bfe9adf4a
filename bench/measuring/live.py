"""Live updates: what an open stream takes, and how old an update is when it arrives."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from contracts.events import Event, Progressed, ProgressedData
from measuring import absent
from measuring.client import Order
from measuring.context import Context, task_body
from measuring.figures import Figure, at_most
from measuring.listening import Following, encoded
from measuring.system import BENCH
from measuring.telling import attributes, started, tell

_PART = "live"
_RATE = 200
_PAUSE_S = 0.02
_HIGHEST = 99


def measure(run: Context) -> list[Figure]:
    sizes, system = run.sizes, run.system
    absent.announce(system.nats_url)
    submits = Order(
        "repeat", system.port, 16, 120, sizes.streams, task_body(absent.NAME), keep=sizes.streams
    )
    names = [json.loads(body)["task_id"] for body in run.load(system.tree, submits).seen["kept"]]
    asyncio.run(tell(system.nats_url, (started(name) for name in names), 0))
    system.wait_until_projected()
    paths = [f"/tasks/{name}/events" for name in names]
    time.sleep(sizes.settle_s)
    before_mb = system.tree.pss_mb()["gateway"]
    run.say(f"opening {len(paths):,} streams")
    with _followers(system.port, paths) as followers:
        time.sleep(sizes.settle_s)
        after_mb = system.tree.pss_mb()["gateway"]
        events = int(_RATE * sizes.seconds)
        cpu_s = system.tree.cpu_s()["gateway"]
        asyncio.run(tell(system.nats_url, _progress(names, events), 1 / _RATE))
        cpu_s = system.tree.cpu_s()["gateway"] - cpu_s
        after_mb = max(after_mb, system.tree.pss_mb()["gateway"])
        busy = _seen(followers, events)
    with _followers(system.port, ["/events"]) as followers:
        asyncio.run(tell(system.nats_url, _progress(names, sizes.one_at_a_time), _PAUSE_S))
        idle = _seen(followers, sizes.one_at_a_time)
    return [
        Figure(
            _PART,
            f"memory of each of {len(paths):,} streams",
            (after_mb - before_mb) * 1024 / len(paths),
            "kB",
            target=at_most(40),
            details={"gateway before MB": before_mb, "with them MB": after_mb},
        ),
        Figure(
            _PART,
            f"event → told, worst at {_RATE}/s",
            busy["delay_ms"]["max"] / 1e3,
            "s",
            target=at_most(1),
            details={f"{name} ms": each for name, each in busy["delay_ms"].items()}
            | {"messages": busy["messages"], "gateway CPU ms a message": cpu_s / events * 1e3},
        ),
        Figure(
            _PART,
            "event → told at idle, p50",
            idle["delay_ms"]["p50"],
            "ms",
            target=at_most(50),
            details={f"{name} ms": each for name, each in idle["delay_ms"].items()},
        ),
    ]


@contextmanager
def _followers(port: int, paths: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "measuring.listening"],
        cwd=BENCH,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(encoded(Following(port, paths)) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "open":
            raise RuntimeError("the followers could not open their streams")
        try:
            yield process
        finally:
            process.kill()


def _seen(followers: subprocess.Popen[str], events: int) -> dict[str, Any]:
    """What they saw, once all of it has arrived, or does not."""
    answer, _ = followers.communicate(f"{events}\n", timeout=120)
    seen: dict[str, Any] = json.loads(answer)
    if seen["messages"] != events:
        raise RuntimeError(f"{events} events were told, and {seen['messages']} arrived")
    return seen


def _progress(names: list[str], events: int) -> Iterator[Event]:
    """Events of one task after the other, each of which changes it."""
    numbers = count()
    for number in range(events):
        data = ProgressedData(attempt=1, progress=min(number // len(names), _HIGHEST))
        yield Progressed(**attributes(names[number % len(names)], next(numbers)), data=data)
