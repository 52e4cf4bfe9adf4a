"""The address of a server of one's own, whose login stands in it as people write it.

It is taken out at once: client libraries log addresses, and errors show them.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

import httpx2

from generator.provider import NotConfigured


@dataclass(frozen=True, slots=True)
class Address:
    """``url`` without the ``login``, which is a name and a password."""

    url: str
    login: tuple[str, str] | None

    @property
    def auth(self) -> httpx2.BasicAuth | None:
        return None if self.login is None else httpx2.BasicAuth(*self.login)

    @property
    def authorization(self) -> str | None:
        """The value of the header of that name."""
        if self.login is None:
            return None
        return "Basic " + b64encode(":".join(self.login).encode()).decode()


def read_address(
    variable: str, url: str, *, user: str | None = None, password: str | None = None
) -> Address:
    """What the setting ``variable`` tells; ``user`` and ``password`` go before those in it.

    Raises `NotConfigured` for what is no address, without showing it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if not host or parts.scheme not in ("http", "https"):
        raise NotConfigured(f"{variable} is no http(s) address.")
    place = f"[{host}]" if ":" in host else host
    place = place if port is None else f"{place}:{port}"
    name = unquote(parts.username or "") if user is None else user
    word = unquote(parts.password or "") if password is None else password
    plain = urlunsplit((parts.scheme, place, parts.path, "", ""))
    return Address(plain, (name, word) if name or word else None)
