"""Every error has its explanation, and the page of them has every error."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from contracts.failures import FAILURE_STAGES, TASK_ERRORS
from contracts.generation_types import GENERATION_TYPES
from gateway.errors_page import html, markdown, type_of
from gateway.explanations import EXPLANATIONS
from gateway.refusals import REFUSALS

ROOT = Path(__file__).parents[3]
_TELL_OF_TASKS = {"TaskError", "_error", "Rejected", "rejected"}
"""What in the sources makes the error of a task."""


def codes_of_tasks() -> Iterator[str]:
    """Every code that the sources give to the error of a task."""
    for part in ("services", "contracts"):
        for path in sorted((ROOT / part).glob("**/src/**/*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield from _codes(node, node.func.id)


def _codes(call: ast.Call, name: str) -> Iterator[str]:
    if name not in _TELL_OF_TASKS:
        return
    told = [each.value for each in call.keywords if each.arg == "code"]
    if name == "_error":
        told += call.args[:1]
    for each in told:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def test_every_problem_is_explained_and_nothing_else() -> None:
    assert EXPLANATIONS.keys() == REFUSALS.keys()
    assert all(means and do for means, do in EXPLANATIONS.values())


def test_every_error_that_a_task_is_given_is_explained() -> None:
    found = set(codes_of_tasks())

    assert {"timeout", "provider_timeout", "invalid_input", "circuit_open"} <= found
    # What a provider rejects has its code by default.
    assert found | {"provider_rejected", "cancelled"} == set(TASK_ERRORS)


def test_every_failure_stage_is_explained() -> None:
    stages = {stage for kind in GENERATION_TYPES.values() for stage in kind.failure_stages.values()}

    assert stages == set(FAILURE_STAGES)


@pytest.mark.parametrize("page", [markdown, html])
def test_each_has_one_place_on_the_page(page: object) -> None:
    assert callable(page)
    anchors = re.findall(r'id="([^"]+)"', page())

    assert anchors == [
        *REFUSALS,
        *(f"task-{code}" for code in TASK_ERRORS),
        *(f"stage-{stage}" for stage in FAILURE_STAGES),
    ]


def test_a_problem_is_linked_to_its_place() -> None:
    assert type_of("queue_full", "https://d.example") == "https://d.example/docs/errors#queue_full"


def test_what_is_said_is_shown_as_it_is_meant() -> None:
    shown = html()

    assert "<code>application/problem+json</code>" in shown
    assert "<em>later</em>" in shown
    assert "`" not in shown
    assert "](" not in shown
