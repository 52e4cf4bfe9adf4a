"""``darkroom doctor --fix`` mends what is safe, says so, and leaves the rest to people."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import asyncpg
import nats
import pytest
from nats.aio.client import Client
from PIL import Image

from artifacts.keys import artifact_key
from artifacts.store import ArtifactStore
from artifacts.uploads import Upload, Uploads
from builders import OWNER, annotated, completed, erased, requested, started, task_id
from contracts.events import Event
from contracts.subjects import STREAM, LaneConsumerSpec
from darkroom.cli import strays
from darkroom.cli.doctor import examined
from darkroom.cli.mends import Fixed
from darkroom.cli.provisioning import reconcile
from darkroom.cli.settings import CommandLineSettings, server_addresses
from delivery.connection import connection_options
from delivery.erasure import erase_from_bus
from delivery.log import LogReader
from delivery.provision import consumer_config
from delivery.publisher import Publisher
from delivery.requests import Requests
from servers import Server, eventually, fresh_database, nats_for_test
from task_store.app import create_app
from task_store.settings import Settings as TaskStoreSettings
from task_store.store import load_checkpoint, open_connection
from telemetry.findings import Finding

MONTHS_S = 90 * 86_400
NOBODY = "http://127.0.0.1:1"
DONE, ERASED, UNKNOWN, LOST = map(task_id, range(1, 5))
STUDIO, KIE = (LaneConsumerSpec("CREATE", lane) for lane in ("studio", "kie"))
CLOTHES = LaneConsumerSpec("CLOTHING_CHANGE", "studio")


@dataclass
class Patient:
    """Log, rows and files with something wrong in each place, and a task-store at work."""

    settings: CommandLineSettings
    client: Client
    requests: Requests
    rows: asyncpg.Connection
    files: ArtifactStore
    kept: Upload
    expired: Upload
    sequences: dict[str, int] = field(default_factory=dict)
    fixed: Fixed = field(default_factory=dict)

    @property
    def log(self) -> LogReader:
        return LogReader(self.requests)

    async def look(self, *, fix: bool = False, quick: bool = False) -> dict[str, Finding]:
        findings, self.fixed = await examined(NOBODY, self.settings, fix=fix, quick=quick)
        return {each.name: each for each in findings}

    async def tell(self, *events: Event) -> int:
        publisher = Publisher(self.requests)
        stored = [await publisher.publish(event) for event in events]
        last = stored[-1].sequence

        async def projected() -> bool:
            return (await load_checkpoint(self.rows)).sequence >= last

        await eventually(projected, 15)
        return last

    async def artifact(self, task: str, number: int = 0) -> str:
        key = artifact_key(OWNER, task, 1, number, "a" * 64, "png")
        await self.files.put(key, b"picture", "image/png")
        return key


@pytest.fixture(scope="module")
async def patient(
    shared_nats: Server | None, postgres_session: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Patient]:
    folder: Path = tmp_path_factory.mktemp("data")
    (folder / "artifacts").mkdir()
    async with (
        nats_for_test(shared_nats, tmp_path_factory.mktemp("nats"), "default") as nats_server,
        fresh_database(postgres_session.url) as database_url,
    ):
        settings = CommandLineSettings(
            data_dir=folder, nats_url=nats_server.url, database_url=database_url
        )
        await reconcile(settings, server_addresses(settings), mend=True)
        files = ArtifactStore.open((folder / "artifacts").as_uri())
        app = create_app(
            TaskStoreSettings(nats_url=nats_server.url, database_url=database_url), files
        )
        running = asyncio.create_task(app.run())
        client = await nats.connect(nats_server.url, **connection_options("test"))
        requests = Requests(client)
        await requests.start()
        rows = await open_connection(database_url)
        long_ago = datetime.now(UTC) - timedelta(days=4)
        uploads = Uploads(files, timedelta(days=3), lambda: os.urandom(8).hex())
        kept, expired = [await uploads.save(OWNER, png(), None, long_ago) for _ in range(2)]
        try:
            yield await fallen_ill(Patient(settings, client, requests, rows, files, kept, expired))
        finally:
            rows.terminate()
            await requests.stop()
            await client.close()
            app.exit()
            await asyncio.wait_for(running, 10)


def png() -> bytes:
    made = BytesIO()
    Image.new("RGB", (8, 8), "red").save(made, "PNG")
    return made.getvalue()


async def fallen_ill(patient: Patient) -> Patient:
    """Cause every fault that can be caused without waiting for a day."""
    told = patient.sequences
    await patient.tell(requested(task=DONE, reference_images=(patient.kept.key,)))
    told["started"] = await patient.tell(started(task=DONE))
    told["completed"] = await patient.tell(completed(task=DONE))
    for task in (DONE, UNKNOWN, ERASED):
        await patient.artifact(task)
    await patient.artifact(DONE, 1)
    # A task that is erased; what comes to it later is in the log and, rightly, in no copy.
    await patient.tell(requested(task=ERASED))
    await erase_from_bus(
        Publisher(patient.requests), patient.log, patient.requests, erased(task=ERASED)
    )
    await patient.tell(annotated(task=ERASED))
    # A request that is acknowledged although nothing came of it.
    js = patient.client.jetstream()
    await js.add_consumer(STREAM, consumer_config(KIE))
    await patient.tell(requested(task=LOST, lane="kie"))
    pull = await js.pull_subscribe_bind(KIE.durable, STREAM)
    for message in await pull.fetch(1):
        await message.ack_sync()
    # A copy that lacks an event, a lane that is gone, a schema of a killed rebuild.
    await patient.rows.execute("DELETE FROM log.events WHERE sequence = $1", told["started"])
    await js.delete_consumer(STREAM, STUDIO.durable)
    # Generators that beat every 40 s.
    patient_ones = consumer_config(replace(CLOTHES, ack_wait=timedelta(seconds=120)))
    patient_ones.max_ack_pending = 7
    await js.add_consumer(STREAM, patient_ones)
    config = (await js.stream_info(STREAM)).config
    await js.update_stream(config.evolve(max_age=MONTHS_S, duplicate_window=60))
    await patient.rows.execute("CREATE SCHEMA verify_7")
    return patient


async def test_each_fault_is_found_and_what_is_safe_is_mended_once(patient: Patient) -> None:
    found = await patient.look()
    wrong = {name for name, each in found.items() if each.ok is False}
    assert wrong == {"log", "copy", "leases", "uploads", "orphans", "leftovers", "gateway"}
    assert f"1 events ({patient.sequences['started']}) of the log" in found["copy"].detail
    assert f"consumer {STUDIO.durable} does not exist" in found["log"].detail
    assert f"at least 1 tasks ({LOST}) have no request in {KIE.durable}" in found["leases"].detail
    assert found["uploads"].detail.startswith("1 expired")
    assert "2 artifacts of no task, 14 bytes" in found["orphans"].detail
    assert found["clocks"].ok is True

    left = await patient.look(fix=True)
    assert patient.fixed == {
        "log": [
            "stream GENERATION: changed duplicate_window from 60.0 to 120.0",
            f"created consumer {STUDIO.durable}",
            f"consumer {CLOTHES.durable}: changed max_ack_pending from 7 to 100000",
        ],
        "leftovers": ["dropped verify_7"],
        "copy": ["copied 1 events from the log"],
        "uploads": ["swept 1 expired uploads"],
        "orphans": ["removed 1 artifacts of no task, 7 bytes"],
    }
    assert {name for name, each in left.items() if each.ok is False} == {
        *("log", "leases", "gateway")
    }
    # A log that is made to keep less forgets at once: how much it keeps is told, and left.
    assert left["log"].detail.startswith("stream GENERATION: max_age is")
    assert (await patient.log.settings())["max_age"] == MONTHS_S * 10**9
    # And generators whose leases were made shorter under them lose what they work on.
    assert f"consumer {CLOTHES.durable}: ack_wait is" in left["log"].detail
    kept = await patient.client.jetstream().consumer_info(STREAM, CLOTHES.durable)
    assert kept.config.ack_wait == 120
    # Nobody hands a request out again that was acknowledged: it might be paid for twice.
    assert "darkroom tasks retry" in left["leases"].mend
    # Of an artifact that is older than the log nobody knows whose it was.
    assert left["orphans"].ok is None

    copied = await patient.rows.fetchrow(
        "SELECT * FROM log.events WHERE sequence = $1", patient.sequences["started"]
    )
    stored = await patient.log.at(patient.sequences["started"])
    assert copied is not None
    assert stored is not None
    assert (copied["logtime"], copied["task_id"]) == (stored.logtime, DONE)
    assert (copied["event_id"], copied["subject"]) == (stored.event_id, stored.subject)
    assert copied["payload"] == stored.payload
    assert await patient.files.head(patient.expired.key) is None
    assert await patient.files.head(patient.kept.key) is not None

    again = await patient.look(fix=True)
    assert patient.fixed == {}
    assert [each.ok for each in again.values()] == [each.ok for each in left.values()]


async def test_artifacts_go_where_the_log_must_have_told_of_their_task(patient: Patient) -> None:
    key = await patient.artifact(task_id(5))
    folder = patient.settings.data_dir / "artifacts"
    written = (datetime.now(UTC) - timedelta(days=2)).timestamp()
    os.utime(folder / key, (written, written))
    complete_since = datetime.now(UTC) - timedelta(days=9)

    await strays.remove_orphans(patient.files, patient.rows, patient.log, complete_since)

    there = {stored.key.split("/")[2] async for stored in patient.files.list("artifacts")}
    # The one of UNKNOWN was written just now.
    assert there == {DONE, UNKNOWN}


async def test_events_that_only_the_copy_has_are_told(patient: Patient) -> None:
    sequence = await patient.tell(annotated(task=DONE))
    await patient.client.jetstream().delete_msg(STREAM, sequence)

    found = (await patient.look())["copy"]

    assert f"1 events ({sequence}) of the raw copy are not in the log" in found.detail
