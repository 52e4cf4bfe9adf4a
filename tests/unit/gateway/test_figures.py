"""How the system is doing is told in figures, the lanes of a provider as one line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from builders import NOON
from contracts.api import SystemFigures
from delivery.log import StreamState
from gateway.figures import figures

LOG = StreamState(
    created=NOON,
    first_sequence=3,
    last_sequence=20,
    bytes=2000,
    max_bytes=100_000,
    now=NOON + timedelta(seconds=9.5),
    complete_since=NOON,
)


def status(sequence: int, **told: Any) -> dict[str, Any]:
    checkpoint = {"build": 2, "sequence": sequence, "logtime": "2026-11-21T12:00:02+00:00"}
    assert NOON.isoformat() == "2026-11-21T12:00:00+00:00"
    parked = {"events": 0, "tasks": 0, "oldest": None}
    return {"checkpoint": checkpoint, "parked": parked, "halted": None} | told


def lane(name: str, waiting: int, since: str | None = None, **told: Any) -> dict[str, Any]:
    counts = {"running": 1, "finished": 10, "mean_s": 2.5}
    return {"type": "CREATE", "lane": name, "waiting": waiting, "since": since} | counts | told


def test_rows_that_are_behind_are_so_for_as_long_as_their_last_event_is_old() -> None:
    told = figures(LOG, status(18), [])

    assert told == {
        "at": "2026-11-21T12:00:09.500000Z",
        "log": {"first_sequence": 3, "last_sequence": 20, "bytes": 2000, "max_bytes": 100_000},
        "projection": {
            "build": 2,
            "sequence": 18,
            "lag_events": 2,
            "lag_seconds": 7.5,
            "halted": None,
        },
        "parked": {"events": 0, "tasks": 0, "oldest": None},
        "queues": [],
    }
    assert SystemFigures.model_validate(told).projection.lag_events == 2


def test_rows_that_have_all_are_not_behind_however_old_the_last_event_is() -> None:
    projection = figures(LOG, status(20), [])["projection"]

    assert (projection["lag_events"], projection["lag_seconds"]) == (0, 0.0)


def test_what_holds_the_rows_up_is_told() -> None:
    parked = {"events": 4, "tasks": 1, "oldest": "2026-11-21T11:00:00+00:00"}

    told = figures(LOG, status(20, halted="the log lost events", parked=parked), [])

    assert told["projection"]["halted"] == "the log lost events"
    assert told["parked"] == parked | {"oldest": "2026-11-21T11:00:00Z"}


def test_the_lanes_of_a_provider_are_one_line_that_waits_as_long_as_its_first() -> None:
    early, late = "2026-11-21T11:59:00+00:00", "2026-11-21T11:59:00.500000+00:00"
    lanes = [
        lane("studio~1", 3, early, mean_s=None),
        lane("studio", 2, late),
        lane("studio~2", 0),
        lane("kie", 0, type="IMAGE"),
    ]

    told = figures(LOG, status(20), lanes)["queues"]

    studio = {"type": "CREATE", "provider": "STUDIO", "mean_s": 2.5}
    kie = {"type": "IMAGE", "provider": "KIE", "mean_s": 2.5, "since": None}
    assert told == [
        studio | {"waiting": 5, "running": 3, "finished": 30, "since": "2026-11-21T11:59:00Z"},
        kie | {"waiting": 0, "running": 1, "finished": 10},
    ]
