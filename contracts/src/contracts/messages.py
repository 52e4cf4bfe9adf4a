"""A message of the log, as everything that reads one takes it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Message(Protocol):
    """From wherever it was read: the broker, the raw copy, a file.

    ``logtime`` is when the log first stored it, ``event_id`` is empty where whoever published it
    gave none.
    """

    @property
    def subject(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def logtime(self) -> datetime: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def event_id(self) -> str: ...
