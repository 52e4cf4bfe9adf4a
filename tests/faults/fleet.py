"""Services of one version or another on shared servers, two of each, and clients that go on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from darkroom.stack.ports import free_port
from releases import environment
from servers import eventually
from system import TERMINAL

ROLES = ("task-store", "generator", "reaper", "gateway")
SMALL = {"width": 64, "height": 64}
_MODULES = {"task-store": "task_store"}


@dataclass
class Service:
    """One process. ``port`` is where it says that it is ready; of a gateway, where it serves."""

    role: str
    port: int
    code: Path | None
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@dataclass
class Fleet:
    """The running services, and what they share."""

    settings: dict[str, str]
    http: httpx2.AsyncClient
    services: list[Service] = field(default_factory=list)

    async def start(self, role: str, code: Path | None, port: int | None = None) -> Service:
        """One more, ready; with the code of a released version, or with the present one."""
        port = port or free_port()
        name = "PORT" if role == "gateway" else "HEALTH_PORT"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", _MODULES.get(role, role)),
            env=environment(code, **self.settings, **{name: str(port)}),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        service = Service(role, port, code, process)
        self.services.append(service)
        await eventually(lambda: self._is_ready(service), 60, f"{role} is not ready")
        return service

    async def _is_ready(self, service: Service) -> bool:
        assert service.process.returncode is None, f"{service.role} ended by itself"
        try:
            return (await self.http.get(f"{service.url}/readyz")).is_success
        except httpx2.HTTPError:
            return False

    async def replace(self, service: Service, code: Path | None) -> int:
        """Stop one as a deployment does, and start another in its place; how it ended."""
        service.process.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(service.process.wait(), 30)
        self.services.remove(service)
        await self.start(service.role, code, service.port)
        return ended

    async def stop(self) -> None:
        for service in self.services:
            if service.process.returncode is None:
                service.process.kill()
            await service.process.wait()

    @property
    def gateways(self) -> list[str]:
        return [service.url for service in self.services if service.role == "gateway"]

    def is_of_today(self, gateway: str) -> bool:
        return any(each.url == gateway and each.code is None for each in self.services)

    async def call(self, method: str, path: str, **told: Any) -> httpx2.Response:
        """What the first gateway answers that can; a client that goes to the other one."""

        async def answered() -> httpx2.Response | None:
            for gateway in self.gateways:
                with suppress(httpx2.TransportError):
                    answer = await self.http.request(method, gateway + path, **told)
                    if answer.status_code != 503:
                        return answer
            return None

        found: httpx2.Response = await eventually(answered, 60, f"nobody answers {method} {path}")
        return found

    async def submit(self, key: str, seconds: float = 0) -> str:
        params: dict[str, Any] = {**SMALL, "simulate": {"seconds": seconds}} if seconds else SMALL
        body = {"type": "CREATE", "prompt": f"a tree of {key}", "provider_params": params}
        answer = await self.call("POST", "/tasks", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code in (200, 202), answer.text
        task_id: str = answer.json()["task_id"]
        return task_id

    async def ended(self, task_id: str) -> dict[str, Any]:
        async def over() -> dict[str, Any] | None:
            task: dict[str, Any] = (await self.call("GET", f"/tasks/{task_id}?wait=5")).json()
            return task if task["status"] in TERMINAL else None

        found: dict[str, Any] = await eventually(over, 60, f"{task_id} did not end")
        return found


@dataclass
class Follower:
    """A page that follows its owner's tasks, and resumes on whichever gateway there is."""

    fleet: Fleet
    sequences: list[int] = field(default_factory=list)
    connections: int = 0
    resets: int = 0

    async def run(self) -> None:
        while True:
            for gateway in self.fleet.gateways:
                with suppress(httpx2.TransportError):
                    async with aclosing(self._messages(gateway)) as messages:
                        async for kind, sequence in messages:
                            if kind == "task":
                                self.sequences.append(sequence)
                            elif kind == "reset" and self.fleet.is_of_today(gateway):
                                self.resets += 1
                            elif kind == "reset":
                                # 0.1.0 tells of another log now and then where there is none, when
                                # something happens while it looks: the place is still a good one.
                                break

    async def _messages(self, gateway: str) -> AsyncIterator[tuple[str, int]]:
        headers = {"Accept": "text/event-stream"}
        if self.sequences:
            headers["Last-Event-ID"] = str(self.sequences[-1])
        async with self.fleet.http.stream("GET", f"{gateway}/events", headers=headers) as answer:
            if not answer.is_success:
                return
            self.connections += 1
            kind, sequence = "", 0
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "id":
                    sequence = int(value)
                elif name == "event":
                    kind = value
                elif name == "data":
                    assert isinstance(json.loads(value), dict)
                elif not line and kind:
                    yield kind, sequence
                    kind = ""
