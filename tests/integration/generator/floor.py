"""What a test of the generator says to the log, and asks of it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import NotFoundError

from artifacts.store import ArtifactStore
from builders import OWNER, requested, task_id
from contracts.events import End, Event, decode
from contracts.lifecycle import Task, evolve
from contracts.subjects import finished_subject
from delivery.ends import Lost, Won, publish_end
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import NOTHING_YET, Publisher
from delivery.requests import Requests
from generator.app import Generator, create_generator
from generator.provider import Provider
from generator.settings import Settings
from integration.generator.scripted_provider import (
    FOLDER,
    ScriptedFinding,
    ScriptedKeyed,
    ScriptedProvider,
    ScriptedRemote,
    Stage,
)
from servers import eventually

TESTS = Path(__file__).parents[2]
QUICK: dict[str, Any] = {"retry_base_s": 0.01, "drain_s": 0.05}
PATIENCE_S = 60.0
SCRIPTED = (ScriptedProvider, ScriptedRemote, ScriptedKeyed, ScriptedFinding)


@dataclass
class Floor:
    """A client of the log, the scripted providers' stage, and the generators started here."""

    url: str
    client: Client
    stage: Stage
    store: ArtifactStore
    data_dir: Path
    generators: list[Generator] = field(default_factory=list)
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    _tasks: int = 0

    async def open(self) -> None:
        self.requests = Requests(self.client)
        await self.requests.start()
        self.publisher = Publisher(self.requests)
        self.log = LogReader(self.requests)

    async def close(self) -> None:
        for process in self.processes:
            if process.returncode is None:
                process.kill()
                await process.wait()
        for generator in self.generators:
            await self.stop(generator)
        await self.client.close()

    def settings(self, **changes: Any) -> Settings:
        return Settings(**{"nats_url": self.url, "data_dir": self.data_dir, **QUICK, **changes})

    async def start(
        self, providers: Sequence[Provider] | None = None, **settings: Any
    ) -> Generator:
        """A generator in this process, ready."""
        if providers is None:
            folder = self.stage.folder
            providers = [scripted(folder) for scripted in SCRIPTED]
        generator = create_generator(self.settings(**settings), providers)
        self.generators.append(generator)
        await generator.app.start()
        await eventually(
            lambda: generator.parts is not None and not generator.parts.lanes.unbound()
        )
        return generator

    async def stop(self, generator: Generator) -> None:
        if not generator.draining:
            try:
                await generator.app.stop()
            except* NatsError:  # FastStream takes leave of a broker that the test has ended
                pass

    async def start_process(self, **settings: Any) -> asyncio.subprocess.Process:
        """A generator in a process of its own."""
        changes = {f"DARKROOM_{name.upper()}": str(value) for name, value in settings.items()}
        module = "integration.generator.scripted_provider"
        scripted = ",".join(f"{module}:{each.__name__}" for each in SCRIPTED)
        environment = {
            **os.environ,
            "PYTHONPATH": str(TESTS),
            "DARKROOM_NATS_URL": self.url,
            "DARKROOM_DATA_DIR": str(self.data_dir),
            "DARKROOM_PROVIDERS": "none",
            "DARKROOM_EXTRA_PROVIDERS": scripted,
            **{f"DARKROOM_{name.upper()}": str(value) for name, value in QUICK.items()},
            FOLDER: str(self.stage.folder),
            **changes,
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "generator"),
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=None,
        )
        self.processes.append(process)
        return process

    async def ask(self, *, lane: str = "scripted", owner: str = OWNER, **script: Any) -> str:
        """Put a new task in line; its id."""
        self._tasks += 1
        task = task_id(self._tasks)
        event = requested(task=task, lane=lane, owner=owner, provider_params=script)
        await self.publisher.publish(event, expect=NOTHING_YET)
        return task

    async def ask_in_line(self, **script: Any) -> str:
        """A task that was handed over with its job at the provider, and waits here for a place
        until ``done`` is released."""
        going = await self.start([ScriptedRemote(self.stage.folder)])
        task = await self.ask(lane=ScriptedRemote.name, **script)
        await self.followed(task)
        await self.start(owner_running=1)
        await self.followed(await self.ask(until="done"))
        await self.stop(going)
        await eventually(lambda: task in self.held(), PATIENCE_S)
        return task

    async def tell(self, event: Event) -> None:
        await self.publisher.publish(event)

    async def end(self, event: End) -> Won | Lost:
        """End a task as the gateway or the reaper would, and say so to the workers."""
        told = await publish_end(self.publisher, self.log, event)
        await self.client.publish(f"cancel.{event.task_id}")
        return told

    async def events(self, task: str) -> list[Event]:
        """The task's events in log order; none while the log can't be read."""
        try:
            return [decode(message.payload) for message in await self.log.history(task)]
        except LogUnavailable:
            return []

    async def story(self, task: str) -> list[str]:
        """The types of the task's events, without ``generation.``."""
        return [event.type.removeprefix("generation.") for event in await self.events(task)]

    async def told(self, task: str, what: str, times: int = 1) -> None:
        """Wait until an event of this type was told so many times."""

        async def enough() -> bool:
            return (await self.story(task)).count(what) >= times

        await eventually(enough, PATIENCE_S, f"no {what} of {task}")

    async def followed(self, task: str, attempt: int = 1) -> None:
        """Wait until a provider works on this attempt."""
        await eventually(lambda: ("follow", attempt) in self.stage.calls(task), PATIENCE_S)

    async def ended(self, task: str, timeout_s: float = PATIENCE_S) -> Event:
        """Wait for the task's end."""

        async def end() -> Event | None:
            try:
                message = await self.log.last(finished_subject("CREATE", task))
            except LogUnavailable:
                return None
            return None if message is None else decode(message.payload)

        event: Event = await eventually(end, timeout_s, f"{task} did not end")
        return event

    async def task(self, task: str) -> Task:
        """The task as the fold has it."""
        folded: Task | None = None
        for message in await self.log.history(task):
            folded = evolve(folded, decode(message.payload), message.sequence, message.logtime)
        assert folded is not None
        return folded

    def held(self) -> set[str]:
        """The tasks that the generators of this process hold."""
        return {task for each in self.generators if each.parts for task in each.parts.lanes.works}

    def stopping(self, task: str) -> bool:
        """Whether a generator of this process is about to let go of a task."""
        works = [each.parts.lanes.works.get(task) for each in self.generators if each.parts]
        return any(work is not None and work.stop is not None for work in works)

    async def acknowledged(self, lane: str = "scripted") -> None:
        """Wait until no request of the lane is held or waits for redelivery."""
        jetstream = self.client.jetstream()

        async def all_done() -> bool:
            try:
                seen = await jetstream.consumer_info("GENERATION", f"generator-create-{lane}")
            except NotFoundError:
                return False
            return seen.num_ack_pending == 0 and seen.num_pending == 0

        await eventually(all_done, PATIENCE_S, f"{lane} has requests that nobody acknowledged")


async def ended_with(process: asyncio.subprocess.Process) -> int:
    """Wait for the process's exit code."""
    return await asyncio.wait_for(process.wait(), PATIENCE_S)


def terminate(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGTERM)
