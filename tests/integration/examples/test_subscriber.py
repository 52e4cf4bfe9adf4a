"""`examples/subscriber` as a foreign service: a process that can't import anything of ours."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import sys
import sysconfig
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from nats.js.api import DeliverPolicy

from builders import completed, failed, progressed, requested, started, task_id
from contracts.events import Event, encode
from contracts.subjects import STREAM, finished_subject, progress_subject, subject_of
from delivery.provision import ensure_stream
from delivery.subscribers import Start, SubscriberSpec, ensure_subscriber, remove_subscriber
from integration.delivery.bus import SPEC, Bus, connected, set_up
from servers import Server, eventually

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "examples/subscriber/subscriber.py"
PYTHON = (sys.executable, "-S")
"""Without `site`, so that our packages, which are there by .pth files, are not."""
FOREIGN = {"PYTHONPATH": sysconfig.get_path("purelib"), "PYTHONDONTWRITEBYTECODE": "1"}
MINE = SubscriberSpec(
    "example", start=Start(DeliverPolicy.ALL), ack_wait=timedelta(seconds=1), max_deliver=4
)


@dataclass
class Foreign:
    """The service, its folder, and what it has printed."""

    url: str
    folder: Path
    lines: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None
    reading: asyncio.Task[None] | None = None

    async def start(self, *words: str) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(*PYTHON, str(SCRIPT), "--nats", self.url, "--durable", "example"),
            *("--memory", str(self.folder / "memory"), "--out", str(self.ended), *words),
            env=FOREIGN,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self.reading = asyncio.create_task(self._read(self.process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.lines.append(line.decode().rstrip())

    async def interrupt(self) -> int:
        assert self.process is not None
        assert self.reading is not None
        self.process.send_signal(signal.SIGINT)
        code = await asyncio.wait_for(self.process.wait(), 30)
        await self.reading
        return code

    async def kill(self) -> None:
        assert self.process is not None
        assert self.reading is not None
        with suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()
        await self.reading

    async def says(self, text: str) -> str:
        def said() -> str | None:
            return next((line for line in self.lines if text in line), None)

        try:
            line: str = await eventually(said, 30)
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in\n" + "\n".join(self.lines)) from None
        return line

    def count(self, text: str) -> int:
        return sum(text in line for line in self.lines)

    @property
    def ended(self) -> Path:
        return self.folder / "ended"

    @property
    def files(self) -> set[str]:
        return {path.stem for path in self.ended.glob("*.json")}

    def remembered(self, column: str, table: str) -> list[object]:
        memory = sqlite3.connect(self.folder / "memory")
        try:
            return [row[0] for row in memory.execute(f"SELECT {column} FROM {table}")]
        finally:
            memory.close()


@pytest.fixture
async def bus(nats_server: Server) -> AsyncIterator[Bus]:
    async with connected(nats_server.url) as made:
        await set_up(made)
        await ensure_subscriber(made.client, MINE)
        yield made


@pytest.fixture
async def foreign(nats_server: Server, tmp_path: Path) -> AsyncIterator[Foreign]:
    made = Foreign(nats_server.url, tmp_path)
    made.ended.mkdir()
    yield made
    if made.process is not None:
        await made.kill()


def story(number: int) -> list[Event]:
    told = {"task": task_id(number)}
    return [
        requested(**told),
        started(event_id=f"{number}-started", **told),
        completed(event_id=f"{number}-completed", **told),
    ]


async def put(bus: Bus, subject: str, payload: bytes) -> int:
    return (await bus.client.jetstream().publish(subject, payload)).seq


def settled(bus: Bus) -> Callable[[], Awaitable[bool]]:
    """Whether everything was given out and is done with."""

    async def look() -> bool:
        info = await bus.client.jetstream().consumer_info(STREAM, "example")
        return not info.num_pending and not info.num_ack_pending

    return look


@pytest.mark.parametrize(
    "module",
    ["contracts", "delivery", "artifacts", "telemetry", "gateway", "task_store", "darkroom"],
)
async def test_it_can_import_nothing_of_ours(module: str, tmp_path: Path) -> None:
    words = (*PYTHON, "-c", f"import nats, jsonschema; print('there'); import {module}")
    process = await asyncio.create_subprocess_exec(
        *words,
        env=FOREIGN,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, told = await process.communicate()

    assert out == b"there\n"
    assert f"No module named '{module}'" in told.decode()


async def test_it_follows_through_its_own_death_and_loses_nothing(
    bus: Bus, foreign: Foreign
) -> None:
    await foreign.start()
    events = [event for number in range(1, 101) for event in story(number)]
    await bus.tell(*events[:150])
    await foreign.says("done 20 ")
    await foreign.kill()
    await bus.tell(*events[150:])
    await foreign.start()

    await eventually(settled(bus), 60)

    assert foreign.files == {task_id(number) for number in range(1, 101)}
    assert sorted(map(str, foreign.remembered("event_id", "done"))) == sorted(e.id for e in events)
    assert foreign.count("gap") == 0


async def test_it_follows_through_a_restart_of_the_broker(
    bus: Bus, foreign: Foreign, nats_server: Server
) -> None:
    await foreign.start()
    await bus.tell(*story(1))
    await foreign.says("done 3 ")
    await nats_server.kill()
    await foreign.says("the broker went away")
    await nats_server.restart()
    await bus.tell(*story(2))

    await foreign.says("done 6 ")
    await eventually(settled(bus), 30)
    assert foreign.files == {task_id(1), task_id(2)}


async def test_ctrl_c_ends_it_and_that_is_no_trouble(bus: Bus, foreign: Foreign) -> None:
    await foreign.start()
    await bus.tell(*story(1))
    await foreign.says("done 3 ")

    assert await foreign.interrupt() == 0
    assert [line.split()[0] for line in foreign.lines] == ["following", "done", "done", "done"]


async def test_without_a_broker_it_waits_and_says_so_once(
    bus: Bus, foreign: Foreign, nats_server: Server
) -> None:
    await nats_server.kill()
    await foreign.start()
    await foreign.says("waiting for the broker: ")
    before = await foreign.interrupt()
    await foreign.start()
    await eventually(lambda: len(foreign.lines) == 2, 30)
    await nats_server.restart()
    await foreign.says("following example")
    await nats_server.kill()
    await foreign.says("the broker went away")
    after = await foreign.interrupt()

    assert (before, after) == (0, 0), "\n".join(foreign.lines)
    assert foreign.count("Traceback") == 0
    assert foreign.lines[0] == foreign.lines[1]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--asyncapi", "none.json"), "--asyncapi: there is no file none.json"),
        (("--out", "none"), "--out: there is no folder none"),
        (("--memory", "none/memory"), "--memory: there is no folder none"),
    ],
)
async def test_a_place_that_is_not_there_is_refused_at_the_start(
    words: tuple[str, ...], told: str, foreign: Foreign
) -> None:
    await foreign.start(*words)

    await foreign.says(told)
    assert foreign.process is not None
    assert await foreign.process.wait() == 2


async def test_a_copy_of_it_finds_the_contract_beside_itself(
    bus: Bus, foreign: Foreign, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for each in (SCRIPT, ROOT / "asyncapi.json"):
        shutil.copy(each, folder)
    monkeypatch.setattr(f"{__name__}.SCRIPT", folder / SCRIPT.name)
    await foreign.start()
    await bus.tell(*story(1))

    await foreign.says("done 3 ")


async def test_what_breaks_the_contract_is_refused_once_and_the_rest_goes_on(
    bus: Bus, foreign: Foreign
) -> None:
    broken = json.loads(encode(completed(task=task_id(1))))
    del broken["data"]["artifacts"]
    broken["data"]["attempt"] = "first"
    first = await put(bus, finished_subject("CREATE", task_id(1)), json.dumps(broken).encode())
    second = await put(bus, progress_subject("CREATE", task_id(1)), b"not JSON")
    third = await put(bus, progress_subject("CREATE", task_id(1)), b"[]")
    await bus.tell(*story(2))
    await foreign.start()

    await foreign.says(f"refused {first}: $.data")
    await foreign.says(f"refused {second}: no event")
    await foreign.says(f"refused {third}: no event")
    await foreign.says("done 6 ")
    await eventually(settled(bus), 30)
    assert foreign.files == {task_id(2)}
    assert foreign.remembered("sequence", "refused") == [first, second, third]
    assert foreign.count("refused") == 3


async def test_what_a_newer_version_tells_is_borne(bus: Bus, foreign: Foreign) -> None:
    event = completed(task=task_id(1))
    newer = json.loads(encode(event)) | {"region": "north"}
    newer["data"]["palette"] = ["red"]
    unknown = newer | {"type": "generation.paused", "id": "other"}
    progress = progress_subject("CREATE", task_id(1))
    for number in range(2):
        await put(bus, progress, json.dumps(unknown | {"id": f"other-{number}"}).encode())
    await put(bus, subject_of(event), json.dumps(newer).encode())
    await foreign.start()

    await foreign.says("done 3 generation.completed")
    await eventually(settled(bus), 30)
    assert foreign.count("unknown type generation.paused") == 1
    assert foreign.files == {task_id(1)}
    assert foreign.count("refused") == 0


async def test_an_event_that_comes_twice_is_done_once(bus: Bus, foreign: Foreign) -> None:
    event = completed(task=task_id(1))
    for _ in range(2):
        await put(bus, subject_of(event), encode(event))
    await foreign.start()

    await foreign.says(f"again {event.id}")
    await eventually(settled(bus), 30)
    assert foreign.count("done ") == 1


async def test_work_that_fails_is_tried_again_later(bus: Bus, foreign: Foreign) -> None:
    event = failed(task=task_id(1))
    await foreign.start()
    await foreign.says("following")
    foreign.ended.rmdir()
    await bus.tell(requested(task=task_id(1)), event)
    line = await foreign.says(f"failed {event.id}")
    foreign.ended.mkdir()

    await foreign.says("done 2 ")
    await eventually(settled(bus), 30)
    assert "again in 0." in line
    assert foreign.files == {task_id(1)}


async def test_work_that_fails_to_the_end_is_given_up_and_told(bus: Bus, foreign: Foreign) -> None:
    await foreign.start()
    await foreign.says("following")
    foreign.ended.rmdir()
    await bus.tell(completed(task=task_id(1)), progressed(task=task_id(2)))

    await foreign.says("refused 1: given up after 4 tries")
    await eventually(settled(bus), 30)
    assert foreign.count("failed ") == 3
    assert foreign.remembered("sequence", "refused") == [1]


async def test_what_was_erased_meanwhile_is_a_gap(bus: Bus, foreign: Foreign) -> None:
    await bus.tell(*story(1))
    await foreign.start()
    await foreign.says("done 3 ")
    await foreign.kill()
    await bus.tell(*story(2), *story(3))
    for subject in ("generation.requested.*.*", "generation.progress.*"):
        await bus.client.jetstream().purge_stream(STREAM, subject=f"{subject}.{task_id(2)}")
    await foreign.start()

    await foreign.says("gap 4-5: ")
    await eventually(settled(bus), 30)
    assert foreign.count("gap ") == 1
    assert foreign.files == {task_id(number) for number in (1, 2, 3)}


async def test_a_place_that_aged_out_of_the_log_is_told(bus: Bus, foreign: Foreign) -> None:
    await bus.tell(*story(1))
    await foreign.start()
    await foreign.says("done 3 ")
    await foreign.kill()
    await bus.tell(*story(2))
    js = bus.client.jetstream()
    short = replace(SPEC, max_age=timedelta(seconds=1), duplicate_window=timedelta(seconds=1))
    await ensure_stream(bus.client, short)

    async def aged_out() -> bool:
        return (await js.stream_info(STREAM)).state.first_seq == 7

    await eventually(aged_out, 30)
    await ensure_stream(bus.client, SPEC)
    await bus.tell(*story(3))
    await foreign.start()

    assert await foreign.says("missed ") == "missed 4-6: left the log before I read them"
    await foreign.says("done 9 ")
    await eventually(settled(bus), 30)
    assert foreign.count("missed ") == 1
    assert foreign.files == {task_id(1), task_id(3)}


async def test_another_log_stops_it(bus: Bus, foreign: Foreign) -> None:
    await bus.tell(*story(1))
    await foreign.start()
    await foreign.says("done 3 ")
    await foreign.kill()
    await bus.client.jetstream().delete_stream(STREAM)
    await set_up(bus)
    await ensure_subscriber(bus.client, MINE)
    await foreign.start()

    await foreign.says("This is another log")
    assert foreign.process is not None
    assert await foreign.process.wait() == 1


async def test_without_its_consumer_it_says_how_to_make_it(bus: Bus, foreign: Foreign) -> None:
    await remove_subscriber(bus.client, "example")
    await foreign.start()

    await foreign.says("darkroom setup --subscriber example")
    assert foreign.process is not None
    assert await foreign.process.wait() == 1
