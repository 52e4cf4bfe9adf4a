"""Whether a call came from fal: ED25519 over its ids, its time and the hash of its body.

The keys are a JWKS (RFC 8037) that fal publishes, and may change.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from generator.provider import Callback

LEEWAY_S = 300.0
"""How far fal's clock and ours may differ; an older call may be somebody's repetition."""


def keys_of(jwks: Mapping[str, Any]) -> tuple[Ed25519PublicKey, ...]:
    """The keys of a set that can be used; others are left out."""
    keys = []
    for each in jwks.get("keys", ()):
        if each.get("kty") != "OKP" or each.get("crv") != "Ed25519":
            continue
        try:
            raw = base64.urlsafe_b64decode(each["x"] + "=" * (-len(each["x"]) % 4))
            keys.append(Ed25519PublicKey.from_public_bytes(raw))
        except (KeyError, ValueError, binascii.Error):
            continue
    return tuple(keys)


def is_genuine(callback: Callback, keys: Sequence[Ed25519PublicKey], now: float) -> bool:
    """Whether one of ``keys`` signed it, at about ``now`` (in seconds since 1970)."""
    try:
        request_id, user_id, sent, signature = (
            callback.headers[f"x-fal-webhook-{name}"]
            for name in ("request-id", "user-id", "timestamp", "signature")
        )
        signed = bytes.fromhex(signature)
        if abs(now - int(sent)) > LEEWAY_S:
            return False
    except (KeyError, ValueError):
        return False
    digest = hashlib.sha256(callback.body).hexdigest()
    message = "\n".join((request_id, user_id, sent, digest)).encode()
    return any(_is_signed(key, signed, message) for key in keys)


def _is_signed(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
