"""Old events told again on a tree of subjects of their own, kept in a stream of their own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import APIError, NotFoundError

from contracts.messages import Message
from contracts.subjects import replay_stream, replay_subject
from darkroom.cli.eventfile import messages_in
from darkroom.cli.failures import Refused
from darkroom.cli.reading import BATCH, stored
from darkroom.cli.selecting import Wanted
from darkroom.cli.servers import log_connection, log_requests
from delivery import copying
from delivery.lines import Unreadable
from delivery.log import LogReader

_MARK = "darkroom.replay"
_LEAST_BYTES = 64 << 20
_OPTIONS = {"type_name": "type", "events": "event", "task_id": "task"}
_OVERHEAD = 3
"""A copy takes no more than so many times the bytes of its source: subjects are longer, for one."""

Tell = Callable[[int, int], None]
Batches = AsyncGenerator[Sequence[Message], None]


@dataclass(frozen=True)
class Replay:
    """What is to be told again, and to whom. ``asked`` are the filters as they were written.

    ``speed`` is how many times as fast as it happened; None is as fast as it goes.
    """

    name: str
    wanted: Wanted
    asked: Mapping[str, Any]
    file: Path | None = None
    speed: float | None = None
    max_age_s: float = 0.0

    @property
    def stream(self) -> str:
        return replay_stream(self.name)

    @property
    def subjects(self) -> str:
        return replay_subject(self.name, ">")


@dataclass(frozen=True)
class Replayed:
    """What one run did: the stream has ``events`` by now, ``added`` of them are new."""

    stream: str
    subjects: str
    events: int
    added: int
    seconds: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def replay(url: str, told: Replay, tell: Tell) -> Replayed:
    """Copy what is wanted; what an earlier run copied is left alone."""
    began = time.monotonic()
    async with log_connection(url) as client, log_requests(client) as requests:
        state = await LogReader(requests).state()
        if told.file is None:
            first, last = state.first_sequence, state.last_sequence
            origin, size = f"the log made at {state.created.isoformat()}", state.bytes
        else:
            first, last, size = await asyncio.to_thread(span_of, told.file)
            origin = f"the file {told.file.name}"
        wanted = await _prepare(client, told, origin, size)

        def source(after: int) -> Batches:
            after = max(after, first - 1)
            if told.file is None:
                batches = stored(client, requests, wanted, after, last)
            else:
                batches = from_file(told.file, wanted, after)
            return batches if told.speed is None else _paced(batches, told.speed)

        added = await _copied(
            client,
            told,
            source,
            lambda done: tell(done - first + 1, last - first + 1),
        )
        events = (await client.jetstream().stream_info(told.stream)).state.messages
    seconds = round(time.monotonic() - began, 3)
    return Replayed(told.stream, told.subjects, events, added, seconds)


async def delete(url: str, told: Replay) -> None:
    """Remove a replay with everything in it."""
    async with log_connection(url) as client:
        js = client.jetstream()
        try:
            _is_ours(told, (await js.stream_info(told.stream)).config)
            await js.delete_stream(told.stream)
        except NotFoundError:
            raise Refused(f"There is no replay to {told.name}: nothing to delete.") from None


async def _copied(
    client: Client, told: Replay, source: copying.Source, tell: Callable[[int], None]
) -> int:
    try:
        return await copying.copy(
            client, told.stream, source, partial(replay_subject, told.name), tell
        )
    except copying.NoRoom:
        raise Refused(
            f"The NATS server has no room for more in {told.stream}. Delete it with --delete, or "
            "give JetStream more storage; the same command then goes on."
        ) from None
    except copying.Contended:
        raise Refused(
            f"Another command replays to {told.name}. Wait for it to end, or take another name."
        ) from None
    except copying.Refused as problem:
        raise Refused(
            f"{told.stream} takes no more ({problem}). Delete it with --delete."
        ) from None
    except Unreadable as problem:
        raise Refused(f"{problem}. What came before it is replayed; mend the file.") from None


async def _prepare(client: Client, told: Replay, origin: str, size: int) -> Wanted:
    """The stream, as it was or new; what is wanted, as it was when the replay began."""
    js = client.jetstream()
    mark = {"from": origin, "asked": told.asked, "wanted": told.wanted.as_json()}
    config = StreamConfig(
        name=told.stream,
        description=f"Events replayed to {told.name}: darkroom events replay",
        subjects=[told.subjects],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        discard=DiscardPolicy.NEW,
        max_age=told.max_age_s,
        max_bytes=_LEAST_BYTES + _OVERHEAD * size,
        allow_direct=True,
        metadata={_MARK: json.dumps(mark)},
    )
    try:
        found = (await js.stream_info(told.stream)).config
    except NotFoundError:
        found = None
    try:
        if found is None:
            await js.add_stream(config)
            return told.wanted
        before = _is_ours(told, found)
        if (before["from"], before["asked"]) != (mark["from"], mark["asked"]):
            raise Refused(
                f"{told.stream} has a replay of something else ({_described(before)}). "
                "Delete it with --delete, or take another name."
            )
        if (found.max_bytes or 0) < (config.max_bytes or 0):
            await js.update_stream(replace(config, metadata=found.metadata))
    except APIError as error:
        raise Refused(
            f"The NATS server won't keep {told.stream} ({(error.description or '').rstrip('.')}). "
            "Give JetStream more storage, or delete other replays."
        ) from None
    # "2 h ago" was meant when it was first said.
    return replace(told.wanted, since=_time(before, "since"), until=_time(before, "until"))


def _is_ours(told: Replay, config: StreamConfig) -> dict[str, Any]:
    mark = (config.metadata or {}).get(_MARK)
    if mark is None:
        raise Refused(f"The stream {told.stream} is no replay of ours. Take another name.")
    before: dict[str, Any] = json.loads(mark)
    return before


def _described(mark: Mapping[str, Any]) -> str:
    return ", ".join((mark["from"], *map(_as_option, mark["asked"], mark["asked"].values())))


def _as_option(name: str, value: Any) -> str:
    """A filter as it is written on the command line; replays keep it by its name in the code."""
    option = f"--{_OPTIONS.get(name, name.replace('_', '-'))}"
    return " ".join(f"{option} {each}" for each in (value if isinstance(value, list) else [value]))


def _time(mark: Mapping[str, Any], name: str) -> datetime | None:
    text = mark["wanted"].get(name)
    return None if text is None else datetime.fromisoformat(text)


def span_of(path: Path) -> tuple[int, int, int]:
    """The first and the last sequence of a file, and the bytes of its messages, if all is well."""
    first = last = size = 0
    try:
        for message in messages_in(path):
            first = first or message.sequence
            last = message.sequence
            size += len(message.subject) + len(message.payload)
    except Unreadable as problem:
        raise Refused(f"{problem}. Nothing was done; mend the file.") from None
    except OSError as problem:
        raise Refused(f"{path} can't be read ({problem.strerror or problem}).") from None
    return first, last, size


async def from_file(path: Path, wanted: Wanted, after: int) -> Batches:
    """What is wanted of a file, in batches."""
    found = (each for each in messages_in(path, after) if wanted.has(each))
    for batch in chunks(found):
        yield batch
        await asyncio.sleep(0)


def chunks(messages: Iterable[Message]) -> Iterator[list[Message]]:
    chunk: list[Message] = []
    for message in messages:
        chunk.append(message)
        if len(chunk) == BATCH:
            yield chunk
            chunk = []
    yield chunk


async def _paced(batches: Batches, speed: float) -> Batches:
    """The same, each when its time has come: as it happened, or so many times as fast."""
    clock = asyncio.get_running_loop().time
    began, first = clock(), None
    async with aclosing(batches):
        async for batch in batches:
            due: list[Message] = []
            for message in batch:
                first = first or message.logtime
                wait = began + (message.logtime - first).total_seconds() / speed - clock()
                if wait > 0:
                    yield due
                    due = []
                    await asyncio.sleep(wait)
                due.append(message)
            yield due
