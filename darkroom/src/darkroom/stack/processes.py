"""Start, watch and end one child process: its log, its pid file, its process group."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from darkroom.stack.files import write_atomically

LAUNCHER = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class StopStep:
    """One way of asking a process to end, and how long it then has."""

    signal: Signals
    grace_s: float


@dataclass(frozen=True, kw_only=True)
class ProcessSpec:
    """What to run, where it writes, and how it is ended."""

    name: str
    command: tuple[str, ...]
    log: Path
    pid_file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    stop: tuple[StopStep, ...] = (StopStep(SIGTERM, 6.0),)
    orphan_signal: Signals = SIGKILL
    """What it gets when the process that started it is gone."""
    identity: str = "keep"
    """As whom it runs, in the launcher's words."""
    keeps_open: tuple[int, ...] = ()
    """File descriptors that it holds for as long as it lives."""


class Child:
    """One running (or ended) process. Made by :func:`spawn`."""

    def __init__(self, spec: ProcessSpec, process: asyncio.subprocess.Process) -> None:
        self.spec = spec
        self._process = process
        self._tidied = False

    @property
    def pid(self) -> int:
        """Process id, and process group id: each child leads a group of its own."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; a negative number is the signal that ended it."""
        return self._process.returncode

    async def wait(self) -> int:
        """Until it has ended; what it left of its group is ended too, and its pid file goes."""
        code = await self._process.wait()
        if not self._tidied:
            self._tidied = True
            self.end_group()
            self._forget_pid()
        return code

    async def stop(self) -> int:
        """Ask as its spec says, step by step, then kill. Returns its exit code."""
        for step in self.spec.stop:
            self.signal(step.signal)
            with suppress(TimeoutError):
                return await asyncio.wait_for(self.wait(), step.grace_s)
        return await self.kill()

    async def kill(self) -> int:
        """End it and its whole group at once."""
        self.end_group()
        return await self.wait()

    def signal(self, number: Signals) -> None:
        """Send a signal to the process alone; nothing happens when it has ended."""
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    def end_group(self) -> None:
        """SIGKILL to it and to what it started; :meth:`wait` tells when it is gone."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, SIGKILL)

    def write_pid_file(self) -> None:
        """Tell everybody that it runs."""
        if self.spec.pid_file is not None:
            write_atomically(self.spec.pid_file, f"{self.pid}\n")

    def _forget_pid(self) -> None:
        path = self.spec.pid_file
        with suppress(OSError, ValueError):
            if path is not None and int(path.read_text()) == self.pid:
                path.unlink()


async def spawn(spec: ProcessSpec) -> Child:
    """Start the process in a session of its own, tied to our life."""
    spec.log.parent.mkdir(parents=True, exist_ok=True)
    with spec.log.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(LAUNCHER), str(os.getpid())),
            *(str(int(spec.orphan_signal)), spec.identity),
            *spec.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=spec.environment,
            pass_fds=spec.keeps_open,
            start_new_session=True,
        )
    return Child(spec, process)


def describe_exit(code: int) -> str:
    """How a process ended, in words: ``exit code 1`` or ``SIGKILL``."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return Signals(-code).name
    except ValueError:
        return f"signal {-code}"
