"""docs/operations.md: beside each line stands the test that causes what it tells of."""

from __future__ import annotations

import re

from citations import ROOT, functions_of

PAGE = ROOT / "docs" / "operations.md"
CITED = re.compile(r"<!-- (?P<path>tests/[\w/]+\.py)::(?P<name>test_\w+) -->")


def lines_of(page: str) -> list[str]:
    """The rows of its tables, without their heads."""
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.startswith(("| you see", "| you want"))]


def test_each_line_names_a_test_that_exists() -> None:
    lines = lines_of(PAGE.read_text(encoding="utf-8"))

    untried = [
        line
        for line in lines
        if not any(each["name"] in functions_of(each["path"]) for each in CITED.finditer(line))
    ]

    assert untried == []
    assert len(lines) > 20
