"""``python -m task_store``"""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import sys

import uvloop
from pydantic import ValidationError

from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.exits import UNUSABLE_SETTINGS
from contracts.variables import unusable
from delivery.loops import until_stopped
from task_store.app import create_app
from task_store.settings import Settings
from telemetry.logs import configure_logs
from telemetry.tracing import traced


async def _run(settings: Settings, files: ArtifactStore) -> None:
    await until_stopped(create_app(settings, files).run())


def main() -> int:
    try:
        settings = Settings()
    except ValidationError as error:
        print(f"task-store: {unusable(error)}", file=sys.stderr)
        return UNUSABLE_SETTINGS
    try:
        files = ArtifactStore.open(settings.store_url)
    except (StoreUnavailable, ValueError) as mistake:
        print(f"task-store: {mistake}", file=sys.stderr)
        return UNUSABLE_SETTINGS
    configure_logs("task-store", level=settings.log_level)
    gc.freeze()
    gc.set_threshold(20_000, 50, 50)
    gc.enable()
    with traced("task-store"):
        uvloop.run(_run(settings, files))
    return 0


if __name__ == "__main__":
    sys.exit(main())
