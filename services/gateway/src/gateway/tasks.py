"""Questions to the task-store, over NATS request-reply."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from contracts import queries
from contracts.records import Record
from delivery.log import StreamState
from delivery.publisher import LogUnreachable
from delivery.requests import NoReply, NoResponders, Unreachable
from gateway.admission import is_task_id
from gateway.bus import Bus
from gateway.progress import Progress
from gateway.refusals import Refusal, log_unreachable

TIMEOUT_S = 1.0
CATCH_UP_TIMEOUT_S = 2.5
MEND_TIMEOUT_S = 10.0
MAX_IDS = 500
MAX_CHANGES = 200
_AGAIN_S = 0.05
_ASK_S = 0.1
"""How long nothing may be heard of the projection before it is asked how far it is."""

Found = tuple[Record | None, int]
"""A task's record, or None, as of the projection's checkpoint."""


class SnapshotPage(NamedTuple):
    """Where a snapshot goes on: after which sequence, and up to the checkpoint that it is of."""

    after: int
    until: int


class TaskStore:
    """Raises `Refusal` ``task_store_unavailable`` when no answer comes in time.

    Or ``log_unreachable``, where the broker that would carry the question is away.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._asked: dict[str, list[asyncio.Future[Found]]] = {}
        self._asking: asyncio.Task[None] | None = None
        self.progress = Progress(bus)

    async def get(self, task_id: str) -> Found:
        """One task. Those asked for while a question is on its way share the next one."""
        if not is_task_id(task_id):
            # The task-store would refuse it, and with it the question of all who share it.
            raise ValueError(f"{task_id!r} can't be a task's id")
        future: asyncio.Future[Found] = asyncio.get_running_loop().create_future()
        self._asked.setdefault(task_id, []).append(future)
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return await future
        except TimeoutError:
            raise unavailable() from None

    async def processing(
        self, owner: str, type_name: str | None, status: str | None, log: StreamState
    ) -> list[Record]:
        """Every task of the owner that has not ended, once ``log`` is projected to its end."""
        question = {"owner": owner, "type": type_name, "status": status} | _as_of(log)
        answer = await self._ask(queries.PROCESSING, question, CATCH_UP_TIMEOUT_S)
        records: list[Record] = answer["records"]
        return records

    async def snapshot(
        self, owner: str, type_name: str | None, log: StreamState, page: SnapshotPage | None = None
    ) -> tuple[list[Record], SnapshotPage | None, int]:
        """The same by ascending sequence, in pages; the next page, and the checkpoint of all."""
        question = {"owner": owner, "type": type_name, "limit": MAX_IDS} | _as_of(log)
        if page is not None:
            question |= {"after": page.after, "until": page.until}
        answer = await self._ask(queries.SNAPSHOT, question, CATCH_UP_TIMEOUT_S)
        records: list[Record] = answer["records"]
        checkpoint: int = answer["sequence"] if page is None else page.until
        following = SnapshotPage(records[-1]["sequence"], checkpoint) if answer["more"] else None
        return records, following, checkpoint

    async def changes(
        self, owner: str, type_name: str | None, after: int, log: StreamState | None
    ) -> tuple[list[dict[str, Any]], list[Record], int]:
        """What happened to the owner's tasks after a sequence, and up to which one that is.

        Between them what tasks were before, whose beginnings are not told. With ``log``, once that
        is projected to its end.
        """
        question = {"owner": owner, "type": type_name, "after": after, "limit": MAX_CHANGES}
        question |= {"sequence": 0} if log is None else _as_of(log)
        answer = await self._ask(queries.CHANGES, question, CATCH_UP_TIMEOUT_S)
        return answer["events"], answer.get("bases", []), answer["through"]

    async def places(
        self, owners: Iterable[str], onward: list[list[Any]]
    ) -> tuple[list[list[Any]], list[list[Any]], int]:
        """The places of the owners' tasks, where to look on, and as of which sequence."""
        answer = await self._ask(queries.PLACES, {"owners": list(owners), "from": onward})
        return answer["places"], answer["next"], answer["sequence"]

    async def projects(self, sequence: int, within_s: float) -> bool:
        """Wait until the task-store tells that it has applied ``sequence``; False if not in time.

        Nobody is asked: an older answer must do then.
        """
        return await self.progress.reaches(sequence, within_s)

    async def history(
        self,
        owner: str,
        filters: Mapping[str, str | None],
        limit: int,
        after: Iterable[str] | None,
        log: StreamState | None,
    ) -> tuple[list[Record], tuple[str, str] | None]:
        """A page of the owner's tasks, newest first, and where the next one begins.

        With ``log``, once that is projected to its end, or after half a second as far as it is.
        """
        question = {"owner": owner, **filters, "limit": limit, "after": after}
        question |= {} if log is None else _as_of(log)
        answer = await self._ask(queries.HISTORY, question)
        following = answer.get("next")
        return answer["records"], None if following is None else (following[0], following[1])

    async def events(
        self, owner: str, task_id: str
    ) -> tuple[list[dict[str, Any]], frozenset[datetime]]:
        """The raw events of a task, each with its sequence and log time, and the log times of
        those that an operator dropped."""
        answer = await self._ask(queries.EVENTS, {"task_id": task_id, "owner": owner})
        # A task-store of the version before tells of none.
        dropped = map(datetime.fromisoformat, answer.get("dropped", ()))
        return answer["events"], frozenset(dropped)

    async def lines(self, least: int) -> dict[str, Any]:
        """How long the lines are, and what owners have in them who have ``least`` or more."""
        return await self._ask(queries.LINES, {"least": least})

    async def queues(self) -> list[dict[str, Any]]:
        """Every lane, and since when its first task waits."""
        lanes: list[dict[str, Any]] = (await self._ask(queries.LINES, {"since": True}))["lanes"]
        return lanes

    async def status(self) -> dict[str, Any]:
        return await self._ask(queries.STATUS, {})

    async def referenced(self, keys: list[str], log: StreamState | None) -> set[str]:
        """Those of the keys that a task refers to, once ``log`` is projected to its end.

        Without ``log``: as far as the projection is.
        """
        question = {"keys": keys} | ({"sequence": 0} if log is None else _as_of(log))
        return set((await self._ask(queries.REFERENCED, question, CATCH_UP_TIMEOUT_S))["keys"])

    async def passes(self, task_id: str, sequence: int, within_s: float) -> bool:
        """Wait until the projection has applied ``sequence``; False if it has not in time.

        The task-store tells how far it is. Where that may have been missed, it is asked.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while not await self.progress.reaches(sequence, min(_ASK_S, deadline - loop.time())):
            if loop.time() >= deadline:
                return False
            try:
                _, checkpoint = await self.get(task_id)
            except Refusal:
                return False
            if checkpoint >= sequence:
                return True
        return True

    async def providers(self) -> list[dict[str, Any]]:
        """What the last tasks of each lane came to."""
        answer = await self._ask(queries.PROVIDERS, {})
        rows: list[dict[str, Any]] = answer["providers"]
        return rows

    async def dead_letters(self, **question: Any) -> dict[str, Any]:
        """Events that could not be applied, or that were dropped."""
        return await self._ask(queries.DEAD_LETTERS, question)

    async def retry_dead_letters(self, who: str, **chosen: Any) -> dict[str, Any]:
        question = {"who": who, **chosen}
        return await self._ask(queries.RETRY_DEAD_LETTERS, question, MEND_TIMEOUT_S)

    async def drop_dead_letter(self, who: str, sequence: int, note: str) -> dict[str, Any]:
        question = {"who": who, "sequences": [sequence], "note": note}
        return await self._ask(queries.DROP_DEAD_LETTERS, question, MEND_TIMEOUT_S)

    async def _ask_all(self) -> None:
        try:
            while self._asked:
                ids = list(self._asked)[:MAX_IDS]
                batch = {task_id: self._asked.pop(task_id) for task_id in ids}
                await self._ask_for(batch)
        finally:
            self._asking = None

    async def _ask_for(self, batch: Mapping[str, list[asyncio.Future[Found]]]) -> None:
        waiting = [future for futures in batch.values() for future in futures]
        try:
            answer = await self._ask(queries.GET, {"task_ids": list(batch)})
        except Exception as problem:  # noqa: BLE001 - it belongs to those who asked
            for future in waiting:
                if not future.done():
                    future.set_exception(problem)
            return
        records, sequence = answer["records"], answer["sequence"]
        for task_id, futures in batch.items():
            found = records.get(task_id), sequence
            for future in futures:
                if not future.done():
                    future.set_result(found)

    async def _ask(
        self, subject: str, question: Mapping[str, Any], timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        payload = orjson.dumps(question)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while True:
            try:
                requests = self._bus.link.requests
                reply = await requests.call(
                    subject, payload, timeout=max(0.01, deadline - loop.time())
                )
                return _answer(orjson.loads(reply.data))
            except NoResponders:
                # Nobody listens at this moment: a restart takes less than the caller's patience.
                if loop.time() + _AGAIN_S >= deadline:
                    raise unavailable() from None
                await asyncio.sleep(_AGAIN_S)
            except NoReply:
                raise unavailable() from None
            except (Unreachable, LogUnreachable):
                raise log_unreachable() from None


def _as_of(log: StreamState) -> dict[str, Any]:
    """Up to where the projection must have come, and of which log."""
    return {"sequence": log.last_sequence, "created": log.created.isoformat()}


def _answer(reply: Mapping[str, Any]) -> dict[str, Any]:
    error = reply.get("error")
    if error is None:
        answer: dict[str, Any] = reply["ok"]
        return answer
    if error == "behind":
        raise Refusal(
            "not_caught_up",
            "The newest tasks are not in the task store yet, and an incomplete answer would be a "
            "wrong one. Try again in a moment.",
            retry_after_s=1,
        )
    if error in ("busy", "not_projecting"):
        raise Refusal(
            "projection_busy",
            "The rows are being rebuilt or verified, or nobody writes them just now. Nothing was "
            "changed; try again in a moment.",
            retry_after_s=5,
        )
    if error == "unavailable":
        raise unavailable()
    raise RuntimeError(f"the task-store did not understand a question: {error}")


def unavailable() -> Refusal:
    return Refusal(
        "task_store_unavailable",
        "The task store does not answer. Tasks go on meanwhile; ask again in a moment.",
        retry_after_s=1,
    )
