"""When the log's acknowledgement means that it is on disk, the server's monitoring tells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from darkroom.stack.nats import NatsServer
from darkroom.stack.ports import free_port
from darkroom.stack.processes import spawn
from delivery.durability import NOT_ASKED, Durability, durability, durability_of
from servers import Sync, eventually


@pytest.mark.parametrize(
    ("sync", "told"),
    [
        ("always", Durability(True, "on disk before it is acknowledged")),
        ("default", Durability(False, "acknowledged up to 120 s before it is on disk")),
    ],
)
async def test_a_server_tells_how_it_syncs(tmp_path: Path, sync: Sync, told: Durability) -> None:
    port = free_port()
    server = NatsServer(
        config=tmp_path / "nats.conf",
        store=tmp_path / "store",
        port=port,
        sync=sync,
        monitor_port=free_port(None, frozenset({port})),
    )
    child = await spawn(await server.spec(tmp_path / "nats.log", None, os.environ))
    try:
        await eventually(server.is_ready)

        assert await durability(server.monitor_url) == told
    finally:
        await child.kill()


async def test_what_nobody_tells_is_unknown() -> None:
    assert await durability(None) == NOT_ASKED
    for url in (f"http://127.0.0.1:{free_port()}", "nonsense", "http://[", "file:///dev/null"):
        found = await durability(url)

        assert found.on_disk is None
        assert "does not answer" in found.detail


@pytest.mark.parametrize(
    "varz",
    [
        {},
        [],
        None,
        {"jetstream": {}},
        {"jetstream": {"config": None}},
        {"jetstream": {"config": {}}},
    ],
)
def test_a_server_that_does_not_say_is_not_guessed_about(varz: Any) -> None:
    assert durability_of(varz).on_disk is None
