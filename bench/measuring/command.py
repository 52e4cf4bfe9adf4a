"""The command line: which parts, on which disk, and where the figures go."""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from measuring import (
    archive,
    end_to_end,
    idle,
    live,
    page,
    poll,
    projection,
    rebuild,
    remote,
    replay,
    submit,
)
from measuring.context import QUICK, Context, Sizes, remote_service
from measuring.figures import Figure, keep, show
from measuring.processes import fsync_us
from measuring.system import BENCH, System

PARTS: dict[str, Callable[[Context], list[Figure]]] = {
    "idle": idle.measure,
    "end-to-end": end_to_end.measure,
    "remote": remote.measure,
    "page": page.measure,
    "live": live.measure,
    "submit": submit.measure,
    "projection": projection.measure,
    "rebuild": rebuild.measure,
    "replay": replay.measure,
    "poll": poll.measure,
    "archive": archive.measure,
}
"""In this order: what leaves most behind comes last."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and tell; 0 unless something broke. A target that is missed is no error."""
    chosen = _parser().parse_args(arguments)
    if sys.platform != "linux":
        print("bench: it reads /proc and so needs Linux.", file=sys.stderr)
        return 2
    parts = chosen.only or list(PARTS)
    console = Console(width=max(100, Console().width), stderr=chosen.json)
    data_dir = Path(tempfile.mkdtemp(prefix="darkroom-bench-", dir=chosen.directory))
    # Postgres runs as another user, who must get there.
    data_dir.chmod(0o755)
    try:
        machine = _machine(data_dir)
        sizes = QUICK if chosen.quick else Sizes(archived_before=chosen.archived_before)
        figures = _measure(data_dir, parts, sizes, console)
    finally:
        shutil.rmtree(data_dir, ignore_errors=True)
    path = chosen.keep or BENCH / "results" / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    keep(path, machine, figures)
    if chosen.json:
        print(path.read_text(encoding="utf-8"), end="")
    else:
        show(console, machine, figures)
    console.print(f"kept in {path}", highlight=False)
    return 0


def _measure(data_dir: Path, parts: Sequence[str], sizes: Sizes, console: Console) -> list[Figure]:
    def say(line: str) -> None:
        console.print(f"[dim]{line} …[/]", highlight=False)

    figures: list[Figure] = []
    with remote_service() as service_url:
        system = System(data_dir, service_url)
        run = Context(system, sizes, say)
        try:
            say("starting the system")
            system.start()
            for name, measure in PARTS.items():
                if name in parts:
                    say(f"measuring {name}")
                    figures += measure(run)
        finally:
            system.stop()
    return figures


def _machine(data_dir: Path) -> dict[str, Any]:
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "fsync_us": fsync_us(data_dir),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bench/run.py", description="Measure how fast Darkroom is on this machine."
    )
    parser.add_argument(
        "--only", type=_parts, metavar="PART,…", help=f"some of: {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing"
    )
    parser.add_argument(
        "--archived-before",
        type=int,
        default=0,
        metavar="TASKS",
        help="so many tasks are in the archive already (about 1 GB for each million)",
    )
    parser.add_argument(
        "--directory",
        type=_directory,
        help="where the system keeps its data: the disk to measure on",
    )
    parser.add_argument("--json", action="store_true", help="print what is kept, not the table")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="where to keep the figures")
    return parser


def _directory(text: str) -> Path:
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"there is no directory {text!r}")
    return path


def _parts(text: str) -> list[str]:
    names = [each.strip() for each in text.split(",") if each.strip()]
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {name!r}; there are {', '.join(PARTS)}")
    return names
