"""Tasks that cost nothing themselves: from submit to an end that everybody can read."""

from __future__ import annotations

from measuring.client import Order
from measuring.context import Context, Loaded, task_body
from measuring.figures import Figure, at_least, at_most

_PART = "end to end"
_VARIANTS = {"Prefer: wait": "wait", "submit + long poll": "poll"}
_PAUSE_S = 0.02


def measure(run: Context) -> list[Figure]:
    figures = _one_at_a_time(run)
    for name, kind in _VARIANTS.items():
        figures += _at_full_speed(run, name, kind)
    return figures


def _one_at_a_time(run: Context) -> list[Figure]:
    order = Order(
        "wait-and-read",
        run.system.port,
        1,
        120,
        run.sizes.one_at_a_time,
        task_body("noop"),
        pause_s=_PAUSE_S,
    )
    seen = _checked(run.load(run.system.tree, order)).seen
    return [
        Figure(
            _PART,
            "one at a time, p50",
            seen["latency_ms"]["p50"],
            "ms",
            target=at_most(10.0),
            details={
                "p95 ms": seen["latency_ms"]["p95"],
                "until a plain GET shows it, p50 ms": seen["readable_ms"]["p50"],
            },
        )
    ]


def _at_full_speed(run: Context, name: str, kind: str) -> list[Figure]:
    sizes, system = run.sizes, run.system
    order = Order(kind, system.port, sizes.connections, sizes.warm_up_s, body=task_body("noop"))
    run.load(system.tree, order)
    system.wait_until_projected()
    order = Order(kind, system.port, sizes.connections, sizes.seconds, body=task_body("noop"))
    tasks = _checked(run.load(system.tree, order))
    cpu_s = {part: used / tasks.count * 1e3 for part, used in tasks.cpu_s.items()}
    return [
        Figure(
            _PART,
            f"{name}: tasks",
            tasks.rate,
            "/s",
            target=at_least(1000.0),
            details={
                "p50 ms": tasks.seen["latency_ms"]["p50"],
                "p95 ms": tasks.seen["latency_ms"]["p95"],
                "slowest ms": tasks.seen["latency_ms"]["max"],
                "client CPU s": tasks.seen["client_cpu_s"],
            },
        ),
        Figure(
            _PART,
            f"{name}: CPU per 1,000",
            sum(cpu_s.values()),
            "s",
            target=at_most(1.2),
            details=dict(cpu_s),
        ),
    ]


def _checked(loaded: Loaded) -> Loaded:
    if set(loaded.seen["statuses"]) != {"completed"}:
        raise RuntimeError(f"not all tasks were completed: {loaded.seen['statuses']}")
    return loaded
