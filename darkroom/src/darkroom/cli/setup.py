"""``darkroom setup``: make broker and database what this version needs."""

from __future__ import annotations

import click

from darkroom.cli import provisioning
from darkroom.cli.failures import FOUND_SOMETHING
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings, server_addresses
from darkroom.stack.programs import LOG_IS_LOST


@command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if anything differs.")
@click.option("--beside-lost-log", is_flag=True, hidden=True)
@pass_invocation
@click.pass_context
def setup(ctx: click.Context, invocation: Invocation, check: bool, beside_lost_log: bool) -> None:
    """Create or check streams, consumers and schema.

    Safe to repeat, and to run beside a working system: what is as it should be is left alone.
    """
    settings = load_settings()
    try:
        found = run(provisioning.reconcile(settings, server_addresses(settings), mend=not check))
    except provisioning.LogLost as lost:
        if not beside_lost_log:
            raise
        # The services come up: they say that there is no log, and go on once it is back.
        click.echo(f"{LOG_IS_LOST}{lost.message}")
        return
    if invocation.as_json:
        invocation.print_json([{"what": each, "mended": not check} for each in found])
    elif not found:
        click.echo("Streams, consumers and schema are as they should be.")
    else:
        for each in found:
            click.echo(each)
    if check and found:
        if not invocation.as_json:
            click.echo("Run `darkroom setup` to mend this.", err=True)
        ctx.exit(FOUND_SOMETHING)
