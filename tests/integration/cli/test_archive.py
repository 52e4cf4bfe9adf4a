"""``darkroom archive``, and what users and operators see of tasks that were archived."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import nats
import pytest

from artifacts.store import ArtifactStore
from contracts.subjects import STREAM
from darkroom.stack.addresses import discover
from forked import Nursery
from integration.cli.conftest import Shell, ended
from servers import eventually
from system import System, running_system
from task_store.segments import messages_in

_NEWER_SESSION_WAITS = """
SELECT count(*) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND backend_start > (
    SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()
)
"""


@pytest.fixture(scope="module")
async def old(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system that keeps what it archives until it is told to look."""
    folder = tmp_path_factory.mktemp("archive")
    async with running_system(folder, ARCHIVE_AFTER_S="0") as made:
        yield made


@pytest.fixture
def shell(nursery: Nursery, old: System) -> Shell:
    return Shell(nursery, {"DATA_DIR": str(old.data_dir), "PORT": str(old.port)})


async def done(system: System, prompt: str, **body: Any) -> str:
    asked = {"type": "CREATE", "prompt": prompt, "provider_params": {"width": 64, "height": 64}}
    answer = await system.http.post(
        "/tasks", json=asked | body, headers={"Prefer": "wait=60"}, timeout=90
    )
    assert answer.json()["status"] == "completed", answer.text
    task_id: str = answer.json()["task_id"]
    return task_id


async def age_log(system: System) -> None:
    client = await nats.connect(str(discover(system.data_dir).nats_url))
    await client.jetstream().purge_stream(STREAM)
    await client.close()


def store_of(system: System) -> ArtifactStore:
    return ArtifactStore.open((system.data_dir / "artifacts").as_uri())


async def kept_in(system: System) -> bytes:
    """All payloads in the archive's objects."""
    files = store_of(system)
    keys = [stored.key async for stored in files.list("archive")]
    contents = [(key, await files.get(key)) for key in keys]
    return b"".join(
        message.payload for key, content in contents for message in messages_in(content, key)
    )


async def test_tasks_that_were_pruned_can_be_seen_patched_and_deleted(
    old: System, shell: Shell
) -> None:
    first, second = await done(old, "first secret"), await done(old, "second")
    seen = (await old.http.get(f"/tasks/{first}")).json()
    events = (await old.http.get(f"/tasks/{first}/events")).json()
    unset = await shell.having(ARCHIVE_AFTER_S="0")("archive", "run")
    await age_log(old)

    ran = await shell("archive", "run", "--older-than", "0", "--json")
    status = await shell("archive", "status", "--json")
    told = await shell("archive", "status")
    listed = await shell("archive", "list", "--json")
    shown = await shell("archive", "list")
    again = (await old.http.get(f"/tasks/{first}")).json()
    past = await shell("tasks", "show", first, "--at", str(events["events"][0]["sequence"]))
    patched = await old.http.patch(f"/tasks/{second}/metadata", json={"note": 1})
    gone = await old.http.delete(f"/tasks/{first}")
    scrubbed = await shell("archive", "run", "--older-than", "0")
    verified = await shell("erase", "--task", first, "--verify")
    rows = await shell("projection", "verify")

    assert unset.exit_code == 1
    assert "--older-than" in unset.stderr
    assert (ran.json["tasks"], ran.json["pruned"], ran.json["segments"]) == (2, 2, 1)
    assert (status.json["tasks"], status.json["pruned"], status.json["held"]) == (2, 2, False)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", listed.json[0]["written_at"])
    assert "of those, pruned" in told.stdout
    assert listed.json[0]["tasks"] == 2
    assert listed.json[0]["key"] in shown.stdout
    assert again == seen
    assert (await old.http.get(f"/tasks/{first}/events")).status_code == 404
    assert past.exit_code == 0, past.stderr
    assert (patched.status_code, patched.json()["metadata"]) == (200, {"note": 1})
    assert gone.status_code == 204
    assert scrubbed.exit_code == 0
    assert b"first secret" not in await kept_in(old)
    assert verified.exit_code == 0, verified.stdout
    assert rows.exit_code == 0, rows.stdout
    imported = await shell("archive", "import")
    assert "0 events of 0 tasks are back" in imported.stdout


async def test_all_of_an_owner_goes_from_the_archive_too(old: System, shell: Shell) -> None:
    task_id = await done(old, "third secret")
    await age_log(old)
    assert (await shell("archive", "run", "--older-than", "0")).exit_code == 0
    files = store_of(old)
    stray = "archive/000000000000001-0123456789abcdef.jsonl.gz"
    [key] = [each.key async for each in files.list("archive")][-1:]
    await files.put(stray, await files.get(key), "application/gzip")

    before = await shell("erase", "local", "--verify", "--json")
    erased = await shell("erase", "local", "--yes", "--cancel")
    after = await shell("erase", "local", "--verify")
    await files.put(stray, b"no segment", "application/gzip")
    damaged = await shell("erase", "local", "--verify", "--json")
    await files.delete([stray])

    places = {each["where"] for each in before.json["left"]}
    assert before.exit_code == 1
    assert {"rows in archive.tasks", "events in the archive"} <= places
    assert erased.exit_code == 0, erased.stdout + erased.stderr
    assert (await old.http.get(f"/tasks/{task_id}")).status_code == 404
    assert b"secret" not in await kept_in(old)
    assert after.exit_code == 0, after.stdout
    assert damaged.exit_code == 1
    assert {each["where"] for each in damaged.json["left"]} == {"segments that can't be read"}


async def test_a_segment_that_cannot_be_read_keeps_nothing_else_from_being_erased(
    old: System, shell: Shell
) -> None:
    files = store_of(old)
    known = {each.key async for each in files.list("archive")}
    written: list[str] = []
    for prompt in ("fourth secret", "fifth secret"):
        await done(old, prompt)
        assert (await shell("archive", "run", "--older-than", "0")).exit_code == 0
        written += {each.key async for each in files.list("archive")} - known - {*written}
    damaged, other = written
    content = await files.get(damaged)
    await files.put(damaged, b"no segment", "application/gzip")

    erased = await shell("erase", "local", "--yes")
    ran = await shell("archive", "run", "--older-than", "0")
    of_another = await shell("erase", "nobody", "--yes")
    kept = [each.key async for each in files.list("archive")]
    await files.put(damaged, content, "application/gzip")
    again = await shell("erase", "local", "--yes")

    assert erased.exit_code == 1
    assert f"segments that can't be read: 1 ({damaged}" in erased.stdout
    assert f"{damaged})" in erased.stdout.partition("tasks to scrub from segments: 1")[2]
    assert other not in kept
    assert (ran.exit_code, damaged in ran.stderr) == (1, True)
    assert of_another.exit_code == 1
    assert "tasks to scrub" not in of_another.stdout
    assert again.exit_code == 0, again.stdout + again.stderr
    assert b"secret" not in await kept_in(old)


async def test_a_rebuild_that_puts_other_rows_in_place_meanwhile_is_told(
    old: System, shell: Shell
) -> None:
    await done(old, "sixth")
    assert (await shell("archive", "run", "--older-than", "0")).exit_code == 0
    switching = await asyncpg.connect(str(discover(old.data_dir).database_url))
    watching = await asyncpg.connect(str(discover(old.data_dir).database_url))
    build = await watching.fetchval("SELECT build FROM live.checkpoint")

    async def it_waits() -> bool:
        return bool(await watching.fetchval(_NEWER_SESSION_WAITS))

    try:
        async with switching.transaction():
            await switching.execute("UPDATE live.checkpoint SET build = -1")
            importing = await shell.start("archive", "import")
            await eventually(it_waits, 30)
        ran = await ended(importing)
        await switching.execute("UPDATE live.checkpoint SET build = $1", build)
    finally:
        await switching.close()
        await watching.close()
    again = await shell("archive", "import")

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "A rebuild has just put other rows in place. Run this again" in ran.stderr
    assert again.exit_code == 0, again.stderr
