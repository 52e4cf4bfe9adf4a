"""Events of the log into a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from contracts.messages import Message
from darkroom.cli.eventfile import Unwritable, written
from darkroom.cli.failures import Refused
from darkroom.cli.reading import stored
from darkroom.cli.selecting import Wanted
from darkroom.cli.servers import log_connection, log_requests
from delivery.lines import line_of
from delivery.log import LogReader


@dataclass
class Exported:
    """What was written: how many events, from where to where, bytes before compression."""

    events: int = 0
    first: int | None = None
    last: int | None = None
    bytes: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


async def export(
    url: str, wanted: Wanted, path: Path | None, tell: Callable[[int, int], None]
) -> Exported:
    """Write all that is wanted and on the log by now; ``path`` is there whole or not at all."""
    done = Exported()
    began = time.monotonic()
    try:
        async with log_connection(url) as client, log_requests(client) as requests:
            state = await LogReader(requests).state()
            before, last = state.first_sequence - 1, state.last_sequence

            def moved(to: int) -> None:
                tell(to - before, last - before)

            batches = stored(client, requests, wanted, before, last, moved)
            with written(path) as write:
                async with aclosing(batches):
                    async for batch in batches:
                        _write(batch, write, done)
    except Unwritable as problem:
        raise Refused(f"{problem}. Name another file with -o.") from None
    done.seconds = round(time.monotonic() - began, 3)
    return done


def _write(batch: Sequence[Message], write: Callable[[bytes], object], done: Exported) -> None:
    if not batch:
        return
    lines = b"".join(map(line_of, batch))
    write(lines)
    done.bytes += len(lines)
    done.events += len(batch)
    done.first = done.first or batch[0].sequence
    done.last = batch[-1].sequence
