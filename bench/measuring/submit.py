"""Submits: accepted, each on disk before its 202; and how far the projection falls behind."""

from __future__ import annotations

from measuring import absent
from measuring.client import Order
from measuring.context import Context, empty_server, task_body
from measuring.figures import Figure, at_least, at_most

_PART = "submit"


def measure(run: Context) -> list[Figure]:
    sizes = run.sizes
    body = task_body(absent.NAME)
    with empty_server() as (port, tree):
        run.load(tree, _order(run, port, body, sizes.warm_up_s))
        empty = run.load(tree, _order(run, port, body, sizes.seconds))
    absent.announce(run.system.nats_url)
    tree = run.system.tree
    run.load(tree, _order(run, run.system.port, body, sizes.warm_up_s))
    run.system.wait_until_projected()
    lags: list[float] = []

    def look() -> None:
        lags.append(run.system.metric("task-store", "darkroom_projection_lag_seconds"))

    submits = run.load(tree, _order(run, run.system.port, body, sizes.seconds), look)
    run.system.wait_until_projected()
    if set(submits.seen["statuses"]) != {"202"}:
        raise RuntimeError(f"not all submits were accepted: {submits.seen['statuses']}")
    lag = max(lags, default=0.0)
    return [
        Figure(
            _PART,
            "accepted submits",
            submits.rate,
            "/s",
            floor=empty.rate,
            floor_name="empty POST /s",
            target=at_least(0.4),
            details={f"{name} ms CPU": each for name, each in submits.cpu_ms.items()}
            | {"p50 ms": submits.seen["latency_ms"]["p50"]}
            | {"client CPU s": submits.seen["client_cpu_s"]},
        ),
        Figure(
            _PART,
            "gateway CPU per submit",
            submits.cpu_ms["gateway"],
            "ms",
            floor=empty.cpu_ms["empty"],
            floor_name="empty POST ms",
        ),
        Figure(_PART, "lag meanwhile, at most", lag, "s", target=at_most(1.0)),
    ]


def _order(run: Context, port: int, body: str, seconds: float) -> Order:
    return Order("repeat", port, run.sizes.connections, seconds, body=body)
