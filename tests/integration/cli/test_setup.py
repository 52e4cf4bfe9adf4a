"""``darkroom setup`` on servers that have nothing, or something else."""

from __future__ import annotations

import nats
import pytest

from contracts.subjects import STREAM
from integration.cli.conftest import Shell
from servers import Server, eventually


async def test_setup_creates_what_is_missing_and_then_has_nothing_to_do(bare: Shell) -> None:
    missing = await bare("setup", "--check")
    created = await bare("setup")
    again = await bare("setup")
    checked = await bare("setup", "--check")

    assert missing.exit_code == 1
    assert f"stream {STREAM} does not exist" in missing.stdout
    assert "darkroom setup" in missing.stderr
    assert created.exit_code == 0, created.stderr
    assert created.stdout.splitlines()[0] == f"created stream {STREAM}"
    assert "created consumer generator-create-studio" in created.stdout
    assert "database schema: applied step 1" in created.stdout
    assert (again.exit_code, again.stdout) == (
        0,
        "Streams, consumers and schema are as they should be.\n",
    )
    assert checked.exit_code == 0


async def test_check_changes_nothing(bare: Shell, nats_server: Server) -> None:
    await bare("setup", "--check")

    client = await nats.connect(nats_server.url)
    assert await client.jetstream().streams_info() == []
    await client.close()


async def test_drift_is_found_told_and_mended(bare: Shell) -> None:
    await bare("setup")
    other = bare.having(STREAM_MAX_AGE_S="86400", LEASE_S="12")

    checked = await other("setup", "--check", "--json")
    mended = await other("setup")

    assert checked.exit_code == 1
    assert any("max_age is 2592000.0, should be 86400.0" in each["what"] for each in checked.json)
    assert f"stream {STREAM}: changed max_age from 2592000.0 to 86400.0" in mended.stdout
    assert "consumer generator-create-studio: changed ack_wait" in mended.stdout
    assert (await other("setup", "--check")).exit_code == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"STREAM_MAX_BYTES": str(2**60)}, "DARKROOM_STREAM_MAX_BYTES"),
        ({"STREAM_REPLICAS": "3"}, "replicas"),
    ],
)
async def test_what_the_server_cannot_do_is_one_line(
    bare: Shell, settings: dict[str, str], told: str
) -> None:
    ran = await bare.having(**settings)("setup")

    assert ran.exit_code == 1
    assert told in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("missing", ["NATS_URL", "DATABASE_URL"])
async def test_a_server_that_does_not_answer_exits_3(bare: Shell, missing: str) -> None:
    scheme = "nats" if missing == "NATS_URL" else "postgresql"

    ran = await bare.having(**{missing: f"{scheme}://me:secret@127.0.0.1:1/x"})("setup")

    assert ran.exit_code == 3
    assert f"DARKROOM_{missing}" in ran.stderr
    assert "secret" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


async def test_a_single_service_runs_on_its_own(bare: Shell) -> None:
    await bare("setup")
    process = await bare.start("task-store")

    async def projects() -> bool:
        status = await bare("projection", "status", "--json")
        return status.exit_code == 0 and status.json["projector"] == "active"

    try:
        await eventually(projects, 60)
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0
