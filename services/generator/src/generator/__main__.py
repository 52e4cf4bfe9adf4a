"""``python -m generator``"""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import sys

import uvloop
from pydantic import ValidationError

from artifacts.store import StoreUnavailable
from contracts.exits import UNUSABLE_SETTINGS
from contracts.variables import unusable
from delivery.connection import ServerTooOld
from generator.app import create_generator
from generator.settings import Settings
from telemetry.logs import configure_logs, get_logger
from telemetry.tracing import traced

_log = get_logger(__name__)


async def _run(settings: Settings) -> int:
    generator = create_generator(settings)
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    gc.enable()
    return await generator.run()


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        print(f"generator: {unusable(error)}", file=sys.stderr)
        return UNUSABLE_SETTINGS
    configure_logs("generator", level=settings.log_level)
    try:
        with traced("generator"):
            return uvloop.run(_run(settings))
    except (StoreUnavailable, ValueError) as mistake:
        print(f"generator: {mistake}", file=sys.stderr)
        return UNUSABLE_SETTINGS
    except ServerTooOld as mistake:
        _log.error("the generator can't start", reason=str(mistake))
        return 1


if __name__ == "__main__":
    sys.exit(main())
