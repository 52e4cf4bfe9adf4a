"""The provider `comfyui`, and jobs of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from darkroom.testing import a_job
from generator.provider import Job, Output, Progress, Submitted
from generator.vendors.comfyui.provider import ComfyUIProvider, ComfyUISettings
from integration.vendors.following import run

PAUSE_S = 0.01


def a_picture(**params: Any) -> Job:
    return a_job("CREATE", prompt="a red bicycle", params=params)


def a_provider(url: str, templates: Path | None = None) -> ComfyUIProvider:
    settings = ComfyUISettings(comfyui_url=SecretStr(url), comfyui_templates=templates)
    return ComfyUIProvider(settings, pause_s=PAUSE_S)


async def submitted(provider: ComfyUIProvider, job: Job) -> Submitted:
    return await provider.submit(job, f"{job.task_id}:1")


async def made(provider: ComfyUIProvider, job: Job) -> list[Progress | Output]:
    return await run(provider, job, await submitted(provider, job))
