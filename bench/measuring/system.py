"""The system under test: `darkroom up` on a directory and a port of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from darkroom.stack.addresses import discover
from darkroom.stack.data_directory import DataDirectory
from darkroom.stack.ports import free_port
from measuring.processes import Tree

BENCH = Path(__file__).resolve().parent.parent
PARTS = ("nats", "postgres", "gateway", "generator", "task-store", "reaper")
_READY_WITHIN_S = 120.0
_STOP_WITHIN_S = 30.0
_POLL_S = 0.02
_FAR_OFF_S = "86400"


class System:
    """Started, asked, and ended by its pid."""

    def __init__(self, data_dir: Path, service_url: str) -> None:
        self.service_url = service_url
        self.directory = DataDirectory(data_dir)
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start it; the seconds until it says that it is ready."""
        self.directory.path.mkdir(parents=True, exist_ok=True)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DARKROOM_")
        }
        environment |= {
            "DARKROOM_DATA_DIR": str(self.directory.path),
            "DARKROOM_PORT": str(self.port),
            "DARKROOM_EXTRA_PROVIDERS": "noop:NoopProvider,remote:RemoteProvider",
            "BENCH_SERVICE_URL": self.service_url,
            "DARKROOM_CALLBACK_URL": f"http://127.0.0.1:{self.port}",
            # Tasks wait for nobody here, on purpose: they must not be ended for it.
            "DARKROOM_TASK_TIMEOUT_S": _FAR_OFF_S,
            "PYTHONPATH": str(BENCH),
        }
        began = time.monotonic()
        with (self.directory.path / "supervisor.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "darkroom.stack"], env=environment, stdout=log, stderr=log
            )
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() - began > _READY_WITHIN_S:
                raise RuntimeError(f"the system did not get ready:\n{self._last_words()}")
            time.sleep(_POLL_S)
        return time.monotonic() - began

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    @property
    def tree(self) -> Tree:
        """Its processes, by part."""
        assert self._process is not None, "not started"
        parts = {name: self.pid(name) for name in PARTS}
        return Tree(self._process.pid, parts)

    @property
    def nats_url(self) -> str:
        url = discover(self.directory.path).nats_url
        assert url is not None
        return url

    @property
    def database_url(self) -> str:
        url = discover(self.directory.path).database_url
        assert url is not None
        return url

    def pid(self, part: str) -> int:
        return int(self.directory.pid_file(part).read_text())

    def metric(self, service: str, name: str) -> float:
        """The present value of a metric, its labels in the name."""
        port = int(self.directory.port_file(service).read_text())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        if found is None:
            raise RuntimeError(f"{service} has no metric {name}")
        return float(found[1])

    def wait_until_projected(self, within_s: float = 120.0) -> None:
        """Until the projection has caught up with the log and stays so."""
        deadline = time.monotonic() + within_s
        last = -1.0
        while time.monotonic() < deadline:
            sequence = self.metric("task-store", "darkroom_projection_sequence")
            lag = self.metric("task-store", "darkroom_projection_lag_events")
            if lag == 0 and sequence == last:
                return
            last = sequence
            time.sleep(0.3)
        raise RuntimeError("the projection does not catch up")

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def _last_words(self) -> str:
        logs = [self.directory.path / "supervisor.log", *self.directory.log("x").parent.glob("*")]
        return "\n".join(f"{log.name}: {log.read_text(errors='replace')[-1500:]}" for log in logs)
