"""A whole system with toy services and real servers, seen from outside: its pids, files, words."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg
import nats

from darkroom.stack.addresses import Addresses
from darkroom.stack.files import read_text
from darkroom.stack.ports import free_port
from servers import eventually

SYSTEM = Path(__file__).with_name("toy_system.py")
NAMES = ("nats", "postgres", "gateway", "reaper", "generator", "task-store")
READY_TIMEOUT_S = 20.0
ALL_GONE_TIMEOUT_S = 10.0
"""The guardian gives a killed supervisor's children 4 s, and 2 s more after their SIGKILL."""


class ToyStack:
    """One data directory, on which the system is started as often as a test likes."""

    def __init__(self, data_dir: Path, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = free_port()
        self.environment: Mapping[str, str] = environment
        self._process: asyncio.subprocess.Process | None = None
        self._output = data_dir.with_name(f"output-{self.port}")

    @property
    def output(self) -> str:
        """What the latest start has said so far."""
        return self._output.read_text()

    @property
    def supervisor(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    @property
    def guardian(self) -> int:
        """The pid of the supervisor's guardian."""
        children = Path(f"/proc/{self.supervisor.pid}/task/{self.supervisor.pid}/children")
        for pid in children.read_text().split():
            with suppress(OSError):  # it may have ended by now
                if "guardian_process" in Path(f"/proc/{pid}/cmdline").read_text():
                    return int(pid)
        return 0

    async def launch(self, *prefix: str) -> None:
        """Start it, without waiting for anything."""
        with self._output.open("wb") as output:
            self._process = await asyncio.create_subprocess_exec(
                *(*prefix, sys.executable, str(SYSTEM)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={
                    **{k: v for k, v in os.environ.items() if not k.startswith("DARKROOM_")},
                    "DARKROOM_DATA_DIR": str(self.data_dir),
                    "DARKROOM_PORT": str(self.port),
                    **self.environment,
                },
            )

    async def start(self, *prefix: str) -> None:
        """Start it and wait until it says that it is ready."""
        (self.data_dir / "grandchild").unlink(missing_ok=True)
        await self.launch(*prefix)
        await eventually(
            lambda: "is ready on" in self.output or self.supervisor.returncode is not None,
            READY_TIMEOUT_S,
        )
        assert "is ready on" in self.output, self.output
        await eventually(lambda: "grandchild" in self.pids())

    async def refused(self) -> str:
        """Start it and wait for its end; what it said."""
        await self.launch()
        assert await self.supervisor.wait() == 1, self.output
        return self.output

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal the supervisor and wait for its end."""
        with suppress(ProcessLookupError):
            self.supervisor.send_signal(number)
        return await self.supervisor.wait()

    async def close(self) -> None:
        """End it if it still runs."""
        if self._process is not None and self._process.returncode is None:
            await self.stop()

    def pid(self, name: str) -> int:
        """What its pid file says; 0 without one."""
        return int(read_text(self.data_dir / "run" / f"{name}.pid") or 0)

    def pids(self) -> dict[str, int]:
        """Of all that runs, by name, the generator's own child included."""
        known = {name: self.pid(name) for name in NAMES}
        known["grandchild"] = int(read_text(self.data_dir / "grandchild") or 0)
        return {name: pid for name, pid in known.items() if pid}

    async def all_gone(
        self, pids: Mapping[str, int], timeout_s: float = ALL_GONE_TIMEOUT_S
    ) -> None:
        """Wait until none of them runs any more and no pid file is left."""

        def left() -> dict[str, int]:
            return {name: pid for name, pid in pids.items() if is_running(pid)}

        try:
            await eventually(lambda: not left(), timeout_s)
        except TimeoutError:
            raise AssertionError(f"still running: {left()}") from None
        await eventually(lambda: not list((self.data_dir / "run").glob("*.pid")), timeout_s)


def is_running(pid: int) -> bool:
    """Whether the process does anything; one that is dead and not yet reaped doesn't."""
    status = Path(f"/proc/{pid}/stat")
    if status.exists():
        with suppress(OSError):
            return status.read_text().rpartition(")")[2].split()[0] not in "ZX"
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc/self").exists()


@asynccontextmanager
async def toy_stack(data_dir: Path, **environment: str) -> AsyncIterator[ToyStack]:
    """A stack that is gone when the test is over, however it went."""
    stack = ToyStack(data_dir, **environment)
    try:
        yield stack
    finally:
        await stack.close()


async def leave_a_trace(addresses: Addresses) -> None:
    """Something on each server that has to outlive it."""
    assert addresses.nats_url is not None
    client = await nats.connect(addresses.nats_url)
    await client.jetstream().add_stream(name="TRACE", subjects=["trace"])
    await client.jetstream().publish("trace", b"1")
    await client.close()
    connection = await asyncpg.connect(addresses.database_url)
    await connection.execute("CREATE TABLE trace AS SELECT 1 AS one")
    await connection.close()


async def trace_is_there(addresses: Addresses) -> bool:
    """Whether both servers answer and still have it."""
    try:
        connection = await asyncpg.connect(addresses.database_url)
        assert addresses.nats_url is not None
        client = await nats.connect(addresses.nats_url, allow_reconnect=False)
    except (OSError, asyncpg.CannotConnectNowError, nats.errors.NoServersError):
        return False
    messages = (await client.jetstream().stream_info("TRACE")).state.messages
    rows = await connection.fetchval("SELECT count(*) FROM trace")
    await client.close()
    await connection.close()
    return bool(messages == 1 and rows == 1)
