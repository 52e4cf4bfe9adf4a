"""What services call back: kept in a bucket by the gateway, handed to who follows the task here.

A call may come while no generator listens, so that the last one for a task is looked up, too.
"""

from __future__ import annotations

import asyncio
import base64
import json
from ipaddress import ip_address
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts.subjects import HOOK_BUCKET
from generator.cells import Cells
from generator.provider import Callback
from telemetry.logs import get_logger

_log = get_logger(__name__)

_KEYS = f"$KV.{HOOK_BUCKET}."
_FAULTS = (NatsError, TimeoutError, OSError)
_MOST_HEARD = 8
"""Calls that are kept for one who doesn't listen; the newest tell most."""


class Inbox:
    """What was called back for one task, for one attempt."""

    def __init__(self, hooks: Hooks, provider: str, task_id: str) -> None:
        self._hooks = hooks
        self._provider = provider
        self._task_id = task_id
        self._heard: list[Callback] = []
        self._rings = asyncio.Event()
        self._looked = False

    def put(self, callback: Callback) -> None:
        self._heard = [*self._heard[1 - _MOST_HEARD :], callback]
        self._rings.set()

    async def next(self, timeout_s: float) -> Callback | None:
        """The next call, or None after so many seconds: `Job.called_back`."""
        if not self._looked:
            self._looked = True
            earlier = await self._hooks.last(self._provider, self._task_id)
            if earlier is not None and earlier not in self._heard:
                return earlier
        try:
            async with asyncio.timeout(timeout_s):
                await self._rings.wait()
        except TimeoutError:
            return None
        callback = self._heard.pop(0)
        if not self._heard:
            self._rings.clear()
        return callback


class Hooks:
    """The inboxes of the tasks that this process follows. ``root_url`` is where services call."""

    def __init__(self, client: Client, root_url: str | None) -> None:
        self._client = client
        self._root_url = root_url
        self._cells = Cells(client, HOOK_BUCKET, _read, _written)
        self._inboxes: dict[str, Inbox] = {}
        self._subscription: Subscription | None = None

    async def start(self) -> None:
        self._subscription = await self._client.subscribe(f"{_KEYS}>", cb=self._on_message)

    def url(self, provider: str, task_id: str) -> str | None:
        """Where to tell that this task's job moved; None where nobody could reach it."""
        return None if self._root_url is None else f"{self._root_url}/hooks/{provider}/{task_id}"

    def open(self, provider: str, task_id: str) -> Inbox:
        """Listen for a task, in place of who did before."""
        inbox = self._inboxes[task_id] = Inbox(self, provider, task_id)
        return inbox

    def close(self, task_id: str) -> None:
        self._inboxes.pop(task_id, None)

    async def last(self, provider: str, task_id: str) -> Callback | None:
        """The last call that was kept; None too where it can't be read now."""
        try:
            return await self._cells.value(f"{provider}.{task_id}")
        except _FAULTS as fault:
            _log.warning("a call can't be looked up", task_id=task_id, reason=repr(fault))
            return None

    async def _on_message(self, message: Msg) -> None:
        inbox = self._inboxes.get(message.subject.rpartition(".")[2])
        callback = None if inbox is None else _read(message.data)
        if inbox is not None and callback is not None:
            inbox.put(callback)


def callback_root(callback_url: str | None, public_url: str | None) -> str | None:
    """Where services call: as it was said, else the public URL if others can reach it."""
    if callback_url:
        return callback_url.rstrip("/")
    if not public_url:
        return None
    host = urlsplit(public_url).hostname or "localhost"
    try:
        private = ip_address(host).is_loopback
    except ValueError:
        private = host == "localhost"
    return None if private else public_url.rstrip("/")


def _read(value: bytes | None) -> Callback | None:
    try:
        told = json.loads(value or b"null")
        return Callback(dict(told["headers"]), base64.b64decode(told["body"])) if told else None
    except (ValueError, KeyError, TypeError):
        return None


def _written(callback: Callback | None) -> bytes:
    assert callback is not None
    body = base64.b64encode(callback.body).decode()
    return json.dumps({"headers": dict(callback.headers), "body": body}).encode()
