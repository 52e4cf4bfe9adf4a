"""Fakes of services, each served for one test, and the providers that call them.

A module of one service has its fake in the fixture ``fake``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fakes.comfyui import FakeComfyUI
from fakes.serving import Fake, served
from generator.vendors.comfyui.provider import ComfyUIProvider
from generator.vendors.kie import KieProvider
from integration.vendors import comfyui_served, kie_served


@pytest.fixture
async def url(fake: Fake) -> AsyncIterator[str]:
    """Where the fake of the module is served."""
    async with served(fake.app()) as address:
        yield address


@pytest.fixture
async def kie(url: str) -> AsyncIterator[KieProvider]:
    provider = kie_served.a_provider(url)
    yield provider
    await provider.aclose()


@pytest.fixture
def comfyui_fake() -> FakeComfyUI:
    return FakeComfyUI()


@pytest.fixture
async def comfyui_url(comfyui_fake: FakeComfyUI) -> AsyncIterator[str]:
    async with served(comfyui_fake.app()) as address:
        yield address


@pytest.fixture
async def comfyui(comfyui_url: str) -> AsyncIterator[ComfyUIProvider]:
    provider = comfyui_served.a_provider(comfyui_url)
    yield provider
    await provider.aclose()
