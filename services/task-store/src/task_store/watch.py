"""The checks, looked at every minute by the process that projects, for metrics and ``/readyz``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import asyncpg

from delivery.durability import durability
from delivery.log import LogReader, LogUnavailable
from task_store import metrics
from task_store.examining import examine
from task_store.projector import Projector
from telemetry.findings import Finding
from telemetry.logs import get_logger

_log = get_logger(__name__)

EVERY_S = 60.0
_POLL_S = 1.0


class Watch:
    """What the checks found last; nothing while another process projects."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        log: LogReader,
        projector: Projector,
        nats_monitor_url: str | None = None,
    ) -> None:
        self._pool = pool
        self._log = log
        self._projector = projector
        self._nats_monitor_url = nats_monitor_url
        self._wrong: dict[str, str] = {}

    def warnings(self) -> Mapping[str, str]:
        """What is wrong, by check."""
        return self._wrong

    async def run(self) -> None:
        """Look until cancelled."""
        looked_at: float | None = None
        while True:
            now = time.monotonic()
            if self._projector.sequence is None:
                looked_at = None
                self._take([])
            elif looked_at is None or now - looked_at >= EVERY_S:
                looked_at = now
                await self.run_once()
            await asyncio.sleep(_POLL_S)

    async def run_once(self) -> None:
        try:
            found = await examine(self._pool, self._log)
            found.append((await durability(self._nats_monitor_url)).finding())
        except (
            LogUnavailable,
            OSError,
            asyncpg.PostgresError,
            asyncpg.InterfaceError,
            TimeoutError,
        ) as problem:
            _log.warning("nothing can be checked", reason=repr(problem))
            found = []
        except Exception as problem:  # noqa: BLE001 - what was found last must not stand for ever
            _log.warning("the checks failed", reason=repr(problem), exc_info=problem)
            detail = f"failed with {type(problem).__name__}: see the task-store's log"
            found = [Finding("checks", ok=False, detail=detail)]
        self._take(found)

    def _take(self, found: Sequence[Finding]) -> None:
        metrics.CHECK_OK.clear()
        wrong = {}
        for each in found:
            if each.ok is not None:
                metrics.CHECK_OK.labels(each.name).set(each.ok)
            if each.ok is False:
                wrong[each.name] = each.detail
                if self._wrong.get(each.name) != each.detail:
                    _log.warning("check failed", check=each.name, detail=each.detail)
        self._wrong = wrong
