"""What dies is back within a second, on the same address, and the console says so."""

import os
import shutil
import signal
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from darkroom.stack import readiness
from darkroom.stack.addresses import discover
from integration.stack.toy_stack import (
    NAMES,
    ToyStack,
    is_running,
    leave_a_trace,
    toy_stack,
    trace_is_there,
)
from servers import eventually, is_up


@pytest.fixture(scope="module")
async def shared(
    first_start: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ToyStack]:
    """One running system for the tests that leave it as whole as they found it."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    shutil.copytree(first_start / "postgres", data_dir / "postgres")
    async with toy_stack(data_dir) as stack:
        await stack.start()
        yield stack
    shutil.rmtree(data_dir)


async def test_every_process_has_a_pid_file_and_a_session_of_its_own(shared: ToyStack) -> None:
    pids = shared.pids()
    assert set(pids) == {*NAMES, "grandchild"}
    assert all(is_running(pid) for pid in pids.values())
    assert all(os.getsid(pids[name]) == pids[name] for name in NAMES)
    assert f"ready on http://127.0.0.1:{shared.port} " in shared.output
    for name in ("generator", "task-store", "reaper"):
        assert (shared.data_dir / "run" / f"{name}.port").read_text().strip().isdecimal()


async def test_each_killed_process_is_back_within_a_second(shared: ToyStack) -> None:
    for name in NAMES:
        before = shared.pid(name)
        os.kill(before, signal.SIGKILL)
        killed_at = time.monotonic()
        await eventually(lambda n=name, b=before: shared.pid(n) not in (0, b))
        assert time.monotonic() - killed_at < 1.0, name
        assert f"{name} died (SIGKILL); it starts again in 0.1 s" in shared.output


async def test_the_servers_come_back_where_they_were_with_their_data(shared: ToyStack) -> None:
    addresses = discover(shared.data_dir)
    await eventually(lambda: is_up(addresses.database_url or "no address"))
    await leave_a_trace(addresses)

    for name in ("nats", "postgres"):
        before = shared.pid(name)
        os.kill(before, signal.SIGKILL)
        await eventually(lambda n=name, b=before: shared.pid(n) not in (0, b))

    assert discover(shared.data_dir) == addresses
    await eventually(lambda: trace_is_there(addresses))


async def test_what_a_dead_service_had_started_dies_with_it(shared: ToyStack) -> None:
    await eventually(lambda: is_running(shared.pids()["grandchild"]))
    grandchild = shared.pids()["grandchild"]
    os.kill(shared.pid("generator"), signal.SIGKILL)
    await eventually(lambda: not is_running(grandchild))


async def test_services_start_beside_the_set_up_and_ready_waits_for_both(data_dir: Path) -> None:
    done = data_dir / "done"
    async with toy_stack(data_dir, TOY_WAITS=str(done)) as stack:
        await stack.launch()
        await eventually(lambda: {*NAMES, "grandchild"} == set(stack.pids()))

        async def gateway_is_ready() -> bool:
            return (await readiness.ask("127.0.0.1", stack.port))[0]

        await eventually(gateway_is_ready)
        assert "is ready on" not in stack.output
        done.touch()
        await eventually(lambda: "is ready on" in stack.output)


async def test_a_service_that_keeps_dying_shows_the_end_of_its_log(data_dir: Path) -> None:
    async with toy_stack(data_dir, TOY_BROKEN="reaper") as stack:
        await stack.start()
        await eventually(lambda: "reaper keeps dying" in stack.output)
        assert "reaper died (exit code 1); it starts again in 0.4 s" in stack.output
        await eventually(lambda: "    the reason why" in stack.output)


async def test_with_servers_of_ones_own_no_server_is_started(data_dir: Path) -> None:
    theirs = {"DARKROOM_NATS_URL": "nats://n:1", "DARKROOM_DATABASE_URL": "postgresql://p/d"}
    async with toy_stack(data_dir, **theirs) as stack:
        await stack.start()
        assert set(stack.pids()) == {*NAMES, "grandchild"} - {"nats", "postgres"}


async def test_a_second_start_finds_the_data_of_the_first(stack: ToyStack) -> None:
    await stack.start()
    await leave_a_trace(discover(stack.data_dir))
    await stack.stop()

    await stack.start()
    assert await trace_is_there(discover(stack.data_dir))
