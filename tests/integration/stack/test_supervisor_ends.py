"""However it ends, no process is left, and the next start recovers."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from darkroom.stack.addresses import Addresses, discover
from integration.stack.toy_stack import (
    ToyStack,
    is_running,
    leave_a_trace,
    toy_stack,
    trace_is_there,
)
from servers import eventually

GUARDED = Path(__file__).with_name("toy_guarded.py")
LINUX = sys.platform == "linux"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_polite_signal_ends_everything(running: ToyStack, number: signal.Signals) -> None:
    pids = running.pids()
    began = time.monotonic()
    assert await running.stop(number) == 0
    assert time.monotonic() - began < 5
    assert not [name for name, pid in pids.items() if is_running(pid)]
    await running.all_gone(pids, timeout_s=0)
    assert discover(running.data_dir) == Addresses(None, None, None)


async def test_a_service_that_does_not_listen_is_killed_within_the_ten_seconds(
    data_dir: Path,
) -> None:
    async with toy_stack(data_dir, TOY_DEAF="generator") as stack:
        await stack.start()
        pids = stack.pids()
        began = time.monotonic()
        assert await stack.stop() == 0
        assert time.monotonic() - began < 10
        await stack.all_gone(pids, timeout_s=0)


async def test_a_second_signal_ends_everything_at_once(data_dir: Path) -> None:
    async with toy_stack(data_dir, TOY_DEAF="generator") as stack:
        await stack.start()
        pids = stack.pids()
        began = time.monotonic()
        stack.supervisor.send_signal(signal.SIGINT)
        await eventually(lambda: not is_running(pids["gateway"]))
        assert await stack.stop(signal.SIGINT) == 0
        assert time.monotonic() - began < 5
        await stack.all_gone(pids, timeout_s=0)


async def test_a_killed_supervisor_leaves_nothing_and_the_next_start_recovers(
    running: ToyStack,
) -> None:
    await leave_a_trace(discover(running.data_dir))
    pids = running.pids()
    await running.stop(signal.SIGKILL)

    await running.start()  # at once: it waits until the former processes are gone
    assert not [name for name, pid in pids.items() if is_running(pid)]
    assert await trace_is_there(discover(running.data_dir))

    pids = running.pids()
    await running.stop(signal.SIGKILL)
    await running.all_gone(pids)


@pytest.mark.skipif(not LINUX, reason="finds the guardian through Linux's /proc")
async def test_a_killed_guardian_is_replaced(running: ToyStack) -> None:
    guardian = running.guardian
    os.kill(guardian, signal.SIGKILL)
    await eventually(lambda: running.guardian not in (0, guardian))

    pids = running.pids()
    await running.stop(signal.SIGKILL)
    await running.all_gone(pids)


async def test_a_new_guardian_knows_whom_it_watches_before_it_runs(tmp_path: Path) -> None:
    dying = await asyncio.create_subprocess_exec(
        *(sys.executable, str(GUARDED), str(tmp_path)), stdout=asyncio.subprocess.PIPE
    )
    grandchild, _ = await dying.communicate()
    assert dying.returncode == -signal.SIGKILL
    await eventually(lambda: not is_running(int(grandchild)))


@pytest.mark.skipif(not LINUX, reason="relies on the kernel's signal at a parent's death")
async def test_killed_together_with_its_guardian_the_supervisor_leaves_no_service(
    running: ToyStack,
) -> None:
    pids = running.pids()
    del pids["grandchild"]  # its own parent's to end
    os.kill(running.guardian, signal.SIGKILL)
    await running.stop(signal.SIGKILL)
    await eventually(lambda: not any(map(is_running, pids.values())))


async def test_a_supervisor_stops_with_its_parent_where_asked_to(data_dir: Path) -> None:
    async with toy_stack(data_dir, DARKROOM_STOP_WITH_PARENT="1") as stack:
        # a shell in between, as make is: what is killed is the shell
        await stack.start("sh", "-c", '"$@" & echo $! > "$0"; wait', f"{data_dir}/pid")
        pids = {**stack.pids(), "supervisor": int((data_dir / "pid").read_text())}
        await stack.stop(signal.SIGKILL)
        await stack.all_gone(pids)
