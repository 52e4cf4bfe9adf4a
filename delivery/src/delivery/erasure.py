"""Taking all that was told of a task off the bus; the event that says so stays.

That event keeps the task's finished subject taken: an emptied one would let a late end in.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any

from contracts.events import Erased
from contracts.subjects import (
    HOOK_BUCKET,
    STREAM,
    beginnings_of,
    callbacks_of,
    finished_subject,
    requests_of,
)
from delivery.ends import publish_erasure
from delivery.log import LogReader, LogUnavailable
from delivery.publisher import DEFAULT_BUDGET_S, Publisher
from delivery.requests import NoReply, NoResponders, Requests, Unreachable

_TIMEOUT_S = 2.0
_NO_SUCH_STREAM = 10059
_NO_MESSAGE = 10037


async def erase_from_bus(
    publisher: Publisher,
    log: LogReader,
    requests: Requests,
    event: Erased,
    *,
    budget_s: float = DEFAULT_BUDGET_S,
) -> int:
    """Publish that the task is erased, and purge the rest; the sequence. Safe to repeat.

    Raises what `publish_erasure` raises, and `LogUnavailable`.
    """
    sequence = await publish_erasure(publisher, log, event, budget_s=budget_s)
    task_id = event.subject
    finished = finished_subject(event.tasktype, task_id)
    await asyncio.gather(
        _purge(requests, {"filter": requests_of(task_id)}),
        _purge(requests, {"filter": beginnings_of(task_id)}),
        _purge(requests, {"filter": finished, "keep": 1}),
        _forget_callbacks(requests, task_id),
    )
    return sequence


async def _purge(requests: Requests, which: Mapping[str, Any]) -> None:
    subject = f"$JS.API.STREAM.PURGE.{STREAM}"
    error = (await _ask(requests, subject, which)).get("error")
    if error is not None:
        raise LogUnavailable(error.get("description", "purge refused"))


async def _forget_callbacks(requests: Requests, task_id: str) -> None:
    """What the services behind providers called back for the task, whoever served it."""
    subject = f"$JS.API.STREAM.MSG.GET.KV_{HOOK_BUCKET}"
    start = 1
    while True:
        which = {"seq": start, "next_by_subj": callbacks_of(task_id)}
        answer = await _ask(requests, subject, which)
        error = answer.get("error")
        if error is not None:
            if error.get("err_code") in (_NO_MESSAGE, _NO_SUCH_STREAM):
                return
            raise LogUnavailable(error.get("description", subject))
        message = answer["message"]
        start = message["seq"] + 1
        if b"KV-Operation" not in base64.b64decode(message.get("hdrs", "")):
            marker = {"KV-Operation": "PURGE", "Nats-Rollup": "sub"}
            refused = (await _ask(requests, message["subject"], None, marker)).get("error")
            if refused is not None:
                raise LogUnavailable(refused.get("description", subject))


async def _ask(
    requests: Requests,
    subject: str,
    body: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    payload = b"" if body is None else json.dumps(body).encode()
    try:
        reply = await requests.call(subject, payload, headers, timeout=_TIMEOUT_S)
    except (NoReply, NoResponders, Unreachable) as problem:
        raise LogUnavailable(subject) from problem
    answer: dict[str, Any] = json.loads(reply.data)
    return answer
