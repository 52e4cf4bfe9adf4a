"""How the system is doing, in figures, for operators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from contracts.subjects import band_of, provider_of
from delivery.log import StreamState
from gateway.views import utc


def figures(
    log: StreamState, status: Mapping[str, Any], lanes: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """`contracts.api.SystemFigures`, from what log and task-store say of themselves.

    ``log`` is asked for last: what the rows are behind may be less by now, never more.
    """
    checkpoint, parked = status["checkpoint"], status["parked"]
    lag = max(0, log.last_sequence - checkpoint["sequence"])
    heard = datetime.fromisoformat(checkpoint["logtime"])
    return {
        "at": utc(log.now),
        "log": {
            "first_sequence": log.first_sequence,
            "last_sequence": log.last_sequence,
            "bytes": log.bytes,
            "max_bytes": log.max_bytes,
        },
        "projection": {
            "build": checkpoint["build"],
            "sequence": checkpoint["sequence"],
            "lag_events": lag,
            "lag_seconds": round(max(0.0, (log.now - heard).total_seconds()), 3) if lag else 0.0,
            "halted": status["halted"],
        },
        "parked": {
            "events": parked["events"],
            "tasks": parked["tasks"],
            "oldest": utc(parked["oldest"]),
        },
        "queues": queues(lanes),
    }


def queues(lanes: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lanes of one provider are one line; the mean is that of its front, where most run."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for lane in sorted(lanes, key=lambda each: (each["type"], band_of(each["lane"]))):
        key = (lane["type"], provider_of(lane["lane"]).upper())
        queue = found.setdefault(
            key,
            {
                "type": key[0],
                "provider": key[1],
                "waiting": 0,
                "running": 0,
                "finished": 0,
                "mean_s": lane["mean_s"],
                "since": None,
            },
        )
        for name in ("waiting", "running", "finished"):
            queue[name] += lane[name]
        if lane["since"] is not None:
            since = datetime.fromisoformat(lane["since"])
            queue["since"] = since if queue["since"] is None else min(since, queue["since"])
    return [found[key] | {"since": utc(found[key]["since"])} for key in sorted(found)]
