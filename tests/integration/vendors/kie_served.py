"""The provider `kie`, and jobs of it."""

from __future__ import annotations

from pydantic import SecretStr

from darkroom.testing import a_job
from fakes.kie import KEY
from generator.provider import (
    Job,
)
from generator.vendors.kie import KieProvider, KieSettings

POLL_S = (0.001, 0.002)
SEED_PARAMS = {
    "service": "KIE",
    "model": "IMAGEN4",
    "apiModel": "google/imagen4-fast",
    "input": {"prompt": "A beautiful sunset", "aspect_ratio": "16:9", "num_images": "4"},
}
NANO = {"service": "KIE", "model": "MARKET", "apiModel": "google/nano-banana"}


def four_by_four() -> Job:
    """Four pictures of a model that makes one at a time."""
    return a_job("IMAGE", prompt="a red bicycle", params={**NANO, "num_images": 4})


def one() -> Job:
    return a_job("IMAGE", prompt="a red bicycle")


def a_provider(url: str, *, key: str = KEY, hold_s: float = 5) -> KieProvider:
    settings = KieSettings(
        kie_api_key=SecretStr(key), kie_url=url, kie_upload_url=url, kie_hold_s=hold_s
    )
    return KieProvider(settings, poll_s=POLL_S)
