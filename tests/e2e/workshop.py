"""Providers beside studio: one that waits for the test, and one that is down.

A model goes a stage further whenever the test lets it: once there is a file of the stage's name in
the folder that both know. DARKROOM_EXTRA_PROVIDERS=e2e.workshop:Workshop PYTHONPATH=tests
"""

from __future__ import annotations

import asyncio
import json
import os
import struct
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from generator.provider import Execution, Job, Offer, Output, Progress, Submitted, Unavailable

FOLDER = "WORKSHOP_FOLDER"
STAGES = ("bgr_removed", "job_created", "model_generated", "model_saved")
_POLL_S = 0.02
_SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


class Workshop:
    """Serves ``PHOTO_TO_3D`` step by step, and ``VIDEO`` at once."""

    name = "workshop"
    execution = Execution.INLINE
    offers: ClassVar = {
        "PHOTO_TO_3D": Offer(_SCHEMA, "A triangle for a photo"),
        "VIDEO": Offer(_SCHEMA, "A second that gets brighter"),
    }

    async def submit(self, job: Job, key: str) -> Submitted:
        raise AssertionError("nothing is submitted")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        if job.type == "VIDEO":
            yield Output(await asyncio.to_thread(_video), "video/webm", 320, 240)
            return
        for reference in job.reference_images:
            await job.fetch(reference)
        for done, stage in enumerate(STAGES, start=1):
            while not (Path(os.environ[FOLDER]) / stage).exists():
                yield Progress(20 * done - 10)
                await asyncio.sleep(_POLL_S)
            if stage != STAGES[-1]:
                yield Progress(20 * done, stage)
        yield Output(_model(), "model/gltf-binary")

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """There is nothing to stop."""

    async def aclose(self) -> None:
        """Nothing is open."""


class Ruin(Workshop):
    """Serves nobody, though it offers pictures."""

    name = "ruin"
    offers: ClassVar = {"CREATE": Offer(_SCHEMA, "What is left of it")}

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        yield Progress(0)
        raise Unavailable("Nobody is there.")


def _video() -> bytes:
    """A second of grey that gets brighter, as WebM."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.webm"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), 10, (320, 240))
        for frame in range(10):
            writer.write(np.full((240, 320, 3), 25 * frame, np.uint8))
        writer.release()
        return path.read_bytes()


def _model() -> bytes:
    """A triangle as binary glTF 2.0."""
    corners = struct.pack("<9f", 0, 0, 0, 1, 0, 0, 0, 1, 0)
    scene: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "buffers": [{"byteLength": len(corners)}],
        "bufferViews": [{"buffer": 0, "byteLength": len(corners)}],
        "accessors": [
            {
                "bufferView": 0,
                "componentType": 5126,
                "count": 3,
                "type": "VEC3",
                "min": [0, 0, 0],
                "max": [1, 1, 0],
            }
        ],
    }
    told = json.dumps(scene).encode()
    told += b" " * (-len(told) % 4)
    chunks = struct.pack("<I4s", len(told), b"JSON") + told
    chunks += struct.pack("<I4s", len(corners), b"BIN\0") + corners
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
