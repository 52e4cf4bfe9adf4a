"""``darkroom providers``: who serves what and how well, and whether the configured ones answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import click
from pydantic import ValidationError
from rich import box
from rich.table import Table
from rich.text import Text

from contracts import variables
from darkroom.cli.failures import FOUND_SOMETHING
from darkroom.cli.gateway import Gateway
from darkroom.cli.invocation import Invocation, group, pass_invocation
from darkroom.cli.screen import console, finding_line, plain
from darkroom.cli.servers import run
from darkroom.cli.settings import unusable
from generator.catalogue import Maker, makers
from generator.provider import (
    Checks,
    Execution,
    NotConfigured,
    Provider,
    Rejected,
    Unavailable,
)
from generator.settings import Settings as GeneratorSettings
from telemetry.findings import Finding

_PATIENCE_S = 15.0
_LEFT_OUT = "params_schema"
_BREAKERS = {"closed": "green", "half_open": "yellow", "open": "red"}


@group()
def providers() -> None:
    """Look at the providers: who serves what, and whether they answer."""


@providers.command("list")
@pass_invocation
def list_(invocation: Invocation) -> None:
    """What each provider serves, as the gateway knows it, and how well."""
    with Gateway(invocation) as gateway:
        types = gateway.get("/generation-types")["types"]
    rows = [
        {"type": kind["type"], **{key: told[key] for key in told if key != _LEFT_OUT}}
        for kind in types
        for told in kind["providers"]
    ]
    if invocation.as_json:
        invocation.print_json(rows)
    elif rows:
        console().print(_table(rows))
    else:
        click.echo("No providers. A generator announces them: darkroom generator", err=True)


@providers.command()
@click.argument("name", required=False)
@pass_invocation
@click.pass_context
def check(ctx: click.Context, invocation: Invocation, name: str | None) -> None:
    """Whether the providers configured in this environment answer; exit 1 if one doesn't.

    Nothing is asked that costs money. A ? marks what can't be known, or isn't configured.
    """
    findings = run(_examined(name))
    if invocation.as_json:
        invocation.print_json([each.as_json() for each in findings])
    else:
        for each in findings:
            console().print(finding_line(each), soft_wrap=True)
    if any(each.ok is False for each in findings):
        ctx.exit(FOUND_SOMETHING)


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("type", "provider", "runs", "healthy", "breaker"):
        table.add_column(column)
    for column in ("tasks", "success", "p50", "p95"):
        table.add_column(column, justify="right")
    for row in rows:
        state = row["breaker"]["state"]
        table.add_row(
            plain(row["type"]),
            plain(row["name"]),
            row["execution"],
            Text("yes", style="green") if row["healthy"] else Text("no", style="red"),
            Text(state.replace("_", " "), style=_BREAKERS.get(state, "")),
            str(row["finished"]),
            "" if row["success_rate"] is None else f"{row['success_rate']:.1%}",
            _seconds(row["p50_s"]),
            _seconds(row["p95_s"]),
        )
    return table


def _seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} s"


async def _examined(wanted: str | None) -> list[Finding]:
    """What there is to say of each provider, or of the one that is asked for."""
    try:
        settings = GeneratorSettings()
    except ValidationError as error:
        raise unusable(error) from None
    sources = makers(settings.providers, settings.extra_providers)
    findings = await asyncio.gather(*(_of(source, load) for source, load in sources))
    if wanted is None:
        return findings
    found = [each for each in findings if each.name == wanted.lower()]
    if not found:
        known = ", ".join(each.name for each in findings)
        raise click.UsageError(f"There is no provider {wanted} here. There are: {known}.")
    if found[0].ok is None and found[0].mend:
        # Whoever names it expects it to be there.
        return [Finding(found[0].name, ok=False, detail=found[0].detail, mend=found[0].mend)]
    return found


async def _of(source: str, load: Callable[[], Maker]) -> Finding:
    name = source
    try:
        maker = load()
        name = getattr(maker, "name", source)
        provider = maker()
    except NotConfigured as missing:
        return Finding(name, ok=None, detail="is not configured", mend=missing.message)
    except ValidationError as error:
        return Finding(name, ok=False, detail=variables.unusable(error))
    except Exception as error:  # noqa: BLE001 - whatever a plug-in raises
        return Finding(name, ok=False, detail=f"can't be loaded: {error!r}")
    try:
        return await _asked(provider)
    finally:
        await provider.aclose()


async def _asked(provider: Provider) -> Finding:
    name = provider.name
    if not isinstance(provider, Checks):
        if provider.execution is Execution.LOCAL:
            return Finding(name, ok=True, detail="computes here")
        return Finding(
            name,
            ok=None,
            detail="is configured; nothing can be asked of it that costs nothing",
        )
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return Finding(name, ok=True, detail=await provider.check())
    except (Unavailable, Rejected) as trouble:
        return Finding(name, ok=False, detail=trouble.message)
    except TimeoutError:
        return Finding(name, ok=False, detail=f"did not answer within {_PATIENCE_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a provider raises, of whatever answered
        return Finding(
            name,
            ok=False,
            detail=f"answers in a way that is not understood ({type(error).__name__})",
            mend="is its address that of the service?",
        )
