"""What a command says that is broken off with Ctrl-C."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.cli import exporting
from unit.cli.conftest import Darkroom


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("old.jsonl", "Interrupted: old.jsonl is as it was before. Begin it again."),
        ("-", "Interrupted: what is there is not all. Begin it again."),
    ],
)
def test_an_export_says_what_there_is_of_it(
    output: str, told: str, darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting, "export", interrupted)
    Path("old.jsonl").write_text("{}\n")

    ran = darkroom("events", "export", "-o", output)

    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr == f"Error: {told}\n"
    assert Path("old.jsonl").read_text() == "{}\n"
