"""Which steps of the schema are due, and whose code runs on them."""

from __future__ import annotations

import pytest

from task_store.sql import MIGRATIONS
from task_store.steps import Step, Unclear, due, lacking, session_name, steps_of, too_old

EXPAND = Step(1, "a table", "CREATE TABLE a ()")
MORE = Step(2, "another one", "CREATE TABLE b ()")
CONTRACT = Step(3, "the first one is not used any more", "DROP TABLE a", least=2)
LAST = Step(4, "a third one", "CREATE TABLE c ()")
STEPS = {step.number: step for step in (EXPAND, MORE, CONTRACT, LAST)}


def test_a_step_says_what_it_is() -> None:
    named = {
        "0002 expand: another one": "CREATE TABLE b ()",
        "0001 expand: a table": "CREATE TABLE a ()",
        "0004 expand: a third one": "CREATE TABLE c ()",
        "0003 contract, for code that knows 0002: the first one is not used any more": (
            "DROP TABLE a"
        ),
    }

    steps = steps_of(named)

    assert list(steps.items()) == list(STEPS.items())
    assert [step.number for step in steps.values() if step.contracts] == [3]


@pytest.mark.parametrize(
    "header",
    [
        "0001 a table",
        "1 expand: a table",
        "0001 contract: a table",
        "0001 contract, for code that knows 0002: a table",
    ],
)
def test_a_step_that_does_not_say_so_is_refused(header: str) -> None:
    with pytest.raises(Unclear, match=r"0001|1 expand"):
        steps_of({header: "CREATE TABLE a ()"})


def test_a_number_is_given_once() -> None:
    with pytest.raises(Unclear, match="each number once"):
        steps_of({"0001 expand: a": "SELECT", "0001 expand: b": "SELECT"})


@pytest.mark.parametrize(
    ("applied", "contract", "expected"),
    [
        (set(), False, [1, 2, 3, 4]),
        ({1}, False, [2, 4]),
        ({1}, True, [2, 3, 4]),
        ({1, 2, 4}, False, []),
        ({1, 2, 4}, True, [3]),
        ({1, 2, 3, 4, 5}, True, []),
    ],
)
def test_what_contracts_waits_to_be_asked_for_unless_nobody_was_there_before(
    applied: set[int], contract: bool, expected: list[int]
) -> None:
    assert [step.number for step in due(STEPS, applied, contract=contract)] == expected


def test_code_runs_without_what_contracts() -> None:
    assert lacking(STEPS, {1, 2, 4}) == []
    assert lacking(STEPS, {1, 4}) == [2]
    assert lacking(STEPS, set()) == [1, 2, 3, 4]


def test_a_session_tells_which_code_it_is_of() -> None:
    sessions = [
        "projector",
        "task-store",
        session_name("task-store", 4),
        session_name("projector", 5),
        session_name("projector", 12),
        "psql",
        "",
    ]

    assert too_old(sessions, 5) == ["projector", "task-store", "task-store knows 4"]


def test_the_steps_of_this_version_are_numbered_without_a_gap() -> None:
    assert list(MIGRATIONS) == list(range(1, len(MIGRATIONS) + 1))
