"""The contract suite that every provider runs against, over ours."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from darkroom.testing import ProviderContract, RemoteProviderContract, a_job
from generator.provider import Job, Provider, Submitted
from generator.studio.provider import StudioProvider
from integration.generator.scripted_provider import (
    ScriptedKeyed,
    ScriptedProvider,
    ScriptedRemote,
)


class TestStudioProvider(ProviderContract):
    patience_s = 180.0
    """What is made here is made as fast as the machine is, which may be busy."""

    def provider(self) -> Provider:
        return StudioProvider(workers=2)

    def jobs(self) -> Sequence[Job]:
        small = {"width": 64, "height": 64}
        photo = {"photo": _photo()}
        return [
            a_job("CREATE", prompt="a red bicycle at dusk", params=small),
            a_job("WHITE_BACKGROUND", references=photo),
            a_job("CLOTHING_CHANGE", prompt="a green coat", references=photo),
            a_job("PHOTO_TO_3D", references=photo),
            a_job("IMAGE", prompt="a boat at dawn", params={**small, "num_images": "2"}),
            a_job("VIDEO", prompt="a boat at dawn", params={"seconds": 1}),
        ]

    def rejected_jobs(self) -> Sequence[Job]:
        return [
            a_job("CREATE", prompt="a cat", params={"simulate": {"fail": "No cats."}}),
            a_job("PHOTO_TO_3D"),
            a_job("PHOTO_TO_3D", references={"photo": b"no photo"}),
        ]


class _Scripted:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def jobs(self) -> Sequence[Job]:
        return [a_job("CREATE", prompt="a red bicycle", params={"steps": [10, 90], "outputs": 2})]

    def rejected_jobs(self) -> Sequence[Job]:
        return [a_job("CREATE", prompt="a red bicycle", params={"reject": "Not in this house."})]


class TestScriptedProvider(_Scripted, ProviderContract):
    def provider(self) -> Provider:
        return ScriptedProvider(self.folder)


class TestScriptedRemote(_Scripted, RemoteProviderContract):
    def provider(self) -> Provider:
        return ScriptedRemote(self.folder)

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted("job-0", {"file": "job-0"})]


class TestScriptedKeyed(_Scripted, RemoteProviderContract):
    def provider(self) -> Provider:
        return ScriptedKeyed(self.folder)

    def unknown_jobs(self) -> Sequence[Submitted]:
        return [Submitted("job-0", {"file": "job-0"})]


def _photo() -> bytes:
    picture = Image.new("RGB", (96, 96), "white")
    picture.paste((200, 30, 30), (30, 20, 66, 90))
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()
