"""``darkroom backup`` and ``darkroom restore``: a whole system into one place, and back."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from darkroom.cli import backing_up, bringing_back
from darkroom.cli.failures import FOUND_SOMETHING, Refused
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.screen import progress_bar
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings
from delivery.ordered import Interrupted

_OWNER_ALONE = 0o077
_SHOWN = 20


@contextmanager
def _broken_off(then: str) -> Iterator[None]:
    """What is said, and what to do ``then``, where it did not come to its end."""
    try:
        yield
    except Interrupted as problem:
        raise Refused(f"The log could not be read to its end ({problem.reason}). {then}") from None
    except KeyboardInterrupt:
        raise Refused(f"Interrupted. {then}") from None


@command()
@click.argument("where", metavar="DIRECTORY|s3://…")
@click.option("--verify", is_flag=True, help="Change nothing; compare the backup with its digests.")
@pass_invocation
@click.pass_context
def backup(ctx: click.Context, invocation: Invocation, where: str, verify: bool) -> None:
    """Copy all that a restore needs: events, tables that no log makes, artifacts.

    Nothing need be stopped. Repeated, it copies the artifacts that are new, and takes the place of
    the backup before once it is whole. Whoever can read the place can read everything.
    """
    if verify:
        _verify(ctx, invocation, where)
        return
    os.umask(_OWNER_ALONE)
    with _broken_off("Run it again; the backup before is as it was."):
        done = run(backing_up.back_up(load_settings(), where, progress_bar))
    if invocation.as_json:
        invocation.print_json(done.as_json())
        return
    click.echo(
        f"{where} has {done.events:,} events up to {done.sequence:,}, {done.rows:,} rows and "
        f"{done.objects:,} artifacts of {done.object_bytes:,} bytes, {done.copied:,} of them "
        f"copied now, in {done.seconds:.1f} s."
    )
    if done.left_out:
        click.echo(
            f"{done.left_out:,} objects have names that no artifact has: left out.", err=True
        )


def _verify(ctx: click.Context, invocation: Invocation, where: str) -> None:
    found = run(bringing_back.verify(where, progress_bar))
    if invocation.as_json:
        invocation.print_json(found.as_json())
    elif not found.wrong:
        click.echo(f"{where} is whole: {found.files:,} files and {found.objects:,} artifacts.")
    else:
        for each in found.wrong[:_SHOWN]:
            click.echo(each)
        click.echo(f"{len(found.wrong):,} are not as they were written.", err=True)
    if found.wrong:
        ctx.exit(FOUND_SOMETHING)


@command()
@click.argument("where", metavar="DIRECTORY|s3://…")
@pass_invocation
def restore(invocation: Invocation, where: str) -> None:
    """Bring a backup back into a system that has nothing, and compare it with its manifest.

    Tasks that ended stay as they were, those that had not go on; nothing is done or paid twice.
    Until it is done, new tasks are refused. Interrupted, the same command goes on.
    """
    with _broken_off("The same command goes on from there."):
        done = run(bringing_back.bring_back(load_settings(), where, progress_bar))
    if invocation.as_json:
        invocation.print_json(done.as_json())
        return
    click.echo(
        f"The backup of {done.made_at} is back, as its manifest says: {done.events:,} events, "
        f"{done.on_log:,} of them on the log at {done.first:,} to {done.last:,}, {done.rows:,} "
        f"rows and {done.objects:,} artifacts, in {done.seconds:.1f} s. Check the rows with "
        "`darkroom projection verify`."
    )
