"""Reading what a request carries, within limits, and the headers that say how to treat it."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping

from starlette.requests import ClientDisconnect, Request

from contracts.api import MAX_BODY_BYTES, MAX_WAIT_S
from gateway.refusals import Refusal

_JSON = re.compile(r"application/(json|[a-z0-9.!#$&^_-]+\+json)", re.IGNORECASE)
_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,9})\"?", re.IGNORECASE)
_CLOSE = {"Connection": "close"}


def headers_of(request: Request) -> dict[str, str]:
    """All headers at once, by lower-case name: several are looked up on the hot routes.

    Of one that was sent twice the first counts, as on all other routes.
    """
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in reversed(request.scope["headers"])
    }


def media_type(headers: Mapping[str, str]) -> str:
    """The content type without its parameters, in lower case."""
    return headers.get("content-type", "").partition(";")[0].strip().lower()


def require_json(headers: Mapping[str, str]) -> None:
    if not _JSON.fullmatch(media_type(headers)):
        raise Refusal(
            "unsupported_media_type",
            "Send the body as JSON, with Content-Type: application/json.",
            headers={"Accept": "application/json"},
        )


def require_plain(headers: Mapping[str, str]) -> None:
    """Nothing is unpacked here: a small body could become a large one."""
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise Refusal(
            "unsupported_media_type",
            "Send the body as it is, without Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )


async def read_json_body(request: Request, headers: Mapping[str, str]) -> bytes:
    """The body, at most 1 MiB: reading stops at the limit, whatever ``Content-Length`` says."""
    require_plain(headers)
    declared = _declared_length(headers)
    if declared is not None and declared <= MAX_BODY_BYTES:
        # The server passes on no more than was declared.
        try:
            return await request.body()
        except ClientDisconnect:
            raise _gone() from None
    return b"".join([chunk async for chunk in limited(request, MAX_BODY_BYTES, "body_too_large")])


async def limited(request: Request, limit: int, code: str) -> AsyncGenerator[bytes, None]:
    """The body in chunks. Raises `Refusal` ``code`` instead of reading more than ``limit``."""
    declared = _declared_length(request.headers)
    if declared is not None and declared > limit:
        raise _too_large(limit, code)
    received = 0
    try:
        async for chunk in request.stream():
            received += len(chunk)
            if received > limit:
                raise _too_large(limit, code)
            yield chunk
    except ClientDisconnect:
        raise _gone() from None


def preferred_wait_s(header: str | None) -> int | None:
    """N of ``Prefer: wait=N``, 0..60; any other value is ignored (RFC 7240)."""
    for preference in (header or "").split(","):
        found = _WAIT.fullmatch(preference.partition(";")[0].strip())
        if found:
            seconds = int(found[1])
            return seconds if seconds <= MAX_WAIT_S else None
    return None


def expected_bytes(headers: Mapping[str, str], limit: int) -> int:
    """How large a body may turn out: as declared, else up to the limit at which reading stops."""
    declared = _declared_length(headers)
    return limit if declared is None else min(declared, limit)


def _declared_length(headers: Mapping[str, str]) -> int | None:
    declared = headers.get("content-length", "")
    return int(declared) if declared.isdecimal() and len(declared) < 19 else None


def _gone() -> Refusal:
    """Nobody is there to read it; it only ends the work."""
    return Refusal("invalid_request", "The connection closed within the body.")


def _too_large(limit: int, code: str) -> Refusal:
    return Refusal(
        code,
        f"The body has more than the {limit} bytes allowed. Send a smaller one.",
        headers=_CLOSE,
    )
