"""``darkroom doctor``: what is wrong, and the mend."""

from __future__ import annotations

import click

from darkroom.cli.checks import examine
from darkroom.cli.failures import FOUND_SOMETHING
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.screen import console, finding_line
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings


@command()
@pass_invocation
@click.pass_context
def doctor(ctx: click.Context, invocation: Invocation) -> None:
    """Tell what is wrong, and the mend; exit 1 if anything is.

    A ? marks what can't be known from here.
    """
    findings = run(examine(invocation.url, load_settings()))
    if invocation.as_json:
        invocation.print_json([each.as_json() for each in findings])
    else:
        screen = console()
        for each in findings:
            screen.print(finding_line(each), soft_wrap=True)
    if any(each.ok is False for each in findings):
        ctx.exit(FOUND_SOMETHING)
