"""What every part of a run has at hand: the system, the sizes, the load, the floor."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from darkroom.stack.ports import free_port
from measuring.client import Order, encoded
from measuring.processes import Tree, difference
from measuring.system import BENCH, System

_LISTENS_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is done. `QUICK` shows that the harness works, and measures nothing."""

    seconds: float = 10.0
    warm_up_s: float = 2.0
    connections: int = 64
    one_at_a_time: int = 200
    events: int = 60_000
    rebuilt: int = 1_000_000
    few_tasks: int = 10_000
    many_tasks: int = 1_000_000
    recoveries: int = 200
    archived: int = 200_000
    archived_before: int = 0
    idle_s: float = 20.0
    settle_s: float = 5.0
    streams: int = 2000
    in_flight: int = 1000


QUICK = Sizes(
    seconds=0.5,
    warm_up_s=0.1,
    connections=4,
    one_at_a_time=5,
    events=600,
    rebuilt=400,
    few_tasks=50,
    many_tasks=500,
    recoveries=5,
    archived=50,
    archived_before=500,
    idle_s=0.5,
    settle_s=0.1,
    streams=10,
    in_flight=10,
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the client saw, and what the servers used meanwhile, in CPU seconds by part."""

    seen: dict[str, Any]
    cpu_s: dict[str, float]

    @property
    def rate(self) -> float:
        return float(self.seen["count"] / self.seen["seconds"])

    @property
    def count(self) -> int:
        return int(self.seen["count"])

    @property
    def cpu_ms(self) -> dict[str, float]:
        """For each answer, by part."""
        return {name: used / self.count * 1e3 for name, used in self.cpu_s.items()}


@dataclass(frozen=True, slots=True)
class Context:
    """One run."""

    system: System
    sizes: Sizes
    say: Callable[[str], None]

    def load(self, tree: Tree, order: Order, meanwhile: Callable[[], None] | None = None) -> Loaded:
        """Put a load on a server; ``meanwhile`` is called again and again while it lasts."""
        before = tree.cpu_s()
        with subprocess.Popen(
            [sys.executable, "-m", "measuring.client"],
            cwd=BENCH,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as client:
            assert client.stdin is not None
            assert client.stdout is not None
            client.stdin.write(encoded(order))
            client.stdin.close()
            while meanwhile is not None and client.poll() is None:
                meanwhile()
                time.sleep(0.1)
            answer = client.stdout.read()
        if client.returncode != 0:
            raise RuntimeError("the load client failed")
        return Loaded(json.loads(answer), difference(before, tree.cpu_s()))


@contextlib.contextmanager
def empty_server() -> Iterator[tuple[int, Tree]]:
    """The floor's server: its port and its process."""
    with _serving("measuring.empty") as (port, pid):
        yield port, Tree(pid, {"empty": pid})


@contextlib.contextmanager
def remote_service() -> Iterator[str]:
    """The service behind the provider ``remote``: its address."""
    with _serving("measuring.service") as (port, _):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def _serving(module: str) -> Iterator[tuple[int, int]]:
    """A server in a process of its own: its port and its pid."""
    port = free_port()
    with subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=BENCH) as server:
        try:
            _wait_for(port)
            yield port, server.pid
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _LISTENS_WITHIN_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def task_body(provider: str) -> str:
    """A task of ordinary size, for a provider by name."""
    return json.dumps(
        {
            "type": "CREATE",
            "prompt": "a red bicycle leaning on a yellow wall at noon, long shadows",
            "provider_params": {"service": provider.upper(), "seed": 7},
            "prompt_id": "prompt-1",
            "metadata": {"starred": False},
        }
    )
