"""Leases on requests: a durable pull consumer whose messages are held while they are worked on.

A lease is a delivered message that is not acknowledged yet. It ends with `Lease.done`, with
`Lease.give_back`, or ``ack_wait`` after its holder fell silent (`Lease.abandon`).
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts.subjects import ORIGINAL_LOGTIME, STREAM, LaneConsumerSpec, band_of, task_id_of
from delivery.incoming import Incoming, drain, leave, listen
from delivery.log import logtime_of
from delivery.metrics import CONSUMER_RESTARTS, LEASES, REDELIVERIES
from delivery.requests import DESCRIPTION, STATUS

_log = logging.getLogger(__name__)

_PULL_EXPIRES_S = 30
_IDLE_HEARTBEAT_S = 5
_SILENCE_S = _IDLE_HEARTBEAT_S * 2.5
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_MAX_BATCH = 256
_GIVE_BACK_S = 0.2
_ANSWER_S = 0.02
"""In which a broker brings what waits."""

_TROUBLES = {"409": "consumer_gone", "503": "no_responders"}
_ACK = b"+ACK"
_IN_PROGRESS = b"+WPI"
_LOGTIME = ORIGINAL_LOGTIME.encode()


class Lease:
    """One delivery of one request, held by this process."""

    __slots__ = ("_client", "_message", "_on_end", "delivered", "open", "sequence", "task_id")

    def __init__(self, client: Client, message: Incoming, on_end: Callable[[Lease], None]) -> None:
        fields = message.reply.split(".")
        # $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>,
        # with a domain and an account before the stream on newer servers.
        delivered, sequence = fields[4:6] if len(fields) == _V1_FIELDS else fields[6:8]
        self.delivered = int(delivered)
        self.sequence = int(sequence)
        self.task_id = task_id_of(message.subject)
        self.open = True
        self._client = client
        self._message = message
        self._on_end = on_end

    @property
    def band(self) -> int:
        """How far back in its line the request waited."""
        return band_of(self._message.subject.split(".")[3])

    @property
    def subject(self) -> str:
        return self._message.subject

    @property
    def consumer(self) -> str:
        """The durable that delivered it."""
        fields = self._message.reply.split(".")
        return fields[3] if len(fields) == _V1_FIELDS else fields[5]

    @property
    def payload(self) -> bytes:
        return self._message.data

    @property
    def logtime(self) -> datetime:
        """When the log first stored it, also where the log was restored since."""
        fields = self._message.reply.split(".")
        nanoseconds = int(fields[7] if len(fields) == _V1_FIELDS else fields[9])
        stored = datetime.fromtimestamp(nanoseconds // 1000 / 1e6, UTC)
        return logtime_of(self._message.header(_LOGTIME), stored)

    async def extend(self) -> None:
        """Tell the broker that the work goes on."""
        await self._client.publish(self._message.reply, _IN_PROGRESS)

    async def done(self) -> None:
        """Acknowledge. Only after the outcome is on the log: a late one clears another's lease."""
        self._end()
        await self._client.publish(self._message.reply, _ACK)

    async def give_back(self, delay_s: float) -> None:
        """Have it delivered again after ``delay_s``. Never without a delay: that is a hot loop.

        Nothing is sent while disconnected: later it would take the request from who holds it then.
        Nor for a lease that was let go of before.
        """
        was_open = self.open
        self._end()
        if not was_open or not self._client.is_connected:
            return
        body = json.dumps({"delay": max(1, int(delay_s * 1e9))})
        await self._client.publish(self._message.reply, b"-NAK " + body.encode())

    def abandon(self) -> None:
        """Say nothing more: it runs out by itself. For one that another may hold by now."""
        self._end()

    def _end(self) -> None:
        if self.open:
            self.open = False
            self._on_end(self)


_V1_FIELDS = 9


class LaneConsumer:
    """Pulls requests of one lane while there is room for them.

    ``room`` tells how many more leases may be taken now; `wake` is called when it grew. What waits
    in the lanes of those ``ahead`` comes first: nothing is asked for before they had the time to
    bring it.
    ``rebind`` must make the consumer exist; it is called at the start and whenever the broker
    says that it is gone, so that a deleted durable is never a silent spin.
    """

    def __init__(
        self,
        client: Client,
        spec: LaneConsumerSpec,
        *,
        room: Callable[[], int],
        on_lease: Callable[[Lease], None],
        rebind: Callable[[LaneConsumerSpec], Awaitable[None]],
        ahead: Sequence[LaneConsumer] = (),
    ) -> None:
        self.spec = spec
        self.bound = False
        self._client = client
        self._room = room
        self._on_lease = on_lease
        self._rebind = rebind
        self._ahead = ahead
        self._asked_at = 0.0
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{spec.durable}"
        self._wake = asyncio.Event()
        self._leases: set[Lease] = set()
        self._returning: set[asyncio.Task[None]] = set()
        self._held = LEASES.labels(spec.lane)
        self._asked = 0
        self._heard_at = 0.0
        self._trouble: str | None = None
        self._subscription: Subscription | None = None
        self._inbox = ""
        self._stopping = False

    @property
    def leases(self) -> frozenset[Lease]:
        return frozenset(self._leases)

    def wake(self) -> None:
        self._wake.set()

    def brings_more_within(self, now: float) -> float:
        """Seconds in which it may still bring what waits; 0 once it is seen that nothing does."""
        if not self.bound or self._stopping:
            return 0.0
        if self._asked == 0:
            return _ANSWER_S if self._room() > 0 else 0.0
        return max(0.0, self._asked_at + _ANSWER_S - now)

    def reconnected(self) -> None:
        """The connection is a new one: the broker has forgotten what was pulled over the old."""
        if self.bound:
            self._trouble = "reconnected"
            self._wake.set()

    async def run(self) -> None:
        """Pull until stopped or cancelled; binds anew, with growing pauses, after any trouble."""
        pause = _FIRST_PAUSE_S
        while not self._stopping:
            try:
                await self._bind()
                pause = _FIRST_PAUSE_S
                await self._pull_until_trouble()
            except (NatsError, TimeoutError, OSError) as error:
                self._trouble = type(error).__name__
            self.bound = False
            if self._stopping:
                return
            CONSUMER_RESTARTS.labels(self.spec.durable, self._trouble or "unknown").inc()
            _log.warning("%s: %s; binding again", self.spec.durable, self._trouble)
            await self._unsubscribe()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    async def stop(self) -> None:
        """Take no more; what arrives while the broker hears of it is given back at once."""
        self._stopping = True
        self._wake.set()
        if self._subscription is not None and self._client.is_connected:
            await drain(self._subscription, self._client)
        await asyncio.gather(*self._returning)
        self._subscription = None

    async def _bind(self) -> None:
        await self._rebind(self.spec)
        self._asked = 0
        self._trouble = None
        self._heard_at = asyncio.get_running_loop().time()
        self._inbox = self._client.new_inbox()
        self._subscription = await listen(self._client, self._inbox, self._on_message)
        self.bound = True

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await leave(subscription, self._client)

    async def _pull_until_trouble(self) -> None:
        loop = asyncio.get_running_loop()
        while self._trouble is None and not self._stopping:
            self._wake.clear()
            await self._ask_for_more()
            try:
                async with asyncio.timeout(_IDLE_HEARTBEAT_S):
                    await self._wake.wait()
            except TimeoutError:
                silent = loop.time() - self._heard_at
                if self._asked > 0 and silent > _SILENCE_S:
                    self._trouble = "heartbeats_missed"

    async def _ask_for_more(self) -> None:
        wanted = min(self._room(), _MAX_BATCH) - self._asked
        # One pull for many: asking again for each finished task would double the traffic.
        if wanted <= 0 or (self._asked > 0 and wanted < _MAX_BATCH // 4):
            return
        loop = asyncio.get_running_loop()
        pause = max((each.brings_more_within(loop.time()) for each in self._ahead), default=0.0)
        if pause > 0:
            loop.call_later(pause, self._wake.set)
            return
        if self._asked == 0:
            self._heard_at = self._asked_at = loop.time()
        body = {
            "batch": wanted,
            "expires": int(_PULL_EXPIRES_S * 1e9),
            "idle_heartbeat": int(_IDLE_HEARTBEAT_S * 1e9),
        }
        self._asked += wanted
        await self._client.publish(self._subject, json.dumps(body).encode(), self._inbox)

    def _on_message(self, message: Incoming) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        if not message.reply and STATUS in message.headers:
            self._on_status(message.headers[STATUS], message.headers)
            return
        self._asked = max(0, self._asked - 1)
        lease = Lease(self._client, message, self._on_lease_end)
        if self._stopping:
            returned = asyncio.create_task(lease.give_back(_GIVE_BACK_S))
            self._returning.add(returned)
            returned.add_done_callback(self._returning.discard)
            return
        if lease.delivered > 1:
            REDELIVERIES.labels(self.spec.lane).inc()
        self._leases.add(lease)
        self._held.inc()
        self._on_lease(lease)
        if self._asked < _MAX_BATCH // 4:
            self._wake.set()

    def _on_status(self, status: str, headers: dict[str, str]) -> None:
        if status == "100":
            return
        if status in ("404", "408"):
            # This pull is over; the rest of what it asked for won't come.
            pending = headers.get("Nats-Pending-Messages")
            self._asked = 0 if pending is None else max(0, self._asked - int(pending))
        else:
            self._trouble = _TROUBLES.get(status, status)
            _log.warning("%s: %s %s", self.spec.durable, status, headers.get(DESCRIPTION, ""))
        self._wake.set()

    def _on_lease_end(self, lease: Lease) -> None:
        if lease in self._leases:
            self._leases.discard(lease)
            self._held.dec()
        self._wake.set()
