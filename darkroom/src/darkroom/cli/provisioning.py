"""What the broker and the database must have, compared with what they have."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from nats.aio.client import Client
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError
from pydantic import ValidationError

from contracts.subjects import BANDS, STREAM, LaneConsumerSpec, lane_of
from darkroom.cli.failures import Refused
from darkroom.cli.servers import database_connection, log_connection
from darkroom.cli.settings import CommandLineSettings, ServerAddresses, unusable
from delivery import provision
from delivery.provision import BeingRestored, Difference
from generator.catalogue import lanes_of, load_providers
from generator.settings import Settings as GeneratorSettings
from task_store import store
from task_store.sql import MIGRATIONS
from task_store.steps import due

_NO_ROOM = {10023, 10047, 10028}
"""The server has no room for a stream of that size: resources, storage, memory."""
_NO_JETSTREAM = {10039, 10076}
RESTORE = "darkroom events replay --restore"


class LogLost(Refused):
    """The database knows events, and there is no log: one made now would be taken for the whole."""


async def reconcile(
    settings: CommandLineSettings,
    addresses: ServerAddresses,
    *,
    mend: bool,
    contract: bool = False,
    keep_leases: bool = False,
) -> list[str]:
    """Compare and, if told to, mend; one line for each thing that differed, or was done.

    With ``keep_leases``, lanes that exist keep theirs.
    With ``contract``, steps of the schema are among them that older code does not run on.
    Raises `LogLost` when all but the log is mended.
    """
    lanes = await lane_specs()
    async with (
        log_connection(addresses.nats_url) as client,
        database_connection(addresses.database_url) as connection,
    ):
        schema = await compare_schema(connection, mend=mend, contract=contract)
        if mend:
            await check_not_lost(client, connection)
        broker = await compare_broker(client, settings, lanes, mend=mend, keep_leases=keep_leases)
    return [done(each) if mend else str(each) for each in broker] + schema


async def check_not_lost(client: Client, connection: asyncpg.Connection) -> None:
    """Raises `LogLost`."""
    if not await store.schema_version(connection):
        return
    try:
        await client.jetstream().stream_info(STREAM)
    except NotFoundError:
        projected = (await store.load_checkpoint(connection)).sequence
    except APIError:
        # What it has to say is said where the stream is looked at for itself.
        return
    else:
        return
    if projected:
        raise LogLost(
            f"The log is lost: the projection is at {projected:,}, and there is no stream "
            f"{STREAM}. Bring it back with `{RESTORE}`, or begin anew with an empty database."
        )


async def lane_specs() -> list[LaneConsumerSpec]:
    """The lanes of all providers that are installed here and configured."""
    try:
        settings = GeneratorSettings()
    except ValidationError as error:
        raise unusable(error) from None
    providers = load_providers(settings.providers, settings.extra_providers)
    try:
        return [
            LaneConsumerSpec(
                lane.kind.name,
                lane_of(lane.name, band),
                ack_wait=timedelta(seconds=settings.lease_s),
            )
            for lane in lanes_of(providers)
            for band in range(BANDS)
        ]
    finally:
        for provider in providers:
            await provider.aclose()


async def compare_broker(
    client: Client,
    settings: CommandLineSettings,
    lanes: list[LaneConsumerSpec],
    *,
    mend: bool,
    keep_leases: bool = False,
) -> list[Difference]:
    """Stream, lanes and bucket. Raises `Refused` when the server won't have them so."""
    try:
        found = await provision.ensure_stream(client, settings.stream, mend=mend)
        missing = not mend and any(each.setting == "exists" for each in found)
        for lane in lanes:
            if missing:
                found.append(Difference(f"consumer {lane.durable}", "exists", True, None))
            else:
                found += await provision.ensure_lane(
                    client, lane, mend=mend, keep_lease=keep_leases
                )
        found += await provision.ensure_buckets(
            client, replicas=settings.stream.replicas, mend=mend
        )
    except BeingRestored:
        raise Refused(
            f"The log is being restored, or that was interrupted. `{RESTORE}` goes on with it."
        ) from None
    except APIError as error:
        raise Refused(_refusal(error, settings)) from None
    return found


async def compare_schema(
    connection: asyncpg.Connection, *, mend: bool, contract: bool = False
) -> list[str]:
    """The database's schema; one line for each step that is missing, or was applied.

    One that goes further than this version is fine as long as this version runs on it.
    """
    found = await store.applied_steps(connection)
    try:
        if found:
            await store.check_not_contracted(connection)
        if not mend:
            missing = due(MIGRATIONS, found, contract=contract)
            return [f"database schema: step {step.number} is not applied" for step in missing]
        applied = await store.migrate(connection, contract=contract)
    except store.SchemaTooNew as problem:
        raise Refused(f"{str(problem)[:1].upper()}{str(problem)[1:]}.") from None
    except store.OlderCodeConnected as older:
        raise Refused(
            f"Step {older.step.number} of the schema ({older.step.title}) takes away what code "
            f"needs that does not know step {older.step.least}, and such code is connected: "
            f"{', '.join(older.sessions)}. Bring these services up to date, or stop them, and run "
            "this again."
        ) from None
    return [f"database schema: applied step {step}" for step in applied]


async def contracting_steps(addresses: ServerAddresses) -> list[str]:
    """The steps that wait for older code to be gone."""
    async with database_connection(addresses.database_url) as connection:
        waiting = due(MIGRATIONS, await store.applied_steps(connection), contract=True)
    return [f"{step.number} ({step.title})" for step in waiting if step.contracts]


def done(difference: Difference) -> str:
    if difference.setting == "exists":
        return f"created {difference.thing}"
    return (
        f"{difference.thing}: changed {difference.setting} "
        f"from {difference.found!r} to {difference.wanted!r}"
    )


def _refusal(error: APIError, settings: CommandLineSettings) -> str:
    said = (error.description or "no reason given").rstrip(".")
    if error.err_code in _NO_ROOM:
        return (
            f"The NATS server has no room for a log of {settings.stream_max_bytes:,} bytes "
            f"({said}). Give JetStream more storage, or set DARKROOM_STREAM_MAX_BYTES lower."
        )
    if error.err_code in _NO_JETSTREAM or _nobody_answered(error):
        return (
            "The NATS server has no JetStream. Start it with JetStream enabled "
            "(deploy/nats.conf), or set DARKROOM_NATS_URL to another."
        )
    return (
        f"The NATS server refused ({said}). Compare with `darkroom setup --check`; what can't be "
        "changed in place has to be made anew."
    )


def _nobody_answered(error: APIError) -> bool:
    return isinstance(error, ServiceUnavailableError) and error.err_code is None
