"""Jobs as the generator makes them: with a store, and a door at which services call back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from generator.provider import Callback, Job, Output, Progress, Provider, Submitted


class Shelf:
    """The store for intermediate files."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def of(self, job: Job) -> Job:
        """The same job, with this store."""

        async def save(content: bytes, content_type: str) -> str:
            ending = content_type.rpartition("/")[2]
            key = f"artifacts/{'0' * 20}/{job.task_id}/part-{len(self.kept):08x}.{ending}"
            self.kept[key] = content
            return key

        async def fetch(key: str) -> bytes:
            if key in self.kept:
                return self.kept[key]
            return await job.fetch(key)

        return replace(job, save=save, fetch=fetch)


class Door:
    """Where a service calls back; ``waits`` are the pauses that were asked for."""

    def __init__(self, url: str = "http://127.0.0.1:9/hooks/service/1") -> None:
        self.url = url
        self.calls: asyncio.Queue[Callback] = asyncio.Queue()
        self.waits: list[float] = []

    def tell(self, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.calls.put_nowait(Callback(dict(headers or {}), body))

    async def called_back(self, timeout_s: float) -> Callback | None:
        self.waits.append(timeout_s)
        try:
            return await asyncio.wait_for(self.calls.get(), timeout_s)
        except TimeoutError:
            return None

    def of(self, job: Job) -> Job:
        """The same job, which hears of calls."""
        return replace(job, callback_url=self.url, called_back=self.called_back)


async def run(provider: Provider, job: Job, submitted: Submitted) -> list[Progress | Output]:
    """Everything that following yields."""
    return [each async for each in provider.follow(job, submitted)]


def outputs(told: list[Progress | Output]) -> list[Output]:
    return [each for each in told if isinstance(each, Output)]


def percents(told: list[Progress | Output]) -> list[int]:
    return [each.percent for each in told if isinstance(each, Progress)]


def handles(told: list[Progress | Output]) -> list[Mapping[str, Any]]:
    """The handles that were told, in order."""
    return [each.handle for each in told if isinstance(each, Progress) and each.handle is not None]
