"""Keep one process running: start it again when it dies, say so, stop it when asked."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from contracts.exits import UNUSABLE_SETTINGS
from darkroom.stack.console import Console
from darkroom.stack.errors import StackError
from darkroom.stack.files import bound_log, last_lines
from darkroom.stack.guardian import Guardian
from darkroom.stack.processes import Child, ProcessSpec, describe_exit, spawn
from darkroom.stack.restarts import Run, deaths_in_a_row, delay_s

DEATHS_WORTH_A_LOOK = 5
REMEMBERED_RUNS = 20
QUOTED_LINES = 15
READY_POLL_S = 0.01


class Keeper:
    """Keeps one process running.

    ``prepare`` gives the spec before each start; it may do what has to be done before, such as
    clearing what a crash has left. When the process says at first that it can't run with the
    settings it was given, the last line of its log goes to ``refusals``: no new try would help.
    """

    def __init__(
        self,
        name: str,
        prepare: Callable[[], Awaitable[ProcessSpec]],
        guardian: Guardian,
        console: Console,
        refusals: asyncio.Queue[str],
    ) -> None:
        self.name = name
        self._prepare = prepare
        self._guardian = guardian
        self._console = console
        self._refusals = refusals
        self._history: deque[Run] = deque(maxlen=REMEMBERED_RUNS)
        self._started_at = 0.0
        self._stopping = asyncio.Event()
        self._child: Child | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return None if self._child is None else self._child.pid

    async def start(self) -> None:
        """Start it for the first time; what goes wrong here is the caller's to report."""
        child = await self._launch()
        self._keeping = asyncio.create_task(self._keep(child), name=f"keep {self.name}")

    async def ready(self, is_ready: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Wait for it; give up when it keeps dying or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not await is_ready():
            if deaths_in_a_row(self._history) >= DEATHS_WORTH_A_LOOK:
                raise StackError(f"{self.name} doesn't start: see the end of its log above.")
            if time.monotonic() > deadline:
                raise StackError(f"{self.name} isn't ready after {timeout_s:.0f} s: see its log.")
            await asyncio.sleep(READY_POLL_S)

    async def stop(self) -> None:
        """End it as its spec says; it isn't started again."""
        self._stopping.set()
        if self._child is not None:
            await self._child.stop()
        if self._keeping is not None:
            await self._keeping

    def kill(self) -> None:
        """End it without grace; it isn't started again."""
        self._stopping.set()
        if self._child is not None:
            self._child.end_group()

    def bound_log(self) -> None:
        """Keep its log from growing without end."""
        if self._child is not None:
            bound_log(self._child.spec.log)

    async def _keep(self, child: Child | None) -> None:
        while child is not None:
            code = await child.wait()
            self._guardian.forget(child)
            self._child = None
            if code == UNUSABLE_SETTINGS and not self._history:  # its first life
                *_, reason = (f"{self.name} refuses to run", *last_lines(child.spec.log, 1))
                self._refusals.put_nowait(reason)
                return
            child = None if self._stopping.is_set() else await self._revive(child.spec, code)

    async def _revive(self, spec: ProcessSpec, code: int) -> Child | None:
        how = describe_exit(code)
        while True:
            await self._mourn(spec, how)
            if self._stopping.is_set():
                return None
            try:
                return await self._launch()
            except (OSError, StackError) as error:
                how = str(error)

    async def _mourn(self, spec: ProcessSpec, how: str) -> None:
        """Tell what died and how, and wait until it may start again."""
        self._history.append(Run(self._started_at, time.monotonic()))
        pause_s = delay_s(self._history, time.monotonic())
        self._console.complain(f"{self.name} died ({how}); it starts again in {pause_s:.1f} s")
        if deaths_in_a_row(self._history) == DEATHS_WORTH_A_LOOK:
            self._console.complain(f"{self.name} keeps dying; the end of {spec.log}:")
            self._console.quote(last_lines(spec.log, QUOTED_LINES))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _launch(self) -> Child:
        self._started_at = time.monotonic()
        spec = await self._prepare()
        bound_log(spec.log)
        child = await spawn(spec)
        self._child = child
        self._guardian.watch(child)
        try:
            child.write_pid_file()
        except OSError as error:  # a full disk is no reason not to run
            self._console.complain(
                f"{self.name} runs as process {child.pid}, which its pid file doesn't tell "
                f"({error.strerror}: {spec.pid_file})"
            )
        if self._stopping.is_set():  # asked to stop while it was being started
            child.end_group()
        return child
