"""``darkroom doctor``: what is wrong, and the mend."""

from __future__ import annotations

import click
from rich.text import Text

from darkroom.cli.checks import examine
from darkroom.cli.failures import FOUND_SOMETHING
from darkroom.cli.findings import Finding
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.screen import console, plain
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings

_MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}


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
            screen.print(_line(each), soft_wrap=True)
    if any(each.ok is False for each in findings):
        ctx.exit(FOUND_SOMETHING)


def _line(finding: Finding) -> Text:
    mark, colour = _MARKS[finding.ok]
    line = Text()
    line.append(f"{mark} ", style=colour)
    line.append(f"{finding.name:<12} {plain(finding.detail)}")
    if finding.mend:
        line.append(f"\n  {'':<12} → {plain(finding.mend)}", style="bold")
    return line
