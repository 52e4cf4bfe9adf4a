"""What the generator's process and a worker say to each other. Imports nothing heavy."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LENGTH = struct.Struct(">Q")
"""Each message is its length, then its pickle."""


@dataclass(frozen=True, slots=True)
class Order:
    """One file to make. ``references`` are files as they were fetched.

    ``type`` is a generation type, or a step towards one: ``CUT_OUT``, ``DEPTH_MAP``, ``MODEL``.
    """

    type: str
    prompt: str
    references: tuple[bytes, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """A finished file."""

    content: bytes
    content_type: str
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The order itself can't be served."""

    message: str
    code: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The worker met an error that it didn't expect."""

    message: str


Reply = int | Made | Refusal | Fault
"""A percentage, or how the order ended."""


def framed(message: object) -> bytes:
    content = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(content)) + content
