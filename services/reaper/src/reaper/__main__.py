"""``python -m reaper``"""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import sys

import uvloop
from pydantic import ValidationError

from contracts.exits import UNUSABLE_SETTINGS
from contracts.variables import unusable
from delivery.loops import until_stopped
from reaper.app import create_app
from reaper.settings import Settings
from telemetry.logs import configure_logs
from telemetry.tracing import traced


async def _run(settings: Settings) -> None:
    await until_stopped(create_app(settings).run())


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        print(f"reaper: {unusable(error)}", file=sys.stderr)
        return UNUSABLE_SETTINGS
    configure_logs("reaper", level=settings.log_level)
    gc.freeze()
    gc.enable()
    with traced("reaper"):
        uvloop.run(_run(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
