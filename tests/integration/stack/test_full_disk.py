"""A full disk: what runs is kept, though nothing about it can be written down."""

import asyncio
import os
from pathlib import Path

import pytest

from darkroom.stack.console import Console
from darkroom.stack.guardian import Guardian
from darkroom.stack.keeper import Keeper
from darkroom.stack.processes import ProcessSpec
from integration.stack.toy_stack import is_running


async def test_a_process_whose_pid_file_can_not_be_written_is_kept_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "full").touch()  # a file where the directory should be: nothing can be made in it
    spec = ProcessSpec(
        name="nats",
        command=("sleep", "100"),
        log=tmp_path / "log",
        pid_file=tmp_path / "full" / "nats.pid",
    )

    async def prepare() -> ProcessSpec:
        return spec

    guardian = Guardian(os.open(tmp_path / "lock", os.O_RDWR | os.O_CREAT))
    keeper = Keeper("nats", prepare, guardian, Console(), asyncio.Queue())
    await keeper.start()
    try:
        assert keeper.pid is not None
        assert is_running(keeper.pid)
        assert f"nats runs as process {keeper.pid}" in capsys.readouterr().err
    finally:
        await keeper.stop()
