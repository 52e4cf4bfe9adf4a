"""A provider that is down for a while, under load.

    python -m faults.outage --down 120 [--every 0.5]     (make drills)

The system is `darkroom up`; the service is a fake of Replicate in a process of its own, which
answers with 503 while it is down.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fakes.apart import Apart, apart
from fakes.replicate import TOKEN
from servers import eventually
from system import System, ends_by_task, running_system

PARAMS = {"service": "REPLICATE", "model": "black-forest-labs/flux-schnell"}
ALL = 10**9
"""Calls: more than come."""


@dataclass(frozen=True)
class Outage:
    """``waited``: how many tasks told that they wait for the breaker; ``calls_while_down``: how
    many calls the service got from when its breaker was open until it was up again."""

    tasks: int
    statuses: Mapping[str, int]
    errors: Mapping[str, int]
    attempts: Mapping[int, int]
    waited: int
    calls_while_down: int
    ended_once: int


@dataclass
class Street:
    """The system, and the service whose breaker is the matter."""

    system: System
    fake: Apart

    async def submit(self, key: str) -> str:
        return await self.system.submit(key, type="CREATE", prompt=key, provider_params=PARAMS)

    async def go_down(self) -> None:
        await self.fake.set(fail=ALL, fail_status=503)

    async def come_back(self) -> None:
        await self.fake.set(fail=0)

    async def is_open(self) -> bool:
        """Whether everybody can see that the breaker is open."""
        types = (await self.system.http.get("/generation-types")).json()["types"]
        offered = [each for kind in types for each in kind["providers"]]
        states = {each["name"]: each["breaker"]["state"] for each in offered}
        return bool(states.get("REPLICATE") in ("open", "half_open"))

    async def unfinished(self) -> list[dict[str, Any]]:
        answer = await self.system.http.get("/tasks/processing", params={"type": "CREATE"})
        tasks: list[dict[str, Any]] = answer.json()["tasks"] if answer.is_success else []
        return tasks

    async def outage(self, down_s: float, every_s: float) -> Outage:
        """Submit one task after the other: before, during and after it."""
        tasks: list[str] = []
        waited: set[str] = set()
        over = asyncio.Event()

        async def submit_all() -> None:
            while not over.is_set():
                tasks.append(await self.submit(f"tree-{len(tasks)}"))
                await asyncio.sleep(every_s)

        async def look() -> None:
            while not over.is_set():
                for task in await self.unfinished():
                    if (task["waiting_for"] or {}).get("code") == "circuit_open":
                        waited.add(task["task_id"])
                await asyncio.sleep(every_s)

        load = asyncio.gather(submit_all(), look())
        await eventually(lambda: len(tasks) >= 3, 60, "nothing is accepted")
        await self.go_down()
        began = asyncio.get_running_loop().time()
        await eventually(self.is_open, 120, "the breaker does not open")
        calls = len(await self.fake.calls())
        left = began + down_s - asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, left))
        calls = len(await self.fake.calls()) - calls
        await self.come_back()
        over.set()
        await load
        ended = [await self.system.ended(task, 240) for task in tasks]
        ends = ends_by_task(await self.system.log())
        return Outage(
            tasks=len(tasks),
            statuses=dict(Counter(task["status"] for task in ended)),
            errors=dict(Counter(task["error"]["code"] for task in ended if task["error"])),
            attempts=dict(sorted(Counter(task["attempt"] for task in ended).items())),
            waited=len(waited),
            calls_while_down=calls,
            ended_once=sum(ends[task] == 1 for task in tasks),
        )


@asynccontextmanager
async def street(data_dir: Path, **settings: str) -> AsyncIterator[Street]:
    async with (
        apart("replicate", steps=1) as fake,
        running_system(
            data_dir,
            PROVIDERS="replicate",
            REPLICATE_API_TOKEN=TOKEN,
            REPLICATE_URL=fake.url,
            **settings,
        ) as system,
    ):
        made = Street(system, fake)

        async def offered() -> bool:
            return '"REPLICATE"' in (await system.http.get("/generation-types")).text

        await eventually(offered, 30, "nobody knows of the provider")
        yield made


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="faults.outage")
    parser.add_argument("--down", type=float, default=120)
    parser.add_argument("--every", type=float, default=0.5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-outage-") as directory:
        async with street(Path(directory)) as made:
            told = await made.outage(chosen.down, chosen.every)
            print(json.dumps(asdict(told), indent=2))


if __name__ == "__main__":
    asyncio.run(_main())
