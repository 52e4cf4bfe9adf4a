"""The contract that every provider keeps, as a test suite to run over one's own.

    from darkroom.testing import ProviderContract, a_job

    class TestMyProvider(ProviderContract):
        def provider(self):
            return MyProvider()

        def jobs(self):
            return [a_job("CREATE", prompt="a red bicycle")]

One that submits to an external service subclasses `RemoteProviderContract`, which asks for more.
The tests are coroutines: run them with pytest-asyncio in ``asyncio_mode = auto`` (or marked).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from contracts.generation_types import GENERATION_TYPES
from generator.provider import (
    Execution,
    Job,
    Output,
    Progress,
    Provider,
    Rejected,
    Submitted,
)

NOTHING = Submitted()


def a_job(
    kind: str,
    *,
    prompt: str | None = None,
    references: Mapping[str, bytes] | None = None,
    params: Mapping[str, Any] | None = None,
    attempt: int = 1,
) -> Job:
    """A job of a new task; ``references`` maps keys to the bytes that `Job.fetch` gives.

    What is saved can be fetched as well.
    """
    pictures = dict(references or {})

    async def fetch(key: str) -> bytes:
        if key not in pictures:
            raise Rejected(f"{key} is not there.", code="invalid_input")
        return pictures[key]

    async def nobody_calls(timeout_s: float) -> None:
        await asyncio.sleep(timeout_s)

    async def save(content: bytes, content_type: str) -> str:
        key = f"part-{len(pictures)}"
        pictures[key] = content
        return key

    return Job(
        task_id=str(uuid4()),
        owner="local",
        type=kind,
        prompt=prompt,
        reference_images=tuple(pictures),
        params=dict(params or {}),
        attempt=attempt,
        fetch=fetch,
        called_back=nobody_calls,
        save=save,
    )


class ProviderContract:
    """Subclass it, and give it a provider and jobs that the provider can do."""

    patience_s = 60.0
    """How long one job may take here."""

    def provider(self) -> Provider:
        """A new instance; it is closed after the test."""
        raise NotImplementedError

    def jobs(self) -> Sequence[Job]:
        """New jobs that succeed: best one for each type offered."""
        raise NotImplementedError

    def rejected_jobs(self) -> Sequence[Job]:
        """New jobs that the provider must refuse."""
        return ()

    async def test_its_name_can_be_a_lane(self) -> None:
        async with self._opened() as provider:
            assert re.fullmatch("[a-z0-9_-]+", provider.name)
            assert isinstance(provider.execution, Execution)
            remote = provider.execution is Execution.REMOTE
            assert remote == isinstance(self, RemoteProviderContract), (
                "RemoteProviderContract is for providers whose execution is REMOTE, and for all "
                "of them"
            )

    async def test_its_offers_are_of_known_types_with_valid_schemas(self) -> None:
        async with self._opened() as provider:
            assert provider.offers
            assert set(provider.offers) <= set(GENERATION_TYPES)
            for offer in provider.offers.values():
                schema = json.loads(json.dumps(offer.params_schema))
                assert schema == offer.params_schema
                Draft202012Validator.check_schema(schema)
                assert offer.timeout_s is None or offer.timeout_s > 0
                assert offer.key_lasts_s is None or offer.key_lasts_s > 0

    async def test_its_jobs_keep_to_its_own_schemas(self) -> None:
        async with self._opened() as provider:
            for job in (*self.jobs(), *self.rejected_jobs()):
                schema = provider.offers[job.type].params_schema
                Draft202012Validator(schema).validate(dict(job.params))

    async def test_a_job_reports_progress_that_never_falls_then_its_outputs(self) -> None:
        async with self._opened() as provider:
            for job in self.jobs():
                told = await self._followed(provider, job, await self._submitted(provider, job))
                _check_order(told)
                _check_outputs([each for each in told if isinstance(each, Output)])

    async def test_many_jobs_go_at_once(self) -> None:
        async with self._opened() as provider:
            jobs = [*self.jobs(), *self.jobs()]
            submitted = [await self._submitted(provider, job) for job in jobs]
            told = await asyncio.gather(
                *(self._followed(provider, *each) for each in zip(jobs, submitted, strict=True))
            )
            for each in told:
                _check_outputs([item for item in each if isinstance(item, Output)])

    async def test_following_can_be_stopped_at_any_moment(self) -> None:
        async with self._opened() as provider:
            for job in self.jobs():
                submitted = await self._submitted(provider, job)
                following = asyncio.create_task(self._followed(provider, job, submitted))
                await asyncio.sleep(0)
                following.cancel()
                async with asyncio.timeout(self.patience_s):
                    await asyncio.wait({following})
                assert following.cancelled() or following.exception() is None
            # It works on afterwards.
            job = self.jobs()[0]
            told = await self._followed(provider, job, await self._submitted(provider, job))
            assert any(isinstance(each, Output) for each in told)

    async def test_what_it_can_not_do_is_rejected_with_words_for_the_user(self) -> None:
        async with self._opened() as provider:
            for job in self.rejected_jobs():
                with pytest.raises(Rejected) as refusal:
                    await self._followed(provider, job, await self._submitted(provider, job))
                assert refusal.value.message.strip()
                assert "Traceback" not in refusal.value.message

    async def test_it_can_be_closed_twice(self) -> None:
        provider = self.provider()
        await provider.aclose()
        await provider.aclose()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Provider]:
        provider = self.provider()
        try:
            yield provider
        finally:
            await provider.aclose()

    async def _submitted(self, provider: Provider, job: Job) -> Submitted:
        if provider.execution is not Execution.REMOTE:
            return NOTHING
        async with asyncio.timeout(self.patience_s):
            return await provider.submit(job, f"{job.task_id}:{job.attempt}")

    async def _followed(
        self, provider: Provider, job: Job, submitted: Submitted
    ) -> list[Progress | Output]:
        async with asyncio.timeout(self.patience_s):
            return [each async for each in provider.follow(job, submitted)]


class RemoteProviderContract(ProviderContract):
    """The contract of a provider that hands its jobs to an external service."""

    def unknown_jobs(self) -> Sequence[Submitted]:
        """Answers to submits that the service has forgotten, or never gave."""
        raise NotImplementedError

    async def test_what_a_submit_returns_finds_the_job_again_in_another_process(self) -> None:
        async with self._opened() as first:
            job = self.jobs()[0]
            submitted = await first.submit(job, f"{job.task_id}:1")
        handle = json.loads(json.dumps(dict(submitted.handle)))
        again = Submitted(submitted.external_task_id, handle)
        assert again == Submitted(submitted.external_task_id, dict(submitted.handle))
        async with self._opened() as second:
            assert await second.resume(job, again)
            told = await self._followed(second, job, again)
            assert any(isinstance(each, Output) for each in told)

    async def test_a_submit_repeated_under_its_key_is_the_same_job(self) -> None:
        async with self._opened() as first, self._opened() as second:
            for job in self.jobs():
                if first.offers[job.type].key_lasts_s is not None:
                    key = f"{job.task_id}:1"
                    again = replace(job, attempt=2)
                    assert await first.submit(job, key) == await second.submit(again, key)

    async def test_a_job_that_the_service_forgot_is_not_resumed(self) -> None:
        async with self._opened() as provider:
            for submitted in self.unknown_jobs():
                assert not await provider.resume(self.jobs()[0], submitted)

    async def test_a_job_may_be_cancelled_twice_and_after_its_end(self) -> None:
        async with self._opened() as provider:
            running, finished = self.jobs()[0], self.jobs()[0]
            submitted = await self._submitted(provider, running)
            await provider.cancel(running, submitted)
            await provider.cancel(running, submitted)
            ended = await self._submitted(provider, finished)
            await self._followed(provider, finished, ended)
            await provider.cancel(finished, ended)


def _check_order(told: Sequence[Progress | Output]) -> None:
    percents = [each.percent for each in told if isinstance(each, Progress)]
    assert percents == sorted(percents)
    assert all(0 <= percent <= 99 for percent in percents)
    first_output = next(n for n, each in enumerate(told) if isinstance(each, Output))
    assert all(isinstance(each, Output) for each in told[first_output:])


def _check_outputs(outputs: Sequence[Output]) -> None:
    assert outputs
    for output in outputs:
        assert output.content
        assert re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", output.content_type)
        assert all(side is None or side > 0 for side in (output.width, output.height))
