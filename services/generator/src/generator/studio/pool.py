"""Worker processes for pixel work, so that the event loop never waits for a picture.

A worker is started when there is work and none is idle, and ends after a while of idleness. An
abandoned order ends its worker: that is the only way to stop a computation that can't be asked to.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import signal
import sys
from collections.abc import AsyncGenerator

from generator.provider import Rejected, Unavailable
from generator.studio.orders import LENGTH, Made, Order, Refusal, Reply, framed

_READ_AHEAD_BYTES = 1 << 20


def _cpus() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Worker:
    """One worker process, as the event loop sees it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._retirement: asyncio.TimerHandle | None = None

    @classmethod
    async def start(cls) -> Worker:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "generator.studio.worker",
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_READ_AHEAD_BYTES,
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def ask(self, order: Order) -> None:
        """Hand over an order. Raises `OSError` when the worker has gone."""
        assert self._process.stdin is not None
        self._process.stdin.write(framed(order))
        await self._process.stdin.drain()

    async def reply(self) -> Reply:
        """The next message. Raises `asyncio.IncompleteReadError` when the worker dies first."""
        assert self._process.stdout is not None
        head = await self._process.stdout.readexactly(LENGTH.size)
        content = await self._process.stdout.readexactly(LENGTH.unpack(head)[0])
        message: Reply = pickle.loads(content)
        return message

    async def stop(self) -> None:
        """Kill the process and wait until it has gone."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        # What the worker had still to say is read and forgotten: a full pipe would keep us waiting.
        await self._process.communicate()

    async def end(self) -> str:
        """How a worker that has died came to its end, in words."""
        code = await self._process.wait()
        if code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"exited with code {code}"


class PixelPool:
    """At most ``workers`` processes, never more than CPUs; idle ones leave after ``idle_s``."""

    def __init__(self, workers: int | None = None, *, idle_s: float = 60.0) -> None:
        self.size = max(1, min(workers or _cpus(), _cpus()))
        self._idle_s = idle_s
        self._places = asyncio.Semaphore(self.size)
        self._idle: list[tuple[Worker, asyncio.TimerHandle]] = []
        self._busy: set[Worker] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def pids(self) -> set[int]:
        """The processes that run now, idle or not."""
        return {worker.pid for worker, _ in self._idle} | {worker.pid for worker in self._busy}

    async def render(self, order: Order) -> AsyncGenerator[int | Made, None]:
        """Yield percentages, then the file. Closing the iterator kills the work.

        Raises `Rejected` for an order that can't be served, `Unavailable` when the worker died.
        """
        async with self._places:
            worker = await self._take()
            done = False
            try:
                await worker.ask(order)
                while not done:
                    message = await worker.reply()
                    done = not isinstance(message, int)
                    if isinstance(message, int | Made):
                        yield message
                    elif isinstance(message, Refusal):
                        raise Rejected(message.message, code=message.code)
                    else:
                        raise Unavailable(f"The studio failed at this: {message.message}")
            except (asyncio.IncompleteReadError, OSError) as fault:
                raise Unavailable(f"The studio's worker {await worker.end()}.") from fault
            finally:
                self._busy.discard(worker)
                if done and worker.alive:
                    self._rest(worker)
                else:
                    await self._dismiss(worker)

    async def _take(self) -> Worker:
        while self._idle:
            worker, retirement = self._idle.pop()
            retirement.cancel()
            if worker.alive:
                self._busy.add(worker)
                return worker
            await self._dismiss(worker)
        worker = await Worker.start()
        self._busy.add(worker)
        return worker

    def _rest(self, worker: Worker) -> None:
        retirement = asyncio.get_running_loop().call_later(self._idle_s, self._retire, worker)
        self._idle.append((worker, retirement))

    def _retire(self, worker: Worker) -> None:
        self._idle = [(other, timer) for other, timer in self._idle if other is not worker]
        self._end(worker)

    def _end(self, worker: Worker) -> asyncio.Task[None]:
        task = asyncio.ensure_future(worker.stop())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def _dismiss(self, worker: Worker) -> None:
        """Stop a worker even if whoever waits for that is cancelled meanwhile."""
        await asyncio.shield(self._end(worker))

    async def aclose(self) -> None:
        """End every worker, busy or idle."""
        for worker, retirement in self._idle:
            retirement.cancel()
            self._end(worker)
        for worker in self._busy:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker.pid, signal.SIGKILL)
        self._idle.clear()
        await asyncio.gather(*self._leaving)
