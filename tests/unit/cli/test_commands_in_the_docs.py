"""Every command that the docs show is one that the command line takes, with the options it has."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from darkroom.cli import cli

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"^```\w*\n(?P<block>.*?)^```|`(?P<span>[^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|(?<=\s)|\./)(?:darkroom|ops) (?P<rest>[a-z-].*)")


def commands() -> list[tuple[str, str]]:
    """(page, what follows `darkroom`), once each."""
    found = {}
    for page in PAGES:
        for code in CODE.finditer(page.read_text(encoding="utf-8")):
            for line in (code["block"] or code["span"]).splitlines():
                if match := COMMAND.search(line.partition(" #")[0]):
                    found[page.relative_to(ROOT).as_posix(), match["rest"].strip()] = None
    return list(found)


def refused(line: str) -> str | None:
    """Why the command line does not take it; None if it does."""
    # Alternatives are written with a bar between them: the first stands for all.
    words = [re.sub(r"^\[|\]$", "", word) for word in shlex.split(line.replace("'", "’"))]
    end = next((at for at, word in enumerate(words) if word in ("|", "&&", ">", ";", "…")), None)
    words = words[:end]
    command: click.Command = cli
    context = click.Context(command)
    try:
        while True:
            _, words, _ = command.make_parser(context).parse_args(words)
            if not isinstance(command, click.Group) or not words:
                return None
            following = command.get_command(context, words[0].partition("|")[0])
            if following is None:
                return f"There is no {words[0]!r}."
            command, context = following, click.Context(following, parent=context)
            words = words[1:]
    except click.UsageError as problem:
        return problem.message


def test_a_command_that_is_shown_can_be_given() -> None:
    shown = {f"{page}: darkroom {line}": refused(line) for page, line in commands()}

    assert {line: why for line, why in shown.items() if why is not None} == {}


def test_what_nobody_can_give_is_found() -> None:
    assert refused("doctor --mend-all") == "No such option '--mend-all'."
    assert refused("projection repair") == "There is no 'repair'."
    assert len(commands()) > 60
