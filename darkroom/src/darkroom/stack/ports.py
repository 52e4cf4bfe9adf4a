"""Ports for servers that other processes have to find again."""

import errno
import os
import random
import socket

from darkroom.stack.errors import StackError

LISTENING_RANGE = range(18000, 32000)
"""Below what systems give to outgoing connections: a client that keeps trying to reconnect to a
server's port could otherwise be given that very port, connect to itself and keep the server out."""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    return _bind_error(host, port) is None


def free_port(preferred: int | None = None, taken: frozenset[int] = frozenset()) -> int:
    """A port to listen on: the preferred one where possible."""
    if preferred is not None and preferred not in taken and is_free(preferred):
        return preferred
    choose = random.Random(os.urandom(8))  # workers of one test run must not choose alike
    for port in choose.sample(LISTENING_RANGE, k=500):
        if port not in taken and is_free(port):
            return port
    raise StackError(
        "No free port found between 18000 and 32000 on 127.0.0.1; stop what uses them."
    )


def require_free(host: str, port: int) -> None:
    """Refuse, with what to do, an address that the gateway couldn't listen on."""
    error = _bind_error(host, port)
    if error is None:
        return
    if error.errno == errno.EADDRINUSE:
        raise StackError(
            f"Port {port} on {host} is in use. Stop what listens there, or choose another: "
            f"DARKROOM_PORT={port + 1 if port < 65535 else 8400} make up"
        )
    raise StackError(
        f"Cannot listen on {host} port {port} ({error.strerror or error}). "
        "Choose others with DARKROOM_HOST and DARKROOM_PORT."
    )


def _bind_error(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None
