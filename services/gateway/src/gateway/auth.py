"""Who is calling: the owner comes from the credential, and from nothing else."""

from __future__ import annotations

import functools
import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

from starlette.types import Scope

from artifacts.public_url import is_address, is_private_name
from gateway.refusals import Refusal
from gateway.sessions import Key, Kind, cookie, issue, read
from gateway.settings import BadSettings, Settings

ANYBODY = "local"
COOKIE = "darkroom_session"
SESSION_S = 7 * 86_400
TOKEN_S = 600
_OWNER = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")
_SAFE = ("GET", "HEAD", "OPTIONS")
_READING = ("GET", "HEAD")
_UNDER_ANY_NAME = "/metrics"
"""What counts only: collectors come by whatever name they know."""


class Pass(NamedTuple):
    """What stands for a key for a while; ``expires_at`` in seconds of Unix time."""

    text: str
    owner: str
    expires_at: int


class Authenticator(Protocol):
    """Tells the owner of a request. Raises `Refusal` ``unauthorized`` or ``cross_site``."""

    def owner(self, headers: Mapping[str, str], scope: Scope) -> str: ...

    def session(self, headers: Mapping[str, str]) -> Pass:
        """A session for who shows a key: never for who shows what a page may have been sent."""
        ...

    def token(self, headers: Mapping[str, str], scope: Scope) -> Pass:
        """A token for addresses."""
        ...


class NoAuthentication:
    """``AUTH=none``: one owner, who asks. A pass is handed out to whoever expects one.

    Nobody shows anything, so that any page that is visited on this machine could send a form here:
    only ``pages`` of these origins, and our own, may change things. A page could have its own name
    stand for this machine, too: no name of public DNS is taken for ours but ``own_name``.
    """

    def __init__(
        self,
        pages: Sequence[str],
        own_name: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._pages = pages
        self._own_name = own_name
        self._now = now

    def owner(self, headers: Mapping[str, str], scope: Scope) -> str:
        if scope.get("path") != _UNDER_ANY_NAME:
            check_name(headers, self._own_name)
        if scope.get("method", "GET") not in _SAFE:
            check_page(headers, self._pages)
        return ANYBODY

    def session(self, headers: Mapping[str, str]) -> Pass:
        return Pass("none", ANYBODY, int(self._now()) + SESSION_S)

    def token(self, headers: Mapping[str, str], scope: Scope) -> Pass:
        return Pass("none", ANYBODY, int(self._now()) + TOKEN_S)


class ApiKeys:
    """``AUTH=keys``: ``Authorization: Bearer KEY``, or a pass made from one. Only digests of the
    keys are kept."""

    def __init__(
        self, configured: str, *, secret: str = "", now: Callable[[], float] = time.time
    ) -> None:
        self._keys: list[Key] = []
        self._secret = secret
        self._now = now
        for entry in filter(None, (each.strip() for each in configured.split(","))):
            owner, _, key = entry.partition(":")
            if not _OWNER.fullmatch(owner) or not key:
                raise BadSettings(
                    "DARKROOM_API_KEYS has an entry that is not owner:key or owner:sha256:<hex> "
                    "(owners: letters, digits and . _ @ -)."
                )
            hashed = _SHA256.fullmatch(key)
            digest = bytes.fromhex(hashed[1]) if hashed else _digest(key)
            self._keys.append(Key(digest, owner))

    def owner(self, headers: Mapping[str, str], scope: Scope) -> str:
        return self._caller(headers, scope).owner

    def session(self, headers: Mapping[str, str]) -> Pass:
        return self._issue(Kind.SESSION, self._shown(headers), SESSION_S)

    def token(self, headers: Mapping[str, str], scope: Scope) -> Pass:
        return self._issue(Kind.TOKEN, self._caller(headers, scope), TOKEN_S)

    def _caller(self, headers: Mapping[str, str], scope: Scope) -> Key:
        if "authorization" in headers:
            return self._shown(headers)
        # A WebSocket has no method; what opens it is a GET.
        method = scope.get("method", "GET")
        key = None
        if scope["query_string"] and method in _READING:
            key = self._of(Kind.TOKEN, token_of(scope))
        if key is None:
            key = self._of(Kind.SESSION, cookie(headers.get("cookie", ""), COOKIE))
            if key is not None and method not in _SAFE:
                check_same_origin(headers)
        if key is None:
            raise unauthorized()
        return key

    def _shown(self, headers: Mapping[str, str]) -> Key:
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        presented = _digest(shown.strip())
        # Every key is compared, each in constant time: how long it takes tells nothing.
        found = [key for key in self._keys if hmac.compare_digest(key.digest, presented)]
        if scheme.lower() != "bearer" or not found:
            raise unauthorized()
        return found[0]

    def _of(self, kind: Kind, text: str) -> Key | None:
        return read(text, kind, self._keys, self._secret, self._now()) if text else None

    def _issue(self, kind: Kind, key: Key, life_s: int) -> Pass:
        expires_at = int(self._now()) + life_s
        return Pass(issue(kind, key, self._secret, expires_at), key.owner, expires_at)


def authenticator(settings: Settings) -> Authenticator:
    """What the settings ask for. Raises `BadSettings`."""
    if settings.auth == "keys":
        return ApiKeys(
            settings.api_keys.get_secret_value(), secret=settings.session_secret.get_secret_value()
        )
    return NoAuthentication(settings.pages, settings.own_name)


def token_of(scope: Scope) -> str:
    """The ``token`` in an address; empty when there is none."""
    query = scope["query_string"].decode("latin-1")
    return next((value for name, value in parse_qsl(query) if name == "token"), "")


def check_same_origin(headers: Mapping[str, str]) -> None:
    """A browser sends a cookie along whoever asks: only our own pages may change things.

    Raises `Refusal` ``cross_site``.
    """
    site = headers.get("sec-fetch-site")
    if site == "same-origin" or (site is None and _is_own(headers.get("origin"), headers)):
        return
    raise cross_site()


def check_name(headers: Mapping[str, str], own_name: str) -> None:
    """A page whose name is made to resolve to this machine sends all that our own pages do, but
    under its own name (DNS rebinding), which is one of public DNS. What sends no name is no
    browser. Raises `Refusal` ``cross_site``.
    """
    host = headers.get("host")
    if host and not _is_name_of_ours(host, own_name):
        raise Refusal(
            "cross_site",
            f"This server does not know {host[:200]!r} as a name of its own, and asks for no key. "
            "Come to it as localhost or by an IP address, or have the operator tell it the name "
            "(DARKROOM_PUBLIC_URL).",
        )


def check_page(headers: Mapping[str, str], pages: Sequence[str]) -> None:
    """Any page may send a form anywhere, whatever CORS says: taken are those of ours and allowed.

    What is no browser sends neither ``Sec-Fetch-Site`` nor ``Origin``. Raises `Refusal`
    ``cross_site``.
    """
    site = headers.get("sec-fetch-site")
    if site in ("same-origin", "none"):
        return
    if site is None:
        check_socket_origin(headers, pages)
    elif not _is_among(headers.get("origin"), pages):
        raise cross_site()


def check_socket_origin(headers: Mapping[str, str], pages: Sequence[str]) -> None:
    """A WebSocket may be opened by any page, whatever CORS says: only by ours, and those allowed.

    What is no browser sends no ``Origin``. Raises `Refusal` ``cross_site``.
    """
    origin = headers.get("origin")
    if origin is None or _is_own(origin, headers) or _is_among(origin, pages):
        return
    raise cross_site()


@functools.lru_cache(maxsize=256)
def _is_name_of_ours(host: str, own_name: str) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    return name != "" and (name == own_name or is_address(name) or is_private_name(name))


def _is_among(origin: str | None, pages: Sequence[str]) -> bool:
    return origin in pages or (origin is not None and "*" in pages)


def _is_own(origin: str | None, headers: Mapping[str, str]) -> bool:
    return origin is not None and urlsplit(origin).netloc == headers.get("host") != ""


def unauthorized() -> Refusal:
    return Refusal(
        "unauthorized",
        "Send a key that this server knows: Authorization: Bearer KEY.",
        headers={"WWW-Authenticate": "Bearer"},
    )


def cross_site() -> Refusal:
    return Refusal(
        "cross_site",
        "This came from a page of another site. Send Authorization: Bearer KEY instead of a "
        "cookie, or have the operator allow the site (DARKROOM_CORS_ORIGINS).",
    )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
