"""What is wanted of the log, in order: of a task by direct reads, all else by a consumer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from nats.aio.client import Client

from contracts.messages import Message
from darkroom.cli.selecting import Wanted
from delivery.log import LogReader
from delivery.ordered import Delivered, Interrupted, OrderedLog
from delivery.requests import Requests

BATCH = 1000
_IDLE_S = 0.3
_MOST_INTERRUPTIONS = 10


async def stored(
    client: Client,
    requests: Requests,
    wanted: Wanted,
    after: int,
    last: int,
    tell: Callable[[int], None] = lambda _: None,
) -> AsyncGenerator[Sequence[Message], None]:
    """Batches of what is wanted, from beyond the sequence ``after`` to ``last``.

    ``tell`` hears how far that is. Raises `Interrupted` where the log can't be read to its end.
    """
    if wanted.task_id is not None:
        history = await LogReader(requests).history(wanted.task_id)
        yield [each for each in history if after < each.sequence <= last and wanted.has(each)]
        return
    interruptions = 0
    while after < last:
        try:
            async with aclosing(following(client, requests, wanted, after)) as batches:
                async for batch, pending in batches:
                    interruptions = 0 if batch else interruptions
                    found = [each for each in batch if each.sequence <= last]
                    yield [each for each in found if wanted.has(each)]
                    after = batch[-1].sequence if batch else after
                    tell(min(after, last))
                    if after >= last or (not batch and not pending):
                        return
                    if batch and wanted.is_past(batch[-1]):
                        return
        except Interrupted:
            interruptions += 1
            if interruptions > _MOST_INTERRUPTIONS:
                raise


async def following(
    client: Client, requests: Requests, wanted: Wanted, after: int
) -> AsyncGenerator[tuple[list[Delivered], int], None]:
    """All that the broker's filter lets through, for ever, and how much more there is by then.

    A batch is empty when nothing came for a while. Raises `Interrupted`.
    """
    start = max(after + 1, wanted.since_sequence or 1)
    since = wanted.since if start == 1 else None
    async with OrderedLog(
        client, requests, start=start, filter_subject=wanted.subject, name="events", since=since
    ) as log:
        while True:
            batch = await log.batch(BATCH, wait_s=_IDLE_S)
            yield batch, log.pending
