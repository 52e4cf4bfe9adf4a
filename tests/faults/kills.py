"""A generator killed around the moment at which it hands tasks over, again and again.

    python -m faults.kills --kills 200 [--kie fail|resubmit|callback]     (make drills)

Everything but the generator is `darkroom up`. The generator that serves Kie and ComfyUI is started
here, so that the next one comes at once; the services are fakes in processes of their own. Told is
what the services saw.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from contracts.events import Event, Failed, Started, decode
from darkroom.stack.ports import free_port
from fakes.apart import Apart, apart
from fakes.kie import KEY
from generator.attempts import past_of
from servers import eventually
from system import System, ends_by_task, running_system

LATENCY_S = 0.05
"""How long a service takes to answer: in the middle of it is where a kill hurts."""
WINDOW_S = 0.2
"""A kill comes so long after a submission, at most: before, while and after it is handed over."""
LEFT_ALONE = 10
"""Every so many generators, one is left to end what the others began."""
SERVICES: Mapping[str, Mapping[str, Any]] = {
    "kie": {"service": "KIE"},
    "comfyui": {"service": "COMFYUI"},
}


@dataclass(frozen=True)
class Seen:
    """What became of the tasks of one service.

    ``in_doubt``: how often a generator found a submit of which nothing told what became of it.
    ``taken``: how many tasks the service took never, once, twice …
    """

    tasks: int
    in_doubt: int
    taken: Mapping[int, int]
    completed: int
    failed_unknown: int
    failed_else: int
    ended_once: int

    @property
    def more_than_once(self) -> int:
        return sum(tasks for times, tasks in self.taken.items() if times > 1)


@dataclass
class Ground:
    """The system, the services, and the generator that is killed."""

    system: System
    fakes: Mapping[str, Apart]
    settings: Mapping[str, str]
    kills: int = 0

    async def killed(self, kills: int, chance: Random) -> dict[str, Seen]:
        """Kill it so often, let all come to their ends, and tell what the services saw."""
        tasks: dict[str, dict[str, str]] = {name: {} for name in self.fakes}
        for number in range(kills):
            async with self.system.generator(**self.settings) as process:
                await eventually(self._announced, 30, "nobody knows of the providers")
                for name in chance.sample(sorted(self.fakes), len(self.fakes)):
                    prompt = f"{name}-tree-{number}"
                    body = {"type": "CREATE", "prompt": prompt, "provider_params": SERVICES[name]}
                    tasks[name][prompt] = await self.system.submit(prompt, **body)
                if number % LEFT_ALONE == LEFT_ALONE - 1:
                    # A life of a second is too short to look for a job that was never taken.
                    await self._ended(tasks)
                await asyncio.sleep(chance.uniform(0, WINDOW_S))
                process.kill()
                await process.wait()
                self.kills += 1
        async with self.system.generator(**self.settings):
            await self._ended(tasks)
        return {name: await self._seen(name, ids) for name, ids in tasks.items()}

    async def _announced(self) -> bool:
        answer = await self.system.http.get("/generation-types")
        return all(f'"{name.upper()}"' in answer.text for name in SERVICES)

    async def _ended(self, tasks: Mapping[str, Mapping[str, str]]) -> None:
        for ids in tasks.values():
            for task_id in ids.values():
                await self.system.ended(task_id, 120)

    async def _seen(self, name: str, ids: Mapping[str, str]) -> Seen:
        calls = await self.fakes[name].calls()
        taken = Counter(each["prompt"] for each in calls if each["call"] == "taken")
        messages = await self.system.log()
        ends = ends_by_task(messages)
        stories: dict[str, list[Event]] = {task_id: [] for task_id in ids.values()}
        for message in messages:
            event = decode(message.payload)
            if event.subject in stories:
                stories[event.subject].append(event)
        failures = [
            each.data.error
            for told in stories.values()
            for each in told
            if isinstance(each, Failed)
        ]
        unknown = [each for each in failures if "not known whether" in each.message]
        return Seen(
            tasks=len(ids),
            in_doubt=sum(map(_doubts, stories.values())),
            taken=dict(sorted(Counter(taken[prompt] for prompt in ids).items())),
            completed=len(ids) - len(failures),
            failed_unknown=len(unknown),
            failed_else=len(failures) - len(unknown),
            ended_once=sum(ends[task_id] == 1 for task_id in stories),
        )


def _doubts(story: Sequence[Event]) -> int:
    """How many attempts began with a submit that nothing answers."""
    return sum(
        isinstance(event, Started) and past_of(story[:number]).unanswered is not None
        for number, event in enumerate(story)
    )


@asynccontextmanager
async def ground(data_dir: Path, kie: str) -> AsyncIterator[Ground]:
    """``kie``: what becomes of what it may have taken: by policy, or found by its callback."""
    port = free_port()
    async with AsyncExitStack() as stack:
        fakes = {
            name: await stack.enter_async_context(apart(name, latency_s=LATENCY_S, steps=1))
            for name in SERVICES
        }
        shared = {"LEASE_S": "2"}
        system = await stack.enter_async_context(
            running_system(data_dir, port, PROVIDERS="studio", **shared)
        )
        settings = {
            **shared,
            "PROVIDERS": "kie,comfyui",
            "PROVIDER_ATTEMPTS": "100",
            "RETRY_BASE_S": "0.1",
            "KIE_API_KEY": KEY,
            "KIE_URL": fakes["kie"].url,
            "COMFYUI_URL": fakes["comfyui"].url,
            "SUBMIT_UNKNOWN": "fail" if kie == "callback" else kie,
            "CALLBACK_URL": f"http://127.0.0.1:{port}" if kie == "callback" else "",
        }
        yield Ground(system, fakes, settings)


async def _main() -> None:
    parser = argparse.ArgumentParser(prog="faults.kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--kie", choices=["fail", "resubmit", "callback"], default="fail")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="darkroom-kills-") as directory:
        async with ground(Path(directory), chosen.kie) as made:
            seen = await made.killed(chosen.kills, Random(chosen.seed))
            told = {name: asdict(each) for name, each in seen.items()}
            print(json.dumps({"kills": made.kills, "kie": chosen.kie, **told}, indent=2))


if __name__ == "__main__":
    asyncio.run(_main())
