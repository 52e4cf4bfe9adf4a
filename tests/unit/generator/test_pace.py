"""Progress is told at every tenth, at every stage, and as a sign of life; never as chatter."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contracts.generation_types import GENERATION_TYPES
from generator.pace import (
    STEP,
    Pace,
    Step,
    resting_stage,
    saving_stages,
    sign_of_life_s,
    starting_stage,
)

IMAGE = GENERATION_TYPES["CREATE"]
MODEL = GENERATION_TYPES["PHOTO_TO_3D"]
SILENCE_S = 60.0


def image_pace() -> Pace:
    return Pace(IMAGE, starting_stage(IMAGE), SILENCE_S, 0.0)


def model_pace() -> Pace:
    return Pace(MODEL, starting_stage(MODEL), SILENCE_S, 0.0)


def step(pace: Pace, percent: int, stage: str | None, now: float) -> Step | None:
    """What is told, where it is one step at most."""
    told = pace.steps(percent, stage, None, now)
    assert len(told) <= 1
    return told[0] if told else None


def test_a_picture_starts_in_its_first_stage_and_shows_that_it_is_saved() -> None:
    assert starting_stage(IMAGE) == starting_stage(IMAGE, "saving") == "generating"
    assert saving_stages(IMAGE, "generating") == ("saving",)


def test_a_3d_model_starts_in_the_stage_it_waited_in_and_is_saved_only_when_it_is() -> None:
    assert starting_stage(MODEL) == "uploaded"
    assert saving_stages(MODEL, "model_generated") == ()


def test_a_3d_model_goes_on_where_it_was() -> None:
    assert starting_stage(MODEL, "job_created") == "job_created"


def test_between_two_attempts_a_picture_is_in_line_and_a_3d_model_where_it_was() -> None:
    assert resting_stage(IMAGE, "saving") == "queued"
    assert resting_stage(MODEL, "job_created") == "job_created"


def test_who_made_a_3d_model_and_told_no_stage_has_passed_them_all() -> None:
    passed = ("bgr_removed", "job_created", "model_generated")
    assert saving_stages(MODEL, "uploaded") == passed


def test_the_stages_before_the_one_that_is_told_are_told_first() -> None:
    pace = model_pace()
    assert pace.steps(40, "job_created", {"job": 1}, 0.0) == (
        Step(40, "bgr_removed"),
        Step(40, "job_created", {"job": 1}),
    )
    assert pace.stage == "job_created"


def test_what_a_later_attempt_can_go_on_from_is_told_at_once() -> None:
    pace = image_pace()
    assert pace.steps(0, None, {"seed": 1}, 0.1) == (Step(0, None, {"seed": 1}),)
    assert pace.steps(0, "thinking", {"seed": 2}, 0.1) == (Step(0, None, {"seed": 2}),)


def test_every_tenth_is_told_and_nothing_between() -> None:
    pace = image_pace()
    told = [step(pace, percent, None, float(percent)) for percent in range(31)]
    assert [each for each in told if each] == [Step(10, None), Step(20, None), Step(30, None)]


def test_every_tenth_is_told_however_fast_they_come() -> None:
    pace = image_pace()
    told = [step(pace, percent, None, 0.0) for percent in range(101)]
    assert [each.percent for each in told if each] == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_a_type_that_times_out_sooner_is_told_of_more_often() -> None:
    assert sign_of_life_s(IMAGE, 300.0) == 60.0
    assert sign_of_life_s(replace(IMAGE, timeout_s=20.0), 300.0) == 4.0


def test_a_provider_that_says_nothing_new_is_alive_all_the_same() -> None:
    pace = image_pace()
    assert step(pace, 5, None, 59.9) is None
    assert step(pace, 5, None, 60.0) == Step(5, None)
    assert step(pace, 5, None, 61.0) is None


def test_percents_never_fall_and_never_reach_the_end() -> None:
    pace = image_pace()
    assert step(pace, 50, None, 1.0) == Step(50, None)
    assert step(pace, 20, None, 100.0) == Step(50, None)
    assert step(pace, 1000, None, 200.0) == Step(99, None)


def test_what_was_heard_and_not_told_is_known() -> None:
    pace = image_pace()
    assert step(pace, 9, None, 0.1) is None
    assert pace.percent == 9


def test_each_stage_is_told_at_once_and_once() -> None:
    pace = model_pace()
    assert step(pace, 1, "bgr_removed", 0.0) == Step(1, "bgr_removed")
    assert step(pace, 2, "job_created", 0.0) == Step(2, "job_created")
    assert step(pace, 2, "job_created", 0.0) is None
    assert step(pace, 2, "bgr_removed", 0.0) is None


def test_a_stage_that_the_type_does_not_have_is_left_out() -> None:
    assert step(image_pace(), 0, "thinking", 0.1) is None
    assert step(image_pace(), 10, "thinking", 0.3) == Step(10, None)


def test_the_stage_that_says_it_is_saved_is_not_the_providers_to_tell() -> None:
    pace = model_pace()
    assert [told.stage for told in pace.steps(0, "model_saved", None, 0.1)] == [
        "bgr_removed",
        "job_created",
        "model_generated",
    ]
    assert step(pace, 0, "model_saved", 0.1) is None


_SIGNS = st.lists(
    st.tuples(
        st.integers(-10, 200),
        st.sampled_from([None, *MODEL.stages, "thinking"]),
        st.floats(0, 40),
    ),
    max_size=60,
)


@given(signs=_SIGNS)
def test_whatever_a_provider_says_it_is_told_in_order_and_with_restraint(
    signs: list[tuple[int, str | None, float]],
) -> None:
    pace = model_pace()
    now = 0.0
    told: list[tuple[float, Step]] = []
    for percent, stage, pause in signs:
        now += pause
        told += [(now, each) for each in pace.steps(percent, stage, None, now)]
    stages = [each.stage for _, each in told if each.stage]
    assert stages == sorted(set(stages), key=MODEL.working_stages.index)
    percents = [each.percent for _, each in told]
    assert percents == sorted(percents)
    assert all(0 <= percent <= 99 for percent in percents)
    chatter = [(at, each.percent // STEP) for at, each in told if each.stage is None]
    heard = [(0.0, 0), *((at, each.percent // STEP) for at, each in told)]
    for at, tenth in chatter:
        last_at, last_tenth = heard[heard.index((at, tenth)) - 1]
        assert tenth > last_tenth or at - last_at >= SILENCE_S


@given(signs=_SIGNS)
def test_a_provider_that_speaks_often_enough_is_never_silent_for_long(
    signs: list[tuple[int, str | None, float]],
) -> None:
    pace = image_pace()
    now = last = 0.0
    for percent, stage, pause in signs:
        now += pause
        if pace.steps(percent, stage, None, now):
            last = now
        assert now - last < SILENCE_S
