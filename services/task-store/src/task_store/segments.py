"""Segments of the archive: events in the order of the log, as lines, compressed. Pure."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from contracts.messages import Message
from contracts.subjects import task_id_of
from delivery.lines import Unreadable, line_of, messages_of
from delivery.ordered import Delivered

CONTENT_TYPE = "application/gzip"
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Segment:
    """What an object of the archive holds: its bytes, and what they are."""

    content: bytes
    first: int
    last: int
    tasks: int
    events: int


def segment_of(messages: Sequence[Message]) -> Segment:
    """The same messages make the same bytes."""
    content = gzip.compress(b"".join(map(line_of, messages)), _LEVEL, mtime=0)
    tasks = {task_id_of(message.subject) for message in messages}
    return Segment(content, messages[0].sequence, messages[-1].sequence, len(tasks), len(messages))


def messages_in(content: bytes, key: str) -> Iterator[Delivered]:
    """All that a segment holds, one after the other. Raises `Unreadable`."""
    if not content:
        raise Unreadable(f"{key} is empty")
    try:
        with gzip.open(BytesIO(content)) as lines:
            yield from messages_of(lines, key)
    except (EOFError, OSError, zlib.error) as problem:
        raise Unreadable(f"{key} is damaged ({problem})") from None


def events_of(contents: Iterable[tuple[str, bytes]], task_id: str) -> list[Delivered]:
    """One task's events in some segments, given as key and bytes."""
    found = {
        message.sequence: message
        for key, content in contents
        for message in messages_in(content, key)
        if task_id_of(message.subject) == task_id
    }
    return [found[sequence] for sequence in sorted(found)]


def without(content: bytes, key: str, is_gone: Callable[[Message], bool]) -> Segment | None:
    """The segment without some events; None where nothing is left."""
    kept = [each for each in messages_in(content, key) if not is_gone(each)]
    return segment_of(kept) if kept else None
