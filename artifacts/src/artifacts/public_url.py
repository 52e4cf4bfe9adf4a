"""Whether a URL that a user gave may be fetched at all, as far as its text tells. Pure.

What the name resolves to is asked when it is fetched (`artifacts.resolving`), not here: an answer
of today says nothing about the next one.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, Literal

import httpx2

Address = IPv4Address | IPv6Address

RefusedCode = Literal[
    "reference_not_public", "reference_unreachable", "reference_too_large", "reference_scheme"
]

URL_LIMIT: Final = 2048
"""Longest URL, in characters."""

# Global by the registries' word, but not the public's: protocol assignments (with Oracle's metadata
# at 192.0.0.192), 6to4 relays, Azure's host agent.
_NOT_FOR_USERS: Final = tuple(
    IPv4Network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NAT64: Final = IPv6Network("64:ff9b::/96")
# Tunnels and documentation inside 2000::/3; Python 3.11 calls some of them global.
_NOT_FOR_USERS_6: Final = tuple(
    IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
_PRIVATE_SUFFIXES: Final = frozenset(
    {"internal", "local", "localhost", "localdomain", "lan", "home", "corp", "intranet", "private"}
    | {"test", "invalid", "onion", "alt"}
)


class Refused(Exception):
    """A URL this system won't or can't fetch; `code` for programs, `message` for the user."""

    def __init__(self, code: RefusedCode, message: str) -> None:
        super().__init__(message)
        self.code: RefusedCode = code
        self.message = message


def is_public_address(address: Address) -> bool:
    """Whether an address is one of the open internet's, for anyone to reach.

    No private, loopback, link-local, shared, multicast, reserved or metadata address, and no IPv6
    form that hides an IPv4 one, except NAT64 of a public address: IPv6-only networks live on it.
    """
    if isinstance(address, IPv4Address):
        denied = any(address in network for network in _NOT_FOR_USERS)
        return address.is_global and not address.is_multicast and not denied
    if address in _NAT64:
        return is_public_address(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _GLOBAL_UNICAST and not any(
        address in network for network in _NOT_FOR_USERS_6
    )


def check_public_url(url: str) -> None:
    """Refuse (`Refused`) a URL that isn't plain http(s), or whose host can't be public.

    Hosts: a dotted name outside the private suffixes, or a public address in its usual form.
    Decimal, octal, hexadecimal and shortened addresses are refused whatever they stand for.
    """
    check_public_host(parse_http_url(url).raw_host.decode())


def check_public_host(name: str) -> None:
    """Refuse (`Refused`) a host that can't be public, as far as its name tells."""
    host = name.rstrip(".")
    if is_address(host):
        if not is_public_address(ip_address(host)):
            raise not_public(host)
    elif (
        not _NAME.fullmatch(host)
        or len(host) > 253
        or is_private_name(host)
        or _NUMBER.fullmatch(host.rpartition(".")[2])
    ):
        raise not_public(host)


def is_private_name(name: str) -> bool:
    """Whether public DNS has no such name: one without a dot, or below a suffix that it never has.

    ``name`` without a dot at its end.
    """
    _, dot, last = name.rpartition(".")
    return name.isascii() and (not dot or last in _PRIVATE_SUFFIXES or name.endswith(".home.arpa"))


def parse_http_url(url: str) -> httpx2.URL:
    """The URL in parts; `Refused` with `reference_scheme` unless it is a plain http(s) one."""
    try:
        parsed = httpx2.URL(url) if len(url) <= URL_LIMIT else httpx2.URL()
    except httpx2.InvalidURL:
        parsed = httpx2.URL()
    port = parsed.port
    if (
        parsed.scheme not in {"http", "https"}
        or not parsed.raw_host
        or parsed.userinfo
        or "\\" in url
        or (port is not None and not 0 < port < 65536)
    ):
        raise Refused(
            "reference_scheme",
            f"{url[:200]!r} is not an http or https address of a picture. Give one without a user "
            f"name in it and of at most {URL_LIMIT} characters, or upload the file.",
        )
    return parsed


def not_public(host: str) -> Refused:
    """The refusal of a host, the same whether its name or its address is the reason."""
    return Refused(
        "reference_not_public",
        f"{host[:200]!r} is not a public internet host. Give a public address, or upload the file.",
    )


def unreachable(host: str, why: str) -> Refused:
    """The refusal of a host that gives nothing."""
    return Refused(
        "reference_unreachable",
        f"The picture could not be fetched from {host[:200]!r}: {why}. "
        "Check the address, or upload the file.",
    )


def is_address(host: str) -> bool:
    """Whether the host is an IP address written in its usual form."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
