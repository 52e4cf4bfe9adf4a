"""``darkroom up`` with toy services; run as a script by the tests of the supervisor.

``TOY_BROKEN`` names a program that fails at start, ``TOY_DEAF`` a service that ignores SIGTERM,
``TOY_WAITS`` a file that the set-up waits for.
"""

import os
import sys
from pathlib import Path

from darkroom.stack.programs import Programs, Service
from darkroom.stack.supervisor import main

SERVICE = str(Path(__file__).with_name("toy_service.py"))


def toy(name: str) -> tuple[str, ...]:
    if os.environ.get("TOY_BROKEN") == name:
        return (sys.executable, "-c", "import sys; sys.exit('the reason why')")
    return (sys.executable, "-I", "-S", SERVICE, name)


if __name__ == "__main__":
    sys.exit(
        main(
            programs=Programs(
                setup=toy("setup"),
                services=(
                    Service("gateway", toy("gateway"), has_health_port=False),
                    Service("reaper", toy("reaper")),
                    Service("generator", toy("generator")),
                    Service("task-store", toy("task-store")),
                ),
            )
        )
    )
