"""Progress is told at every tenth, at every stage, and as a sign of life; never as chatter."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from contracts.generation_types import GENERATION_TYPES
from generator.pace import STEP, Pace, Step, saving_stage, sign_of_life_s, starting_stage

IMAGE = GENERATION_TYPES["CREATE"]
MODEL = GENERATION_TYPES["PHOTO_TO_3D"]
SILENCE_S = 60.0


def image_pace() -> Pace:
    return Pace(IMAGE.working_stages[:-1], starting_stage(IMAGE), SILENCE_S, 0.0)


def model_pace() -> Pace:
    return Pace(MODEL.working_stages[:-1], starting_stage(MODEL), SILENCE_S, 0.0)


def test_a_picture_starts_in_its_first_stage_and_shows_that_it_is_saved() -> None:
    assert (starting_stage(IMAGE), saving_stage(IMAGE)) == ("generating", "saving")


def test_a_3d_model_starts_in_the_stage_it_waited_in_and_is_saved_only_when_it_is() -> None:
    assert (starting_stage(MODEL), saving_stage(MODEL)) == ("uploaded", None)


def test_every_tenth_is_told_and_nothing_between() -> None:
    pace = image_pace()
    told = [pace.step(percent, None, float(percent)) for percent in range(31)]
    assert [step for step in told if step] == [Step(10, None), Step(20, None), Step(30, None)]


def test_every_tenth_is_told_however_fast_they_come() -> None:
    pace = image_pace()
    told = [pace.step(percent, None, 0.0) for percent in range(101)]
    assert [step.percent for step in told if step] == [10, 20, 30, 40, 50, 60, 70, 80, 90]


def test_a_type_that_times_out_sooner_is_told_of_more_often() -> None:
    assert sign_of_life_s(IMAGE, 300.0) == 60.0
    assert sign_of_life_s(replace(IMAGE, timeout_s=20.0), 300.0) == 4.0


def test_a_provider_that_says_nothing_new_is_alive_all_the_same() -> None:
    pace = image_pace()
    assert pace.step(5, None, 59.9) is None
    assert pace.step(5, None, 60.0) == Step(5, None)
    assert pace.step(5, None, 61.0) is None


def test_percents_never_fall_and_never_reach_the_end() -> None:
    pace = image_pace()
    assert pace.step(50, None, 1.0) == Step(50, None)
    assert pace.step(20, None, 100.0) == Step(50, None)
    assert pace.step(1000, None, 200.0) == Step(99, None)


def test_what_was_heard_and_not_told_is_known() -> None:
    pace = image_pace()
    assert pace.step(9, None, 0.1) is None
    assert pace.percent == 9


def test_each_stage_is_told_at_once_and_once() -> None:
    pace = model_pace()
    assert pace.step(1, "bgr_removed", 0.0) == Step(1, "bgr_removed")
    assert pace.step(2, "job_created", 0.0) == Step(2, "job_created")
    assert pace.step(2, "job_created", 0.0) is None
    assert pace.step(2, "bgr_removed", 0.0) is None


def test_a_stage_that_the_type_does_not_have_is_left_out() -> None:
    assert image_pace().step(0, "thinking", 0.1) is None
    assert image_pace().step(10, "thinking", 0.3) == Step(10, None)


def test_the_stage_that_says_it_is_saved_is_not_the_providers_to_tell() -> None:
    assert model_pace().step(0, "model_saved", 0.1) is None


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
        step = pace.step(percent, stage, now)
        if step is not None:
            told.append((now, step))
    stages = [step.stage for _, step in told if step.stage]
    assert stages == sorted(set(stages), key=MODEL.working_stages.index)
    percents = [step.percent for _, step in told]
    assert percents == sorted(percents)
    assert all(0 <= percent <= 99 for percent in percents)
    chatter = [(at, step.percent // STEP) for at, step in told if step.stage is None]
    heard = [(0.0, 0), *((at, step.percent // STEP) for at, step in told)]
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
        if pace.step(percent, stage, now) is not None:
            last = now
        assert now - last < SILENCE_S
