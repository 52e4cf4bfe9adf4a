"""The composition root: settings in, a FastStream application out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from faststream import FastStream
from faststream.nats import NatsBroker
from faststream.nats.message import NatsMessage
from nats.aio.client import Client
from nats.errors import Error as NatsError

from artifacts.fetch import Fetcher
from artifacts.store import ArtifactStore
from contracts.breaker import BreakerPolicy
from contracts.subjects import CANCEL_SUBJECTS, task_id_of
from delivery.connection import check_server, connection_options, reached
from delivery.log import LogReader
from delivery.loops import end_loop
from delivery.publisher import Publisher
from delivery.requests import Requests
from generator.attempts import Policy
from generator.breakers import Breakers
from generator.catalogue import Catalogue, lanes_of, load_providers, outlasting
from generator.counts import Counts
from generator.detours import Detours
from generator.door import Door, DoorPolicy, limit_of
from generator.heartbeat import Heartbeat, Lookout
from generator.hooks import Hooks, callback_root
from generator.inputs import Inputs
from generator.lanes import Lanes, Slots
from generator.provider import Execution, Provider
from generator.pursuit import Pursuit
from generator.rates import Rates
from generator.readiness import Parts, readiness
from generator.settings import Settings, UnknownSubmits
from generator.work import Lane
from generator.worker import Worker
from telemetry.health import serve_health
from telemetry.logs import get_logger

_log = get_logger(__name__)

_BEATS_PER_LEASE = 3
_CLOSE_S = 0.5


class Generator:
    """The application with its parts, and how it ended."""

    def __init__(
        self, settings: Settings, providers: Sequence[Provider], store: ArtifactStore
    ) -> None:
        self.parts: Parts | None = None
        self.draining = False
        self.exit_code = 0
        self.broker = NatsBroker(
            settings.nats_url.split(","),
            logger=None,
            reconnected_cb=self._on_reconnected,
            **connection_options("generator", on_closed=self._on_closed),
        )
        self.app = FastStream(self.broker, logger=None)
        self.app.on_startup(self._start)
        self.app.on_shutdown(self._stop)
        self.broker.subscriber(CANCEL_SUBJECTS, decoder=_task_id, no_reply=True)(self.on_cancel)
        self.checks = readiness(self.broker, store, lambda: self.parts, lambda: self.draining)
        self._settings = settings
        self._providers = providers
        self._store = store
        self._stack = contextlib.AsyncExitStack()

    async def run(self) -> int:
        """Serve until told to stop; the exit code of the process."""
        try:
            await self.app.run()
        except* NatsError as faults:
            # FastStream takes leave of a broker that may be gone.
            if not self.draining:
                raise
            _log.warning("stopped without the log", reason=repr(faults.exceptions))
        return self.exit_code

    async def on_cancel(self, task_id: str) -> None:
        """Somebody told the end of a task: whoever works on it stops."""
        if self.parts is not None:
            await self.parts.lookout.look_at(task_id)

    def fail(self, reason: str) -> None:
        """End the process with an error; whoever restarts processes does the rest."""
        if not self.draining:
            _log.error("the generator can't go on", reason=reason)
            self.exit_code = 1
            self.app.exit()

    async def _start(self) -> None:
        settings, store, stack = self._settings, self._store, self._stack
        health = serve_health(settings.health_port, self.checks, settings.health_host)
        await stack.enter_async_context(health)
        client = await reached(self.broker.connect)
        check_server(client)
        requests = Requests(client)
        await requests.start()
        fetcher = Fetcher()
        stack.push_async_callback(fetcher.aclose)
        for provider in self._providers:
            stack.push_async_callback(_close, provider)
        inputs = Inputs(store, fetcher)
        parts = _assemble(client, requests, settings, self._providers, store, inputs)
        await parts.hooks.start()
        beside = (parts.heartbeat, parts.lookout, parts.breakers, parts.counts, parts.catalogue)
        for loop in (each.run for each in beside):
            stack.push_async_callback(end_loop, self._watched(loop()))
        parts.lanes.start(lambda fault: self.fail(repr(fault)))
        self.parts = parts

    async def _stop(self) -> None:
        self.draining = True
        if self.parts is not None:
            patience_s, submit_s = self._settings.drain_s, self._settings.drain_submit_s
            await self.parts.lanes.drain(patience_s, patience_s if submit_s is None else submit_s)
            await self.parts.counts.close()
            with contextlib.suppress(NatsError, TimeoutError):
                # What was handed back must have left before the connection is closed.
                await self.parts.client.flush(1)
        await self._stack.aclose()
        if self.parts is not None and not self.parts.client.is_connected:
            # What is still to be sent meets a closed transport: uvloop's word for that is the last.
            with contextlib.suppress(NatsError, OSError, RuntimeError):
                await self.parts.client.close()

    async def _on_closed(self) -> None:
        self.fail("the connection to the log is closed for good")

    async def _on_reconnected(self) -> None:
        if self.parts is not None:
            self.parts.lanes.reconnected()
            self.parts.heartbeat.reconnected()
            self.parts.lookout.reconnected()
            self.parts.breakers.reconnected()
            self.parts.counts.reconnected()
            self.parts.catalogue.reconnected()

    def _watched(self, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """The loop as a task; if it ever dies, so does the process."""
        task = asyncio.create_task(loop)

        def told(ended: asyncio.Task[None]) -> None:
            if not ended.cancelled():
                self.fail(f"a loop ended: {ended.exception()!r}")

        task.add_done_callback(told)
        return task


def create_generator(settings: Settings, providers: Sequence[Provider] | None = None) -> Generator:
    """A generator with ``providers``, by default the installed ones; call it in the event loop."""
    if providers is None:
        providers = load_providers(settings.providers, settings.extra_providers)
    return Generator(settings, providers, ArtifactStore.open(settings.store_url))


def _assemble(
    client: Client,
    requests: Requests,
    settings: Settings,
    providers: Sequence[Provider],
    store: ArtifactStore,
    inputs: Inputs,
) -> Parts:
    publisher = Publisher(requests)
    log = LogReader(requests)
    resubmits = settings.submit_unknown is UnknownSubmits.RESUBMIT
    pursuit = Pursuit(
        publisher,
        log,
        timeout_s=settings.provider_timeout_s,
        silence_s=settings.task_timeout_s,
        resubmits=resubmits,
    )
    policy = Policy(
        settings.provider_attempts, settings.retry_base_s, resubmits, settings.late_results_s
    )
    name = f"generator-{uuid4().hex[:12]}"
    served = lanes_of(providers)
    breakers = Breakers(
        client, {lane.name for lane in served if lane.is_elsewhere}, breaker_policy(settings)
    )
    door_policy = DoorPolicy(settings.breaker_policy, settings.owner_running)
    lease = timedelta(seconds=settings.lease_s)
    bounded = {limit for lane in served if (limit := limit_of(lane)) is not None}
    counts = Counts(client, name, lease, bounded)
    door = Door(name, breakers, Rates(client), counts, door_policy)
    detours = Detours(client, publisher, breakers, settings.fallbacks)
    hooks = Hooks(client, callback_root(settings.callback_url, settings.public_url))
    worker = Worker(name, publisher, log, store, inputs, pursuit, policy, door, detours, hooks)
    remote = Slots(settings.remote_concurrency)
    slots = {
        Execution.LOCAL: Slots(settings.generator_concurrency),
        Execution.REMOTE: remote,
        Execution.INLINE: remote,
    }
    _warn_of_silence(served, settings)
    lanes = Lanes(client, served, slots, door, worker.work_on, ack_wait=lease)
    every_s = settings.lease_s / _BEATS_PER_LEASE
    heartbeat, lookout = Heartbeat(client, lanes, every_s), Lookout(log, lanes, every_s)
    catalogue = Catalogue(client, providers)
    return Parts(client, lanes, heartbeat, lookout, breakers, counts, hooks, catalogue)


def breaker_policy(settings: Settings) -> BreakerPolicy:
    """A probe is given up when its provider's time is over twice."""
    return BreakerPolicy(
        threshold=settings.breaker_threshold,
        cooldown=timedelta(seconds=settings.breaker_cooldown_s),
        probe=timedelta(seconds=2 * settings.provider_timeout_s),
    )


def _warn_of_silence(lanes: Sequence[Lane], settings: Settings) -> None:
    provider_s, task_s = settings.provider_timeout_s, settings.task_timeout_s
    silent = outlasting(lanes, provider_timeout_s=provider_s, task_timeout_s=task_s)
    if silent:
        _log.warning(
            "tasks end before a silent provider's time is up, and those waiting behind with them",
            lanes=silent,
            provider_timeout_s=provider_s,
            task_timeout_s=task_s,
        )


async def _task_id(message: NatsMessage) -> str:
    """The task that a cancel is about: the subject says it, whatever the body."""
    return task_id_of(message.raw_message.subject)


async def _close(provider: Provider) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await provider.aclose()
    except Exception:  # noqa: BLE001 - whatever a plug-in raises
        _log.exception("a provider can't be closed", provider=provider.name)
