"""What a browser shows instead of a key: signed, of limited life, kept nowhere. Pure.

``EventSource``, ``WebSocket`` and ``<img>`` can't send an ``Authorization`` header. A pass says
which configured key it was made from and until when it is good, and is signed with a secret made
from that key: every gateway process with the same keys reads it, and it ends with its key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

_PASS = re.compile(r"([st])\.([0-9]{1,12})\.([0-9a-f]{16})\.([A-Za-z0-9_-]{43})")


class Kind(Enum):
    """Where a pass is shown, and so how long it lives."""

    SESSION = "s"
    """In a cookie that no script sees."""
    TOKEN = "t"
    """In an address, which others may come to see."""


class Key(NamedTuple):
    """A configured key: the SHA-256 digest of it, and whose it is."""

    digest: bytes
    owner: str


def issue(kind: Kind, key: Key, secret: str, expires_at: int) -> str:
    """A pass that is good until ``expires_at``, in seconds of Unix time."""
    told = f"{kind.value}.{expires_at}.{_name(key)}"
    return f"{told}.{_sign(told, key, secret)}"


def read(text: str, kind: Kind, keys: Iterable[Key], secret: str, now: float) -> Key | None:
    """The key that a pass stands for; None when it is not good, or not of this kind."""
    found = _PASS.fullmatch(text)
    if found is None:
        return None
    told_kind, expires_at, name, signature = found.groups()
    if told_kind != kind.value or int(expires_at) <= now:
        return None
    told = f"{told_kind}.{expires_at}.{name}"
    for key in keys:
        if _name(key) == name and hmac.compare_digest(_sign(told, key, secret), signature):
            return key
    return None


def cookie(headers_cookie: str, name: str) -> str:
    """The value of one cookie; empty when there is none."""
    for each in headers_cookie.split(";"):
        found, _, value = each.strip().partition("=")
        if found == name:
            return value
    return ""


def _name(key: Key) -> str:
    """Which key it is, for who knows the keys; for others it is noise."""
    return hashlib.sha256(b"darkroom key name\0" + key.digest).hexdigest()[:16]


def _sign(told: str, key: Key, secret: str) -> str:
    signing = hmac.digest(secret.encode(), b"darkroom sessions\0" + key.digest, "sha256")
    signature = hmac.digest(signing, f"{told}.{key.owner}".encode(), "sha256")
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")
