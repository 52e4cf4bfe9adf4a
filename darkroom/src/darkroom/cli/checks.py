"""What `darkroom doctor` looks at: each check says how things are, and how to mend them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import asyncpg
import click
import httpx2
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import ValidationError

from contracts.subjects import STREAM
from darkroom.cli import contents, disks, leftovers, subscribers
from darkroom.cli.health import ProjectionState, projection_state
from darkroom.cli.provisioning import (
    RESTORE,
    check_not_lost,
    compare_broker,
    compare_schema,
    lane_specs,
)
from darkroom.cli.servers import database_connection, log_connection, log_requests, without_password
from darkroom.cli.settings import (
    CommandLineSettings,
    ServerAddresses,
    server_addresses,
    unusable,
)
from delivery.connection import server_version
from delivery.durability import durability
from delivery.provision import lanes_on_the_broker
from generator.settings import Settings as GeneratorSettings
from reaper.settings import Settings as ReaperSettings
from reaper.silence import Limits
from task_store.checks import Clock, clock, judge_postgres, judge_room
from telemetry.findings import Finding

_TIMEOUT_S = 5.0
_WATCH_S = 1.0
_RETIRED = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^retired_[0-9]+$' ORDER BY nspname"


@dataclass(frozen=True, slots=True)
class Servers:
    """What of the servers answers, and what is to be said of what doesn't."""

    addresses: ServerAddresses
    client: Client | None
    connection: asyncpg.Connection | None
    refused: list[Finding]


@contextlib.asynccontextmanager
async def servers(settings: CommandLineSettings) -> AsyncIterator[Servers]:
    addresses = server_addresses(settings)
    async with contextlib.AsyncExitStack() as stack:
        refused: list[Finding] = []
        client = await _opened(stack, "nats", log_connection(addresses.nats_url), refused)
        connection = await _opened(
            stack, "postgres", database_connection(addresses.database_url), refused
        )
        yield Servers(addresses, client, connection, refused)


async def _opened(
    stack: contextlib.AsyncExitStack, name: str, opening: Any, refused: list[Finding]
) -> Any:
    """What could be opened, or None; then the finding says why not."""
    try:
        return await stack.enter_async_context(opening)
    except click.ClickException as problem:
        refused.append(_refused(name, problem))
        return None


async def examine(url: str, settings: CommandLineSettings, *, quick: bool) -> list[Finding]:
    """Every check, in the order in which things depend on each other.

    ``quick`` leaves out what reads all of the raw copy or of the object store.
    """
    async with servers(settings) as found:
        client, connection = found.client, found.connection
        findings = list(found.refused)
        if client is not None:
            findings.append(_server(client, found.addresses))
            kept = await durability(found.addresses.nats_monitor_url)
            findings.append(kept.finding())
            findings.append(await _provisioned(client, connection, settings))
            findings.append(await _unserved(client))
            findings.append(await subscribers.examine(client))
        if connection is not None:
            schema = await _schema(connection, found.addresses)
            findings.append(schema)
            if schema.ok:
                findings.append(await leftovers.examine(connection))
        if client is not None and connection is not None:
            findings += await _projection(client, connection)
            findings += await contents.examine(client, connection, settings, quick=quick)
        gateway, its_clock = await _gateway(url)
        findings += [gateway, await contents.clocks(client, connection, its_clock)]
    findings.append(_timeouts())
    return findings + disks.examine(settings)


def _refused(name: str, problem: click.ClickException) -> Finding:
    """What a command would have said: first how it is, then what to do."""
    detail, _, mend = problem.message.partition(". ")
    return Finding(name, ok=False, detail=detail, mend=mend)


def _server(client: Client, addresses: ServerAddresses) -> Finding:
    version = ".".join(map(str, server_version(client)))
    return Finding("nats", ok=True, detail=f"{version} on {without_password(addresses.nats_url)}")


async def _provisioned(
    client: Client, connection: asyncpg.Connection | None, settings: CommandLineSettings
) -> Finding:
    try:
        if connection is not None:
            await check_not_lost(client, connection)
        lanes = await lane_specs()
        found = await compare_broker(client, settings, lanes, mend=False)
    except click.ClickException as problem:
        return _refused("log", problem)
    if found:
        detail = "; ".join(map(str, found))
        return Finding("log", ok=False, detail=detail, mend="darkroom setup")
    return Finding("log", ok=True, detail=f"stream, bucket and {len(lanes)} lanes as declared")


async def _unserved(client: Client) -> Finding:
    """Lanes in which tasks wait, but whose provider isn't installed or configured here."""
    known = {lane.durable for lane in await lane_specs()}
    waiting = []
    with contextlib.suppress(NatsError):
        for name in await lanes_on_the_broker(client):
            if name not in known:
                told = await client.jetstream().consumer_info(STREAM, name)
                if told.num_pending or told.num_ack_pending:
                    waiting.append(f"{name} ({told.num_pending or 0} waiting)")
    if not waiting:
        return Finding("lanes", ok=True, detail="each lane with tasks in it has a provider here")
    return Finding(
        "lanes",
        ok=None,
        detail=f"not offered by the providers here: {', '.join(waiting)}",
        mend="make sure that some generator has the provider, with its settings",
    )


async def _schema(connection: asyncpg.Connection, addresses: ServerAddresses) -> Finding:
    where = without_password(addresses.database_url)
    version = connection.get_server_version()
    fit = judge_postgres((version.major, version.minor))
    if not fit.ok:
        return fit
    try:
        missing = await compare_schema(connection, mend=False)
    except click.ClickException as problem:
        return _refused("postgres", problem)
    if missing:
        return Finding("postgres", ok=False, detail="; ".join(missing), mend="darkroom setup")
    retired = [row["nspname"] for row in await connection.fetch(_RETIRED)]
    kept = f"; kept old rows: {', '.join(retired)}" if retired else ""
    return Finding("postgres", ok=True, detail=f"{fit.detail} on {where}{kept}")


async def _projection(client: Client, connection: asyncpg.Connection) -> list[Finding]:
    """The checkpoint against the log, who projects, what is parked, how full the log is."""
    try:
        async with log_requests(client) as requests:
            state = await projection_state(requests, connection)
            if state.lag:
                await asyncio.sleep(_WATCH_S)
                later = await projection_state(requests, connection)
            else:
                later = state
    except Exception as problem:  # noqa: BLE001 - said above where it is a fault of its own
        return [
            Finding(
                "projection",
                ok=False,
                detail=f"can't be compared with the log ({type(problem).__name__})",
                mend="mend what is said above first",
            )
        ]
    return [
        _position(state, later),
        _projector(later),
        _parked(later),
        judge_room(later.log.bytes, later.log.max_bytes),
    ]


def _position(state: ProjectionState, later: ProjectionState) -> Finding:
    created, sequence = later.checkpoint.stream_created, later.checkpoint.sequence
    if created is not None and created != later.log.created:
        return Finding(
            "projection",
            ok=False,
            detail=f"is of another stream: this one was made at {later.log.created.isoformat()}",
            mend="bring the old one back (DATA_DIR/nats); if this one is empty, with "
            f"`{RESTORE} --unbind`",
        )
    if sequence > later.log.last_sequence:
        return Finding(
            "projection",
            ok=False,
            detail=f"is at {sequence}, but the log ends at {later.log.last_sequence}",
            mend="bring the lost end of the log back from a copy; nothing is projected until then",
        )
    if later.missing and sequence:
        return Finding(
            "projection",
            ok=False,
            detail=f"{later.missing} events left the log before they were applied",
            mend="keep the log for longer: DARKROOM_STREAM_MAX_AGE_S, then darkroom setup",
        )
    stuck = later.lag > 0 and sequence == state.checkpoint.sequence
    return Finding(
        "projection",
        ok=not stuck,
        detail=f"at {sequence}, {later.lag} events behind the log",
        mend="see the log of the task-store (DATA_DIR/log/task-store.log)" if stuck else "",
    )


def _projector(state: ProjectionState) -> Finding:
    ok = state.projector in ("active", "standing by")
    mend = "" if ok else "start one: darkroom up, or darkroom task-store"
    if state.projector.startswith("halted"):
        mend = "see the projection above"
    return Finding("task-store", ok=ok, detail=state.projector, mend=mend)


def _parked(state: ProjectionState) -> Finding:
    if not state.parked_events:
        return Finding("parked", ok=True, detail="no event was put aside")
    since = "" if state.parked_since is None else f", since {state.parked_since.isoformat()}"
    return Finding(
        "parked",
        ok=False,
        detail=f"{state.parked_events} events of {state.parked_tasks} tasks{since}",
        mend="darkroom dead-letters list; when the cause is mended, "
        "darkroom dead-letters retry --all",
    )


def _timeouts() -> Finding:
    """Whether a provider's time is up before the reaper's, as far as settings tell it."""
    try:
        reaper, generator = ReaperSettings(), GeneratorSettings()
    except ValidationError as error:
        raise unusable(error) from None
    limits = Limits(reaper.task_timeout_s, reaper.task_deadline_s, reaper.upload_ttl_s)
    hasty = limits.no_longer_than(generator.provider_timeout_s)
    if not hasty:
        return Finding("timeouts", ok=True, detail="providers have less time than the reaper gives")
    return Finding(
        "timeouts",
        ok=None,
        detail=f"a silent provider may end tasks that wait behind it: {', '.join(hasty)}",
        mend="set DARKROOM_TASK_TIMEOUT_S higher than DARKROOM_PROVIDER_TIMEOUT_S",
    )


async def _gateway(url: str) -> tuple[Finding, Clock | None]:
    asked = datetime.now(UTC)
    clock = None
    try:
        async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as http:
            answer = await http.get(f"{url.rstrip('/')}/readyz")
        clock = _clock_of(answer, asked)
        failing = [
            f"{name}: {check.get('detail') or 'not ready'}"
            for name, check in answer.json()["checks"].items()
            if not check["ok"]
        ]
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, KeyError, TypeError):
        finding = Finding(
            "gateway",
            ok=False,
            detail=f"does not answer on {url}",
            mend="start it: darkroom up, or tell where it is with --url",
        )
        return finding, clock
    if failing:
        detail = "; ".join(failing)
        mend = "see what else is wrong here"
        return Finding("gateway", ok=False, detail=detail, mend=mend), clock
    return Finding("gateway", ok=True, detail=f"ready on {url}"), clock


def _clock_of(answer: httpx2.Response, asked: datetime) -> Clock | None:
    """The gateway's clock, in whole seconds, as HTTP tells it."""
    told = answer.headers.get("date")
    if told is None:
        return None
    return clock("gateway", asked, parsedate_to_datetime(told), datetime.now(UTC), coarse_s=1)
