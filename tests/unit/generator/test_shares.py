"""How many works are inside of a limit, by the shares that generators have of it."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import NOON, after
from generator.shares import (
    Share,
    Shares,
    Ticket,
    entered,
    next_expiry,
    others,
    read,
    to_bytes,
    written,
)

LEASE = timedelta(seconds=30)


def share(inside: int, front: Ticket | None = None, at: datetime = NOON) -> Share:
    return Share(inside, at + LEASE, front)


def enter(
    shares: Shares, name: str, inside: int, ticket: Ticket, *waiting: Ticket, most: int = 2
) -> Shares:
    return entered(shares, name, share(inside), ticket, waiting, most, NOON)


def test_who_finds_a_place_is_inside() -> None:
    assert enter({}, "a", 0, (0, 1)) == {"a": share(1)}
    assert enter({"b": share(1)}, "a", 0, (0, 1)) == {"a": share(1), "b": share(1)}


def test_who_finds_none_waits_with_the_front_of_what_waits_there() -> None:
    full = {"b": share(2)}
    assert enter(full, "a", 0, (0, 7)) == {**full, "a": share(0, (0, 7))}
    assert enter(full, "a", 0, (0, 7), (0, 5), (1, 2)) == {**full, "a": share(0, (0, 5))}


def test_who_is_let_in_leaves_the_next_one_in_front() -> None:
    waiting = {"a": share(0, (0, 5))}
    assert enter(waiting, "a", 0, (0, 5), (0, 8), (1, 2)) == {"a": share(1, (0, 8))}


def test_a_place_is_for_whoever_waits_in_front_of_all() -> None:
    shares = {"a": share(1), "b": share(0, (0, 5))}
    assert enter(shares, "a", 1, (0, 6))["a"] == share(1, (0, 6))
    assert enter(shares, "a", 1, (0, 4))["a"] == share(2)
    assert enter(shares, "a", 1, (1, 4))["a"] == share(1, (1, 4))
    assert enter(shares, "b", 0, (0, 5))["b"] == share(1)


def test_the_places_of_others_are_those_they_have_and_those_they_wait_for() -> None:
    shares = {"a": share(1), "b": share(2, (0, 5)), "c": share(3)}
    assert others(shares, "a", NOON) == 6
    assert others(shares, "a", NOON, (0, 6)) == 6
    assert others(shares, "a", NOON, (0, 5)) == 5
    assert others(shares, "none", NOON, (0, 5)) == 6


def test_what_nobody_renews_is_free_again() -> None:
    shares = {"a": share(2, (0, 1)), "b": share(1, at=after(10))}
    assert others(shares, "c", after(30)) == 1
    assert written(shares, "c", share(1), after(30)) == {"b": shares["b"], "c": share(1)}
    assert others(shares, "c", after(40)) == 0


def test_ones_own_counts_though_it_had_run_out() -> None:
    late = Share(2, after(70))
    assert written({"b": share(1, at=after(20))}, "a", late, after(40))["a"] == late


def test_who_has_nothing_has_no_entry() -> None:
    assert written({"a": share(1), "b": share(1)}, "a", share(0), NOON) == {"b": share(1)}
    assert written({"a": share(1)}, "a", share(0, (0, 1)), NOON) == {"a": share(0, (0, 1))}


def test_the_next_share_to_run_out_is_anothers() -> None:
    shares = {"a": share(1), "b": share(1, at=after(5)), "c": share(1, at=after(3))}
    assert next_expiry(shares, "a", NOON) == after(33)
    assert next_expiry(shares, "a", after(34)) == after(35)
    assert next_expiry({"a": share(1)}, "a", NOON) is None


def test_a_cell_holds_them() -> None:
    shares = {"a": share(1, (2, 7)), "b": share(3)}
    assert read(to_bytes(shares)) == shares
    assert read(None) == read(b"") == {}
    newer = f'{{"a": [1, "{after(30).isoformat()}", null, "more"]}}'
    assert read(newer.encode()) == {"a": share(1)}


@given(
    steps=st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from(("enter", "leave", "renew"))),
        max_size=80,
    ),
    most=st.integers(1, 4),
)
def test_never_are_more_inside_than_may_be_and_no_place_is_lost(
    steps: list[tuple[str, str]], most: int
) -> None:
    shares: Shares = {}
    inside = dict.fromkeys("abc", 0)
    waiting: dict[str, list[Ticket]] = {name: [] for name in "abc"}
    for number, (name, step) in enumerate(steps):
        if step == "enter":
            ticket = min([*waiting[name], (0, number)])
            rest = [each for each in waiting[name] if each != ticket]
            shares = entered(shares, name, share(inside[name]), ticket, rest, most, NOON)
            was_let_in = shares[name].inside > inside[name]
            inside[name] = shares[name].inside
            waiting[name] = rest if was_let_in else [*rest, ticket]
        else:
            inside[name] = max(0, inside[name] - (step == "leave"))
            front = min(waiting[name], default=None)
            shares = written(shares, name, share(inside[name], front), NOON)
        assert sum(inside.values()) <= most
        assert {name: each.inside for name, each in shares.items() if each.inside} == {
            name: count for name, count in inside.items() if count
        }
    fronts = {min(each): name for name, each in waiting.items() if each}
    if fronts and sum(inside.values()) < most:
        first = min(fronts)
        name = fronts[first]
        rest = [each for each in waiting[name] if each != first]
        after_all = entered(shares, name, share(inside[name]), first, rest, most, NOON)
        assert after_all[name].inside == inside[name] + 1
