"""``darkroom bench``: the measurements of a source checkout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from darkroom.cli.failures import Refused
from darkroom.cli.invocation import Invocation, command, pass_invocation

_CHECKOUT = Path(__file__).resolve().parents[4]


@command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@pass_invocation
@click.pass_context
def bench(ctx: click.Context, invocation: Invocation, arguments: tuple[str, ...]) -> None:
    """Measure how fast it is here; ARGUMENTS go to bench/run.py of the source checkout."""
    script = _CHECKOUT / "bench" / "run.py"
    if not script.is_file():
        raise Refused(
            "The benchmarks are part of the source checkout: clone it, `make setup`, `make bench`."
        )
    told = [*arguments, "--json"] if invocation.as_json else list(arguments)
    ctx.exit(subprocess.run([sys.executable, str(script), *told], check=False).returncode)
