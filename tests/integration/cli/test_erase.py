"""``darkroom erase``: all of an owner goes, nothing of another's, and it is shown."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import nats
import pytest

from artifacts.keys import owner_digest
from builders import started
from contracts.events import encode
from contracts.subjects import HOOK_BUCKET, subject_of
from darkroom.stack.addresses import discover
from forked import Nursery
from integration.cli.conftest import Shell
from servers import eventually
from system import System, running_system
from task_store import store

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0f01f00050001ff56c7b5a60000000049454e44ae426082"
)
SMALL = {"width": 64, "height": 64}
ERASED = "generation.erased"


@pytest.fixture(scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """A system with several owners."""
    async with running_system(
        tmp_path_factory.mktemp("erase"), AUTH="keys", API_KEYS="ann:a-key,bob:b-key,eve:e-key"
    ) as made:
        yield made


@pytest.fixture
def shell(nursery: Nursery, kept: System) -> Shell:
    return Shell(nursery, {"DATA_DIR": str(kept.data_dir), "PORT": str(kept.port)})


class Owner:
    """What one owner does over HTTP."""

    def __init__(self, system: System, name: str) -> None:
        self.name = name
        self._http = system.http
        self._headers = {"Authorization": f"Bearer {name[0]}-key"}

    async def upload(self) -> str:
        file = {"file": (f"{self.name}.png", PNG)}
        answer = await self._http.post("/uploads", files=file, headers=self._headers)
        assert answer.status_code == 201, answer.text
        url: str = answer.json()["url"]
        return url

    async def submit(self, wait: int = 0, **body: Any) -> dict[str, Any]:
        asked = {"type": "CREATE", "prompt": f"{self.name}'s own", "provider_params": SMALL} | body
        headers = self._headers | {"Prefer": f"wait={wait}"}
        answer = await self._http.post("/tasks", json=asked, headers=headers, timeout=90)
        assert answer.status_code in (200, 202), answer.text
        task: dict[str, Any] = answer.json()
        return task

    async def get(self, path: str) -> httpx2.Response:
        return await self._http.get(path, headers=self._headers)


@pytest.fixture
def ann(kept: System) -> Owner:
    return Owner(kept, "ann")


@pytest.fixture
def bob(kept: System) -> Owner:
    return Owner(kept, "bob")


NO_TASK = "0199f0c2-7e4a-7000-8000-0000000000fe"


async def called_back(system: System, task_id: str) -> None:
    client = await nats.connect(str(discover(system.data_dir).nats_url))
    bucket = await client.jetstream().key_value(HOOK_BUCKET)
    await bucket.put(f"kie.{task_id}", b'{"secret": "of ann"}')
    await client.close()


async def told_of(system: System, owner: str) -> list[str]:
    """The types of all events in the log and in its copy that have the owner's name in them."""
    name = f'"{owner}"'.encode()
    logged = [message.payload for message in await system.log()]
    async with system.database() as database:
        rows = await database.connection.fetch("SELECT payload FROM log.events")
    payloads = [*logged, *(row["payload"] for row in rows)]
    return [
        "erased" if f'"type":"{ERASED}"'.encode() in payload else "something"
        for payload in payloads
        if name in payload
    ]


def files_of(system: System, owner: str) -> list[str]:
    root = system.data_dir / "artifacts"
    found = [path for path in root.rglob("*") if path.is_file()]
    return [str(path) for path in found if owner_digest(owner) in str(path)]


async def test_all_of_an_owner_is_erased_and_nothing_of_another(
    kept: System, shell: Shell, ann: Owner, bob: Owner
) -> None:
    tasks = [
        await ann.submit(60, reference_images=[await ann.upload()], metadata={"who": "ann"}),
        await ann.submit(60),
    ]
    theirs = await bob.submit(60, reference_images=[await bob.upload()])
    await called_back(kept, tasks[0]["task_id"])
    rebuilt = await shell("projection", "rebuild", "--keep-old", "--json")
    async with kept.database() as database:
        await store.create_projection(database.connection, "rebuild_9", build=9)
        await database.connection.execute("INSERT INTO rebuild_9.tasks SELECT * FROM live.tasks")
    replayed = await shell("events", "replay", "--to", "audit")
    before = await shell("erase", "ann", "--verify", "--json")
    unasked = await shell("erase", "ann")
    still = await ann.get(f"/tasks/{tasks[0]['task_id']}")

    erased = await shell("erase", "ann", "--yes")
    again = await shell("erase", "ann", "--yes")
    verified = await shell("erase", "ann", "--verify")
    one = await shell("erase", "--task", tasks[0]["task_id"], "--verify")
    others = await shell("erase", "--task", theirs["task_id"], "--verify", "--json")
    rows = await shell("projection", "verify")

    retired = rebuilt.json["retired"]
    assert (before.exit_code, replayed.exit_code) == (1, 0), replayed.stderr
    assert {each["where"] for each in before.json["left"]} == {
        "rows in live.tasks",
        f"rows in {retired}.tasks",
        "rows in rebuild_9.tasks",
        "events in the log",
        "events in log.events",
        "callbacks",
        "subjects in REPLAY_audit",
        "files in artifacts",
        "files in uploads",
    }
    assert (unasked.exit_code, still.status_code) == (1, 200)
    assert "Erase these 2 tasks" in unasked.stderr
    assert erased.exit_code == 0, erased.stdout + erased.stderr
    assert "Erased 2 tasks." in erased.stdout
    assert "Nothing is left of ann, but for 2 erased tasks" in erased.stdout
    assert (again.exit_code, verified.exit_code, one.exit_code) == (0, 0, 0)
    assert await told_of(kept, "ann") == ["erased"] * 4
    assert files_of(kept, "ann") == []
    for task in tasks:
        assert (await ann.get(f"/tasks/{task['task_id']}")).status_code == 404
    assert others.exit_code == 1
    assert others.json["tasks"] == 1
    assert "subjects in REPLAY_audit" in {each["where"] for each in others.json["left"]}
    assert (await bob.get(f"/tasks/{theirs['task_id']}")).json()["status"] == "completed"
    assert (await bob.get(theirs["image_url"])).status_code == 200
    assert len(files_of(kept, "bob")) == 3
    assert rows.exit_code == 0, rows.stdout


async def test_tasks_that_run_are_cancelled_only_when_told_so(
    kept: System, shell: Shell, ann: Owner
) -> None:
    task = await ann.submit(provider_params={"simulate": {"seconds": 600}})

    refused = await shell("erase", "ann", "--yes")
    unchanged = await ann.get(f"/tasks/{task['task_id']}")
    erased = await shell("erase", "ann", "--yes", "--cancel")

    assert (refused.exit_code, unchanged.json()["status"]) == (1, "processing")
    assert "1 tasks of ann have not ended" in refused.stderr
    assert "--cancel" in refused.stderr
    assert erased.exit_code == 0, erased.stdout + erased.stderr
    assert set(await told_of(kept, "ann")) == {"erased"}


async def test_what_was_broken_off_goes_on_when_it_is_run_again(
    kept: System, shell: Shell, ann: Owner
) -> None:
    tasks = [await ann.submit(60) for _ in range(3)]
    ids = [each["task_id"] for each in tasks]

    slow = await shell.start("erase", "ann", "--yes", "--per-second", "0.1")

    async def erased_so_far() -> list[str]:
        return [
            task_id for task_id in ids if (await ann.get(f"/tasks/{task_id}")).status_code == 404
        ]

    await eventually(erased_so_far, 60)
    slow.kill()
    await slow.wait()
    between = await shell("erase", "ann", "--verify", "--json")
    done = await erased_so_far()
    again = await shell("erase", "ann", "--yes")

    assert 0 < len(done) < len(ids)
    assert between.exit_code == 1
    assert between.json["tasks"] == len(ids) - len(done)
    assert again.exit_code == 0, again.stdout + again.stderr
    assert len(await erased_so_far()) == len(ids)


async def test_what_comes_back_is_found_wherever_it_is(kept: System, shell: Shell) -> None:
    eve = Owner(kept, "eve")
    task = await eve.submit(60)
    task_id = task["task_id"]
    assert (await shell("erase", "eve", "--yes")).exit_code == 0
    folder = kept.data_dir / "artifacts" / "artifacts" / owner_digest("eve") / task_id
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "1-0-aaaaaaaa.png").write_bytes(PNG)
    async with kept.database() as database:
        await database.connection.execute(
            "INSERT INTO live.parked (sequence, task_id, reason, logtime, subject, payload)"
            " VALUES (999999999, $1, 'unknown', now(), 'generation.progress.create.' || $1, $2)",
            task_id,
            b"of eve, and can't be read",
        )
        await database.connection.execute(
            "UPDATE live.tasks SET prompt = 'eve''s own' WHERE task_id = $1::uuid", task_id
        )

    of_owner = await shell("erase", "eve", "--verify", "--json")
    of_task = await shell("erase", "--task", task_id, "--verify", "--json")

    places = {"rows in live.tasks", "events in live.parked", "files in artifacts"}
    assert (of_owner.exit_code, of_task.exit_code) == (1, 1)
    assert {each["where"] for each in of_owner.json["left"]} == places
    assert {each["where"] for each in of_task.json["left"]} == places


async def test_what_lies_on_an_id_that_no_task_can_have_is_erased_too(
    kept: System, shell: Shell
) -> None:
    client = await nats.connect(str(discover(kept.data_dir).nats_url))
    event = started(task="of-a-foreign-tool", owner="odd")
    await client.jetstream().publish(subject_of(event), encode(event))
    await client.close()

    before = await shell("erase", "odd", "--verify", "--json")
    erased = await shell("erase", "odd", "--yes")
    after = await shell("erase", "odd", "--verify", "--json")

    assert (before.exit_code, before.json["tasks"]) == (1, 1)
    assert erased.exit_code == 0, erased.stdout + erased.stderr
    assert (after.exit_code, after.json["erased_tasks"]) == (0, 1)
    assert await told_of(kept, "odd") == ["erased"] * 2


async def test_others_tasks_go_on_while_an_owner_is_erased(
    kept: System, shell: Shell, ann: Owner, bob: Owner
) -> None:
    await asyncio.gather(*(ann.submit(60) for _ in range(4)))

    erasing = asyncio.create_task(shell("erase", "ann", "--yes", "--per-second", "2"))
    done = [await bob.submit(60) for _ in range(3)]

    assert (await erasing).exit_code == 0
    assert [each["status"] for each in done] == ["completed"] * 3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "OWNER"),
        (("ann", "--task", "0199f0c2-7e4a-7000-8000-000000000001"), "OWNER"),
        (("--task", "0199f0c2-7e4a-7000-8000-000000000001"), "DELETE /tasks/ID"),
    ],
)
async def test_what_makes_no_sense_is_wrong_usage(
    bare: Shell, words: tuple[str, ...], told: str
) -> None:
    ran = await bare("erase", *words)

    assert ran.exit_code == 2
    assert told in ran.stderr


async def test_an_owner_of_whom_nobody_heard_has_nothing_to_erase(shell: Shell) -> None:
    whoever = [
        await shell("erase", *words)
        for words in (("nobody", "--yes"), ("nobody", "--verify"), ("--task", NO_TASK, "--verify"))
    ]

    assert [ran.exit_code for ran in whoever] == [0, 0, 0]
    nothing = "There is nothing of {} here, not even an erased task: check how it is written.\n"
    names = ("nobody", "nobody", f"task {NO_TASK}")
    assert [ran.stdout for ran in whoever] == [nothing.format(name) for name in names]
