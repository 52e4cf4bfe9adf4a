"""A follower on its way to the present, beside the connection that it belongs to."""

from __future__ import annotations

import asyncio

from gateway.followers import Follow
from gateway.following import error_message
from gateway.outbox import Ending
from gateway.refusals import Refusal
from gateway.streams import Streams
from telemetry.logs import get_logger

_log = get_logger(__name__)


class Joining:
    """Lets a follower join, and again whenever the log is another one; takes it out at the end."""

    def __init__(self, streams: Streams, follow: Follow, after: int | None) -> None:
        self._streams = streams
        self._follow = follow
        self._after = after
        self._task: asyncio.Task[None] | None = None
        follow.on_reset = self._begin_anew

    def __enter__(self) -> Joining:
        self._begin(self._after, reset=False)
        return self

    def __exit__(self, *_: object) -> None:
        self._cancel()
        self._streams.feed.remove(self._follow)

    def _begin_anew(self) -> None:
        self._cancel()
        self._begin(None, reset=True)

    def _begin(self, after: int | None, *, reset: bool) -> None:
        self._task = asyncio.create_task(self._join(after, reset=reset))

    def _cancel(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()

    async def _join(self, after: int | None, *, reset: bool) -> None:
        follow = self._follow
        try:
            await self._streams.join(follow, after, reset=reset)
        except Refusal as refusal:
            await follow.outbox.offer(error_message(self._streams.views.problem(refusal)))
            follow.end()
        except Exception as problem:  # noqa: BLE001 - the connection must not stay open for nothing
            _log.exception("a follower could not join", reason=repr(problem))
            follow.outbox.end(Ending.GONE)
        self._task = None
