"""Where the embedded servers of a running system listen: commands find them by its data."""

from dataclasses import dataclass
from pathlib import Path

from darkroom.stack.data_directory import DataDirectory
from darkroom.stack.files import read_text, write_atomically

SERVERS = ("nats", "nats-monitor", "postgres")


@dataclass(frozen=True)
class Addresses:
    """Of the servers that run; None for one that doesn't."""

    nats_url: str | None
    database_url: str | None
    nats_monitor_url: str | None


def discover(data_dir: Path) -> Addresses:
    """The addresses that ``darkroom up`` has recorded in its data directory."""
    run = DataDirectory(data_dir).run
    return Addresses(
        nats_url=read_text(run / "nats.url") or None,
        database_url=read_text(run / "postgres.url") or None,
        nats_monitor_url=read_text(run / "nats-monitor.url") or None,
    )


def record(directory: DataDirectory, server: str, url: str) -> None:
    """Leave the address of one of `SERVERS` for the owner of the directory to find."""
    write_atomically(directory.run / f"{server}.url", f"{url}\n", mode=0o600)


def forget(directory: DataDirectory) -> None:
    """The servers are gone."""
    for server in SERVERS:
        (directory.run / f"{server}.url").unlink(missing_ok=True)
