"""``darkroom dead-letters``: what could not be applied, and what becomes of it."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click
from rich import box
from rich.table import Table
from rich.text import Text

from contracts import queries
from darkroom.cli.failures import FOUND_SOMETHING, Refused, Unreachable
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.screen import age, console, pairs, plain, when
from darkroom.cli.servers import log_connection, log_requests, run
from darkroom.cli.settings import server_addresses
from delivery.requests import NoReply, NoResponders, Requests

_ASK_TIMEOUT_S = 5.0
_CARRY_OUT_TIMEOUT_S = 60.0
_PAGE = 1000
_NOT_DONE = {
    "busy": (
        "A rebuild or verification of the projection is at work. This was not done; try again "
        "when it has ended."
    ),
    "not_projecting": "The task-store stopped projecting just now. This was not done; try again.",
}
_ORDERS = (queries.RETRY_DEAD_LETTERS, queries.DROP_DEAD_LETTERS)
_Sequences = click.IntRange(1)


@group("dead-letters")
def dead_letters() -> None:
    """See, retry and drop events that could not be applied."""


@dead_letters.command("list")
@click.option("--reason", help="Only those whose reason begins so.")
@click.option("--task", "task_id", help="Of this task only.")
@click.option("--dropped", is_flag=True, help="Those that were dropped, with who did it and why.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@pass_invocation
def list_(
    invocation: Invocation, reason: str | None, task_id: str | None, dropped: bool, limit: int
) -> None:
    """What is put aside, in the order of the log, each with what waits behind it."""
    question = {"reason": reason, "task_id": task_id, "dropped": dropped}
    found, counted, more = run(_listed(question, limit))
    put_aside = {name: counted[name] for name in ("events", "tasks")}
    filtered = reason is not None or task_id is not None
    if invocation.as_json:
        invocation.print_json(
            {
                "dead_letters": found,
                "exhausted": counted["exhausted"],
                **(_size(found) if filtered or dropped else put_aside),
                "put_aside": put_aside,
            }
        )
        return
    if counted["exhausted"] and not dropped:
        console().print(_exhausted_table(counted["exhausted"]))
    if not found:
        click.echo(_nothing(counted, filtered=filtered, dropped=dropped), err=True)
        return
    console().print(_dropped_table(found) if dropped else _table(found))
    if filtered and not dropped:
        click.echo(f"{_in_all(counted)} are put aside in all, these among them.", err=True)
    elif not dropped:
        click.echo(f"{_in_all(counted)} in all.", err=True)
    if more:
        click.echo("There are more: --limit N shows them.", err=True)


@dead_letters.command()
@click.argument("sequence", type=_Sequences)
@pass_invocation
def show(invocation: Invocation, sequence: int) -> None:
    """One of them whole: the event, why it is put aside, and what waits behind it."""
    letter = run(_asked(queries.DEAD_LETTER, {"sequence": sequence}))
    if letter is None:
        raise Refused(
            f"Nothing is put aside at {sequence}, and nothing was dropped there. "
            "`darkroom dead-letters list` shows what is."
        )
    if invocation.as_json:
        invocation.print_json(letter)
        return
    console().print(
        pairs(
            [
                ("sequence", letter["sequence"]),
                ("task", letter["task_id"]),
                ("type", letter["type"]),
                ("subject", letter["subject"]),
                ("reason", letter.get("reason")),
                ("waits behind", letter.get("behind")),
                ("first", when(letter["first_at"])),
                ("last", when(letter["last_at"])),
                ("tries", letter.get("tries")),
                *(
                    ("behind it", f"{each['sequence']} {each['type'] or ''}")
                    for each in letter.get("waiting_behind", ())
                ),
                *(("given up by", _given_up(each)) for each in letter["exhausted"]),
                *(("history", _history(each)) for each in letter["audit"]),
            ]
        )
    )
    click.echo(_readable(letter["event"]))


@dead_letters.command()
@click.argument("sequences", type=_Sequences, nargs=-1)
@click.option("--task", "task_id", help="What is put aside of this task.")
@click.option("--reason", help="Those whose reason begins so.")
@click.option("--all", "everything", is_flag=True, help="All of them.")
@pass_invocation
@click.pass_context
def retry(
    ctx: click.Context,
    invocation: Invocation,
    sequences: tuple[int, ...],
    task_id: str | None,
    reason: str | None,
    everything: bool,
) -> None:
    """Apply them, and what waits behind them, as if they came now.

    Exit 1 if some still can't be applied, or if nothing is put aside that matches.
    """
    chosen = (bool(sequences), task_id is not None, reason is not None, everything)
    if sum(chosen) != 1:
        raise click.UsageError("Name sequences, or --task, or --reason, or --all.")
    order: dict[str, Any] = {"who": _who()}
    if sequences:
        order["sequences"] = sequences
    elif everything:
        order["all"] = True
    else:
        order |= {"task_id": task_id, "reason": reason}
    done = run(_carried_out(queries.RETRY_DEAD_LETTERS, order))
    if not (done["tried"] or sequences or everything):
        named = f"--task {task_id}" if reason is None else f"--reason {reason}"
        raise Refused(
            f"Nothing that is put aside matches {plain(named)}: nothing was tried again. "
            "`darkroom dead-letters list` shows what is."
        )
    if done["exhausted"]:
        click.echo(
            f"{_joined(done['exhausted'])}: a subscriber has used up its deliveries. Nothing is "
            "published again for it: it reads the event from the log, and `drop` closes this.",
            err=True,
        )
    _tell(ctx, invocation, done)


@dead_letters.command()
@click.argument("sequences", type=_Sequences, nargs=-1, required=True)
@click.option("--note", required=True, help="Why: it is kept beside the event.")
@pass_invocation
@click.pass_context
def drop(ctx: click.Context, invocation: Invocation, sequences: tuple[int, ...], note: str) -> None:
    """Set events aside for good, and apply what waits behind them."""
    if not note.strip():
        raise click.UsageError("--note says why: it can't be empty.")
    order = {"who": _who(), "sequences": sequences, "note": note}
    done = run(_carried_out(queries.DROP_DEAD_LETTERS, order))
    if done["absent"] and not done["dropped"]:
        raise Refused(f"Nothing is put aside at {_joined(done['absent'])}: nothing was dropped.")
    _tell(ctx, invocation, done)


async def _asked(subject: str, question: Mapping[str, Any]) -> Any:
    async with log_connection(server_addresses().nats_url) as client, log_requests(client) as bus:
        return await _ask(bus, subject, question)


async def _listed(
    question: Mapping[str, Any], limit: int
) -> tuple[list[Any], Mapping[str, Any], bool]:
    """As many as wanted, the counts of all, and whether there are more."""
    found: list[Any] = []
    after: int | None = 0
    counted: Mapping[str, Any] = {}
    async with log_connection(server_addresses().nats_url) as client, log_requests(client) as bus:
        while after is not None and len(found) < limit:
            part = {"after": after, "limit": min(_PAGE, limit - len(found))}
            counted = await _ask(bus, queries.DEAD_LETTERS, {**question, **part})
            found += counted["dead_letters"]
            after = counted["next"]
    return found, counted, after is not None


async def _carried_out(subject: str, order: Mapping[str, Any]) -> dict[str, Any]:
    """All of it, a thousand tasks at a time; the log goes on between two."""
    total: dict[str, Any] = {"tried": 0, "applied": 0, "dropped": 0, "parked": 0}
    total |= {"absent": [], "exhausted": []}
    after: int | None = 0
    async with log_connection(server_addresses().nats_url) as client, log_requests(client) as bus:
        while after is not None:
            try:
                done = await _ask(bus, subject, {**order, "after": after})
            except (Refused, Unreachable) as failure:
                if not after:
                    raise
                told = f"{_counts(total)}; then it broke off. {failure.message}"
                raise type(failure)(told) from None
            for name in total:
                total[name] += done[name]
            after = done["following"]
    return total


async def _ask(bus: Requests, subject: str, question: Mapping[str, Any]) -> Any:
    is_order = subject in _ORDERS
    timeout_s = _CARRY_OUT_TIMEOUT_S if is_order else _ASK_TIMEOUT_S
    try:
        reply = await bus.call(subject, json.dumps(question).encode(), timeout=timeout_s)
    except NoResponders:
        raise Unreachable(
            "No task-store projects right now. `darkroom doctor` tells what is wrong."
        ) from None
    except NoReply:
        unsure = (
            ", so it isn't known whether it was done. `darkroom dead-letters list` shows what is "
            "put aside now."
        )
        raise Unreachable(
            f"No answer came within {timeout_s:.0f} s"
            f"{unsure if is_order else '. `darkroom doctor` tells what is wrong.'}"
        ) from None
    answer = json.loads(reply.data)
    if answer.get("error") == "unavailable":
        raise Unreachable(
            f"The task-store can't {'write to' if is_order else 'reach'} its database. Check it "
            "with `darkroom doctor`."
        )
    if "ok" not in answer:
        raise Refused(_NOT_DONE.get(answer["error"], f"The task-store says {answer['error']}."))
    return answer["ok"]


def _size(letters: list[Any]) -> dict[str, int]:
    """Of how many events and tasks these are, with what waits behind them."""
    return {
        "events": sum(1 + each.get("waiting", 0) for each in letters),
        "tasks": len({each["task_id"] for each in letters}),
    }


def _nothing(counted: Mapping[str, Any], *, filtered: bool, dropped: bool) -> str:
    if dropped:
        return "Nothing that was dropped matches." if filtered else "Nothing was dropped."
    if not filtered or not counted["events"]:
        return "Nothing is put aside."
    return (
        f"Nothing that is put aside matches. There are {_in_all(counted)}: "
        "`darkroom dead-letters list`."
    )


def _in_all(counted: Mapping[str, Any]) -> str:
    return f"{counted['events']:,} events of {counted['tasks']:,} tasks"


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "an operator"


def _tell(ctx: click.Context, invocation: Invocation, done: Mapping[str, Any]) -> None:
    if invocation.as_json:
        invocation.print_json(done)
    else:
        click.echo(f"{_counts(done)}.")
        if done["absent"]:
            click.echo(f"Nothing was put aside at {_joined(done['absent'])}.", err=True)
    if done["parked"] or done["absent"]:
        ctx.exit(FOUND_SOMETHING)


def _counts(done: Mapping[str, Any]) -> str:
    parts = [f"{done['dropped']:,} dropped"] if done["dropped"] else []
    parts += [f"{done['applied']:,} applied", f"{done['parked']:,} still put aside"]
    return ", ".join(parts)


def _table(letters: list[Any]) -> Table:
    table = _with_columns("sequence", "task", "type", "age", "tries", "behind", "reason")
    now = datetime.now(UTC)
    for each in letters:
        table.add_row(
            str(each["sequence"]),
            Text(plain(each["task_id"])),
            Text(plain((each["type"] or "?").removeprefix("generation."))),
            age(each["first_at"], now),
            str(each["tries"]),
            str(each["waiting"]),
            Text(plain(each["reason"])),
        )
    return table


def _dropped_table(letters: list[Any]) -> Table:
    table = _with_columns("sequence", "task", "type", "dropped", "by", "note")
    for each in letters:
        table.add_row(
            str(each["sequence"]),
            Text(plain(each["task_id"])),
            Text(plain((each["type"] or "?").removeprefix("generation."))),
            when(each["last_at"]),
            Text(plain(each["who"])),
            Text(plain(each["note"])),
        )
    return table


def _exhausted_table(exhausted: list[Any]) -> Table:
    table = _with_columns("sequence", "task", "type", "deliveries", "last", "given up by")
    for each in exhausted:
        table.add_row(
            str(each["sequence"]),
            Text(plain(each["task_id"] or "")),
            Text(plain((each["type"] or "?").removeprefix("generation."))),
            str(each["deliveries"]),
            when(each["last_at"]),
            Text(plain(each["consumer"])),
        )
    return table


def _given_up(each: Mapping[str, Any]) -> str:
    return f"{each['consumer']} after {each['deliveries']} deliveries, {when(each['last_at'])}"


def _joined(sequences: list[int]) -> str:
    return ", ".join(map(str, sequences))


def _with_columns(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name in names[:-1]:
        table.add_column(name, no_wrap=True)
    table.add_column(names[-1], overflow="fold")
    return table


def _history(each: Mapping[str, Any]) -> str:
    note = f" ({each['note']})" if each["note"] else ""
    return f"{when(each['at'])} {each['action']} by {each['who']}{note}: {each['outcome']}"


def _readable(event: str | None) -> str:
    """The event as it is, indented if it is JSON."""
    if event is None:
        return "Its task was erased, and the event with it."
    try:
        return json.dumps(json.loads(event), indent=2, ensure_ascii=True)
    except ValueError:
        return plain(event)
