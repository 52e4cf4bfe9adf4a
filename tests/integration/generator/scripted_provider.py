"""Providers that do what ``provider_params`` says, and write down what was asked of them.

What they share with the test, and with other processes, is a folder: ``calls`` has a line for each
call; work with ``until`` goes on once the file of that name is there (`Stage.release`).

    steps        percents to report first
    until        wait for a file of this name, saying 50 % meanwhile; ``until_2`` for attempt 2
    resume_until wait for a file of this name while resuming
    submit_until wait for a file of this name while submitting
    fail_first   so many attempts end with `Unavailable`
    reject       end with `Rejected` and this message
    break        raise what no provider should
    hang         fall silent
    kill         end the process that works on it
    poll_s       look for the file of ``until`` that seldom, or when the service calls back
    hang_submit  fall silent while submitting
    break_submit raise what no provider should while submitting
    unheard      so many submits are taken, and the answer is lost
    unreached    so many submits are lost on the way there
    find_down    while there is a file of this name, nobody can be asked for a job
    find_until   wait for a file of this name while looking for a job
    find_unknown what is answered about a job tells nothing
    find_breaks  looking for a job raises what no provider should, in so many attempts
    refuse_first so many submits are refused with `Unavailable`
    refuse       the submits of these attempts are refused with `Unavailable`
    down         while there is a file of this name, nothing is answered but `Unavailable`
    busy_first   so many submits are refused with `Busy`
    lose_first   in the first attempt, the job fails at the service after it was submitted
    outputs      how many results (1)
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path
from typing import Any

from generator.provider import (
    Busy,
    Execution,
    Job,
    Limits,
    NotConfigured,
    Offer,
    Output,
    Progress,
    Rate,
    Rejected,
    StillUnknown,
    Submitted,
    Unavailable,
)

FOLDER = "SCRIPTED_PROVIDER_FOLDER"
_POLL_S = 0.005


class Stage:
    """The folder, from the test's side and from the provider's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)

    def note(self, call: str, job: Job) -> None:
        line = {
            "call": call,
            "task": job.task_id,
            "attempt": job.attempt,
            "pid": os.getpid(),
            "at": time.time(),
        }
        with (self.folder / "calls").open("a") as file:
            file.write(json.dumps(line) + "\n")

    def calls(self, task: str) -> list[tuple[str, int]]:
        """What was asked for a task, and in which attempt."""
        return [(line["call"], line["attempt"]) for line in self._lines() if line["task"] == task]

    def count(self, call: str) -> int:
        """How often this was asked, for whatever task."""
        return sum(line["call"] == call for line in self._lines())

    def times(self, call: str) -> list[float]:
        """When this was asked, in seconds of the clock, for whatever task."""
        return [line["at"] for line in self._lines() if line["call"] == call]

    def most_at_once(self, tasks: Collection[str]) -> int:
        """How many jobs of these tasks there were at the same time, by when they were over."""
        at_once = most = 0
        for line in sorted(self._lines(), key=lambda line: line["at"]):
            if line["task"] in tasks:
                at_once += {"submit": 1, "over": -1}.get(line["call"], 0)
                most = max(most, at_once)
        return most

    def pids(self, task: str) -> list[int]:
        """Which processes worked on a task, in order."""
        told = [line["pid"] for line in self._lines() if line["task"] == task]
        return list(dict.fromkeys(told))

    def release(self, name: str) -> None:
        (self.folder / name).touch()

    def withdraw(self, name: str) -> None:
        (self.folder / name).unlink()

    def is_released(self, name: str) -> bool:
        return (self.folder / name).exists()

    async def released(self, name: str) -> None:
        """Wait until that is so."""
        while not self.is_released(name):  # noqa: ASYNC110 - another process may release it
            await asyncio.sleep(_POLL_S)

    def _lines(self) -> list[dict[str, Any]]:
        try:
            written = (self.folder / "calls").read_text()
        except FileNotFoundError:
            return []
        return [json.loads(line) for line in written.splitlines()]


class ScriptedProvider:
    """Computes here."""

    name = "scripted"
    execution = Execution.LOCAL

    def __init__(self, folder: Path | None = None) -> None:
        if folder is None:
            if FOLDER not in os.environ:
                raise NotConfigured(f"Set {FOLDER} to a folder.")
            folder = Path(os.environ[FOLDER])
        self.stage = Stage(folder)
        self.offers = {"CREATE": Offer({"type": "object"}, "What the script says")}

    async def submit(self, job: Job, key: str) -> Submitted:
        raise AssertionError("not for local work")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        self.stage.note("follow", job)
        script = job.params
        for percent in script.get("steps", ()):
            yield Progress(percent)
        if job.attempt <= script.get("fail_first", 0):
            raise Unavailable("It is raining on the servers.")
        if "reject" in script:
            raise Rejected(script["reject"])
        if script.get("break"):
            raise ZeroDivisionError("a secret of the implementation")
        if script.get("kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        if script.get("hang"):
            await asyncio.Event().wait()
        try:
            gate = script.get(f"until_{job.attempt}", script.get("until"))
            while gate is not None and not self.stage.is_released(gate):
                yield Progress(50)
                await asyncio.sleep(_POLL_S)
        except asyncio.CancelledError:
            self.stage.note("stopped", job)
            raise
        for number in range(script.get("outputs", 1)):
            yield Output(f"{job.prompt} {number}".encode(), "image/png", 3, 2)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        raise AssertionError("not for local work")

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        raise AssertionError("not for local work")

    async def aclose(self) -> None:
        """Nothing is open."""


class ScriptedRemote(ScriptedProvider):
    """Has it done elsewhere: the folder is the service, a file ``job-ID`` a job it knows."""

    name = "scripted-remote"
    execution = Execution.REMOTE

    async def submit(self, job: Job, key: str) -> Submitted:
        self.stage.note("submit", job)
        script = job.params
        if script.get("hang_submit"):
            await asyncio.Event().wait()
        name = f"job-{key.replace(':', '-')}"
        if "submit_until" in script:
            await self.stage.released(script["submit_until"])
        if "down" in script and self.stage.is_released(script["down"]):
            raise Unavailable("Nobody answers.")
        if job.attempt <= script.get("busy_first", 0):
            raise Busy("One after the other.", retry_after_s=0.01)
        if script.get("break_submit") or job.attempt <= script.get("unreached", 0):
            raise ConnectionResetError("a secret of the connection")
        refused = job.attempt in script.get("refuse", ())
        if refused or job.attempt <= script.get("refuse_first", 0):
            raise Unavailable("The service takes no jobs now.")
        self.stage.release(name)
        if job.attempt <= script.get("unheard", 0):
            raise ConnectionResetError("a secret of the connection")
        return Submitted(external_task_id=name, handle={"file": name})

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        file = self.stage.folder / submitted.handle["file"]
        if not file.exists():
            raise Unavailable("The service does not know this job.")
        if job.params.get("lose_first") and job.attempt == 1:
            file.unlink()
            raise Unavailable("The job failed at the service.")
        if "poll_s" in job.params:
            self.stage.note("polls", job)
            while not self.stage.is_released(job.params["until"]):
                if await job.called_back(job.params["poll_s"]) is not None:
                    self.stage.note("called back", job)
        async for each in super().follow(job, submitted):
            yield each

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        self.stage.note("resume", job)
        if "resume_until" in job.params:
            await self.stage.released(job.params["resume_until"])
        return (self.stage.folder / submitted.handle["file"]).exists()

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        self.stage.note("cancel", job)
        (self.stage.folder / submitted.handle["file"]).unlink(missing_ok=True)


class ScriptedKeyed(ScriptedRemote):
    """Has it done by a service that knows keys: the same key is the same job."""

    name = "scripted-keyed"

    def __init__(self, folder: Path | None = None, key_lasts_s: float = 3600.0) -> None:
        super().__init__(folder)
        self.offers = {"CREATE": Offer({"type": "object"}, "Once per key", key_lasts_s=key_lasts_s)}


class ScriptedFinding(ScriptedRemote):
    """Has it done by a service that knows no keys, and can be asked what it was given."""

    name = "scripted-finding"

    async def find(self, job: Job, key: str) -> Submitted | None:
        self.stage.note("find", job)
        script = job.params
        if "find_until" in script:
            await self.stage.released(script["find_until"])
        if "find_down" in script and self.stage.is_released(script["find_down"]):
            raise Unavailable("Nobody answers.")
        if script.get("find_unknown"):
            raise StillUnknown("It does not say.")
        if job.attempt <= script.get("find_breaks", 0):
            raise ZeroDivisionError("a secret of the implementation")
        name = f"job-{key.replace(':', '-')}"
        return Submitted(name, {"file": name}) if self.stage.is_released(name) else None


class ScriptedPaced(ScriptedRemote):
    """Has it done by a service that takes three jobs in 0.6 s."""

    name = "scripted-paced"
    limits = Limits(rate=Rate(3, 0.6))


class ScriptedNarrow(ScriptedRemote):
    """Has it done by a service that does two jobs at once."""

    name = "scripted-narrow"
    limits = Limits(concurrency=2)

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        try:
            async for each in super().follow(job, submitted):
                yield each
        finally:
            self.stage.note("over", job)
