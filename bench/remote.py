"""A provider whose work is done elsewhere, for measuring what handing it over and waiting cost.

DARKROOM_EXTRA_PROVIDERS=remote:RemoteProvider PYTHONPATH=bench BENCH_SERVICE_URL=…

It calls its service as the real ones do: over HTTP, with their pauses between two polls. The
service is `measuring.service`.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import ClassVar

from generator.provider import Execution, Job, NotConfigured, Offer, Output, Progress, Submitted
from generator.vendors.http import Service
from generator.vendors.polling import pauses

SERVICE_URL = "BENCH_SERVICE_URL"


class RemoteProvider:
    """Serves ``CREATE`` without a result. ``own_s`` in the parameters: how long the service takes;
    without it, until it is told to end."""

    name = "remote"
    execution = Execution.REMOTE
    offers: ClassVar = {
        "CREATE": Offer({"type": "object"}, "Nothing at all, elsewhere", timeout_s=3600)
    }

    def __init__(self) -> None:
        if SERVICE_URL not in os.environ:
            raise NotConfigured(f"Set {SERVICE_URL}.")
        self._service = Service("The service", os.environ[SERVICE_URL])

    async def submit(self, job: Job, key: str) -> Submitted:
        asked = {"own_s": job.params.get("own_s"), "callback": job.callback_url}
        told = (await self._service.submit("POST", "/jobs", json=asked)).json()
        return Submitted(told["id"], {"id": told["id"]})

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        for pause in pauses():
            told = await self._service.ask("GET", f"/jobs/{submitted.handle['id']}")
            if told.json()["done"]:
                break
            yield Progress(0)
            await job.called_back(pause)
        for each in ():
            yield each

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return True

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """The service has no call for it."""

    async def aclose(self) -> None:
        await self._service.aclose()
