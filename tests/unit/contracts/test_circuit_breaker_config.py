"""The circuit breaker of a provider: when it opens, how long it stays open, how it closes."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, after
from contracts.breaker import (
    Breaker,
    BreakerPolicy,
    BreakerState,
    failed,
    held,
    probing,
    succeeded,
    unproven,
)

MINUTE = timedelta(seconds=60)
POLICY = BreakerPolicy(threshold=5, cooldown=MINUTE, probe=timedelta(seconds=360))


def after_failures(count: int) -> Breaker:
    breaker = Breaker()
    for _ in range(count):
        breaker = failed(breaker, POLICY, NOON)
    return breaker


def tried(by: str = "probe-1") -> Breaker:
    return probing(after_failures(5), POLICY, after(60), by)


def test_4_failures_leave_it_closed() -> None:
    breaker = after_failures(4)
    assert breaker == Breaker(failures=4)
    assert not breaker.is_blocked(NOON)
    assert breaker.blocked_until(NOON) is None


def test_5_failures_open_it() -> None:
    breaker = after_failures(5)
    assert breaker == Breaker(state=BreakerState.OPEN, failures=5, until=after(60), opened_at=NOON)


def test_open_it_lets_nothing_in() -> None:
    breaker = after_failures(5)
    assert breaker.is_blocked(after(59.9))
    assert not breaker.wants_probe(after(59.9))
    assert breaker.blocked_until(after(1)) == after(60)


def test_60_seconds_later_it_lets_one_in_and_is_half_open() -> None:
    breaker = after_failures(5)
    assert breaker.wants_probe(after(60))
    half_open = probing(breaker, POLICY, after(60), "probe-1")
    assert half_open.state is BreakerState.HALF_OPEN
    assert half_open.is_blocked(after(61))
    assert not half_open.wants_probe(after(61))


def test_a_probe_that_succeeds_closes_it() -> None:
    closed = succeeded(tried(), after(62), "probe-1", began=after(60))
    assert closed == Breaker(freed_at=after(62))
    assert not closed.is_blocked(after(62))


def test_a_probe_that_fails_opens_it_again_for_as_long() -> None:
    breaker = failed(tried(), POLICY, after(62), "probe-1")
    assert breaker == Breaker(
        state=BreakerState.OPEN, failures=6, until=after(122), opened_at=after(62)
    )


def test_a_success_begins_the_count_anew() -> None:
    breaker = succeeded(after_failures(4), NOON, began=NOON)
    assert breaker == Breaker()
    assert succeeded(breaker, NOON, began=NOON) is breaker
    assert failed(breaker, POLICY, NOON).state is BreakerState.CLOSED


@pytest.mark.parametrize("name", ["", "probe-2"])
def test_what_began_before_tells_an_open_one_nothing(name: str) -> None:
    for breaker in (after_failures(5), tried()):
        assert failed(breaker, POLICY, after(70), name) is breaker
        assert succeeded(breaker, after(70), name, began=NOON) is breaker
        assert unproven(breaker, after(70), name or "another") is breaker


def test_a_probe_that_told_nothing_may_be_followed_by_another_at_once() -> None:
    breaker = unproven(tried(), after(61), "probe-1")
    assert breaker.state is BreakerState.OPEN
    assert breaker.wants_probe(after(61))


def test_a_probe_of_which_nothing_is_heard_is_given_up() -> None:
    assert not tried().wants_probe(after(60 + 359))
    assert tried().wants_probe(after(60 + 360))


def test_a_probe_that_was_given_up_closes_it_all_the_same_once_it_succeeds() -> None:
    given_up = probing(tried("probe-1"), POLICY, after(60 + 360), "probe-2")
    assert succeeded(given_up, after(480), "probe-1", began=after(60)) == Breaker(
        freed_at=after(480)
    )


def test_whatever_call_succeeds_that_began_after_it_opened_closes_it() -> None:
    for breaker in (after_failures(5), tried(), unproven(tried(), after(61), "probe-1")):
        assert succeeded(breaker, after(62), began=after(1)) == Breaker(freed_at=after(62))
        assert succeeded(breaker, after(62), began=NOON) is breaker


def test_what_began_before_it_opened_again_closes_it_no_more() -> None:
    breaker = failed(tried(), POLICY, after(70), "probe-1")
    assert succeeded(breaker, after(80), began=after(69)) is breaker


def test_where_it_is_not_told_when_it_opened_only_the_probe_closes_it() -> None:
    """As a version writes it that does not know of that."""
    breaker = tried().model_copy(update={"opened_at": None})
    assert succeeded(breaker, after(80), began=after(79)) is breaker
    assert succeeded(breaker, after(80), "probe-1", began=NOON) == Breaker(freed_at=after(80))


def test_a_service_may_ask_to_be_left_alone_without_having_failed() -> None:
    breaker = held(Breaker(), after(10))
    assert breaker.state is BreakerState.CLOSED
    assert breaker.is_blocked(after(9))
    assert not breaker.wants_probe(after(9))
    assert breaker.blocked_until(after(9)) == after(10)
    assert not breaker.is_blocked(after(10))
    assert held(breaker, after(5)) is breaker


def test_silence_is_explained_while_it_is_open_and_up_to_the_moment_it_closed() -> None:
    assert Breaker().served_until(after(1)) is None
    assert after_failures(5).served_until(after(1)) == after(1)
    assert held(Breaker(), after(10)).served_until(after(9)) == after(9)
    assert held(Breaker(), after(10)).served_until(after(30)) == after(10)
    closed = succeeded(tried(), after(62), "probe-1", began=after(60))
    assert closed.served_until(after(1000)) == after(62)


def test_it_is_the_same_after_its_time_in_the_bucket() -> None:
    for breaker in (Breaker(), after_failures(5), tried(), held(Breaker(), after(3))):
        assert (
            Breaker.model_validate_json(breaker.model_dump_json(exclude_defaults=True)) == breaker
        )


@given(
    calls=st.lists(st.tuples(st.sampled_from(["ok", "fail", "wait"]), st.integers(0, 90))),
    threshold=st.integers(1, 6),
)
def test_it_is_open_after_so_many_failures_in_a_row_and_never_before(
    calls: list[tuple[str, int]], threshold: int
) -> None:
    policy = BreakerPolicy(threshold, MINUTE, MINUTE)
    breaker, now, in_a_row = Breaker(), NOON, 0
    for outcome, seconds in calls:
        now += timedelta(seconds=seconds)
        name = ""
        if breaker.wants_probe(now):
            name = "probe"
            breaker = probing(breaker, policy, now, name)
        elif breaker.is_blocked(now):
            continue
        if outcome == "ok":
            breaker, in_a_row = succeeded(breaker, now, name, began=now), 0
        elif outcome == "fail":
            breaker, in_a_row = failed(breaker, policy, now, name), in_a_row + 1
        else:
            breaker = unproven(breaker, now, name) if name else breaker
        if name == "" or outcome == "ok":
            assert (breaker.state is BreakerState.CLOSED) == (in_a_row < threshold)


def moves() -> set[tuple[str, str]]:
    """Every pair of states that a call, a probe or its failure leads from and to."""
    open_, half_open = after_failures(5), tried()
    begun = [Breaker(), Breaker(failures=2), after_failures(4), open_, half_open]
    found = set()
    for breaker in begun:
        for late in (after(60), after(60 + 360)):
            ends = [failed(breaker, POLICY, late)]
            ends += [succeeded(breaker, late, began=began) for began in (NOON, after(1))]
            if breaker.probe is not None:
                ends += [failed(breaker, POLICY, late, breaker.probe)]
                ends += [succeeded(breaker, late, breaker.probe, began=NOON)]
                ends += [unproven(breaker, late, breaker.probe)]
            if breaker.wants_probe(late):
                ends += [probing(breaker, POLICY, late, "probe-2")]
            found |= {(breaker.state.value, end.state.value) for end in ends if end is not breaker}
    return found


def test_its_states_are_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "providers.md").read_text()
    arrows = set(re.findall(r"^    (\w+) --> (\w+): ", page, flags=re.MULTILINE))

    assert {state for arrow in arrows for state in arrow} == set(BreakerState)
    assert arrows == moves()
