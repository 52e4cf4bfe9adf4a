"""Messages of the log as lines of text, which hold them without loss: files of events are made so.

    {"sequence": 7, "logtime": "…", "subject": "generation.…", "id": "…", "event": {…}}

Where ``event`` would not give the payload back byte for byte, ``payload_base64`` has it besides, or
instead where it is no JSON, or too deeply nested.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import orjson

from contracts.messages import Message
from delivery.log import write_time
from delivery.ordered import Delivered

_SUBJECT = re.compile(r"generation(?:\.[^ \t\n.]+)+")
"""The broker takes any other byte of whoever publishes, ``*`` and ``>`` as they stand, too."""


class Unreadable(Exception):
    """A line is no message, or they are not in order; the text says which and why."""


def line_of(message: Message) -> bytes:
    """A message as a line."""
    told: dict[str, Any] = {
        "sequence": message.sequence,
        "logtime": write_time(message.logtime),
        "subject": message.subject,
        "id": message.event_id,
    }
    whole = base64.b64encode(message.payload).decode()
    try:
        event = orjson.loads(message.payload)
        kept = {} if orjson.dumps(event) == message.payload else {"payload_base64": whole}
        return orjson.dumps({**told, "event": event, **kept}, option=orjson.OPT_APPEND_NEWLINE)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        # No JSON, or nested deeper than orjson writes it.
        return orjson.dumps({**told, "payload_base64": whole}, option=orjson.OPT_APPEND_NEWLINE)


def message_of(line: bytes) -> Delivered:
    """The message of a line. Raises `Unreadable`."""
    try:
        told = orjson.loads(line)
        whole = told.get("payload_base64")
        message = Delivered(
            subject=told["subject"],
            sequence=told["sequence"],
            logtime=datetime.fromisoformat(told["logtime"]),
            payload=orjson.dumps(told["event"])
            if whole is None
            else base64.b64decode(whole, validate=True),
            event_id=told["id"],
        )
    except KeyError as missing:
        raise Unreadable(f"it has no {missing.args[0]!r}") from None
    except (ValueError, TypeError, AttributeError, binascii.Error):
        raise Unreadable("it is no event as `darkroom events export` writes it") from None
    if not _is_message(message):
        raise Unreadable("it is no event as `darkroom events export` writes it")
    return message


def _is_message(message: Delivered) -> bool:
    """Whether it could have been on the log: whatever a file says is put on no other subject."""
    return (
        isinstance(message.sequence, int)
        and message.sequence > 0
        and message.logtime.tzinfo is not None
        and isinstance(message.subject, str)
        and _SUBJECT.fullmatch(message.subject) is not None
        and isinstance(message.event_id, str)
        and "\r\n" not in message.event_id
    )


def messages_of(lines: Iterable[bytes], name: str) -> Iterator[Delivered]:
    """The messages of all lines of what has this name. Raises `Unreadable`."""
    last = 0
    for number, line in enumerate(lines, 1):
        try:
            message = message_of(line)
        except Unreadable as problem:
            raise Unreadable(f"{name}, line {number}: {problem}") from None
        if message.sequence <= last:
            raise Unreadable(
                f"{name}, line {number}: sequence {message.sequence} comes after {last}"
            )
        last = message.sequence
        yield message
