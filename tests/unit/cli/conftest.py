"""The command line in this process: ``darkroom(words…)`` gives exit code and output."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from darkroom.cli import cli

Darkroom = Callable[..., Result]


@pytest.fixture
def darkroom(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Darkroom:
    """Run a command without any of this machine's settings."""
    for name in list(os.environ):
        if name.startswith("DARKROOM_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(cli, words, input=stdin, prog_name="darkroom")

    return run
