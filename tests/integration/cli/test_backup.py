"""A whole system into one place while it works, and back into an empty one."""

from __future__ import annotations

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from artifacts.keys import artifact_key, segment_key, upload_key
from artifacts.store import ArtifactStore
from builders import NOON, requested, task_id
from contracts.subjects import HOOK_BUCKET, STREAM, LaneConsumerSpec
from darkroom.cli import backing_up
from darkroom.cli.backing_up import back_up
from darkroom.cli.bringing_back import verify as look_through
from darkroom.cli.exporting import export
from darkroom.cli.failures import Refused
from darkroom.cli.screen import progress_bar
from darkroom.cli.selecting import Wanted
from darkroom.cli.settings import CommandLineSettings
from delivery import provision
from delivery.bucket import read_bucket
from delivery.log import LogReader
from delivery.publisher import LogUnreachable
from delivery.requests import Requests
from integration.cli.conftest import Shell
from integration.cli.oldlog import OldLog, lives, old_log
from integration.cli.planes import (
    PICTURE,
    Place,
    Plane,
    caught_up,
    contents,
    everything_in,
    filled,
    lose,
    projecting,
    same_as_rebuilt,
    table,
)
from s3 import s3_server
from servers import Server, eventually, fresh_database
from task_store import backup as database
from task_store import store

SPEC = CommandLineSettings().stream


@pytest.fixture
def system(nats_server: Server, database_url: str, tmp_path: Path) -> Plane:
    return Plane(
        CommandLineSettings(
            nats_url=nats_server.url, database_url=database_url, data_dir=tmp_path / "data"
        )
    )


@pytest.fixture
async def log(system: Plane, nats_server: Server) -> AsyncIterator[OldLog]:
    """What `darkroom setup` makes, but for the lanes."""
    async with system.connection() as connection:
        await store.migrate(connection)
    async with old_log(nats_server, SPEC) as made:
        await provision.ensure_buckets(made.client)
        yield made


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "backup")


@pytest.fixture
async def empty(system: Plane, postgres: Server, tmp_path: Path) -> AsyncIterator[Plane]:
    """The same broker, which may have lost all; another database, and another directory."""
    async with fresh_database(postgres.url) as url:
        changed = {"database_url": url, "data_dir": tmp_path / "elsewhere"}
        yield Plane(system.settings.model_copy(update=changed))


async def test_a_backup_comes_back_as_it_was(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await filled(system, log)
    await system.back_up(place)
    before, audit = await contents(system), await table(system, "log.dead_letters")
    await lose(log)
    await log.client.jetstream().delete_stream(f"KV_{HOOK_BUCKET}")

    restored = await empty.bring_back(place)

    manifest = place.manifest()
    assert restored.events == manifest["events"]["count"] > restored.on_log > 30
    assert await contents(empty) == before
    assert await table(empty, "log.dead_letters") == audit
    assert await everything_in(empty.files) == await everything_in(system.files)
    assert await same_as_rebuilt(empty, log)
    requests = Requests(log.client)
    await requests.start()
    assert await read_bucket(requests, HOOK_BUCKET) == {f"kie.{task_id(900)}": b"\xffcalled"}
    state = await LogReader(requests).state()
    assert state.first_sequence > manifest["sequence"] + 1_000_000
    await requests.stop()
    async with projecting(empty):
        await log.tell(requested(task=task_id(950)))
        await caught_up(empty, log)
    # The next number of a table that numbers its rows is a new one.
    async with empty.connection() as connection:
        await connection.execute(
            "INSERT INTO log.dead_letters (who, action, outcome, sequence, task_id, reason,"
            " logtime, subject) VALUES ('x', 'retried', 'x', 1, 'x', 'x', now(), 'x')"
        )


@pytest.fixture
def buckets() -> Iterator[None]:
    with s3_server("artifacts", "elsewhere", "backups"):
        yield


def kept_in(plane: Plane, bucket: str) -> Plane:
    """The same servers, with the artifacts in a bucket."""
    url = f"s3://{bucket}"
    return Plane(plane.settings.model_copy(update={"artifacts_url": url}))


@pytest.mark.usefixtures("buckets")
async def test_buckets_are_backed_up_into_a_bucket_and_come_back(
    system: Plane, log: OldLog, empty: Plane
) -> None:
    system, empty = kept_in(system, "artifacts"), kept_in(empty, "elsewhere")
    where = "s3://backups/of/darkroom"
    await filled(system, log)
    first = await system.back_up(where)
    await system.files.delete([upload_key("local", "u-1")])
    second = await system.back_up(where)
    looked_through = await look_through(where, progress_bar)
    before = await contents(system)
    await lose(log)

    restored = await empty.bring_back(where)

    assert (first.objects, first.copied) == (3, 3)
    assert (second.objects, second.copied) == (2, 1)
    assert (looked_through.objects, looked_through.wrong) == (2, [])
    assert restored.events == second.events
    assert await contents(empty) == before
    assert await everything_in(empty.files) == await everything_in(system.files)
    assert await same_as_rebuilt(empty, log)
    place = ArtifactStore.open("s3://backups")
    await place.put(f"of/darkroom/objects/{PICTURE}", b"a forgery", "image/png")
    assert (await look_through(where, progress_bar)).wrong == [
        f"objects/{PICTURE} is not what was written"
    ]


async def test_the_events_of_a_backup_are_an_export(
    system: Plane, log: OldLog, place: Place, tmp_path: Path
) -> None:
    await log.tell(*lives(20))
    path = tmp_path / "all.jsonl"

    await export(str(system.settings.nats_url), Wanted(), path, lambda *_: None)
    await system.back_up(place)

    assert place.events() == path.read_bytes()


async def test_what_is_there_is_not_copied_again_and_what_is_gone_goes(
    system: Plane, log: OldLog, place: Place
) -> None:
    await log.tell(requested())
    sidecar = f"{upload_key('local', 'u-1')}.json"
    removed = artifact_key("local", task_id(2), 1, 0, "b" * 64, "png")
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.files.put(removed, b"another", "image/png")
    await system.files.put(sidecar, b'{"expires": 1}', "application/json")
    first = await system.back_up(place)
    before = place.files()

    await system.files.delete([removed])
    await system.files.put(sidecar, b'{"expires": 0}', "application/json")
    added = artifact_key("local", task_id(3), 1, 0, "c" * 64, "png")
    await system.files.put(added, b"one more", "image/png")
    second = await system.back_up(place)

    assert (first.copied, first.objects) == (3, 3)
    assert (second.copied, second.objects) == (2, 3)
    objects = {each for each in place.files() if each.startswith("objects/")}
    assert objects == {f"objects/{key}" for key in (PICTURE, sidecar, added)}
    assert (place.path / "objects" / sidecar).read_bytes() == b'{"expires": 0}'
    runs = {each for each in place.files() if each.startswith("runs/")}
    assert not runs & before
    assert (await look_through(str(place.path), progress_bar)).wrong == []


async def test_what_may_change_is_copied_again_unless_it_is_older_than_the_backup_before(
    system: Plane, log: OldLog, place: Place
) -> None:
    old, new = "archive/1.jsonl.gz", "archive/2.jsonl.gz"
    for key in (old, new):
        await system.files.put(key, b"segment", "application/gzip")
    long_ago = (NOON.timestamp(), NOON.timestamp())
    os.utime(system.settings.data_dir / "artifacts" / old, long_ago)
    first = await system.back_up(place)

    await system.files.put(new, b"another", "application/gzip")
    second = await system.back_up(place)

    assert (first.copied, second.copied) == (2, 1)
    assert (place.path / "objects" / new).read_bytes() == b"another"
    assert (await look_through(str(place.path), progress_bar)).wrong == []


async def test_two_backups_into_one_place_leave_one_that_is_whole(
    system: Plane, log: OldLog, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.tell(requested())
    await system.files.put(PICTURE, b"a picture", "image/png")
    told: list[str] = []
    copy = backing_up._Copies.run  # noqa: SLF001

    async def meanwhile(self: Any, tell: Any) -> Any:
        monkeypatch.setattr(backing_up._Copies, "run", copy)  # noqa: SLF001
        with pytest.raises(Refused) as refused:
            await system.back_up(place)
        told.append(refused.value.message)
        return await copy(self, tell)

    monkeypatch.setattr(backing_up._Copies, "run", meanwhile)  # noqa: SLF001
    done = await system.back_up(place)

    assert told == [f"Another backup into {place.path} is at work. Wait until it has ended."]
    assert (done.events, done.objects) == (1, 1)
    assert (await look_through(str(place.path), progress_bar)).wrong == []


async def test_a_place_that_another_system_took_meanwhile_is_left_to_it(
    system: Plane, log: OldLog, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await log.tell(requested())

    async def nobody_else(*_: object) -> bool:
        return True

    monkeypatch.setattr("darkroom.cli.backing_up.database.alone", nobody_else)
    copy = backing_up._Copies.run  # noqa: SLF001

    async def meanwhile(self: Any, tell: Any) -> Any:
        monkeypatch.setattr(backing_up._Copies, "run", copy)  # noqa: SLF001
        await system.back_up(place)
        return await copy(self, tell)

    monkeypatch.setattr(backing_up._Copies, "run", meanwhile)  # noqa: SLF001
    with pytest.raises(Refused, match=r"Another backup was made into .* meanwhile"):
        await system.back_up(place)

    assert (await look_through(str(place.path), progress_bar)).wrong == []


async def test_a_segment_that_no_table_of_the_backup_tells_of_is_not_in_it(
    system: Plane, log: OldLog, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing would ever take an erased task out of it."""
    await log.tell(requested())
    before, late = segment_key(1, "a" * 16), segment_key(2, "b" * 16)
    await system.files.put(before, b"from before Postgres was lost", "application/gzip")
    copy = backing_up._Copies.run  # noqa: SLF001

    async def meanwhile(self: Any, tell: Any) -> Any:
        await system.files.put(late, b"archived just now", "application/gzip")
        return await copy(self, tell)

    monkeypatch.setattr(backing_up._Copies, "run", meanwhile)  # noqa: SLF001
    await system.back_up(place)

    objects = {each for each in place.files() if each.startswith("objects/")}
    assert objects == {f"objects/{before}"}


async def test_only_one_restore_works_at_a_time(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(requested())
    await system.back_up(place)
    await lose(log)
    async with empty.connection() as other:
        assert await database.alone(other, "restore")

        told = await empty.refused(place)

    assert told == "Another restore into this database is at work."


async def test_a_backup_that_was_broken_off_is_none_and_is_gone_on_with(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(requested())
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.back_up(place)
    (place.path / "manifest.json").unlink()

    told = await empty.refused(place)
    again = await system.back_up(place)

    assert "has no finished backup: there is no manifest.json in it" in told
    assert (again.copied, again.objects) == (0, 1)
    assert (await look_through(str(place.path), progress_bar)).wrong == []


async def test_a_backup_that_is_damaged_is_told(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(*lives(5))
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.back_up(place)
    events = place.manifest()["events"]["files"][0]["key"]
    (place.path / "objects" / PICTURE).write_bytes(b"a forgery")
    (place.path / events).write_bytes(b"nothing")

    found = await look_through(str(place.path), progress_bar)
    await lose(log)
    told = await empty.refused(place)

    assert found.wrong == [
        f"{events} is not what was written",
        f"objects/{PICTURE} is not what was written",
    ]
    assert f"The backup is damaged: {events} is not what was written." in told


async def test_a_system_that_has_anything_is_left_alone(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(*lives(5))
    async with projecting(system):
        await caught_up(system, log)
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.back_up(place)
    before = await contents(system)

    full = await system.refused(place)
    with_log = await empty.refused(place)
    await lose(log)
    await empty.files.put(PICTURE, b"mine", "image/png")
    with_files = await empty.refused(place)

    assert "live.tasks: 4" in full
    assert "events on the log:" in full
    assert f"artifacts ({PICTURE} …)" in full
    assert "events on the log:" in with_log
    assert f"not empty (artifacts ({PICTURE} …): 1)" in with_files
    assert await contents(system) == before
    assert not await log.exists(STREAM)
    assert await empty.files.get(PICTURE) == b"mine"


async def test_a_place_with_other_things_in_it_is_none_for_a_backup(
    system: Plane, log: OldLog, tmp_path: Path
) -> None:
    elsewhere = Place(tmp_path / "papers")
    elsewhere.path.mkdir()
    (elsewhere.path / "letter.txt").write_text("dear")

    with pytest.raises(Refused, match=r"letter\.txt"):
        await system.back_up(elsewhere)
    with pytest.raises(Refused, match="Name a place apart"):
        await system.back_up(Place(system.settings.data_dir / "artifacts" / "backup"))
    with pytest.raises(click.UsageError, match="is no place for a backup"):
        await back_up(system.settings, "ftp://host/x", progress_bar)

    assert elsewhere.files() == {"letter.txt"}


@pytest.mark.parametrize(
    "moment",
    [
        "darkroom.cli.bringing_back.compare_schema",
        "darkroom.cli.bringing_back.database.add_raw",
        "darkroom.cli.restoring.copying.copy",
        "darkroom.cli.restoring.restoring.finish",
    ],
)
async def test_a_restore_that_was_broken_off_goes_on(
    system: Plane,
    log: OldLog,
    place: Place,
    empty: Plane,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    await log.tell(*lives(20))
    async with projecting(system):
        await caught_up(system, log)
    await system.files.put(PICTURE, b"a picture", "image/png")
    await system.back_up(place)
    other = Place(tmp_path / "other")
    await system.back_up(other)
    before = await contents(system)
    await lose(log)

    async def broken_off(*_: object, **__: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(moment, broken_off)
        with pytest.raises(asyncio.CancelledError):
            await empty.bring_back(place)
    with pytest.raises(LogUnreachable):
        await log.publisher.publish(requested(task=task_id(90)), budget_s=0.5)
    with_another = await empty.refused(other)
    await empty.bring_back(place)

    assert "was interrupted. Go on with that one." in with_another
    assert await contents(empty) == before
    assert await everything_in(empty.files) == await everything_in(system.files)
    assert await same_as_rebuilt(empty, log)


async def test_a_system_without_tasks_comes_back_too(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await system.files.put(upload_key("local", "u-1"), b"a photo", "image/png")
    await system.back_up(place)
    await lose(log)

    restored = await empty.bring_back(place)

    assert (restored.events, restored.on_log, restored.objects) == (0, 0, 1)
    await log.tell(requested())
    async with projecting(empty):
        await caught_up(empty, log)
    async with empty.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM live.tasks") == 1


async def test_it_comes_back_into_a_system_that_waits_for_its_first_task(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    """Its log and its lanes make way, its services go on with what came back."""
    await log.tell(*lives(20))
    async with projecting(system):
        await caught_up(system, log)
    await system.back_up(place)
    before = await contents(system)
    await lose(log)
    await provision.ensure_stream(log.client, SPEC)
    await provision.ensure_lane(log.client, LaneConsumerSpec("CREATE", "studio"))
    async with empty.connection() as connection:
        await store.migrate(connection)

    async with projecting(empty):
        async with empty.connection() as connection:

            async def follows() -> bool:
                return (await store.load_checkpoint(connection)).stream_created is not None

            await eventually(follows)
        await empty.bring_back(place)
        await log.tell(requested(task=task_id(950)))
        await caught_up(empty, log)

    after = await contents(empty)
    assert {name: len(rows) for name, rows in after.items()} == {
        **{name: len(rows) for name, rows in before.items()},
        "live.tasks": len(before["live.tasks"]) + 1,
        "log.events": len(before["log.events"]) + 1,
    }
    assert set(before["live.tasks"]) < set(after["live.tasks"])


async def test_a_backup_of_a_newer_version_is_not_for_this_one(
    system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(requested())
    await system.back_up(place)
    await lose(log)
    told = place.manifest() | {"schema_step": 99, "version": "9.0.0"}
    (place.path / "manifest.json").write_text(json.dumps(told))

    said = await empty.refused(place)

    assert "The backup has schema 99" in said
    assert "Use 9.0.0" in said
    async with empty.connection() as connection:
        assert await store.applied_steps(connection) == frozenset()


async def test_the_commands_say_what_they_did(
    bare: Shell, system: Plane, log: OldLog, place: Place, empty: Plane
) -> None:
    await log.tell(*lives(5))
    shell = bare.having(DATA_DIR=str(system.settings.data_dir))
    await system.files.put(PICTURE, b"a picture", "image/png")

    backed_up = await shell("backup", str(place.path))
    whole = await shell("backup", str(place.path), "--verify")
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (place.path, *place.path.rglob("*"))}
    await lose(log)
    into_empty = shell.having(
        DATABASE_URL=str(empty.settings.database_url), DATA_DIR=str(empty.settings.data_dir)
    )
    restored = await into_empty("restore", str(place.path), "--json")
    (place.path / "objects" / PICTURE).unlink()
    damaged = await shell("backup", str(place.path), "--verify")

    assert backed_up.exit_code == 0, backed_up.stderr
    assert backed_up.stdout.startswith(f"{place.path} has 13 events up to 13, 0 rows and 1 art")
    # Nobody else can read it.
    assert modes == {0o700, 0o600}
    assert (whole.exit_code, damaged.exit_code) == (0, 1)
    assert f"{place.path} is whole: 2 files and 1 artifacts." in whole.stdout
    assert damaged.stdout == f"objects/{PICTURE} is missing\n"
    assert restored.exit_code == 0, restored.stderr
    assert (restored.json["events"], restored.json["objects"]) == (13, 1)
