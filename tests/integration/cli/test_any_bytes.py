"""A log with what is no text on it is looked at and erased like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from builders import OWNER, task_id
from integration.cli.conftest import Shell
from integration.cli.oldlog import OldLog, life, old_log
from integration.cli.test_doctor import finding
from integration.cli.test_restore import SPEC, caught_up, projecting
from servers import Server


@pytest.fixture
async def log(bare: Shell, nats_server: Server) -> AsyncIterator[OldLog]:
    """A log as `darkroom setup` makes it."""
    ran = await bare("setup")
    assert ran.exit_code == 0, ran.stderr
    async with old_log(nats_server, SPEC) as made:
        yield made


async def test_commands_work_on_a_log_with_what_is_no_text(bare: Shell, log: OldLog) -> None:
    async with projecting(bare):
        await log.tell(*life(1))
        await log.tell_no_text(task_id(1))
        await log.tell(*life(2))
        await caught_up(bare, log)

        looked = await bare("doctor", "--json")
        listed = await bare("dead-letters", "list", "--json")
        shown = await bare("dead-letters", "show", "5", "--json")
        verified = await bare("projection", "verify")
        erased = await bare("erase", OWNER, "--yes")

    assert {name: finding(looked, name)["ok"] for name in ("log", "copy", "parked")} == {
        "log": True,
        "copy": True,
        "parked": False,
    }
    letters = [(each["sequence"], each["subject"]) for each in listed.json["dead_letters"]]
    assert letters == [
        (5, "generation.progress.create.\N{REPLACEMENT CHARACTER}"),
        (6, f"generation.progress.create.{task_id(1)}"),
        (9, "generation.progress.a\x0bb\N{REPLACEMENT CHARACTER}.c"),
    ]
    assert shown.exit_code == 0, shown.stderr
    assert verified.exit_code == 0, verified.stdout + verified.stderr
    assert erased.exit_code == 0, erased.stdout + erased.stderr
    assert "Nothing is left" in erased.stdout
