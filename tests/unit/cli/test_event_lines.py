"""Whatever is on the log is shown, each event on its line."""

from __future__ import annotations

import json

import pytest

from builders import NOON, completed, failed
from contracts.events import encode
from contracts.subjects import subject_of
from darkroom.cli.events import event_line
from darkroom.cli.tailing import as_event
from delivery.ordered import Delivered


def shown(payload: bytes, subject: str = "generation.progress.create.x") -> str:
    event = as_event(Delivered(subject, 7, NOON, payload, "e"))
    assert json.dumps(event, ensure_ascii=False).encode()
    return event_line(event).plain


def test_an_event_is_told_by_what_it_says() -> None:
    assert "completed" in shown(encode(completed()), subject_of(completed()))
    assert "provider_error: " in shown(encode(failed()), subject_of(failed()))


@pytest.mark.parametrize(
    ("payload", "told"),
    [
        (b"\xff", "x undecodable"),
        (b"[" * 100_000, "x undecodable"),
        (b'{"a":' * 900 + b"1" + b"}" * 900, "7 "),
        (b'{"type":"\\ud800"}', "x undecodable"),
        (b'{"type":"a\\u001b[2J"}', "a\N{REPLACEMENT CHARACTER}[2J"),
        (b'{"type":1,"data":[1]}', "1"),
        (b'{"data":{"error":"e","artifacts":3}}', "error=e artifacts=3"),
    ],
)
def test_what_is_no_event_is_shown_all_the_same(payload: bytes, told: str) -> None:
    line = shown(payload)

    assert told in line
    assert line.isprintable()
