"""Where the services behind providers call back.

Nobody signs in here: what comes is kept for the generator that follows the task, which asks the
service itself, or checks the signature, before it believes anything.
"""

from __future__ import annotations

import base64

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from contracts.subjects import HOOK_BUCKET, provider_of
from delivery.log import LogUnavailable
from delivery.requests import NoReply, NoResponders, Unreachable
from gateway.admission import is_task_id
from gateway.bodies import limited, require_plain
from gateway.parts import InParts
from gateway.reading import task_not_found

router = APIRouter(tags=["hooks"])
MOST_BYTES = 64 * 1024
_KEPT_S = 2.0
_HEADERS = ("webhook-", "x-", "content-type")
_MOST_HEADERS = 32
_LONGEST_HEADER = 1024


@router.post("/hooks/{provider}/{task_id}", status_code=204, response_class=Response)
async def call_back(request: Request, parts: InParts, provider: str, task_id: str) -> Response:
    """For providers' services: something happened to the job of a task."""
    require_plain(request.headers)
    # Many a service calls only once: the log is all that this needs.
    task = await parts.reader.from_log(task_id) if is_task_id(task_id) else None
    if task is None or provider not in (provider_of(task.request.lane), task.provider):
        raise task_not_found()
    chunks = limited(request, MOST_BYTES, "body_too_large")
    body = b"".join([chunk async for chunk in chunks])
    told = {"headers": _worth_keeping(request), "body": base64.b64encode(body).decode()}
    subject = f"$KV.{HOOK_BUCKET}.{provider}.{task_id}"
    try:
        reply = await parts.bus.link.requests.call(subject, orjson.dumps(told), timeout=_KEPT_S)
    except (NoReply, NoResponders, Unreachable) as fault:
        raise LogUnavailable(subject) from fault
    if "error" in orjson.loads(reply.data):
        raise LogUnavailable(subject)
    return Response(status_code=204)


def _worth_keeping(request: Request) -> dict[str, str]:
    kept = [
        (name, value)
        for name, value in request.headers.items()
        if name.startswith(_HEADERS) and len(value) <= _LONGEST_HEADER
    ]
    return dict(kept[:_MOST_HEADERS])
