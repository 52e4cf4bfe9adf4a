"""What the system needs to do nothing, and how long it takes to come back."""

from __future__ import annotations

import time

from measuring.context import Context
from measuring.figures import Figure, at_most
from measuring.processes import difference

_PART = "idle"


def measure(run: Context) -> list[Figure]:
    run.system.stop()
    restart_s = run.system.start()
    tree = run.system.tree
    time.sleep(run.sizes.settle_s)
    before = tree.cpu_s()
    time.sleep(run.sizes.idle_s)
    used = difference(before, tree.cpu_s())
    memory = tree.pss_mb()
    return [
        Figure(
            _PART,
            "memory of all processes (PSS)",
            sum(memory.values()),
            "MB",
            target=at_most(600.0),
            details=dict(memory),
        ),
        Figure(
            _PART,
            "CPU",
            sum(used.values()) / run.sizes.idle_s * 100,
            "% of a core",
            target=at_most(3.0),
            details={f"{name} %": each / run.sizes.idle_s * 100 for name, each in used.items()},
        ),
        Figure(_PART, "second start, until ready", restart_s, "s", target=at_most(5.0)),
    ]
