"""``darkroom erase``: everything of an owner goes, and what is left is told."""

from __future__ import annotations

import click

from darkroom.cli import erasing
from darkroom.cli.erasing import Plane
from darkroom.cli.failures import FOUND_SOMETHING, Refused
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.remains import Remains, Sought
from darkroom.cli.screen import progress_bar
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings

_ROUNDS = 3
"""What is on its way while the rest is erased is taken in the next round."""


@command()
@click.argument("owner", required=False)
@click.option("--task", "task_id", type=click.UUID, help="With --verify: of this task alone.")
@click.option("--verify", is_flag=True, help="Erase nothing; tell what is there. Exit 1 if any is.")
@click.option("--cancel", is_flag=True, help="Cancel tasks that have not ended, and go on.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--per-second",
    type=click.FloatRange(0, min_open=True),
    default=50.0,
    show_default=True,
    help="At most so many tasks, so that others' go on.",
)
@pass_invocation
@click.pass_context
def erase(
    ctx: click.Context,
    invocation: Invocation,
    owner: str | None,
    task_id: object,
    verify: bool,
    cancel: bool,
    yes: bool,
    per_second: float,
) -> None:
    """Erase everything of OWNER: tasks, uploads, artifacts, from log, rows and store.

    May be broken off, and run again. At the end it looks everywhere whether anything is left, as
    --verify does. One task is erased by its owner: DELETE /tasks/ID.
    """
    if (owner is None) == (task_id is None):
        raise click.UsageError("Give an OWNER, or --task ID with --verify.")
    erased = 0
    if owner is None:
        if not verify:
            raise click.UsageError(
                "--task goes with --verify. Its owner erases a task: DELETE /tasks/ID."
            )
        before = left = run(_look(Sought(None, str(task_id))))
    elif verify:
        before = left = run(_look(Sought(owner)))
    else:
        before = run(_look(Sought(owner)))
        if not before.nothing:
            _may_go_on(owner, before, cancel=cancel, yes=yes)
        left, erased = run(_erase(owner, before, cancel=cancel, per_second=per_second))
    known = bool(before.erased) or not before.nothing
    _say(invocation, owner or f"task {task_id}", left, erased, known=known)
    if not left.nothing:
        ctx.exit(FOUND_SOMETHING)


def _may_go_on(owner: str, found: Remains, *, cancel: bool, yes: bool) -> None:
    _refuse_running(owner, found, cancel=cancel)
    if yes:
        return
    for line in found.lines():
        click.echo(line, err=True)
    click.confirm(
        f"Erase these {len(found.tasks):,} tasks and {len(found.files):,} files of {owner}? "
        "Nothing brings them back",
        abort=True,
        err=True,
    )


def _refuse_running(owner: str, found: Remains, *, cancel: bool) -> None:
    if found.running and not cancel:
        raise Refused(
            f"{len(found.running):,} tasks of {owner} have not ended. Wait for them, or cancel "
            "them with --cancel."
        )


async def _look(sought: Sought) -> Remains:
    async with erasing.plane(load_settings()) as plane:
        return await _looked(plane, sought)


async def _looked(plane: Plane, sought: Sought) -> Remains:
    with progress_bar("reading the log") as tell:
        return await erasing.look(plane, sought, tell)


async def _erase(
    owner: str, found: Remains, *, cancel: bool, per_second: float
) -> tuple[Remains, int]:
    erased: set[str] = set()
    async with erasing.plane(load_settings()) as plane:
        for _ in range(_ROUNDS):
            if found.nothing:
                break
            _refuse_running(owner, found, cancel=cancel)
            with progress_bar("erasing", "tasks") as tell:
                await erasing.erase(plane, owner, found, per_s=per_second, tell=tell)
            erased |= found.tasks
            found = await _looked(plane, Sought(owner))
    return found, len(erased)


def _say(invocation: Invocation, whose: str, left: Remains, erased: int, *, known: bool) -> None:
    if invocation.as_json:
        invocation.print_json({"of": whose, "erased_now": erased, **left.as_json()})
        return
    if erased:
        click.echo(f"Erased {erased:,} tasks.")
    if not known:
        click.echo(
            f"There is nothing of {whose} here, not even an erased task: check how it is written."
        )
        return
    if left.nothing:
        click.echo(
            f"Nothing is left of {whose}, but for {len(left.erased):,} erased tasks: "
            "the id, type and owner of each, and when it was erased."
        )
        return
    click.echo(f"Left of {whose}:")
    for line in left.lines():
        click.echo(f"  {line}")
