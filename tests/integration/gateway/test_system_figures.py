"""How the whole is doing: for admins, and for nobody else."""

from __future__ import annotations

import httpx2
import pytest

from builders import annotated, completed, requested, started, task_id
from contracts.subjects import progress_subject
from integration.gateway.house import BOB, House


@pytest.fixture
async def admin(task_store: House) -> httpx2.AsyncClient:
    return await task_store.gateway(admins="ann")


async def test_an_admin_sees_everybodys_lines_and_how_far_the_rows_are(
    task_store: House, admin: httpx2.AsyncClient
) -> None:
    anns, bobs = {"owner": "ann"}, {"owner": "bob"}
    done, runs, first, behind, stray = map(task_id, range(1, 6))
    last = await task_store.tell(
        requested(task=done, **anns),
        started(task=done, **anns),
        completed(task=done, **anns),
        requested(task=runs, **bobs),
        started(task=runs, **bobs),
        requested(task=first, **bobs),
        requested(task=behind, lane="studio~1", **bobs),
        requested(task=stray, **bobs),
    )
    js = task_store.client.jetstream()
    last = (await js.publish(progress_subject("CREATE", stray), b"no event")).seq
    last = await task_store.tell(annotated({"n": 1}, task=stray, **bobs))
    await task_store.projected()

    told = (await admin.get("/system")).json()

    [queue] = told["queues"]
    assert told["log"]["last_sequence"] == last
    assert told["projection"] == {
        "build": 1,
        "sequence": last,
        "lag_events": 0,
        "lag_seconds": 0.0,
        "halted": None,
    }
    assert (told["parked"]["events"], told["parked"]["tasks"]) == (2, 1)
    assert {name: queue[name] for name in ("type", "provider", "waiting", "running")} == {
        "type": "CREATE",
        "provider": "STUDIO",
        "waiting": 3,
        "running": 1,
    }
    assert queue["finished"] == 1
    assert queue["since"] < told["at"]


async def test_who_is_no_admin_is_told_nothing_of_it(
    admin: httpx2.AsyncClient, http: httpx2.AsyncClient
) -> None:
    for client, headers in ((admin, BOB), (http, {})):
        refused = await client.get("/system", headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "admin_only")
