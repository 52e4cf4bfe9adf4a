"""Files of events hold whatever the log holds, byte for byte."""

from __future__ import annotations

import contextlib
import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, annotated, requested
from contracts.events import encode
from contracts.subjects import subject_of
from darkroom.cli.eventfile import Unwritable, messages_in, written
from delivery.lines import Unreadable, line_of, message_of
from delivery.ordered import Delivered

_texts = st.text(st.characters(exclude_categories=["Cs"]))
_tokens = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=". \t\n"), min_size=1)


def message(payload: bytes = b"{}", sequence: int = 1, **changes: str) -> Delivered:
    told = {"subject": "generation.progress.create.x", "event_id": "e"} | changes
    return Delivered(told["subject"], sequence, NOON, payload, told["event_id"])


@given(
    payload=st.binary()
    | st.just(b'{"a": 1.50}')
    | st.just(b'{"n":123456789012345678901234567890}')
    | st.integers(250, 260).map(lambda depth: b"[" * depth + b"]" * depth),
    token=_tokens,
    event_id=_texts.filter(lambda text: "\r\n" not in text),
    logtime=st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    sequence=st.integers(1, 2**53),
)
def test_a_line_gives_back_the_message(
    payload: bytes, token: str, event_id: str, logtime: datetime, sequence: int
) -> None:
    told = Delivered(f"generation.{token}", sequence, logtime, payload, event_id)

    line = line_of(told)

    assert message_of(line) == told
    assert line.count(b"\n") == 1


def test_an_event_is_readable_in_its_line_and_what_is_none_is_kept_as_it_is() -> None:
    event = annotated({"n": 1.5, "é": None})

    line = json.loads(line_of(message(encode(event), subject=subject_of(event))))
    spaced = json.loads(line_of(message(b'{"a": 1}')))
    broken = json.loads(line_of(message(b"\xff")))

    assert line["event"] == json.loads(encode(event))
    assert "payload_base64" not in line
    assert (spaced["event"], spaced["payload_base64"]) == ({"a": 1}, "eyJhIjogMX0=")
    assert "event" not in broken


@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz"])
def test_a_file_gives_back_what_was_written_and_skips_to_a_sequence(
    name: str, tmp_path: Path
) -> None:
    told = [message(encode(requested()), number) for number in (1, 5, 9)]

    with written(tmp_path / name) as write:
        for each in told:
            write(line_of(each))

    assert list(messages_in(tmp_path / name)) == told
    assert list(messages_in(tmp_path / name, after=5)) == told[2:]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("before")

    with contextlib.suppress(ZeroDivisionError), written(path) as write:
        write(b"half")
        raise ZeroDivisionError

    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_where_no_file_can_be_the_reason_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unwritable, match="No such file"), written(tmp_path / "no" / "x.jsonl"):
        pass


GOOD = json.loads(line_of(message(b"{}")))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"no json\n", "line 2: it is no event"),
        (b"[]\n", "line 2: it is no event"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "event"}).encode(), "no 'event'"),
        (json.dumps(GOOD | {"sequence": 1}).encode(), "sequence 1 comes after 1"),
        (json.dumps(GOOD | {"sequence": "2"}).encode(), "it is no event"),
        (json.dumps(GOOD | {"sequence": 2, "subject": "other.x"}).encode(), "it is no event"),
        (json.dumps(GOOD | {"sequence": 2, "subject": "generation..x"}).encode(), "it is no event"),
        (
            json.dumps(GOOD | {"sequence": 2, "subject": "generation.x y"}).encode(),
            "it is no event",
        ),
        (json.dumps(GOOD | {"sequence": 2, "id": "a\r\nb: c"}).encode(), "it is no event"),
        (json.dumps(GOOD | {"sequence": 2, "logtime": "noon"}).encode(), "it is no event"),
        (json.dumps(GOOD | {"sequence": 2, "payload_base64": "?"}).encode(), "it is no event"),
    ],
)
def test_a_line_that_is_no_message_is_named(line: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(line_of(message()) + line)

    with pytest.raises(Unreadable, match=said):
        list(messages_in(path))


def test_a_compressed_file_that_is_cut_off_is_told(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl.gz"
    whole = gzip.compress(b"".join(line_of(message(b"{}", n)) for n in range(1, 5000)))
    path.write_bytes(whole[: len(whole) // 2])

    with pytest.raises(Unreadable, match="is cut off"):
        list(messages_in(path))
