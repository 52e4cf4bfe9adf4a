"""The log while it is brought back: a stream that takes the old events and nothing else.

It takes them on subjects of their own and stores them under theirs, so that whoever publishes an
event meanwhile hears that there is no log; and no lane can be made on it. When all is there it
becomes the log, by one update.
See docs/decisions/0019-restoring-the-log.md.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import orjson
from nats.aio.client import Client
from nats.js.api import StreamConfig, StreamConsumerLimits, SubjectTransform
from nats.js.errors import NotFoundError

from contracts.subjects import ALL_EVENTS, RESTORING, STREAM, StreamSpec, restore_subject
from delivery.provision import create_stream, lanes_on_the_broker, stream_config


@dataclass(frozen=True, slots=True)
class Plan:
    """What is restored: from where, how many events, and the first and last of their sequences."""

    origin: str
    events: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LogThere:
    """What there is of a log, and what it is to become if it is being brought back."""

    messages: int
    lanes: tuple[str, ...]
    plan: Plan | None


async def look(client: Client) -> LogThere | None:
    """The log as it is; None when there is none."""
    try:
        found = await client.jetstream().stream_info(STREAM)
    except NotFoundError:
        return None
    mark = (found.config.metadata or {}).get(RESTORING)
    return LogThere(
        messages=found.state.messages,
        lanes=tuple(sorted(await lanes_on_the_broker(client))),
        plan=None if mark is None else Plan(**orjson.loads(mark)),
    )


async def remove_empty(client: Client, spec: StreamSpec) -> bool:
    """Delete a log without messages, and its consumers with it; False where it has some now.

    First nothing is let in any more: what was accepted meanwhile would be gone with it.
    """
    js = client.jetstream()
    closed = replace(stream_config(spec), subjects=[restore_subject(ALL_EVENTS)], republish=None)
    await js.update_stream(closed)
    if (await js.stream_info(STREAM)).state.messages:
        await js.update_stream(stream_config(spec))
        return False
    await js.delete_stream(STREAM)
    return True


async def begin(client: Client, spec: StreamSpec, plan: Plan, first_sequence: int) -> None:
    """Make the stream that takes what is restored; its first message gets ``first_sequence``."""
    await create_stream(client, _restoring(spec, plan, first_sequence))


async def resume(client: Client, spec: StreamSpec, plan: Plan) -> None:
    """Give the stream of an interrupted restore the limits that hold now."""
    found = (await client.jetstream().stream_info(STREAM)).config
    await client.jetstream().update_stream(_restoring(spec, plan, found.first_seq))


async def finish(client: Client, spec: StreamSpec) -> None:
    """Make it the log."""
    await client.jetstream().update_stream(stream_config(spec))


def _restoring(spec: StreamSpec, plan: Plan, first_sequence: int | None) -> StreamConfig:
    return replace(
        stream_config(spec),
        subjects=[restore_subject(ALL_EVENTS)],
        subject_transform=SubjectTransform(src=restore_subject(ALL_EVENTS), dest=ALL_EVENTS),
        republish=None,
        first_seq=first_sequence,
        # Nothing may leave it before it is whole.
        max_age=0,
        # The broker makes no lane on it, whoever asks; those that only read are let in.
        consumer_limits=StreamConsumerLimits(max_ack_pending=1),
        metadata={RESTORING: orjson.dumps(asdict(plan)).decode()},
    )
