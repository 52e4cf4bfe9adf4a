"""``darkroom setup``: make broker and database what this version needs, and subscribers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from darkroom.cli import provisioning, subscribers
from darkroom.cli.failures import FOUND_SOMETHING, Refused
from darkroom.cli.invocation import Invocation, command, pass_invocation
from darkroom.cli.screen import console
from darkroom.cli.servers import run
from darkroom.cli.settings import load_settings, server_addresses
from darkroom.stack.programs import LOG_IS_LOST
from delivery.provision import Difference
from delivery.subscribers import Start, SubscriberSpec, Unsuitable, check_filter, check_name


class Checked(click.ParamType[str, str]):
    """A text that is looked at by a function which raises `Unsuitable`."""

    def __init__(self, name: str, check: Callable[[str], str]) -> None:
        self.name = name
        self._check = check

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return self._check(value)
        except Unsuitable as problem:
            self.fail(f"{problem}.", param, ctx)


class From(click.ParamType[Start, str]):
    """Where a subscriber begins."""

    name = "new|all|SEQUENCE|TIME"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> Start:
        return subscribers.start_of(value, datetime.now(UTC))


_NAME = Checked("NAME", check_name)


@command()
@click.option("--check", is_flag=True, help="Change nothing; exit 1 if anything differs.")
@click.option(
    "--contract",
    is_flag=True,
    help="Take away from the schema what only older versions used: once none runs any more.",
)
@click.option("--subscriber", type=_NAME, help="A durable consumer for a service of yours.")
@click.option(
    "--filter",
    "filters",
    multiple=True,
    type=Checked("SUBJECT", check_filter),
    help="Its events; may be repeated. A new one gets generation.>.",
)
@click.option("--from", "start", type=From(), help="Where a new one begins; new, if not said.")
@click.option(
    "--max-deliver", type=click.IntRange(1), help="Give it an event so often at most; 20 if new."
)
@click.option(
    "--ack-wait",
    "ack_wait_s",
    type=click.FloatRange(1),
    help="Seconds until what it has not acknowledged comes again; 30 if new.",
)
@click.option("--subscribers", "list_them", is_flag=True, help="List all subscribers.")
@click.option("--remove", type=_NAME, help="Remove a subscriber, with its place in the log.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--beside-lost-log", is_flag=True, hidden=True)
@pass_invocation
@click.pass_context
def setup(
    ctx: click.Context,
    invocation: Invocation,
    check: bool,
    contract: bool,
    subscriber: str | None,
    filters: tuple[str, ...],
    start: Start | None,
    max_deliver: int | None,
    ack_wait_s: float | None,
    list_them: bool,
    remove: str | None,
    yes: bool,
    beside_lost_log: bool,
) -> None:
    """Create or check streams, consumers and schema; or a subscriber.

    Safe to repeat, and to run beside a working system: what is as it should be is left alone. What
    is not said of a subscriber that exists stays as it is.
    """
    if sum((subscriber is not None, list_them, remove is not None)) > 1:
        raise click.UsageError("Give one of --subscriber, --subscribers and --remove.")
    if subscriber is None and (filters or start or max_deliver or ack_wait_s):
        raise click.UsageError(
            "--filter, --from, --max-deliver and --ack-wait go with --subscriber NAME."
        )
    if contract and (subscriber is not None or list_them or remove is not None):
        raise click.UsageError("--contract is for the schema: it goes with --check alone.")
    if list_them:
        _list(invocation)
    elif remove is not None:
        _remove(invocation, remove, yes=yes)
    elif subscriber is not None:
        spec = SubscriberSpec(
            name=subscriber,
            filters=filters or None,
            start=start,
            max_deliver=max_deliver,
            ack_wait=None if ack_wait_s is None else timedelta(seconds=ack_wait_s),
        )
        found = run(subscribers.ensure(server_addresses().nats_url, spec, mend=not check))
        fine = f"Subscriber {subscriber} is as it should be."
        _tell(ctx, invocation, _lines(found, mended=not check), fine, check=check)
    else:
        settings = load_settings()
        addresses = server_addresses(settings)
        try:
            lines = run(
                provisioning.reconcile(settings, addresses, mend=not check, contract=contract)
            )
        except provisioning.LogLost as lost:
            if not beside_lost_log:
                raise
            # The services come up: they say that there is no log, and go on once it is back.
            click.echo(f"{LOG_IS_LOST}{lost.message}")
            return
        fine = "Streams, consumers and schema are as they should be."
        if not contract:
            _tell_waiting(run(provisioning.contracting_steps(addresses)))
        _tell(ctx, invocation, lines, fine, check=check)


def _tell_waiting(steps: list[str]) -> None:
    if steps:
        click.echo(
            f"Steps of the schema that wait until no older version runs: {', '.join(steps)}. "
            "`darkroom setup --contract` takes them.",
            err=True,
        )


def _lines(found: list[Difference], *, mended: bool) -> list[str]:
    return [provisioning.done(each) if mended else str(each) for each in found]


def _tell(
    ctx: click.Context, invocation: Invocation, found: list[str], fine: str, *, check: bool
) -> None:
    if invocation.as_json:
        invocation.print_json([{"what": each, "mended": not check} for each in found])
    elif not found:
        click.echo(fine)
    else:
        for each in found:
            click.echo(each)
    if check and found:
        if not invocation.as_json:
            click.echo("Run `darkroom setup` to mend this.", err=True)
        ctx.exit(FOUND_SOMETHING)


def _list(invocation: Invocation) -> None:
    found = run(subscribers.every(server_addresses().nats_url))
    if invocation.as_json:
        invocation.print_json(subscribers.as_json(found))
    elif not found:
        click.echo("No subscribers. Make one: darkroom setup --subscriber NAME --filter SUBJECT")
    else:
        console().print(subscribers.table(found))


def _remove(invocation: Invocation, name: str, *, yes: bool) -> None:
    url = server_addresses().nats_url
    known = {each.name: each for each in run(subscribers.every(url))}
    if name not in known:
        there = ", ".join(known) or "none"
        raise Refused(f"There is no subscriber {name}. There are: {there}.")
    if not yes:
        click.confirm(
            f"Remove {name}? It loses its place (at {known[name].seen:,}, {known[name].behind:,} "
            "events behind)",
            abort=True,
            err=True,
        )
    run(subscribers.remove(url, name))
    if invocation.as_json:
        invocation.print_json([{"what": f"removed subscriber {name}", "mended": True}])
    else:
        click.echo(f"removed subscriber {name}")
