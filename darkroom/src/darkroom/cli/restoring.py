"""A lost log brought back, before anybody can take it for the whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from nats.aio.client import Client
from nats.js.errors import APIError

from contracts.messages import Message
from contracts.subjects import STREAM, restore_subject, task_id_of
from darkroom.cli.eventfile import messages_in
from darkroom.cli.failures import Refused
from darkroom.cli.provisioning import compare_broker, lane_specs
from darkroom.cli.replaying import Batches, chunks
from darkroom.cli.servers import database_connection, log_connection, log_requests
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery import copying, restoring
from delivery.lines import Unreadable
from delivery.log import LogReader
from delivery.requests import Requests
from delivery.restoring import LogThere, Plan
from task_store import restore as rows
from task_store import store
from task_store.rebuild import Busy, alone, sweep

_RAW_COPY = "the raw copy in Postgres"
_OVERHEAD = 2

Tell = Callable[[int, int], None]
Bar = Callable[[str], AbstractContextManager[Tell]]


@dataclass(frozen=True)
class Restored:
    """What came back: the log's events, their new sequences, and where the projection stands."""

    origin: str
    events: int
    first: int
    last: int
    projection_at: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def restore(
    settings: CommandLineSettings,
    file: Path | None,
    *,
    unbind: bool,
    bar: Bar,
    origin: str | None = None,
) -> Restored:
    """Bring the log back; one that was interrupted goes on.

    ``origin`` is what the raw copy came from, where it is not our own.
    """
    began = time.monotonic()
    addresses = server_addresses(settings)
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(log_connection(addresses.nats_url))
        requests = await stack.enter_async_context(log_requests(client))
        # For what is said of a database that isn't there or not set up.
        await stack.enter_async_context(database_connection(addresses.database_url))
        try:
            live = await stack.enter_async_context(alone(addresses.database_url))
        except Busy:
            raise Refused(
                "A rebuild, a verification or another restore is at work. Wait for it to end."
            ) from None
        await sweep(live)
        origin = origin or (_RAW_COPY if file is None else f"the file {file.name}")
        work = _Restore(settings, addresses.database_url, client, requests, live, file, origin)
        return await work.run(unbind, bar, began)


class _Restore:
    def __init__(
        self,
        settings: CommandLineSettings,
        database_url: str,
        client: Client,
        requests: Requests,
        live: asyncpg.Connection,
        file: Path | None,
        origin: str,
    ) -> None:
        self._settings = settings
        self._database_url = database_url
        self._client = client
        self._requests = requests
        self._live = live
        self._file = file
        self._origin = origin
        self._erased: frozenset[str] = frozenset()

    async def run(self, unbind: bool, bar: Bar, began: float) -> Restored:
        there = await restoring.look(self._client)
        self._check(there, unbind)
        self._erased = await rows.erased_tasks(self._live)
        try:
            plan = await self._begin(there)
        except APIError as error:
            raise Refused(self._no_room((error.description or "").rstrip("."))) from None
        if self._file is not None or not await self._is_renumbered():
            with bar("restoring") as tell:
                await self._copy(plan, tell)
        state = await self._client.jetstream().stream_info(STREAM)
        if state.state.messages != plan.events:
            raise Refused(
                f"The log has {state.state.messages:,} of {plan.events:,} events: something else "
                "changed it or its source. Keep the source, and look at both."
            )
        first = state.state.first_seq
        with bar("renumbering") as tell:
            checkpoint = await rows.renumber(
                self._database_url,
                self._client,
                self._requests,
                self._live,
                plan.first,
                lambda at, end: tell(max(0, at - first + 1), end - first + 1),
            )
        await restoring.finish(self._client, self._settings.stream)
        await compare_broker(self._client, self._settings, await lane_specs(), mend=True)
        return Restored(
            plan.origin,
            plan.events,
            first,
            state.state.last_seq,
            checkpoint.sequence,
            round(time.monotonic() - began, 3),
        )

    def _check(self, there: LogThere | None, unbind: bool) -> None:
        """Refuse where the log lacks nothing, or somebody could work on what is half there."""
        if there is None:
            return
        if there.plan is None and there.messages:
            raise Refused(
                f"The log has {there.messages:,} events: it is not lost. A restore is for a log "
                "that is absent or empty; `darkroom doctor` tells what is wrong with this one."
            )
        if there.lanes and not unbind:
            raise Refused(
                f"Generators have consumers on the log ({', '.join(there.lanes[:3])} …), and would "
                "do anew what was done. Add --unbind to remove them; generators wait meanwhile."
            )
        if there.plan is not None and there.plan.origin != self._origin:
            raise Refused(
                f"A restore from {there.plan.origin} was interrupted. Go on with that source."
            )

    async def _begin(self, there: LogThere | None) -> Plan:
        """The stream that takes the events, as it was left or new."""
        spec = self._settings.stream
        if there is not None and there.plan is not None:
            for lane in there.lanes:
                await self._client.jetstream().delete_consumer(STREAM, lane)
            await restoring.resume(self._client, spec, there.plan)
            return there.plan
        plan, size = await self._plan()
        if size * _OVERHEAD > spec.max_bytes:
            raise Refused(self._no_room(f"{plan.events:,} events with {size:,} bytes"))
        highest = max(await rows.highest_sequence(self._live), plan.last)
        if there is not None and not await restoring.remove_empty(self._client, spec):
            raise Refused("A task was accepted meanwhile: the log is not lost.")
        await restoring.begin(self._client, spec, plan, highest + rows.NEVER_TOLD + 1)
        return plan

    async def _plan(self) -> tuple[Plan, int]:
        if self._file is None:
            oldest = datetime.now(UTC) - timedelta(seconds=self._settings.stream_max_age_s)
            kept = await rows.kept_since(self._live, oldest)
            if not kept.events:
                raise Refused(
                    "The raw copy in Postgres has nothing that a log would keep. Name an export "
                    "with --from-file, or begin a new log with `darkroom setup`."
                )
            return Plan(self._origin, kept.events, kept.first, kept.last), kept.bytes
        plan, size = await asyncio.to_thread(self._look_through, self._file)
        last = await self._live.fetchval("SELECT max(sequence) FROM log.events")
        if last is not None and last > plan.last:
            raise Refused(
                f"The raw copy in Postgres goes to {last:,}, the file ends at {plan.last:,}. "
                "Restore without --from-file, or the events between would be lost."
            )
        return plan, size

    def _look_through(self, file: Path) -> tuple[Plan, int]:
        """What there is to restore in a file, if all of it is as it should be."""
        events = first = last = size = 0
        try:
            for message in filter(self._may_come_back, messages_in(file)):
                events += 1
                first = first or message.sequence
                last = message.sequence
                size += len(message.payload) + len(message.subject)
        except Unreadable as problem:
            raise Refused(f"{problem}. Nothing was changed; mend the file.") from None
        except OSError as problem:
            raise Refused(f"{file} can't be read ({problem.strerror or problem}).") from None
        if not events:
            raise Refused(f"{file} has no events to restore.")
        return Plan(self._origin, events, first, last), size

    def _may_come_back(self, message: Message) -> bool:
        """Of an erased task nothing but its erasure."""
        if task_id_of(message.subject) not in self._erased:
            return True
        try:
            event = orjson.loads(message.payload)
        except orjson.JSONDecodeError:
            return False
        return isinstance(event, dict) and event.get("type") == "generation.erased"

    async def _is_renumbered(self) -> bool:
        """Whether rows and raw copy are of the new log already: their sequences then are its."""
        checkpoint = await store.load_checkpoint(self._live)
        return checkpoint.stream_created == (await LogReader(self._requests).state()).created

    async def _copy(self, plan: Plan, tell: Tell) -> None:
        def source(after: int) -> Batches:
            if self._file is None:
                return rows.raw_copy(self._live, max(after, plan.first - 1))
            return self._batches_of(self._file, after)

        done = plan.last - plan.first + 1
        try:
            await copying.copy(
                self._client,
                STREAM,
                source,
                restore_subject,
                lambda original: tell(original - plan.first + 1, done),
            )
        except copying.NoRoom:
            raise Refused(self._no_room("it is full")) from None
        except copying.Contended:
            raise Refused("Somebody else writes to the log meanwhile. Find out who.") from None
        except copying.Refused as problem:
            raise Refused(f"The log takes no more ({problem}). Run it again to go on.") from None

    async def _batches_of(self, file: Path, after: int) -> Batches:
        batch: Sequence[Message]
        for batch in chunks(filter(self._may_come_back, messages_in(file, after))):
            yield batch
            await asyncio.sleep(0)

    def _no_room(self, why: str) -> str:
        return (
            f"The log has no room for what is to be restored ({why}). Set "
            "DARKROOM_STREAM_MAX_BYTES higher, give JetStream the storage, and run it again."
        )
