"""Connections to the log and the database for one command, and what is said when there is none."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from darkroom.cli.failures import Refused, Unreachable
from delivery.connection import ServerTooOld, check_server, connection_options
from delivery.log import LogUnavailable
from delivery.requests import NoReply, NoResponders, Requests
from delivery.requests import Unreachable as BrokerUnreachable
from task_store import store
from telemetry.logs import configure_logs

_Result = TypeVar("_Result")

_CONNECT_TIMEOUT_S = 5.0
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_START = "Start it with `darkroom up` (DARKROOM_DATA_DIR tells which one), or set"


def run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a command's work. Its libraries' log lines would only blur what it prints."""
    configure_logs("darkroom", level="CRITICAL")
    logging.captureWarnings(capture=True)
    return asyncio.run(work)


@contextlib.asynccontextmanager
async def log_connection(url: str) -> AsyncIterator[Client]:
    """A connection to a NATS server that is new enough."""
    client = await _connected(url)
    try:
        try:
            check_server(client)
        except ServerTooOld as error:
            raise Refused(f"{error}. Upgrade it, or set DARKROOM_NATS_URL to another.") from None
        with _log_faults(url):
            yield client
    finally:
        await client.close()


async def _connected(url: str) -> Client:
    """One try: a command says at once that nobody is there, where a service would wait."""
    told: list[Exception] = []

    async def on_error(error: Exception) -> None:
        told.append(error)

    once = {"allow_reconnect": False, "max_reconnect_attempts": 1, "reconnect_time_wait": 0}
    options = connection_options(_user(url)) | once | {"error_cb": on_error}
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            return await nats.connect(url, **options)
    except (OSError, NatsError, TimeoutError, ValueError) as error:
        raise Unreachable(
            f"No NATS server answers at {without_password(url)} "
            f"({_reason(told[-1] if told else error)}). {_START} DARKROOM_NATS_URL."
        ) from None


@contextlib.asynccontextmanager
async def log_requests(client: Client) -> AsyncIterator[Requests]:
    """Calls over a connection."""
    requests = Requests(client)
    await requests.start()
    try:
        yield requests
    finally:
        await requests.stop()


@contextlib.asynccontextmanager
async def database_connection(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of its own in the database."""
    try:
        async with asyncio.timeout(_CONNECT_TIMEOUT_S):
            connection = await store.open_connection(url)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise Unreachable(
            f"No Postgres answers at {without_password(url)} ({_reason(error)}). "
            f"{_START} DARKROOM_DATABASE_URL."
        ) from None
    try:
        with _database_faults(url):
            yield connection
    finally:
        connection.terminate()


def _user(url: str) -> str:
    """The user of an address, whose replies are its own; a token is no name to be shown."""
    parts = urlsplit(url)
    named = parts.password is not None and _NAME.fullmatch(parts.username or "")
    return parts.username or "" if named else "darkroom"


def without_password(url: str) -> str:
    """The address as it may be shown."""
    parts = urlsplit(url)
    if parts.password is None and not (parts.scheme in ("nats", "tls") and parts.username):
        return url
    user = f"{parts.username}:***@" if parts.password is not None else "***@"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}{host}"))


@contextlib.contextmanager
def _log_faults(url: str) -> Iterator[None]:
    try:
        yield
    except (NoReply, NoResponders, BrokerUnreachable, LogUnavailable, NatsError) as error:
        raise Unreachable(
            f"The log at {without_password(url)} does not answer ({_reason(error)}). "
            "Check it with `darkroom doctor`."
        ) from None


@contextlib.contextmanager
def _database_faults(url: str) -> Iterator[None]:
    try:
        yield
    except store.SchemaMissing:
        raise Refused(
            f"The database at {without_password(url)} is not set up. Run `darkroom setup`."
        ) from None
    except store.SchemaTooNew as problem:
        raise Refused(f"{without_password(url)}: {problem}.") from None
    except TimeoutError:
        raise Unreachable(
            f"The database at {without_password(url)} did not answer in time. It may have much to "
            "do: check it with `darkroom doctor`, and try again."
        ) from None
    except (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError) as error:
        raise Unreachable(
            f"The database at {without_password(url)} went away ({_reason(error)}). "
            "Check it with `darkroom doctor`, and try again."
        ) from None


def _reason(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error).strip().splitlines()
    return text[0].rstrip(".") if text else type(error).__name__
