"""Cog's own server as a fixture would have it, with the model of cog_model.py."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2

from darkroom.stack.ports import free_port
from servers import eventually

_MODEL = Path(__file__).with_name("cog_model.py")


def schema(*, streams: bool) -> dict[str, Any]:
    """What ``cog build`` would write of the model."""
    fields = {
        "prompt": {"type": "string"},
        "steps": {"type": "integer"},
        "seconds": {"type": "number"},
        "width": {"type": "integer", "minimum": 1},
        "failure": {"type": "string"},
        "until": {"type": "string"},
        "image": {"type": "string", "format": "uri"},
    }
    if streams:
        fields["num_outputs"] = {"type": "integer", "minimum": 1}
    return {
        "openapi": "3.0.2",
        "info": {"title": "Cog", "version": "0.1.0"},
        "paths": {"/predictions": {"post": {"x-cog-streaming": True} if streams else {}}},
        "components": {
            "schemas": {
                "Input": {"type": "object", "required": ["prompt"], "properties": fields},
                "Output": {"type": "string", "format": "uri"},
            }
        },
    }


@asynccontextmanager
async def cog_server(folder: Path, *, streams: bool, slots: int) -> AsyncIterator[str]:
    """A server ready to predict; its address."""
    shutil.copy(_MODEL, folder / "predict.py")
    (folder / ".cog").mkdir()
    (folder / ".cog" / "openapi_schema.json").write_text(json.dumps(schema(streams=streams)))
    port = free_port()
    log = folder / "cog.log"
    # Its worker is "python", whichever comes first on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ,
        "PATH": path,
        "PORT": str(port),
        "COG_PREDICT_TYPE_STUB": f"predict.py:{'Streaming' if streams else 'Blocking'}",
        "COG_MAX_CONCURRENCY": str(slots),
    }
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        async with httpx2.AsyncClient(base_url=url) as client:

            async def ready() -> bool:
                assert process.returncode is None, log.read_text()
                try:
                    health = await client.get("/health-check")
                except httpx2.TransportError:
                    return False
                return bool(health.json()["status"] == "READY")

            await eventually(ready, 60, f"Cog's server is not ready: see {log}")
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
