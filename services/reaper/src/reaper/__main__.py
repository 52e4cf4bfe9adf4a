"""``python -m reaper``"""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import uvloop

from delivery.loops import until_stopped
from reaper.app import create_app
from reaper.settings import Settings
from telemetry.logs import configure_logs


async def _run(settings: Settings) -> None:
    await until_stopped(create_app(settings).run())


def main() -> None:
    settings = Settings()
    configure_logs("reaper", level=settings.log_level)
    gc.freeze()
    gc.enable()
    uvloop.run(_run(settings))


if __name__ == "__main__":
    main()
