"""Reading the log directly: a subject's last message, a task's history, the stream's state."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from contracts.subjects import (
    ALL_EVENTS,
    ORIGINAL_ID,
    ORIGINAL_LOGTIME,
    STREAM,
    beginnings_of,
    requests_of,
)
from delivery.incoming import Incoming, leave, listen
from delivery.requests import DESCRIPTION, STATUS, NoReply, NoResponders, Requests, Unreachable

_DIRECT = f"$JS.API.DIRECT.GET.{STREAM}"
_LEADER = f"$JS.API.STREAM.MSG.GET.{STREAM}"
_INFO = f"$JS.API.STREAM.INFO.{STREAM}"
_CONSUMERS = f"$JS.API.CONSUMER.LIST.{STREAM}"
_NO_MESSAGE = 10037
_NOT_FOUND = "404"
_HISTORY_BATCH = 500
READ_TIMEOUT_S = 2.0


class LogUnavailable(Exception):
    """The log could not be read in time."""


class LogRefused(LogUnavailable):
    """The broker answers, and does not tell of the log: it is gone, or JetStream is."""


@dataclass(frozen=True, slots=True)
class LogMessage:
    """A stored message; ``logtime`` is the broker's, of when the log first stored it."""

    subject: str
    sequence: int
    logtime: datetime
    payload: bytes
    event_id: str


@dataclass(frozen=True, slots=True)
class StreamState:
    """The stream as the broker tells it; ``now`` is the broker's clock at the answer.

    Whatever was stored after ``complete_since`` and has not been purged is there.
    """

    created: datetime
    first_sequence: int
    last_sequence: int
    bytes: int
    max_bytes: int
    now: datetime
    complete_since: datetime


class LogReader:
    """Reads of single messages. Raises `LogUnavailable` when no answer comes."""

    def __init__(self, requests: Requests, *, timeout_s: float = READ_TIMEOUT_S) -> None:
        self._requests = requests
        self._timeout_s = timeout_s

    async def last(self, subject: str) -> LogMessage | None:
        """The last message on ``subject`` (wildcards allowed), as the stream's leader knows it."""
        answer = await self._ask(_LEADER, {"last_by_subj": subject})
        return _from_leader(answer)

    async def last_nearby(self, subject: str) -> LogMessage | None:
        """The same from any replica: cheaper, and on a cluster possibly a moment old."""
        body = json.dumps({"last_by_subj": subject}).encode()
        message = await self._call(_DIRECT, body)
        return _from_direct(message)

    async def last_of_each(self, subjects: Sequence[str]) -> list[LogMessage]:
        """The last messages of those ``subjects`` that have any, by any replica; 1,000 at most."""
        return await self._collect({"multi_last": list(subjects)})

    async def at(self, sequence: int) -> LogMessage | None:
        """The message stored at ``sequence``, as the leader knows it."""
        return _from_leader(await self._ask(_LEADER, {"seq": sequence}))

    async def history(self, task_id: str) -> list[LogMessage]:
        """Every stored message of a task, in log order; empty when the log knows nothing of it.

        Most are read from any replica, which on a cluster may lag: what the leader knows beyond
        that is asked of the leader. A handle that was overlooked would be paid for twice.
        """
        subject = f"generation.*.*.{task_id}"
        request, later, newest = await asyncio.gather(
            self.last(requests_of(task_id)), self._all(subject), self.last(beginnings_of(task_id))
        )
        while newest is not None and (not later or later[-1].sequence < newest.sequence):
            start = later[-1].sequence + 1 if later else 1
            found = _from_leader(await self._ask(_LEADER, {"seq": start, "next_by_subj": subject}))
            if found is None:
                break
            later.append(found)
        requests = [] if request is None else [request]
        if request is not None and request.event_id != f"{task_id}:requested":
            # It went from one line to another: the earlier ones tell from where.
            earlier = await self._all(requests_of(task_id))
            requests += [each for each in earlier if each.sequence < request.sequence]
        return sorted([*requests, *later], key=lambda message: message.sequence)

    async def between(self, first: int, last: int) -> AsyncIterator[list[LogMessage]]:
        """Every message stored from ``first`` to ``last``, in order, in batches.

        What a lagging replica does not tell, the leader is asked for.
        """
        at = first
        while at <= last:
            batch = await self._batch(ALL_EVENTS, at)
            if not batch:
                found = _from_leader(
                    await self._ask(_LEADER, {"seq": at, "next_by_subj": ALL_EVENTS})
                )
                if found is None:
                    return
                batch = [found]
            at = batch[-1].sequence + 1
            yield [message for message in batch if message.sequence <= last]

    async def state(self) -> StreamState:
        answer = await self._info()
        state, config = answer["state"], answer["config"]
        return StreamState(
            created=parse_time(answer["created"]),
            first_sequence=state["first_seq"],
            last_sequence=state["last_seq"],
            bytes=state["bytes"],
            max_bytes=config["max_bytes"],
            now=parse_time(answer["ts"]),
            complete_since=parse_time(_complete_since(answer)),
        )

    async def deleted(self, most: int) -> list[int] | None:
        """The sequences between the log's ends at which nothing is any more; None if too many.

        An erasure leaves them, and whoever deletes from the log.
        """
        if (await self._info())["state"].get("num_deleted", 0) > most:
            return None
        answer = await self._info({"deleted_details": True})
        return sorted(answer["state"].get("deleted") or [])

    async def consumers(self) -> list[dict[str, Any]]:
        """What the broker tells of each consumer of the log, whoever's."""
        found: list[dict[str, Any]] = []
        while True:
            page = _told(await self._ask(_CONSUMERS, {"offset": len(found)}))
            found += page["consumers"] or []
            if not page["consumers"] or len(found) >= page["total"]:
                return found

    async def settings(self) -> dict[str, Any]:
        """The configuration of the stream, as the broker tells it."""
        config: dict[str, Any] = (await self._info())["config"]
        return config

    async def _info(self, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        return _told(await self._ask(_INFO, body or {}))

    async def _all(self, subject: str) -> list[LogMessage]:
        """All messages on a wildcard, by batched direct gets."""
        messages: list[LogMessage] = []
        start = 1
        while True:
            batch = await self._batch(subject, start)
            messages += batch
            if len(batch) < _HISTORY_BATCH:
                return messages
            start = batch[-1].sequence + 1

    async def _batch(self, subject: str, start: int) -> list[LogMessage]:
        body = {"seq": start, "next_by_subj": subject, "batch": _HISTORY_BATCH}
        return await self._collect(body)

    async def _collect(self, body: Mapping[str, Any]) -> list[LogMessage]:
        """The messages that answer one direct get."""
        client = self._requests.client
        if not client.is_connected:
            raise LogUnavailable("not connected")
        inbox = client.new_inbox()
        arrived: asyncio.Queue[Incoming] = asyncio.Queue()
        subscription = await listen(client, inbox, arrived.put_nowait)
        messages: list[LogMessage] = []
        try:
            await client.publish(_DIRECT, json.dumps(body).encode(), inbox)
            while True:
                async with asyncio.timeout(self._timeout_s):
                    message = await arrived.get()
                found = _from_direct(message)
                if found is None:
                    return messages
                messages.append(found)
        except TimeoutError:
            raise LogUnavailable("no answer") from None
        finally:
            await leave(subscription, client)

    async def _ask(self, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
        message = await self._call(subject, json.dumps(body).encode())
        answer: dict[str, Any] = json.loads(message.data)
        return answer

    async def _call(self, subject: str, body: bytes) -> Incoming:
        try:
            return await self._requests.call(subject, body, timeout=self._timeout_s)
        except (NoReply, NoResponders, Unreachable) as error:
            raise LogUnavailable(subject) from error


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """What the broker said, if it is no refusal."""
    if "error" in answer:
        raise LogRefused(answer["error"].get("description", "refused"))
    return answer


def _complete_since(answer: Mapping[str, Any]) -> str:
    state = answer["state"]
    if state["first_seq"] <= 1:
        since = answer["created"]
    elif state["messages"]:
        since = state["first_ts"]
    else:
        since = answer["ts"]
    return str(since)


def _from_leader(answer: Mapping[str, Any]) -> LogMessage | None:
    error = answer.get("error")
    if error is not None:
        if error.get("err_code") == _NO_MESSAGE:
            return None
        raise LogUnavailable(error.get("description", "read refused"))
    message = answer["message"]
    head = base64.b64decode(message.get("hdrs", ""))
    stored = Incoming(message["subject"], "", head, base64.b64decode(message.get("data", "")))
    return LogMessage(
        subject=stored.subject,
        sequence=message["seq"],
        logtime=logtime_of(stored.headers.get(ORIGINAL_LOGTIME), parse_time(message["time"])),
        payload=stored.data,
        event_id=event_id_of(stored.headers),
    )


def _from_direct(message: Incoming) -> LogMessage | None:
    headers = message.headers
    if STATUS in headers:
        # 204 ends a batch, 404 says there is none; anything else is no answer.
        if headers[STATUS] in ("204", _NOT_FOUND):
            return None
        raise LogUnavailable(f"{headers[STATUS]} {headers.get(DESCRIPTION, '')}")
    return LogMessage(
        subject=headers["Nats-Subject"],
        sequence=int(headers["Nats-Sequence"]),
        logtime=logtime_of(headers.get(ORIGINAL_LOGTIME), parse_time(headers["Nats-Time-Stamp"])),
        payload=message.data,
        event_id=event_id_of(headers),
    )


def event_id_of(headers: Mapping[str, str]) -> str:
    """The event's id; empty where whoever published it gave none."""
    return headers.get("Nats-Msg-Id") or headers.get(ORIGINAL_ID, "")


def logtime_of(original: str | None, stored: datetime) -> datetime:
    """When the log first stored a message: what its header says, else what the broker says."""
    if original is None:
        return stored
    try:
        return parse_time(original)
    except ValueError:
        # Whoever wrote it, it must not stand in the way of the whole log.
        return stored


def write_time(moment: datetime) -> str:
    """A time as `parse_time` reads it."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


def parse_time(text: str) -> datetime:
    """The broker's RFC 3339 time: nanoseconds are cut to microseconds."""
    head, _, fraction = text.rstrip("Z").partition(".")
    micros = fraction[:6].ljust(6, "0") if fraction else "000000"
    return datetime.fromisoformat(f"{head}.{micros}").replace(tzinfo=UTC)
