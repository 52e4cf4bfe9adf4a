"""What a service calls back goes the whole way: gateway, bus, generator, and back to its record.

The service is a fake in a process of its own. After its first look at a job the generator would
look again in an hour, so that nothing but the call can bring the end.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from darkroom.stack.ports import free_port
from fakes.apart import Apart, apart
from fakes.kie import KEY
from servers import eventually
from system import System, running_system

TESTS = Path(__file__).parents[2]


@dataclass(frozen=True)
class Called:
    """A system without a generator for Kie, Kie itself, and how to start such a generator."""

    system: System
    kie: Apart
    settings: dict[str, str]

    def generator(self) -> AbstractAsyncContextManager[Any]:
        return self.system.generator(**self.settings)

    async def submit(self, prompt: str) -> str:
        body = {"type": "CREATE", "prompt": prompt, "provider_params": {"service": "KIE"}}
        return await self.system.submit(prompt.replace(" ", "-"), **body)

    async def told(self, prompt: str) -> list[str]:
        """What Kie was asked and did about the one job of this prompt, in order."""
        calls = await self.kie.calls()
        [job] = [each["job"] for each in calls if each.get("prompt") == prompt]
        return [each["call"] for each in calls if each.get("job") == job]


@pytest.fixture(scope="module")
async def called(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Called]:
    port = free_port()
    with pytest.MonkeyPatch.context() as patch:
        known = os.environ.get("PYTHONPATH")
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(TESTS), known])))
        async with (
            apart("kie") as kie,
            running_system(tmp_path_factory.mktemp("system"), port, PROVIDERS="studio") as system,
        ):
            settings = {
                # Not all: among them is Kie, which would come before the patient one.
                "PROVIDERS": "studio",
                "EXTRA_PROVIDERS": "integration.whole_path.patient_kie:PatientKie",
                "KIE_API_KEY": KEY,
                "KIE_URL": kie.url,
                "CALLBACK_URL": f"http://127.0.0.1:{port}",
                "LEASE_S": "1",
                "RETRY_BASE_S": "0.1",
                "PROVIDER_ATTEMPTS": "10",
            }
            made = Called(system, kie, settings)

            async def offered() -> bool:
                return '"KIE"' in (await system.http.get("/generation-types")).text

            async with made.generator():
                await eventually(offered, 30, "nobody knows of Kie")
            yield made


async def test_a_call_brings_the_end_long_before_the_next_poll(called: Called) -> None:
    await called.kie.set(is_holding=True, steps=0)
    async with called.generator():
        task_id = await called.submit("a tree that is called")

        async def looked_at() -> bool:
            calls = await called.kie.calls()
            return any(each["call"] == "record" for each in calls)

        await eventually(looked_at, 30, "nobody looks at the job")
        await called.kie.set(is_holding=False)
        task = await called.system.ended(task_id)

    assert (task["status"], task["attempt"], len(task["artifacts"])) == ("completed", 1, 1)
    told = await called.told("a tree that is called")
    # The call and the look that it leads to are noted as they end: in either order.
    assert (told[:2], sorted(told[2:])) == (["taken", "record"], ["called back", "record"])


async def test_a_call_while_no_generator_runs_is_looked_up_by_the_next_one(called: Called) -> None:
    """Only the call tells which job was taken: the answer to its submit was lost."""
    await called.kie.set(is_holding=True, drop=1)
    async with called.generator() as process:
        task_id = await called.submit("a tree nobody heard of")

        async def in_doubt() -> bool:
            return "submit_unknown" in (await called.system.task(task_id))["metadata"]

        await eventually(in_doubt, 30, "the lost answer is not noticed")
        process.kill()
        await process.wait()
    await called.kie.set(is_holding=False)

    async def has_called() -> bool:
        return "called back" in await called.told("a tree nobody heard of")

    await eventually(has_called, 30, "Kie does not call")
    before = await called.system.task(task_id)
    async with called.generator():
        task = await called.system.ended(task_id)

    assert before["status"] == "processing"
    assert (task["status"], len(task["artifacts"])) == ("completed", 1)
    told = await called.told("a tree nobody heard of")
    assert told[:2] == ["taken", "called back"]
    assert set(told[2:]) == {"record"}
