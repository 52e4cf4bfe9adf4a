"""What the broker tells of stream and consumers, read."""

from __future__ import annotations

from typing import Any

from contracts.subjects import RESTORING
from delivery.standing import LanePosition, lane_positions, stream_drift

STREAM: dict[str, Any] = {
    "subjects": ["generation.>"],
    "retention": "limits",
    "storage": "file",
    "discard": "new",
    "allow_direct": True,
    "republish": {"src": "generation.>", "dest": "live.generation.>"},
    "max_age": 1,
}
LANE: dict[str, Any] = {
    "name": "generator-create-studio",
    "config": {"ack_policy": "explicit", "max_deliver": -1, "ack_wait": 1},
    "delivered": {"stream_seq": 20},
    "ack_floor": {"stream_seq": 10},
    "num_ack_pending": 2,
    "num_pending": 3,
}


def test_a_stream_may_differ_only_in_what_a_deployment_sets() -> None:
    assert stream_drift(STREAM) == ()
    assert stream_drift(STREAM | {"discard": "old", "max_age": 2}) == (
        "discard is 'old', should be 'new'",
    )
    restored = STREAM | {"metadata": {RESTORING: "{}"}, "subjects": ["restore.generation.>"]}
    assert stream_drift(restored) == ("it is being restored, or that was interrupted",)


def test_lanes_are_told_from_other_consumers() -> None:
    bounded = LANE["config"] | {"max_deliver": 3}
    told = [
        LANE,
        LANE | {"name": "projector-1"},
        LANE | {"name": "generator-image-kie", "config": bounded},
    ]

    assert lane_positions(told) == {
        "generator-create-studio": LanePosition(10, 20, 2, 3),
        "generator-image-kie": LanePosition(10, 20, 2, 3, ("max_deliver is 3, should be -1",)),
    }
