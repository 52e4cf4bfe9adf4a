"""Who is calling: the owner comes from the credential, and from nothing else."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Protocol

from gateway.refusals import Refusal
from gateway.settings import BadSettings, Settings

ANYBODY = "local"
_OWNER = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")


class Authenticator(Protocol):
    """Tells the owner of a request from its headers. Raises `Refusal` ``unauthorized``."""

    def owner(self, headers: Mapping[str, str]) -> str: ...


class NoAuthentication:
    """``AUTH=none``: one owner, who asks."""

    def owner(self, headers: Mapping[str, str]) -> str:
        return ANYBODY


class ApiKeys:
    """``AUTH=keys``: ``Authorization: Bearer KEY``. Only digests of the keys are kept."""

    def __init__(self, configured: str) -> None:
        self._owners: list[tuple[bytes, str]] = []
        for entry in filter(None, (each.strip() for each in configured.split(","))):
            owner, _, key = entry.partition(":")
            if not _OWNER.fullmatch(owner) or not key:
                raise BadSettings(
                    "DARKROOM_API_KEYS has an entry that is not owner:key or owner:sha256:<hex> "
                    "(owners: letters, digits and . _ @ -)."
                )
            hashed = _SHA256.fullmatch(key)
            self._owners.append((bytes.fromhex(hashed[1]) if hashed else _digest(key), owner))

    def owner(self, headers: Mapping[str, str]) -> str:
        scheme, _, key = headers.get("authorization", "").partition(" ")
        presented = _digest(key.strip())
        # Every key is compared, each in constant time: how long it takes tells nothing.
        owners = [owner for digest, owner in self._owners if hmac.compare_digest(digest, presented)]
        if scheme.lower() != "bearer" or not owners:
            raise Refusal(
                "unauthorized",
                "Send a key that this server knows: Authorization: Bearer KEY.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return owners[0]


def authenticator(settings: Settings) -> Authenticator:
    """What the settings ask for. Raises `BadSettings`."""
    if settings.auth == "keys":
        return ApiKeys(settings.api_keys.get_secret_value())
    return NoAuthentication()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
