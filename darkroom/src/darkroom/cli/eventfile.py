"""Files of events: one message of the log a line, as `delivery.lines` has it.

A name that ends in ``.gz`` is a compressed file.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from delivery.lines import Unreadable, messages_of
from delivery.ordered import Delivered

_GZIP = b"\x1f\x8b"
_QUICK = 3


class Unwritable(Exception):
    """The disk won't take it; the text says why."""


def messages_in(path: Path, after: int = 0) -> Iterator[Delivered]:
    """The messages of a file from beyond a sequence on. Raises `Unreadable` and `OSError`."""
    with _opened(path) as file:
        try:
            for message in messages_of(file, str(path)):
                if message.sequence > after:
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
