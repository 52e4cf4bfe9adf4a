"""A service of its own that follows Darkroom's events, and keeps a file for each task that ended.

It needs nats-py, jsonschema and asyncapi.json, and nothing of Darkroom's code. Its consumer was
made with ``darkroom setup --subscriber example --filter 'generation.>'``. Copy it, and put your own
work in place of `Work`. See docs/subscribing.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import nats
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import best_match  # type: ignore[import-untyped]
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import ConsumerInfo
from nats.js.errors import NotFoundError

STREAM = "GENERATION"
EVERYTHING = "generation.>"
BATCH = 50
WAIT_S = 2.0
PAUSE_S = 0.5
LOOK_EVERY_S = 5.0
LONGEST_DELAY_S = 300.0


def say(text: str) -> None:
    print(text, flush=True)


class Trouble:
    """Says what is wrong once, however often it is tried again."""

    def __init__(self) -> None:
        self._said: str | None = None

    def say(self, text: str) -> None:
        if text != self._said:
            say(text)
        self._said = text

    def over(self) -> None:
        self._said = None


class Contract:
    """What events look like, as asyncapi.json has it."""

    def __init__(self, path: Path) -> None:
        document = json.loads(path.read_text(encoding="utf-8"))
        components = document["components"]
        self._checks = {
            name: Draft202012Validator({**message["payload"], "components": components})
            for name, message in components["messages"].items()
            if name.startswith("generation.")
        }

    def knows(self, event_type: str) -> bool:
        return event_type in self._checks

    def fault(self, event: dict[str, Any]) -> str | None:
        """What is wrong with an event of a known type; fields that nobody knows yet are not."""
        found = best_match(self._checks[event["type"]].iter_errors(event))
        return None if found is None else f"{found.json_path}: {found.message}"


class Memory:
    """What has been done, and where it stopped: on disk, so that it survives its process."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE IF NOT EXISTS done (event_id TEXT PRIMARY KEY);"
            "CREATE TABLE IF NOT EXISTS refused (sequence INTEGER PRIMARY KEY, why TEXT);"
            "CREATE TABLE IF NOT EXISTS missing (first INTEGER PRIMARY KEY, last INTEGER);"
            "CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, value);"
        )

    def is_done(self, event_id: str) -> bool:
        found = self._db.execute("SELECT 1 FROM done WHERE event_id = ?", (event_id,))
        return found.fetchone() is not None

    def remember(self, event_id: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO done VALUES (?)", (event_id,))

    def refuse(self, sequence: int, why: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO refused VALUES (?, ?)", (sequence, why))

    def get(self, name: str) -> Any:
        found = self._db.execute("SELECT value FROM place WHERE name = ?", (name,)).fetchone()
        return None if found is None else found[0]

    def put(self, name: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO place VALUES (?, ?)", (name, value))

    def arrived(self, sequence: int, *, has_all: bool) -> None:
        """An event came. With a filter that lets all through, those between it and the furthest
        one before are missing so far: after a crash they may come again later."""
        furthest = self.get("furthest")
        if furthest is None or sequence > furthest:
            if has_all and furthest is not None and sequence > furthest + 1:
                self._db.execute("INSERT INTO missing VALUES (?, ?)", (furthest + 1, sequence - 1))
            self.put("furthest", sequence)
            return
        within = "SELECT first, last FROM missing WHERE first <= ? AND last >= ?"
        for first, last in self._db.execute(within, (sequence, sequence)).fetchall():
            self._db.execute("DELETE FROM missing WHERE first = ?", (first,))
            for part in ((first, sequence - 1), (sequence + 1, last)):
                if part[0] <= part[1]:
                    self._db.execute("INSERT INTO missing VALUES (?, ?)", part)

    def gone(self, floor: int) -> list[tuple[int, int]]:
        """What never came, although everything up to ``floor`` is acknowledged. Told once."""
        found = self._db.execute(
            "SELECT first, last FROM missing WHERE last <= ? ORDER BY first", (floor,)
        ).fetchall()
        self._db.execute("DELETE FROM missing WHERE last <= ?", (floor,))
        return found

    def skip_to(self, sequence: int) -> None:
        """Nothing before ``sequence`` can come any more, and that has been told."""
        self._db.execute("DELETE FROM missing WHERE last < ?", (sequence,))
        self.put("furthest", sequence - 1)


class Work:
    """What this service is for. Yours goes here; it must bear being done twice."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def do(self, event: dict[str, Any]) -> None:
        """A file for a task that ended, none for one that is erased. Raises `OSError`."""
        path = self._folder / f"{event['subject']}.json"
        if event["type"] == "generation.erased":
            path.unlink(missing_ok=True)
        elif event["type"] in (
            "generation.completed",
            "generation.failed",
            "generation.timed_out",
            "generation.cancelled",
        ):
            draft = path.with_suffix(".part")
            draft.write_text(json.dumps({"ended": event["type"], "data": event["data"]}))
            draft.replace(path)


class Subscriber:
    """Pulls, checks, works, and only then acknowledges."""

    def __init__(
        self,
        client: Client,
        trouble: Trouble,
        durable: str,
        contract: Contract,
        memory: Memory,
        work: Work,
    ) -> None:
        self._client = client
        self._trouble = trouble
        self._js: JetStreamContext = client.jetstream()
        self._durable = durable
        self._contract = contract
        self._memory = memory
        self._work = work
        self._has_all = False
        self._max_deliver = -1
        self._looked_at = float("-inf")
        self._unknown: set[str] = set()

    async def run(self, stopping: asyncio.Event) -> None:
        pull = await self._js.pull_subscribe_bind(
            durable=self._durable, stream=STREAM, inbox_prefix=self._client.new_inbox().encode()
        )
        while not stopping.is_set():
            if not self._client.is_connected:
                # The broker restarts: the connection comes back by itself, and so does the rest.
                await asyncio.sleep(PAUSE_S)
                continue
            try:
                await self._look()
                for message in await pull.fetch(BATCH, timeout=WAIT_S):
                    await self._take(message)
            except TimeoutError:
                continue
            except NotFoundError:
                raise SystemExit(
                    f"There is no consumer {self._durable}: darkroom setup --subscriber "
                    f"{self._durable}"
                ) from None
            except (NatsError, OSError) as fault:
                if self._client.is_connected:
                    self._trouble.say(f"waiting for the broker: {type(fault).__name__}")
                await asyncio.sleep(PAUSE_S)

    async def _take(self, message: Msg) -> None:
        """Acknowledge after the work is done; an acknowledgement that gets lost means once more."""
        sequence = message.metadata.sequence.stream
        self._memory.arrived(sequence, has_all=self._has_all)
        try:
            event = json.loads(message.data)
            event_type, event_id = str(event["type"]), str(event["id"])
        except (ValueError, KeyError, TypeError) as fault:
            await self._refuse(message, f"no event: {fault!r}")
            return
        if not self._contract.knows(event_type):
            if event_type not in self._unknown:
                self._unknown.add(event_type)
                say(f"unknown type {event_type}: skipped; a newer asyncapi.json may have it")
            await message.ack()
            return
        breach = self._contract.fault(event)
        if breach is not None:
            await self._refuse(message, breach)
        elif self._memory.is_done(event_id):
            say(f"again {event_id}")
            await message.ack()
        else:
            await self._do(message, event)

    async def _do(self, message: Msg, event: dict[str, Any]) -> None:
        try:
            self._work.do(event)
        except OSError as fault:
            tries = message.metadata.num_delivered or 1
            if tries == self._max_deliver:
                await self._refuse(message, f"given up after {tries} tries: {fault}")
                return
            delay = min(LONGEST_DELAY_S, 2.0 ** min(tries, 10) / 4) * random.uniform(0.5, 1)
            say(f"failed {event['id']} ({fault}): again in {delay:.1f} s")
            await message.nak(delay=delay)
            return
        self._memory.remember(event["id"])
        await message.ack()
        say(f"done {message.metadata.sequence.stream} {event['type']} {event['subject']}")

    async def _refuse(self, message: Msg, why: str) -> None:
        """It would be no better next time: keep why, and go on."""
        sequence = message.metadata.sequence.stream
        self._memory.refuse(sequence, why)
        say(f"refused {sequence}: {why}")
        await message.term()

    async def _look(self) -> None:
        """Now and then: is it still the same log, and did all of it come?"""
        now = asyncio.get_running_loop().time()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        log = await self._js.stream_info(STREAM)
        consumer = await self._js.consumer_info(STREAM, self._durable)
        self._looked_at = now
        self._trouble.over()
        self._max_deliver = consumer.config.max_deliver or -1
        filters = consumer.config.filter_subjects or [consumer.config.filter_subject]
        self._has_all = EVERYTHING in filters
        self._same_log(log.created)
        self._find_gaps(log.state.first_seq, consumer)
        if not consumer.num_pending:
            # Asked after the log was: whatever it had by then was given to me, or is none of mine.
            self._memory.put("caught_up", log.state.last_seq)

    def _same_log(self, created: datetime | None) -> None:
        known, told = self._memory.get("created"), str(created)
        if known is not None and known != told:
            raise SystemExit(
                f"This is another log, made at {told}; the one that I know was made at {known}. "
                "Look what was lost, and delete my memory to go on."
            )
        self._memory.put("created", told)

    def _find_gaps(self, first: int, consumer: ConsumerInfo) -> None:
        floor = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
        place = max(self._memory.get("furthest") or 0, self._memory.get("caught_up") or 0)
        if place and place + 1 < first:
            certain = "" if self._has_all else " (whether one was mine, nobody can tell)"
            say(f"missed {place + 1}-{first - 1}: left the log before I read them{certain}")
            self._memory.skip_to(first)
        for gap in self._memory.gone(floor):
            say(f"gap {gap[0]}-{gap[1]}: erased, or gone from the log, before I read them")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nats", default="nats://subscriber:subscriber@127.0.0.1:8422")
    parser.add_argument("--durable", default="example", help="the consumer made by darkroom setup")
    parser.add_argument("--asyncapi", type=Path, default=nearest("asyncapi.json"))
    parser.add_argument("--memory", type=Path, default=Path("subscriber.db"))
    parser.add_argument("--out", type=Path, default=Path("ended"), help="a folder that is there")
    given = parser.parse_args(words)
    if not given.asyncapi.is_file():
        parser.error(f"--asyncapi: there is no file {given.asyncapi}")
    for option, folder in (("--memory", given.memory.parent), ("--out", given.out)):
        if not folder.is_dir():
            parser.error(f"{option}: there is no folder {folder}")
    return given


def nearest(name: str) -> Path:
    """The file beside this one, or in a folder above it, or else where this was started."""
    above = (folder / name for folder in Path(__file__).resolve().parents)
    return next((path for path in above if path.is_file()), Path(name))


async def follow(given: argparse.Namespace, stopping: asyncio.Event) -> None:
    contract, memory, trouble = Contract(given.asyncapi), Memory(given.memory), Trouble()

    async def away() -> None:
        if not stopping.is_set():
            trouble.say("the broker went away")

    async def back() -> None:
        trouble.over()

    async def fault(error: Exception) -> None:
        trouble.say(f"waiting for the broker: {str(error) or type(error).__name__}")

    connected = asyncio.create_task(
        nats.connect(
            given.nats,
            name="subscriber",
            inbox_prefix="_INBOX.subscriber",  # all that this user may hear
            max_reconnect_attempts=-1,  # the default gives up after two minutes
            reconnect_time_wait=PAUSE_S,
            disconnected_cb=away,
            reconnected_cb=back,
            error_cb=fault,
        )
    )
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait((connected, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not connected.done():
        return
    client = connected.result()
    say(f"following {given.durable}")
    work = Work(given.out)
    try:
        await Subscriber(client, trouble, given.durable, contract, memory, work).run(stopping)
    finally:
        stopping.set()
        with suppress(NatsError, OSError):  # The broker may be away just now.
            await client.close()


async def main(words: Sequence[str]) -> None:
    given, stopping = arguments(words), asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    try:
        await follow(given, stopping)
    finally:
        # While the broker is away, nats-py tries again for ever, and may miss being cancelled once.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=PAUSE_S)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
