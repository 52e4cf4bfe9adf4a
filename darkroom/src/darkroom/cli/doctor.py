"""``darkroom doctor``: what is wrong, and the mend."""

from __future__ import annotations

import click

from darkroom.cli.checks import examine
from darkroom.cli.failures import FOUND_SOMETHING
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.mends import Fixed, mend
from darkroom.cli.screen import console, finding_line, fixed_line
from darkroom.cli.servers import run
from darkroom.cli.settings import CommandLineSettings, load_settings
from telemetry.findings import Finding


@command()
@click.option("--fix", is_flag=True, help="Mend what can be mended without a risk, and say what.")
@click.option("--quick", is_flag=True, help="Read neither all of the raw copy nor all files.")
@pass_invocation
@click.pass_context
def doctor(ctx: click.Context, invocation: Invocation, fix: bool, quick: bool) -> None:
    """Tell what is wrong, and the mend; exit 1 if anything is.

    A ? marks what can't be known from here. docs/doctor.md has each check and what --fix does.
    """
    findings, fixed = run(examined(invocation.url, load_settings(), fix=fix, quick=quick))
    if invocation.as_json:
        invocation.print_json(
            [each.as_json() | {"fixed": fixed.get(each.name, [])} for each in findings]
        )
    else:
        screen = console()
        for each in findings:
            screen.print(finding_line(each), soft_wrap=True)
            for line in fixed.get(each.name, []):
                screen.print(fixed_line(line), soft_wrap=True)
        if fix and not fixed:
            click.echo("Nothing to mend.")
    if any(each.ok is False for each in findings):
        ctx.exit(FOUND_SOMETHING)


async def examined(
    url: str, settings: CommandLineSettings, *, fix: bool, quick: bool
) -> tuple[list[Finding], Fixed]:
    """What is found, after the mends if there were any, and what these were."""
    findings = await examine(url, settings, quick=quick)
    wrong = {each.name for each in findings if each.ok is False}
    if not fix or not wrong:
        return findings, {}
    fixed = await mend(settings, wrong)
    return await examine(url, settings, quick=quick), fixed
