"""PHOTO_TO_3D step by step: what is told, what is kept, what is not done twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from contracts.generation_types import GENERATION_TYPES
from generator.provider import Job, Output, Progress, Rejected, Submitted, Unavailable
from generator.studio.orders import Made, Order
from generator.studio.pipeline import FAILURES, STEPS, photo_to_3d

KIND = GENERATION_TYPES["PHOTO_TO_3D"]


@dataclass
class Bench:
    """Does orders at once, and keeps files; `orders` are those that it has got."""

    orders: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=lambda: {"photo": b"photo"})
    refusing: Mapping[str, Rejected] = field(default_factory=dict)

    async def render(self, order: Order) -> AsyncGenerator[int | Made, None]:
        self.orders.append(order.type)
        yield 50
        if order.type in self.refusing:
            raise self.refusing[order.type]
        yield Made(b"+".join((order.type.encode(), *order.references)), "image/png")

    async def fetch(self, key: str) -> bytes:
        if key not in self.files:
            raise Rejected("It is gone.", code="invalid_input")
        return self.files[key]

    async def save(self, content: bytes, content_type: str) -> str:
        key = f"file {len(self.files)}"
        self.files[key] = content
        return key

    def job(self, wish: Mapping[str, Any] | None = None, **changes: Any) -> Job:
        plain: dict[str, Any] = {
            "task_id": "t",
            "owner": "o",
            "type": "PHOTO_TO_3D",
            "prompt": None,
            "reference_images": ("photo",),
            "params": {} if wish is None else {"simulate": wish},
            "attempt": 1,
            "fetch": self.fetch,
            "save": self.save,
            "called_back": asyncio.sleep,
        }
        return Job(**(plain | changes))


async def rest(seconds: float) -> None:
    """Time passes without waiting."""
    await asyncio.sleep(0)


async def followed(
    bench: Bench, job: Job, handle: Mapping[str, Any] | None = None
) -> list[Progress | Output]:
    pool: Any = bench
    return [each async for each in photo_to_3d(pool, job, Submitted(None, handle or {}), rest)]


async def until_it_fails(
    bench: Bench, job: Job
) -> tuple[list[Progress | Output], Rejected | Unavailable]:
    pool: Any = bench
    told: list[Progress | Output] = []
    try:
        async for each in photo_to_3d(pool, job, Submitted(), rest):
            told.append(each)  # noqa: PERF401 - what was told before the failure counts
    except (Rejected, Unavailable) as failure:
        return told, failure
    raise AssertionError("it did not fail")


def handles(told: list[Progress | Output]) -> list[Mapping[str, Any]]:
    return [each.handle for each in told if isinstance(each, Progress) and each.handle is not None]


def stages(told: list[Progress | Output]) -> list[str]:
    return [each.stage for each in told if isinstance(each, Progress) and each.stage is not None]


async def test_each_step_is_told_with_what_it_made_and_the_model_comes_last() -> None:
    bench = Bench()
    told = await followed(bench, bench.job())
    cutout = b"CUT_OUT+photo"
    depth = b"DEPTH_MAP+" + cutout
    model = b"MODEL+" + cutout + b"+" + depth
    assert bench.orders == ["CUT_OUT", "DEPTH_MAP", "MODEL"]
    assert [each for each in told if isinstance(each, Progress) and each.stage is not None] == [
        Progress(40, "bgr_removed", {"cutout": "file 1"}),
        Progress(50, "job_created", {"cutout": "file 1", "depth_map": "file 2"}),
        Progress(
            85, "model_generated", {"cutout": "file 1", "depth_map": "file 2", "model": "file 3"}
        ),
    ]
    assert told[-1] == Output(model, "model/gltf-binary")


@pytest.mark.parametrize("finished", [0, 1, 2, 3])
async def test_a_later_attempt_goes_on_after_the_last_finished_step(finished: int) -> None:
    bench = Bench()
    first = await followed(bench, bench.job())
    bench.orders.clear()
    handle = {} if finished == 0 else handles(first)[finished - 1]
    again = await followed(bench, bench.job(attempt=2), handle)
    assert bench.orders == ["CUT_OUT", "DEPTH_MAP", "MODEL"][finished:]
    assert again[-1] == first[-1]


async def test_a_step_whose_file_is_gone_is_done_again() -> None:
    bench = Bench()
    handle = handles(await followed(bench, bench.job()))[0]
    bench.orders.clear()
    del bench.files[handle["cutout"]]
    told = await followed(bench, bench.job(attempt=2), handle)
    assert bench.orders == ["CUT_OUT", "DEPTH_MAP", "MODEL"]
    assert isinstance(told[-1], Output)


async def test_the_photo_is_not_needed_once_it_is_cut_out() -> None:
    bench = Bench()
    handle = handles(await followed(bench, bench.job()))[0]
    del bench.files["photo"]
    assert isinstance((await followed(bench, bench.job(attempt=2), handle))[-1], Output)


@pytest.mark.parametrize(
    ("failure", "reached"),
    [
        ("upload_failed", []),
        ("bgr_removal_failed", []),
        ("job_creation_failed", ["bgr_removed"]),
        ("model_generation_failed", ["bgr_removed", "job_created"]),
        ("model_saving_failed", ["bgr_removed", "job_created", "model_generated"]),
    ],
)
async def test_every_failure_can_be_provoked_where_the_chart_has_it(
    failure: str, reached: list[str]
) -> None:
    bench = Bench()
    told, refusal = await until_it_fails(bench, bench.job({"fail_at": failure, "seconds": 8}))
    assert isinstance(refusal, Rejected)
    assert (refusal.stage, refusal.message) == (failure, FAILURES[failure])
    assert stages(told) == reached
    last = reached[-1] if reached else KIND.waiting_stage
    assert KIND.allows(last, failure)


def test_each_failure_has_words_of_its_own() -> None:
    assert set(FAILURES) == set(KIND.failure_stages.values())
    assert len(set(FAILURES.values())) == len(FAILURES)
    assert [step.stage for step in STEPS] == list(KIND.working_stages[:-1])


@pytest.mark.parametrize("order", ["CUT_OUT", "DEPTH_MAP", "MODEL"])
async def test_a_refused_step_fails_in_its_own_stage(order: str) -> None:
    bench = Bench(refusing={order: Rejected("Nothing there.")})
    _, refusal = await until_it_fails(bench, bench.job())
    assert isinstance(refusal, Rejected)
    wanted = next(step.failure for step in STEPS if step.order == order)
    assert (refusal.message, refusal.code, refusal.stage) == (
        "Nothing there.",
        "provider_rejected",
        wanted,
    )


async def test_a_photo_that_is_none_fails_as_an_upload() -> None:
    broken = Bench(refusing={"CUT_OUT": Rejected("No picture.", code="invalid_input")})
    gone = Bench(files={})
    for bench in (broken, gone):
        _, refusal = await until_it_fails(bench, bench.job())
        assert isinstance(refusal, Rejected)
        assert (refusal.code, refusal.stage) == ("invalid_input", "upload_failed")
    _, refusal = await until_it_fails(gone, gone.job(reference_images=()))
    assert isinstance(refusal, Rejected)
    assert (refusal.code, refusal.stage) == ("invalid_input", "upload_failed")


async def test_a_long_task_shows_progress_in_every_stage() -> None:
    bench = Bench()
    told = [
        each
        for each in await followed(bench, bench.job({"seconds": 80}))
        if isinstance(each, Progress)
    ]
    percents = [each.percent for each in told]
    assert percents == sorted(percents)
    assert percents[-1] <= 99
    ends = [n for n, each in enumerate(told) if each.stage is not None]
    spans = zip([-1, *ends], [*ends, len(told)], strict=True)
    assert all(end - start > 3 for start, end in spans)


async def test_a_flaky_task_fails_as_often_as_asked() -> None:
    bench = Bench()
    _, trouble = await until_it_fails(bench, bench.job({"flaky": 1}))
    assert isinstance(trouble, Unavailable)
    told = await followed(bench, bench.job({"flaky": 1, "crash": True}, attempt=2))
    assert isinstance(told[-1], Output)
