"""What a client may say over a WebSocket. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from gateway.admission import generation_type
from gateway.refusals import Refusal
from gateway.wellformed import shape_refusal

_LARGEST_SEQUENCE = 2**63 - 1


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Topic(_Strict):
    """A task, or all tasks (of a type)."""

    task_id: Annotated[str | None, Field(max_length=64)] = None
    type: Annotated[str | None, Field(max_length=64)] = None


class From(Topic):
    """… from a sequence on."""

    after: Annotated[int | None, Field(ge=0, le=_LARGEST_SEQUENCE)] = None


class _Subscribe(_Strict):
    subscribe: From


class _Unsubscribe(_Strict):
    unsubscribe: Topic


class _Ping(_Strict):
    ping: Any


class Key(NamedTuple):
    """Names a subscription; there is one of each on a connection."""

    task_id: str | None
    type_name: str | None


class Said(NamedTuple):
    """A message that was understood."""

    what: Literal["subscribe", "unsubscribe", "ping"]
    key: Key = Key(None, None)
    after: int | None = None
    echo: bytes = b""
    """The data of a ping, as JSON."""


_MESSAGE: TypeAdapter[_Subscribe | _Unsubscribe | _Ping] = TypeAdapter(
    _Subscribe | _Unsubscribe | _Ping
)


def read_message(text: str) -> Said:
    """What a client says. Raises `Refusal` ``invalid_message``, ``unknown_type``…"""
    try:
        message = _MESSAGE.validate_json(text)
    except ValidationError as error:
        shape = shape_refusal(error)
        raise Refusal(
            "invalid_message",
            'Say {"subscribe": {"type": …, "after": …}}, {"subscribe": {"task_id": …}}, '
            f'{{"unsubscribe": {{…}}}} or {{"ping": …}}. {shape.detail}',
            errors=shape.errors,
        ) from None
    match message:
        case _Ping(ping=echo):
            return Said("ping", echo=_encoded(echo))
        case _Subscribe(subscribe=topic):
            return Said("subscribe", _key(topic), topic.after)
        case _:
            return Said("unsubscribe", _key(message.unsubscribe))


def _encoded(echo: Any) -> bytes:
    try:
        return orjson.dumps(echo)
    except TypeError:
        raise Refusal(
            "invalid_message", "The data of a ping may have no integer beyond 64 bits."
        ) from None


def _key(topic: Topic) -> Key:
    if topic.task_id is not None and topic.type is not None:
        raise Refusal("invalid_message", "Name a task or a type, not both.")
    if topic.type is not None:
        generation_type(topic.type)
    return Key(topic.task_id, topic.type)
