"""Fakes of services, each served for one test, and the providers that call them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fakes.comfyui import FakeComfyUI
from fakes.serving import served
from generator.vendors.comfyui.provider import ComfyUIProvider
from integration.vendors.comfyui_served import a_provider


@pytest.fixture
def comfyui_fake() -> FakeComfyUI:
    return FakeComfyUI()


@pytest.fixture
async def comfyui_url(comfyui_fake: FakeComfyUI) -> AsyncIterator[str]:
    async with served(comfyui_fake.app()) as address:
        yield address


@pytest.fixture
async def comfyui(comfyui_url: str) -> AsyncIterator[ComfyUIProvider]:
    provider = a_provider(comfyui_url)
    yield provider
    await provider.aclose()
