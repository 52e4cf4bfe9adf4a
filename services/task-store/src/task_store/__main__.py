"""``python -m task_store``"""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import uvloop

from delivery.loops import until_stopped
from task_store.app import create_app
from task_store.settings import Settings
from telemetry.logs import configure_logs


async def _run(settings: Settings) -> None:
    await until_stopped(create_app(settings).run())


def main() -> None:
    settings = Settings()
    configure_logs("task-store", level=settings.log_level)
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    gc.enable()
    uvloop.run(_run(settings))


if __name__ == "__main__":
    main()
