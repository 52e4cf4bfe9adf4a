"""The log in order, from a sequence on: what a projection is made from.

An ephemeral consumer without acknowledgements, two pulls outstanding. Any doubt (a gap, a missed
heartbeat, a status, a disconnect) raises `Interrupted`; begin again from the checkpoint.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nats.aio.client import Client
from nats.aio.subscription import Subscription

from contracts.subjects import ALL_EVENTS, ORIGINAL_ID, ORIGINAL_LOGTIME, STREAM
from delivery.incoming import Incoming, leave, listen
from delivery.log import logtime_of, write_time
from delivery.requests import STATUS, Requests

_PULL = 1000
_PULLS = 2
_EXPIRES_S = 30
_IDLE_HEARTBEAT_S = 2
_SILENCE_S = _IDLE_HEARTBEAT_S * 2.5
_INACTIVE_S = 30
_CREATE_TIMEOUT_S = 1.0
_V1_FIELDS = 9
_ID, _OTHER_ID = b"Nats-Msg-Id", ORIGINAL_ID.encode()
_LOGTIME = ORIGINAL_LOGTIME.encode()


class Interrupted(Exception):
    """The read can't be trusted to be complete any more; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message of the log; ``logtime`` is the broker's, of when the log first stored it."""

    subject: str
    sequence: int
    logtime: datetime
    payload: bytes
    event_id: str


class OrderedLog:
    """Messages from ``start`` on, in order and without a gap. Use as an async context manager.

    With ``since``, what the broker stored before that is left out.
    """

    def __init__(
        self,
        client: Client,
        requests: Requests,
        *,
        start: int,
        filter_subject: str = ALL_EVENTS,
        name: str = "reader",
        since: datetime | None = None,
    ) -> None:
        self._client = client
        self._requests = requests
        self._start = start
        self._since = since
        self._filter = filter_subject
        self._name = f"{name}-{client.new_inbox().rpartition('.')[2]}"
        self._messages: list[Delivered] = []
        self._arrived = asyncio.Event()
        self._credit = 0
        self._next = 1
        self._trouble: str | None = None
        self._heard_at = 0.0
        self._inbox = client.new_inbox()
        self._subscription: Subscription | None = None
        self.pending = 0
        """Messages of the log that were not delivered yet, as of the last one delivered."""

    async def __aenter__(self) -> OrderedLog:
        self._subscription = await listen(self._client, self._inbox, self._on_message)
        try:
            await self._create()
            for _ in range(_PULLS):
                await self._pull()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def batch(self, most: int, *, wait_s: float = 1.0) -> list[Delivered]:
        """What has arrived, at most ``most``; empty when nothing came for ``wait_s``.

        Raises `Interrupted`.
        """
        if not self._messages and self._trouble is None:
            self._arrived.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()
            except TimeoutError:
                self._check_heard()
        if self._trouble is not None:
            raise Interrupted(self._trouble)
        batch, self._messages = self._messages[:most], self._messages[most:]
        self._credit += len(batch)
        while self._credit >= _PULL:
            self._credit -= _PULL
            await self._pull()
        return batch

    async def _create(self) -> None:
        begin: dict[str, Any] = {
            "deliver_policy": "by_start_sequence",
            "opt_start_seq": self._start,
        }
        if self._since is not None:
            begin = {
                "deliver_policy": "by_start_time",
                "opt_start_time": write_time(self._since),
            }
        config = {
            **begin,
            "name": self._name,
            "ack_policy": "none",
            "filter_subject": self._filter,
            "replay_policy": "instant",
            "mem_storage": True,
            "num_replicas": 1,
            "inactive_threshold": _INACTIVE_S * 10**9,
            "max_waiting": 16,
        }
        subject = f"$JS.API.CONSUMER.CREATE.{STREAM}.{self._name}.{self._filter}"
        body = json.dumps({"stream_name": STREAM, "config": config, "action": "create"})
        reply = await self._requests.call(subject, body.encode(), timeout=_CREATE_TIMEOUT_S)
        answer: dict[str, Any] = json.loads(reply.data)
        if "error" in answer:
            raise Interrupted(answer["error"].get("description", "consumer refused"))
        self.pending = answer.get("num_pending", 0)

    async def _pull(self) -> None:
        body = {
            "batch": _PULL,
            "expires": int(_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_IDLE_HEARTBEAT_S * 1e9),
        }
        self._heard_at = asyncio.get_running_loop().time()
        subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{self._name}"
        await self._client.publish(subject, json.dumps(body).encode(), self._inbox)

    async def _close(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is None or self._client.is_closed:
            return
        await leave(subscription, self._client)
        if self._client.is_connected:
            await self._client.publish(f"$JS.API.CONSUMER.DELETE.{STREAM}.{self._name}")

    def _check_heard(self) -> None:
        if asyncio.get_running_loop().time() - self._heard_at > _SILENCE_S:
            self._trouble = "heartbeats_missed"
        elif not self._client.is_connected:
            self._trouble = "disconnected"

    def _on_message(self, message: Incoming) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if not message.reply and STATUS in message.headers:
            self._on_status(message.headers)
            return
        fields = message.reply.split(".")
        offset = 0 if len(fields) == _V1_FIELDS else 2
        if int(fields[6 + offset]) != self._next:
            self._trouble = "gap"
            self._arrived.set()
            return
        self.pending = int(fields[8 + offset])
        stored = datetime.fromtimestamp(int(fields[7 + offset]) // 1000 / 1e6, UTC)
        original = message.header(_LOGTIME)
        self._messages.append(
            Delivered(
                subject=message.subject,
                sequence=int(fields[5 + offset]),
                logtime=logtime_of(original, stored),
                payload=message.data,
                event_id=message.header(_ID) or message.header(_OTHER_ID) or "",
            )
        )
        # Only now: what could not be taken is a gap to whatever comes next.
        self._next += 1
        self._arrived.set()

    def _on_status(self, headers: dict[str, str]) -> None:
        status = headers[STATUS]
        if status == "100":
            return
        if status == "408":
            # A pull ran out unfilled: the rest of it is asked for again.
            self._credit += int(headers.get("Nats-Pending-Messages", _PULL))
        else:
            self._trouble = f"status_{status}"
        self._arrived.set()
