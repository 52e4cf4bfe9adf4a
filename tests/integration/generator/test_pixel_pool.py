"""Worker processes: progress, cancellation, sudden death, and no survivors."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest

from generator.provider import Job, Output, Progress, Rejected, Submitted, Unavailable
from generator.studio.orders import Made, Order
from generator.studio.pool import PixelPool
from generator.studio.provider import StudioProvider

SMALL = Order("CREATE", "a red bicycle", (), {"width": 96, "height": 64})
LARGE = Order("CREATE", "an underwater reef with nine fish", (), {"width": 2048, "height": 2048})


def runs(pid: int) -> bool:
    """Whether a process is there and more than an unburied zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    return True


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - another process changes what is waited for
            await asyncio.sleep(0.01)


@pytest.fixture
async def pool() -> AsyncIterator[PixelPool]:
    pool = PixelPool(2)
    yield pool
    await pool.aclose()


async def replies(pool: PixelPool, order: Order) -> list[int | Made]:
    async with aclosing(pool.render(order)) as stream:
        return [reply async for reply in stream]


async def test_every_tenth_of_the_way_is_told_then_the_picture_comes(pool: PixelPool) -> None:
    told = await replies(pool, SMALL)
    assert told[:-1] == [10, 20, 30, 40, 50, 60, 70, 80, 90]
    assert isinstance(told[-1], Made)


async def test_a_worker_is_used_again(pool: PixelPool) -> None:
    await replies(pool, SMALL)
    before = pool.pids
    await replies(pool, SMALL)
    assert pool.pids == before
    assert len(before) == 1


async def test_an_idle_worker_leaves() -> None:
    pool = PixelPool(1, idle_s=0.05)
    await replies(pool, SMALL)
    await until(lambda: not pool.pids)
    assert isinstance((await replies(pool, SMALL))[-1], Made)
    await pool.aclose()


async def test_never_more_workers_than_places(pool: PixelPool) -> None:
    most = 0

    async def one() -> None:
        nonlocal most
        async with aclosing(pool.render(SMALL)) as stream:
            async for _ in stream:
                most = max(most, len(pool.pids))

    await asyncio.gather(*(one() for _ in range(6)))
    assert 1 <= most <= pool.size


async def test_cancelling_kills_that_worker_and_no_other(pool: PixelPool) -> None:
    started = asyncio.Event()

    async def doomed() -> None:
        async with aclosing(pool.render(LARGE)) as stream:
            async for _ in stream:
                started.set()

    task = asyncio.ensure_future(doomed())
    await started.wait()
    (victim,) = pool.pids
    other = asyncio.ensure_future(replies(pool, SMALL))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not runs(victim)
    assert isinstance((await other)[-1], Made)


async def test_closing_the_iterator_stops_the_work(pool: PixelPool) -> None:
    stream = pool.render(LARGE)
    await anext(stream)
    (victim,) = pool.pids
    await stream.aclose()
    assert not runs(victim)
    assert not pool.pids


async def test_a_killed_worker_costs_its_own_task_and_is_replaced(pool: PixelPool) -> None:
    stream = pool.render(LARGE)
    await anext(stream)
    (victim,) = pool.pids
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(Unavailable, match="SIGKILL"):
        async for _ in stream:
            pass
    assert isinstance((await replies(pool, SMALL))[-1], Made)
    assert victim not in pool.pids


async def test_an_idle_worker_that_was_killed_is_not_asked_again(pool: PixelPool) -> None:
    await replies(pool, SMALL)
    (victim,) = pool.pids
    os.kill(victim, signal.SIGKILL)
    await until(lambda: not runs(victim))
    with contextlib.suppress(Unavailable):
        await replies(pool, SMALL)
    assert isinstance((await replies(pool, SMALL))[-1], Made)
    assert victim not in pool.pids


async def test_a_refusal_crosses_over_and_the_worker_lives_on(pool: PixelPool) -> None:
    with pytest.raises(Rejected) as refusal:
        await replies(pool, Order("WHITE_BACKGROUND", "", (b"no picture",)))
    assert refusal.value.code == "invalid_input"
    assert len(pool.pids) == 1


async def test_closing_the_pool_leaves_no_process() -> None:
    pool = PixelPool(2)
    stream = pool.render(LARGE)
    await anext(stream)
    pids = pool.pids
    await pool.aclose()
    await stream.aclose()
    assert not any(runs(pid) for pid in pids)


PARENT = """
import asyncio
from generator.studio.orders import Order
from generator.studio.pool import PixelPool

async def main():
    pool = PixelPool(1)
    async for reply in pool.render(Order("CREATE", "reef", (), {"width": 2048, "height": 2048})):
        print(*pool.pids, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_workers_die_with_a_parent_that_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    assert runs(pid)
    parent.kill()
    await parent.communicate()
    await until(lambda: not runs(pid))


CRASHING = """
import asyncio
from generator.provider import Job, Submitted
from generator.studio.provider import StudioProvider

async def main():
    job = Job("t", "o", "CREATE", "a cat", (), {"simulate": {"crash": True}}, 1, None, None)
    async for event in StudioProvider().follow(job, Submitted()):
        print(event.percent, flush=True)

asyncio.run(main())
"""


async def test_a_simulated_crash_kills_the_generator_after_some_progress() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CRASHING, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert said.split() == [b"50"]


async def test_the_provider_tells_rising_progress_and_one_output() -> None:
    provider = StudioProvider(workers=1)

    async def fetch(key: str) -> bytes:
        raise AssertionError(key)

    params = {"width": 96, "height": 64, "format": "webp", "simulate": {"seconds": 0.01}}
    job = Job("t", "o", "CREATE", "a cat", (), params, 1, fetch, asyncio.sleep)
    events = [event async for event in provider.follow(job, Submitted())]
    percents = [event.percent for event in events if isinstance(event, Progress)]
    assert percents == sorted(set(percents))
    (output,) = [event for event in events if isinstance(event, Output)]
    assert (output.content_type, output.width, output.height) == ("image/webp", 96, 64)
    await provider.aclose()


async def test_the_loop_turns_while_a_picture_is_painted(pool: PixelPool) -> None:
    painting = asyncio.ensure_future(replies(pool, LARGE))
    turns = 0
    while not painting.done() and turns < 50:
        await asyncio.sleep(0.001)
        turns += 1
    assert not painting.done()
    painting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await painting
