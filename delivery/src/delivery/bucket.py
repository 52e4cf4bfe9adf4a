"""Reading a whole key-value bucket on the bus, with the requests that this process has anyway."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import orjson

from delivery.log import LogUnavailable
from delivery.requests import NoReply, NoResponders, Requests, Unreachable

_READ_S = 2.0
_NOT_THERE = frozenset({10059, 10037})
"""The bucket, or the key in it, does not exist."""


async def read_bucket(requests: Requests, bucket: str) -> dict[str, bytes]:
    """Every key of the bucket with its value; a bucket that isn't there yet is empty.

    Raises `LogUnavailable`.
    """
    keys = f"$KV.{bucket}."
    about = f"$JS.API.STREAM.INFO.KV_{bucket}"
    info = await _ask(requests, about, {"subjects_filter": f"{keys}>"})
    subjects = (info.get("state") or {}).get("subjects") or {}
    values: dict[str, bytes] = {}
    for subject in subjects:
        last = f"$JS.API.STREAM.MSG.GET.KV_{bucket}"
        message = (await _ask(requests, last, {"last_by_subj": subject})).get("message")
        if message is None or b"KV-Operation" in base64.b64decode(message.get("hdrs", "")):
            continue
        values[subject.removeprefix(keys)] = base64.b64decode(message.get("data", ""))
    return values


async def _ask(requests: Requests, subject: str, body: Mapping[str, Any]) -> dict[str, Any]:
    try:
        reply = await requests.call(subject, json.dumps(body).encode(), timeout=_READ_S)
    except (NoReply, NoResponders, Unreachable) as error:
        raise LogUnavailable(subject) from error
    answer: dict[str, Any] = orjson.loads(reply.data)
    trouble = answer.get("error")
    if trouble is not None and trouble.get("err_code") not in _NOT_THERE:
        # A broker in trouble has not said that nothing is there.
        raise LogUnavailable(trouble.get("description", subject))
    return answer
