"""A fake in a process of its own, as services are: whatever is killed here, it goes on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from darkroom.stack.ports import free_port
from servers import eventually

_TESTS = Path(__file__).parents[1]


@dataclass(frozen=True)
class Apart:
    url: str
    http: httpx2.AsyncClient
    process: asyncio.subprocess.Process

    async def set(self, **knobs: Any) -> None:
        """Have it behave like this from now on."""
        (await self.http.post("/_fake/knobs", json=knobs)).raise_for_status()

    async def calls(self) -> list[dict[str, Any]]:
        """What was called, in order."""
        told: list[dict[str, Any]] = (await self.http.get("/_fake/calls")).json()
        return told

    async def is_up(self) -> bool:
        assert self.process.returncode is None, f"it ended with {self.process.returncode}"
        try:
            return (await self.http.get("/_fake/calls")).is_success
        except httpx2.HTTPError:
            return False


@asynccontextmanager
async def apart(name: str, **knobs: Any) -> AsyncIterator[Apart]:
    """The fake of this name, up."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"fakes.{name}", "--port", str(port)),
        env={**os.environ, "PYTHONPATH": str(_TESTS)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
            fake = Apart(url, http, process)
            await eventually(fake.is_up, 60, f"{name} is not up")
            await fake.set(**knobs)
            yield fake
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
