"""Which programs of ours make up the system, and what each is told."""

import sys
from dataclasses import dataclass

LOG_IS_LOST = "LOST "
"""How the line begins with which the set-up says that there is no log, and the rest is as it
should be."""


@dataclass(frozen=True)
class Service:
    """A program that is kept running."""

    name: str
    command: tuple[str, ...]
    has_health_port: bool = True


@dataclass(frozen=True)
class Programs:
    """What prepares the servers, once, and the services, which stop in the order given."""

    setup: tuple[str, ...]
    services: tuple[Service, ...]


def _module(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", *words)


DARKROOM = Programs(
    setup=_module("darkroom", "setup", "--beside-lost-log"),
    services=(
        Service("gateway", _module("gateway"), has_health_port=False),
        Service("reaper", _module("reaper")),
        Service("generator", _module("generator")),
        Service("task-store", _module("task_store")),
    ),
)
