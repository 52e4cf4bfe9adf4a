"""``darkroom up`` and the single services."""

from __future__ import annotations

import os
import runpy
import sys

import click

from darkroom.cli.invocation import command


@command()
@click.pass_context
def up(ctx: click.Context) -> None:
    """Run the whole system until Ctrl-C.

    Embedded NATS and Postgres servers, the gateway, a generator, the task-store and the reaper,
    each in a process of its own; what dies is restarted. Data lies in DARKROOM_DATA_DIR.
    """
    from darkroom.stack.supervisor import main

    ctx.exit(main())


@command()
def gateway() -> None:
    """Run the gateway alone, in this process."""
    _become("gateway")


@command()
def generator() -> None:
    """Run one generator, in this process."""
    _become("generator")


@command()
def task_store() -> None:
    """Run one task-store, in this process."""
    _become("task_store")


@command()
def reaper() -> None:
    """Run one reaper, in this process."""
    _become("reaper")


def _become(module: str) -> None:
    """Run the service as ``python -m`` would, on the servers that this data directory knows."""
    from pydantic import ValidationError

    from darkroom.cli.settings import server_addresses, unusable

    known = server_addresses()
    os.environ.setdefault("DARKROOM_NATS_URL", known.nats_url)
    os.environ.setdefault("DARKROOM_DATABASE_URL", known.database_url)
    sys.argv[:] = [f"darkroom {module}"]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except ValidationError as error:
        raise unusable(error) from None
