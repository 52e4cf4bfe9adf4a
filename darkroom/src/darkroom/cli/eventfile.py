"""Files of events: one JSON object a line, which holds a message of the log without loss.

    {"sequence": 7, "logtime": "…", "subject": "generation.…", "id": "…", "event": {…}}

Where ``event`` would not give the payload back byte for byte, ``payload_base64`` has it besides, or
instead where it is no JSON. A name that ends in ``.gz`` is a compressed file.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import gzip
import os
import re
import secrets
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from contracts.messages import Message
from delivery.log import write_time
from delivery.ordered import Delivered

_GZIP = b"\x1f\x8b"
_QUICK = 3
_SUBJECT = re.compile(r"generation(?:\.[^\s.*>\x00]+)+")
_HEADER = re.compile(r"[^\r\n\x00]*")


class Unwritable(Exception):
    """The disk won't take it; the text says why."""


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
    with contextlib.suppress(orjson.JSONDecodeError):
        told["event"] = orjson.loads(message.payload)
    if "event" not in told or orjson.dumps(told["event"]) != message.payload:
        told["payload_base64"] = base64.b64encode(message.payload).decode()
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


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
        and _HEADER.fullmatch(message.event_id) is not None
    )


def messages_in(path: Path, after: int = 0) -> Iterator[Delivered]:
    """The messages of a file from beyond a sequence on. Raises `Unreadable` and `OSError`."""
    last = 0
    with _opened(path) as file:
        try:
            for number, line in enumerate(file, 1):
                try:
                    message = message_of(line)
                except Unreadable as problem:
                    raise Unreadable(f"{path}, line {number}: {problem}") from None
                if message.sequence <= last:
                    raise Unreadable(
                        f"{path}, line {number}: sequence {message.sequence} comes after {last}"
                    )
                last = message.sequence
                if last > after:
                    yield message
        except EOFError:
            raise Unreadable(f"{path} is cut off") from None


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_compressed = file.read(2) == _GZIP
    return cast("BinaryIO", gzip.open(path)) if is_compressed else path.open("rb")


@contextlib.contextmanager
def written(path: Path | None) -> Iterator[Callable[[bytes], object]]:
    """What writes a file that is there whole or not at all; None is standard output.

    Raises `Unwritable`.
    """
    if path is None:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with _told(path), made.open("xb") as file:
            packed = gzip.GzipFile("", "wb", _QUICK, file) if path.suffix == ".gz" else None

            def write(lines: bytes) -> None:
                with _told(path):
                    (packed or file).write(lines)

            yield write
            if packed is not None:
                packed.close()
            file.flush()
            os.fsync(file.fileno())
            made.replace(path)
    finally:
        made.unlink(missing_ok=True)


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except ConnectionError:
        # Of the log that is read meanwhile.
        raise
    except OSError as problem:
        raise Unwritable(f"{path} can't be written ({problem.strerror or problem})") from None
