"""docs/requirements.md names every requirement once, and each test that it names exists."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from citations import functions_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "requirements.md"

ENTRY = re.compile(r"- \*\*(?P<id>[^*]+)\*\* \S.*")
EVIDENCE = re.compile(r"  - (?P<what>.+)")
TEST = re.compile(r"`(?P<path>tests/[\w/]+\.py)::(?P<name>test_\w+)`")
FRONTEND_TEST = re.compile(
    r"`(?P<path>frontend/[\w-]+/tests/[\w.-]+\.test(?:-d)?\.tsx?)::(?P<name>[^`]+)`"
)
TITLE = re.compile(r"""(?:\btest|\))\(\s*"(?P<title>(?:[^"\\]|\\.)+)",""")
"""``test("title", …`` and ``test.each(…)("title", …``."""
COMMAND = re.compile(r"`make (?P<target>[\w-]+)`")


@dataclass(frozen=True)
class Requirement:
    id: str
    evidence: tuple[str, ...]


def requirements(page: str) -> list[Requirement]:
    """The entries of the page, in its order."""
    found: list[Requirement] = []
    for line in page.splitlines():
        if entry := ENTRY.fullmatch(line):
            found.append(Requirement(entry["id"], ()))
        elif evidence := EVIDENCE.fullmatch(line):
            last = found.pop()
            found.append(Requirement(last.id, (*last.evidence, evidence["what"])))
    return found


REQUIREMENTS = requirements(PAGE.read_text())


def numbered(name: str, count: int) -> list[str]:
    return [f"{name} ({number})" for number in range(1, count + 1)]


def listed(name: str, count: int) -> list[str]:
    """A list of test cases, and what is asked of the list as a whole."""
    return [*numbered(name, count), f"{name} accepted"]


REQUIRED = [
    *("R1.1", "R1.2", "R1.3", "R1.4", "R1.5", "R2.1", "R2.2", "R2.3", "R2.4"),
    *("R3.1", "R3.2", "R4.1", "R4.2", "R4.3"),
    *(f"Property {number}" for number in range(1, 7)),
    *(f"Task recovery {task}" for task in ("1.1", "1.2", "1.3", "2.1", "2.2", "2.3")),
    *(f"Task recovery {task}" for task in ("3.1", "3.2", "3.3", "4.1", "5", "6.1", "7.1", "7.2")),
    *(f"Task recovery {task}" for task in ("8.1", "9.1", "10.1", "11.1", "12")),
    *numbered("Message persistence 1.1", 4),
    *numbered("Message persistence 1.2", 5),
    *numbered("Message persistence 1.3", 3),
    *listed("Message persistence 1.4", 5),
    *listed("Message persistence 1.5", 5),
    "Message persistence verified",
    *numbered("Queue position 2.1", 4),
    *numbered("Queue position 2.2", 3),
    *numbered("Queue position 2.3", 3),
    *listed("Queue position 2.4", 5),
    *listed("Queue position 2.5", 4),
    "Queue position verified",
    *numbered("Stuck tasks 3.1", 5),
    *numbered("Stuck tasks 3.2", 3),
    *numbered("Stuck tasks 3.3", 4),
    *listed("Stuck tasks 3.4", 5),
    *listed("Stuck tasks 3.5", 5),
    "Stuck tasks verified",
    *numbered("Concurrent submission 4.1", 4),
    *numbered("Concurrent submission 4.2", 4),
    *listed("Concurrent submission 4.3", 5),
    *listed("Concurrent submission 4.4", 5),
    *listed("Concurrent submission 4.5", 5),
    "Concurrent submission verified",
    *numbered("Smoke", 6),
    *numbered("Integration", 6),
    *numbered("End to end", 6),
    *numbered("Rollback", 4),
    *numbered("Done", 5),
    *numbered("Eleven statuses 1", 6),
    *("Eleven statuses 2.1", "Eleven statuses 2.2"),
    *numbered("Eleven statuses 2.3", 6),
    *("Eleven statuses 2.4", "Eleven statuses 3.1", "Eleven statuses 3.2", "Eleven statuses 4.1"),
    *numbered("Eleven statuses 4.2", 3),
    *numbered("Eleven statuses 5", 9),
    *numbered("Eleven statuses 6", 6),
    *numbered("Eleven statuses 7", 4),
    *numbered("Hooks: useGenerationTasks", 3),
    *numbered("Hooks: useCreateGenerationTask", 3),
    *numbered("Hooks: useUploadFile", 3),
    *("Hooks: query keys", "Hooks: tasks of a prompt"),
    *numbered("Hooks: createGenerationTask", 5),
    *numbered("Hooks: uploadGenerationFile", 3),
    *numbered("Hooks: tests", 7),
    *("Hooks: documentation", "Hooks: types"),
    *numbered("Hooks: next", 4),
]
"""Every requirement there is. The list is frozen: the page may only gain evidence."""


@cache
def titles_of(path: str) -> frozenset[str]:
    """The titles of the tests of a file of the frontend; none where there is no such file."""
    file = ROOT / path
    return frozenset(TITLE.findall(file.read_text())) if file.is_file() else frozenset()


def targets_of_make() -> set[str]:
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def fault(evidence: str) -> str | None:
    """What is wrong with a line of evidence."""
    if test := TEST.fullmatch(evidence):
        known = test["name"] in functions_of(test["path"])
        return None if known else f"there is no test {test['path']}::{test['name']}"
    if test := FRONTEND_TEST.fullmatch(evidence):
        known = test["name"] in titles_of(test["path"])
        return None if known else f"there is no test {test['path']}::{test['name']}"
    if command := COMMAND.fullmatch(evidence):
        known = command["target"] in targets_of_make()
        return None if known else f"there is no `make {command['target']}`"
    return f"neither a test nor a known word: {evidence}"


def test_every_requirement_is_on_the_page_once_and_in_order() -> None:
    named = [requirement.id for requirement in REQUIREMENTS]

    assert [name for name, times in Counter(named).items() if times > 1] == []
    assert named == REQUIRED


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda each: each.id)
def test_every_requirement_has_evidence_that_exists(requirement: Requirement) -> None:
    assert requirement.evidence != ()
    assert len(set(requirement.evidence)) == len(requirement.evidence)
    assert [fault(each) for each in requirement.evidence if fault(each)] == []


def test_no_item_of_the_page_is_overlooked() -> None:
    _, *lists = PAGE.read_text().split("\n## ")
    items = [line for line in "\n".join(lists).splitlines() if line.lstrip().startswith("- ")]

    assert len(items) == sum(1 + len(each.evidence) for each in REQUIREMENTS)


def test_a_test_that_was_renamed_is_missed() -> None:
    this = "tests/unit/test_requirements_map.py"

    assert fault(f"`{this}::test_a_test_that_was_renamed_is_missed`") is None
    assert fault(f"`{this}::test_gone`") == f"there is no test {this}::test_gone"
    assert fault("`tests/unit/test_gone.py::test_a`") == (
        "there is no test tests/unit/test_gone.py::test_a"
    )
    page = "frontend/react/tests/recovery-polling.test.tsx"
    assert fault(f"`{page}::stops when it is unmounted`") is None
    assert fault(f"`{page}::stops when the tasks %s`") is None
    assert fault(f"`{page}::stops`") == f"there is no test {page}::stops"
    assert fault("`make nothing`") == "there is no `make nothing`"
    assert fault("_comes some day_") == "neither a test nor a known word: _comes some day_"
