"""A generator at work on a real log: in this process, or in processes that can be killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import nats
import pytest

from artifacts.store import ArtifactStore
from contracts.subjects import StreamSpec
from delivery import provision
from delivery.connection import connection_options
from integration.generator.floor import Floor
from integration.generator.scripted_provider import Stage
from servers import Server

SPEC = StreamSpec(max_age=timedelta(days=1), max_bytes=1 << 30)


@pytest.fixture
async def floor(nats_server: Server, tmp_path: Path) -> AsyncIterator[Floor]:
    client = await nats.connect(nats_server.url, **connection_options("test"))
    await provision.ensure_stream(client, SPEC)
    made = Floor(
        url=nats_server.url,
        client=client,
        stage=Stage(tmp_path / "stage"),
        store=ArtifactStore.open((tmp_path / "artifacts").as_uri()),
        data_dir=tmp_path,
    )
    await made.open()
    yield made
    await made.close()
