"""What a host's name stands for, if anybody may reach it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from artifacts.public_url import Address, is_address, is_public_address, not_public, unreachable

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""A host name in, its addresses as text out; `OSError` when it has none."""

Allowed = Callable[[Address], bool]


async def system_resolver(host: str) -> list[str]:
    """What the operating system says of a name, without repetitions, in its order."""
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def resolve_public(
    host: str, *, resolver: Resolver = system_resolver, allow: Allowed = is_public_address
) -> list[Address]:
    """The addresses of a host, all of them allowed; at least one.

    `Refused`: `reference_not_public` as soon as one isn't, `reference_unreachable` without any.
    """
    try:
        found = [host] if is_address(host) else await resolver(host)
        addresses = [ip_address(text) for text in found]
    except (OSError, UnicodeError):
        addresses = []
    except ValueError as error:  # an address with a zone, such as fe80::1%eth0, and other oddities
        raise not_public(host) from error
    if not addresses:
        raise unreachable(host, "its name is not known")
    if not all(allow(address) for address in addresses):
        raise not_public(host)
    return addresses
