"""When what has died starts again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.stack.restarts import (
    LONGEST_DELAY_S,
    STEADY_AFTER_S,
    Run,
    deaths_in_a_row,
    delay_s,
)


def lives(*seconds: float) -> list[Run]:
    """Runs of these lengths, one right after the other."""
    history: list[Run] = []
    now = 0.0
    for length in seconds:
        history.append(Run(now, now + length))
        now += length
    return history


def delay_after(*seconds: float) -> float:
    history = lives(*seconds)
    return delay_s(history, history[-1].ended_at)


def test_what_never_died_starts_at_once() -> None:
    assert delay_s([], now=5.0) == 0.0


def test_the_first_restart_comes_within_a_second() -> None:
    assert 0 < delay_after(3.0) < 1.0


def test_each_further_death_doubles_the_wait_up_to_a_limit() -> None:
    delays = [delay_after(*[1.0] * deaths) for deaths in range(1, 12)]
    assert delays[:4] == pytest.approx([0.1, 0.2, 0.4, 0.8])
    assert delays[-1] == pytest.approx(LONGEST_DELAY_S)


def test_a_steady_run_makes_what_came_before_forgotten() -> None:
    assert delay_after(1.0, 1.0, 1.0, STEADY_AFTER_S) == pytest.approx(delay_after(1.0))
    assert deaths_in_a_row(lives(1.0, STEADY_AFTER_S, 1.0)) == 2


def test_time_that_has_passed_since_the_death_counts() -> None:
    history = lives(1.0, 1.0, 1.0)
    died = history[-1].ended_at
    assert delay_s(history, died + 0.3) == pytest.approx(delay_s(history, died) - 0.3)
    assert delay_s(history, died + 60) == 0.0


@given(st.lists(st.floats(0, 100), min_size=1, max_size=40))
def test_the_wait_is_never_longer_than_the_limit(lengths: list[float]) -> None:
    assert 0 < delay_after(*lengths) <= LONGEST_DELAY_S + 1e-6
