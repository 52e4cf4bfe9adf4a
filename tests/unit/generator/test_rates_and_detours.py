"""How fast a provider is asked, and what of a request another provider understands."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, after
from contracts.generation_types import GENERATION_TYPES
from generator.detours import fallbacks_of, translated
from generator.provider import Rate
from generator.rates import Turns, take_turn

KIE = Rate(20, 10)


def test_as_many_turns_as_allowed_come_at_once() -> None:
    turns: Turns = ()
    for _ in range(20):
        turns = take_turn(turns, KIE, NOON)
    assert turns == (NOON,) * 20


def test_the_next_one_comes_when_the_first_is_long_enough_ago() -> None:
    turns: Turns = (NOON,) * 20
    assert take_turn(turns, KIE, after(1))[-1] == after(10)
    assert take_turn(turns, KIE, after(11))[-1] == after(11)


@given(
    pauses=st.lists(st.floats(0, 5), max_size=60),
    jobs=st.integers(1, 5),
    per_s=st.floats(0.1, 10),
)
def test_never_are_there_more_in_any_span(pauses: list[float], jobs: int, per_s: float) -> None:
    turns: Turns = ()
    taken = []
    now = NOON
    for pause in pauses:
        now += timedelta(seconds=pause)
        turns = take_turn(turns, Rate(jobs, per_s), now)
        taken.append(turns[-1])
    assert taken == sorted(taken)
    span = timedelta(seconds=per_s)
    assert all(late - early >= span for early, late in zip(taken, taken[jobs:], strict=False))


SCHEMA = {
    "type": "object",
    "properties": {
        "service": {"type": "string"},
        "width": {"type": "integer", "maximum": 1024},
        "seed": {"type": "integer"},
    },
    "additionalProperties": False,
}


def test_what_both_providers_know_goes_along() -> None:
    params = {"seed": 7, "width": 512, "model": "IMAGEN4"}
    assert translated(params, "studio", SCHEMA) == {"seed": 7, "width": 512}


def test_a_service_that_was_named_is_the_one_that_serves() -> None:
    assert translated({"service": "KIE"}, "studio", SCHEMA) == {"service": "STUDIO"}


def test_a_value_that_the_other_one_does_not_take_is_left_out() -> None:
    assert translated({"seed": 7, "width": 4096}, "studio", SCHEMA) == {"seed": 7}


def test_one_that_needs_what_was_not_said_is_no_substitute() -> None:
    assert translated({"seed": 7}, "studio", {**SCHEMA, "required": ["width"]}) is None
    assert translated({}, "studio", {"type": "no such type"}) is None


def test_a_deployments_fallbacks_come_before_those_of_the_type() -> None:
    kind = replace(GENERATION_TYPES["IMAGE"], fallbacks=("fal", "studio"))
    assert fallbacks_of(kind, {}) == ("fal", "studio")
    assert fallbacks_of(kind, {"IMAGE": ["kie"]}) == ["kie"]
