"""How the log and its lanes stand, as the broker tells it. Pure.

Only what holds whatever a deployment's settings; `delivery.provision` compares the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from contracts.subjects import ALL_EVENTS, LANE_PREFIX, LIVE_EVENTS, RESTORING

_STREAM: Mapping[str, Any] = {
    "subjects": [ALL_EVENTS],
    "retention": "limits",
    "storage": "file",
    "discard": "new",
    "allow_direct": True,
    "republish": {"src": ALL_EVENTS, "dest": LIVE_EVENTS},
}
_LANE: Mapping[str, Any] = {"ack_policy": "explicit", "max_deliver": -1, "backoff": None}


@dataclass(frozen=True, slots=True)
class LanePosition:
    """How far a lane's consumer has come, and what of it is not as it must be.

    Requests up to ``floor`` are acknowledged, those after ``delivered`` were given to nobody yet.
    ``in_hand`` of those between are out under a lease, or come again; ``waiting`` are after them.
    Which ones are out the broker does not tell.
    """

    floor: int
    delivered: int
    in_hand: int
    waiting: int
    drift: tuple[str, ...] = ()


def stream_drift(config: Mapping[str, Any]) -> tuple[str, ...]:
    if RESTORING in (config.get("metadata") or {}):
        return ("it is being restored, or that was interrupted",)
    return _drift(_STREAM, config)


def lane_positions(consumers: Iterable[Mapping[str, Any]]) -> Mapping[str, LanePosition]:
    """Those of all lanes, by durable name, from what the broker says of its consumers."""
    return {
        told["name"]: LanePosition(
            floor=told["ack_floor"]["stream_seq"],
            delivered=told["delivered"]["stream_seq"],
            in_hand=told["num_ack_pending"],
            waiting=told["num_pending"],
            drift=_drift(_LANE, told["config"]),
        )
        for told in consumers
        if told["name"].startswith(LANE_PREFIX)
    }


def _drift(described: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{setting} is {config.get(setting)!r}, should be {wanted!r}"
        for setting, wanted in described.items()
        if config.get(setting) != wanted
    )
