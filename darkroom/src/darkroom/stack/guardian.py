"""The supervisor's side of the guardian: tell it who lives, so that nobody outlives us."""

import asyncio
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

from darkroom.stack.processes import Child

SCRIPT = Path(__file__).with_name("guardian_process.py")
PAUSE_S = 0.5
"""Before a guardian that could not start, or died at once, is replaced again."""


class Guardian:
    """A process of its own that ends the watched children once this process is gone.

    The kernel does the same on Linux, but only for the children themselves and only there.
    A guardian that is killed is replaced.
    """

    def __init__(self, lock: int) -> None:
        self._lock = lock
        self._watched: dict[int, Child] = {}
        self._pipe: int | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._replacing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """From here on, children are watched."""
        await self._start_process()
        self._replacing = asyncio.create_task(self._replace_when_killed())

    def watch(self, child: Child) -> None:
        """End this child's process group when we are gone."""
        self._watched[child.pid] = child
        self._tell(_watch_line(child))

    def forget(self, child: Child) -> None:
        """This child has ended."""
        if self._watched.pop(child.pid, None) is not None:
            self._tell(f"forget {child.pid}\n")

    async def close(self) -> None:
        """Let it go; it ends whoever is still watched."""
        if self._replacing is not None:
            self._replacing.cancel()
        self._close_pipe()
        if self._process is not None:
            await self._process.wait()

    async def _start_process(self) -> None:
        """Everything it has to know waits in its pipe before it runs: we may die at any moment."""
        read_end, write_end = os.pipe()
        try:
            self._close_pipe()
            self._pipe = write_end
            for child in self._watched.values():
                self._tell(_watch_line(child))
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(SCRIPT)),
                stdin=read_end,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(self._lock,),
                start_new_session=True,
            )
        finally:
            os.close(read_end)

    async def _replace_when_killed(self) -> None:
        while self._process is not None:
            began = time.monotonic()
            await self._process.wait()
            if time.monotonic() - began < PAUSE_S:
                await asyncio.sleep(PAUSE_S)
            with suppress(OSError):  # no process to be had: the one that ended is asked for again
                await self._start_process()

    def _tell(self, line: str) -> None:
        if self._pipe is not None:
            with suppress(BrokenPipeError):  # it was killed: its successor hears it all
                os.write(self._pipe, line.encode())

    def _close_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


def _watch_line(child: Child) -> str:
    return f"watch {child.pid} {int(child.spec.orphan_signal)} {child.spec.pid_file or ''}\n"
