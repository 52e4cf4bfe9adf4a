"""The subscribers of the log: made, listed, removed, and looked at by ``darkroom doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import click
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import DeliverPolicy
from nats.js.errors import APIError, NotFoundError
from rich import box
from rich.table import Table
from rich.text import Text

from contracts.subjects import STREAM
from darkroom.cli.failures import Refused
from darkroom.cli.servers import log_connection
from delivery.provision import Difference
from delivery.subscribers import (
    NEW,
    BeyondTheEnd,
    CannotChange,
    Start,
    Subscriber,
    SubscriberSpec,
    ensure_subscriber,
    judge,
    remove_subscriber,
    subscribers,
)
from telemetry.findings import Finding

_NO_STREAM = 10059
_OVERLAP = 10138


def start_of(text: str, now: datetime) -> Start:
    """``new``, ``all``, a sequence, or a time (ISO 8601; without a zone, of this machine)."""
    if text == "new":
        return NEW
    if text == "all":
        return Start(DeliverPolicy.ALL)
    if text.isascii() and text.isdecimal():
        return Start(DeliverPolicy.BY_START_SEQUENCE, sequence=max(1, int(text)))
    try:
        moment = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(
            f"{text!r} is neither new, all, a sequence nor a time (2026-11-21T10:00:00Z)"
        ) from None
    if moment > now:
        # The broker would begin at the log's beginning.
        raise click.BadParameter(f"{text} is still to come: use new")
    return Start(DeliverPolicy.BY_START_TIME, time=moment)


async def ensure(nats_url: str, spec: SubscriberSpec, *, mend: bool) -> list[Difference]:
    """Make it so, or only compare. Raises `Refused` with what to do."""
    async with log_connection(nats_url) as client:
        try:
            return await ensure_subscriber(client, spec, mend=mend)
        except CannotChange as problem:
            raise Refused(
                f"Subscriber {spec.name} can't be changed so: {problem}. Remove it with "
                f"`darkroom setup --remove {spec.name}` (it loses its place), or choose another "
                "name."
            ) from None
        except BeyondTheEnd as problem:
            raise Refused(
                f"Subscriber {spec.name} can't begin there: the log ends at {problem.last:,}. "
                f"From now on is --from new, or {problem.last + 1}."
            ) from None
        except APIError as error:
            raise Refused(_refusal(error)) from None


async def every(nats_url: str) -> list[Subscriber]:
    async with log_connection(nats_url) as client:
        try:
            return await subscribers(client)
        except APIError as error:
            raise Refused(_refusal(error)) from None


async def remove(nats_url: str, name: str) -> None:
    async with log_connection(nats_url) as client:
        try:
            await remove_subscriber(client, name)
        except NotFoundError:
            raise Refused(f"There is no subscriber {name} any more.") from None
        except APIError as error:
            raise Refused(_refusal(error)) from None


async def examine(client: Client) -> Finding:
    """Who is far behind, and whose events have left the log unseen."""
    try:
        found = await subscribers(client)
        first = (await client.jetstream().stream_info(STREAM)).state.first_seq
    except NatsError as problem:
        return Finding(
            "subscribers",
            ok=None,
            detail=f"can't be looked at ({type(problem).__name__})",
            mend="mend what is said above first",
        )
    return judge(found, first)


def table(found: Sequence[Subscriber]) -> Table:
    """One line a subscriber."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("name", "filter"):
        made.add_column(name, overflow="fold")
    for name in ("at sequence", "behind", "in hand", "redelivered", "at most", "ack wait"):
        made.add_column(name, no_wrap=True, justify="right")
    for each in found:
        numbers = (each.seen, each.behind, each.unacknowledged, each.redelivered)
        made.add_row(
            Text(each.name),
            Text("\n".join(each.filters)),
            *(f"{number:,}" for number in numbers),
            "for ever" if each.max_deliver <= 0 else f"{each.max_deliver} times",
            f"{each.ack_wait_s:g} s",
        )
    return made


def as_json(found: Sequence[Subscriber]) -> list[dict[str, object]]:
    return [asdict(each) for each in found]


def _refusal(error: APIError) -> str:
    if error.err_code == _NO_STREAM:
        return "There is no log yet. Run `darkroom setup` first."
    said = (error.description or "no reason given").rstrip(".")
    if error.err_code == _OVERLAP:
        return f"The filters overlap ({said}). Leave out those that others contain."
    return f"The NATS server refused ({said}). See what is there: `darkroom setup --subscribers`."
