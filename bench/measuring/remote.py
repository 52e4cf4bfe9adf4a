"""Tasks that are done elsewhere: their cost over the service's own time, and while they wait."""

from __future__ import annotations

import http.client
import json
import statistics
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing
from typing import Any

from measuring.client import Order
from measuring.context import Context, task_body
from measuring.figures import Figure, at_most
from measuring.processes import difference, rss_mb

_PART = "remote"
_OWN_S = 0.1
_PAUSE_S = 0.02
_WITHIN_S = 120.0
_RUNNING = 'darkroom_running{provider="remote"}'


def measure(run: Context) -> list[Figure]:
    return [
        _overhead(run, "over a service that is done at the first look, p50", 0.0),
        _overhead(run, "over a service that calls back after 100 ms, p50", _OWN_S),
        *_waiting(run),
    ]


def _body(own_s: float | None) -> str:
    body: dict[str, Any] = json.loads(task_body("remote"))
    body["provider_params"]["own_s"] = own_s
    return json.dumps(body)


def _overhead(run: Context, name: str, own_s: float) -> Figure:
    """From POST to told as completed, less what the service takes: the difference of medians."""
    order = Order(
        *("wait", run.system.port, 1, 120, run.sizes.one_at_a_time),
        body=_body(own_s),
        pause_s=_PAUSE_S,
    )
    loaded = run.load(run.system.tree, order)
    if set(loaded.seen["statuses"]) != {"completed"}:
        raise RuntimeError(f"not all tasks were completed: {loaded.seen['statuses']}")
    own_ms = json.loads(_asked(run, "/own"))["ms"] if own_s else _asked_directly_ms(run)
    told = loaded.seen["latency_ms"]
    return Figure(
        _PART,
        name,
        told["p50"] - own_ms,
        "ms",
        target=at_most(15.0),
        details={
            "the service ms": own_ms,
            "p95 ms": told["p95"] - own_ms,
            **{f"{part} CPU ms": used for part, used in loaded.cpu_ms.items()},
        },
    )


def _asked_directly_ms(run: Context) -> float:
    """What a job takes that is done at the first look, asked for without anything between."""
    address = run.system.service_url.removeprefix("http://")
    took = []
    with closing(http.client.HTTPConnection(address, timeout=10)) as service:
        for _ in range(run.sizes.one_at_a_time):
            began = time.perf_counter()
            service.request("POST", "/jobs", json.dumps({"own_s": 0, "callback": None}))
            job = json.load(service.getresponse())["id"]
            service.request("GET", f"/jobs/{job}")
            service.getresponse().read()
            took.append((time.perf_counter() - began) * 1e3)
            time.sleep(_PAUSE_S)
    return statistics.median(took)


def _asked(run: Context, path: str, method: str = "GET") -> bytes:
    """What the service says."""
    url = f"{run.system.service_url}{path}"
    asked = urllib.request.Request(url, method=method)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        told: bytes = answer.read()
    return told


def _until(condition: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(complaint)
        time.sleep(0.1)


def _waiting(run: Context) -> list[Figure]:
    """Tasks that only wait for the service, in one generator process."""
    sizes, system = run.sizes, run.system
    pid = system.pid("generator")
    empty_mb = rss_mb(pid)
    order = Order("repeat", system.port, 8, 120, sizes.in_flight, body=_body(None))
    submits = run.load(system.tree, order)
    if submits.count < sizes.in_flight:
        raise RuntimeError(f"only {submits.count} tasks were accepted")
    _until(
        lambda: system.metric("generator", _RUNNING) >= sizes.in_flight, "not all are handed over"
    )
    time.sleep(sizes.settle_s)
    before = system.tree.cpu_s()
    time.sleep(sizes.idle_s)
    used = difference(before, system.tree.cpu_s())
    full_mb = rss_mb(pid)
    _asked(run, "/end", "POST")
    _until(lambda: system.metric("generator", _RUNNING) == 0, "not all have ended")
    return [
        Figure(
            _PART,
            f"memory of a generator (RSS) with {sizes.in_flight:,} in flight",
            full_mb,
            "MB",
            target=at_most(200.0),
            details={"before MB": empty_mb},
        ),
        Figure(
            _PART,
            "its CPU while they wait",
            used["generator"] / sizes.idle_s * 100,
            "% of a core",
            details={f"{part} %": each / sizes.idle_s * 100 for part, each in used.items()},
        ),
    ]
