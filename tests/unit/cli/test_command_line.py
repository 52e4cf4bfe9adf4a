"""Calling the command: help, options before and after, and how it fails."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from darkroom.cli import COMMANDS, cli, main
from darkroom.cli.invocation import Group
from unit.cli.conftest import Darkroom
from unit.cli.stand_in import Answer, standing_in

_HELP = """
import sys
sys.argv = ["darkroom", "--help"]
from darkroom.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
heavy = {"asyncpg", "cv2", "fastapi", "httpx2", "nats", "numpy", "pydantic", "rich"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""


def test_the_help_imports_nothing_heavy() -> None:
    helped = subprocess.run(
        [sys.executable, "-c", _HELP], capture_output=True, text=True, check=False
    )

    assert helped.returncode == 0, helped.stderr
    assert "submit" in helped.stdout


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_each_command_is_there_and_has_a_line_in_the_help(
    entry: object, darkroom: Darkroom
) -> None:
    name, _, summary = entry  # type: ignore[misc]

    helped = darkroom(name, "--help")

    assert helped.exit_code == 0, helped.output
    assert helped.output.startswith(f"Usage: darkroom {name}")
    assert summary in darkroom("--help").output


def every_command(group: Group, words: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    with click.Context(group) as ctx:
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            found.append((*words, name))
            if isinstance(command, Group):
                found += every_command(command, (*words, name))
    return found


@pytest.mark.parametrize("words", every_command(cli), ids=" ".join)
def test_each_command_takes_the_global_options(words: tuple[str, ...], darkroom: Darkroom) -> None:
    helped = darkroom(*words, "--help").output

    assert all(option in helped for option in ("--url", "--api-key", "--json"))


@pytest.mark.parametrize("place", [0, 1, 2, 3], ids=["first", "after tasks", "after list", "split"])
def test_global_options_are_taken_before_and_after_the_subcommand(
    place: int, darkroom: Darkroom
) -> None:
    with standing_in(Answer({"tasks": [], "next_cursor": None})) as gateway:
        told = ["--url", gateway.url, "--api-key", "k", "--json"]
        if place < 3:
            words = ["tasks", "list"]
            words[place:place] = told
        else:
            words = ["--json", "tasks", *told[:2], "list", *told[2:4]]
        listed = darkroom(*words)

    assert listed.exit_code == 0, listed.output
    assert json.loads(listed.stdout) == []
    assert gateway.asked[0].headers["authorization"] == "Bearer k"


def test_the_address_and_the_key_come_from_the_environment(
    darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    with standing_in(Answer({"tasks": [], "next_cursor": None})) as gateway:
        monkeypatch.setenv("DARKROOM_URL", gateway.url)
        monkeypatch.setenv("DARKROOM_API_KEY", "from-environment")

        assert darkroom("tasks", "list").exit_code == 0

    assert gateway.asked[0].headers["authorization"] == "Bearer from-environment"


@pytest.mark.parametrize(
    "words",
    [
        ["frobnicate"],
        ["submit"],
        ["tasks", "show"],
        ["tasks", "list", "--limit", "0"],
        ["tasks", "list", "--status", "sleeping"],
        ["--url", "ftp://x", "tasks", "list"],
        ["submit", "CREATE", "x", "--image", "no-such-file.png"],
        ["submit", "CREATE", "x", "--param", "novalue"],
        ["submit", "CREATE", "x", "--params", "[1]"],
        ["submit", "CREATE", "x", "--params", "{"],
        ["submit", "CREATE", "x", "--run-at", "tomorrow"],
        ["submit", "CREATE", "x", "--run-at", "0001-01-01T00:00:00+14:00"],
        ["submit", "CREATE", "x", "-o", "no/such/directory/x.png"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_and_says_what_is_wrong(words: list[str], darkroom: Darkroom) -> None:
    refused = darkroom(*words)

    assert refused.exit_code == 2
    assert "Error: " in refused.output


def test_a_wrong_setting_is_named(darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_STREAM_REPLICAS", "many")

    refused = darkroom("setup")

    assert refused.exit_code == 2
    assert "DARKROOM_STREAM_REPLICAS is not usable" in refused.output


def test_a_service_with_a_wrong_setting_names_it(
    darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_HEALTH_PORT", "http")

    refused = darkroom("task-store")

    assert refused.exit_code == 2
    assert "DARKROOM_HEALTH_PORT is not usable" in refused.output


def test_a_fault_of_the_command_itself_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["darkroom", "tasks"])
    monkeypatch.delenv("DARKROOM_DEBUG", raising=False)

    def fails(**_: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(cli, "main", fails)

    with pytest.raises(SystemExit) as end:
        main()

    assert end.value.code == 1
    assert capsys.readouterr().err == (
        "Error: ZeroDivisionError: two. This is a fault of the command itself: "
        "DARKROOM_DEBUG=1 shows where.\n"
    )


@pytest.mark.parametrize("words", [["setup"], ["projection", "status"], ["events", "tail"]])
def test_servers_that_do_not_answer_exit_3_and_say_how_to_start_them(
    words: list[str], darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DARKROOM_NATS_URL", "nats://me:secret@127.0.0.1:1")

    refused = darkroom(*words)

    assert refused.exit_code == 3
    assert "No NATS server answers at nats://me:***@127.0.0.1:1" in refused.output
    assert "darkroom up" in refused.output
    assert "secret" not in refused.output
