"""A model without weights for Cog's own server: it paints a gradient, in steps that it prints.

Before the end it waits ``until`` there is a file of that name, if it is told one. The server
imports this file by itself, in a folder of its own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path as Folder
from tempfile import mkdtemp
from typing import Any

import cog
from PIL import Image


def _painted(width: int, number: int) -> cog.Path:
    file = Folder(mkdtemp()) / f"{number}.png"
    Image.linear_gradient("L").resize((width, 32)).save(file)
    return cog.Path(file)


def _fail(message: str | None) -> None:
    if message is not None:
        raise ValueError(message)


def _may_end(until: str | None) -> bool:
    return until is None or Folder(until).exists()


class Streaming(cog.BasePredictor):
    @cog.concurrent(max=8)
    @cog.streaming
    async def predict(self, prompt: str, **told: Any) -> AsyncIterator[cog.Path]:
        steps = told.get("steps", 5)
        for step in range(steps):
            await asyncio.sleep(told.get("seconds", 0.2) / steps)
            print(f"{100 * (step + 1) // steps:3d}%|##  | {step + 1}/{steps}", flush=True)
        while not _may_end(told.get("until")):  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.01)
        _fail(told.get("failure"))
        for number in range(told.get("num_outputs", 1)):
            yield _painted(told.get("width", 48), number)


class Blocking(cog.BasePredictor):
    def predict(self, prompt: str, **told: Any) -> cog.Path:
        steps = told.get("steps", 5)
        for step in range(steps):
            time.sleep(told.get("seconds", 0.2) / steps)
            print(f"{100 * (step + 1) // steps:3d}%|##  | {step + 1}/{steps}", flush=True)
        while not _may_end(told.get("until")):
            time.sleep(0.01)
        _fail(told.get("failure"))
        return _painted(told.get("width", 48), 0)
