"""What can't work is refused in one line that says what to do, before anything is started."""

import os
import socket
from pathlib import Path

from integration.stack.toy_stack import ToyStack, is_running, toy_stack


def nothing_was_started(stack: ToyStack) -> bool:
    return not stack.pids() and not (stack.data_dir / "nats").exists()


async def test_a_port_in_use(stack: ToyStack) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        stack.port = busy.getsockname()[1]
        said = await stack.refused()
    assert said.count("\n") == 1
    assert f"Port {stack.port} on 127.0.0.1 is in use" in said
    assert "DARKROOM_PORT=" in said
    assert nothing_was_started(stack)


async def test_a_directory_of_another_version(stack: ToyStack) -> None:
    (stack.data_dir / "VERSION").write_text("99\n")
    said = await stack.refused()
    assert said.count("\n") == 1
    assert "has data version 99, this Darkroom reads version 1" in said
    assert nothing_was_started(stack)


async def test_a_second_start_on_the_same_directory(running: ToyStack) -> None:
    other = ToyStack(running.data_dir)
    before = running.pids()
    said = await other.refused()
    assert said.count("\n") == 1
    assert f"already running on {running.data_dir} (pid {running.supervisor.pid})" in said
    assert running.pids() == before


async def test_a_database_of_another_major_version(stack: ToyStack) -> None:
    (stack.data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    said = await stack.refused()
    assert "was made by Postgres 15, this Darkroom brings 18" in said
    assert not stack.pids()


async def test_a_failing_set_up_shows_why_and_leaves_nothing(data_dir: Path) -> None:
    async with toy_stack(data_dir, TOY_BROKEN="setup") as stack:
        said = await stack.refused()
        assert said.endswith("Setting up streams and schema failed: the reason why\n")
        assert not stack.pids()


async def test_a_service_whose_settings_are_unusable_says_what_to_change(data_dir: Path) -> None:
    async with toy_stack(data_dir, TOY_MISTAKEN="reaper") as stack:
        said = await stack.refused()
        assert said.endswith("darkroom: reaper: DARKROOM_X is no number.\n")
        assert "reaper died" not in said
        assert not any(map(is_running, stack.pids().values()))


async def test_a_set_up_whose_settings_are_unusable_says_what_to_change(data_dir: Path) -> None:
    async with toy_stack(data_dir, TOY_MISTAKEN="setup") as stack:
        said = await stack.refused()
        assert said == "darkroom: setup: DARKROOM_X is no number.\n"
        assert not stack.pids()


async def test_a_directory_that_can_not_be_written_to(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "run").mkdir()
    (tmp_path / "data" / "run" / "lock").mkdir()  # what not even root can open for writing
    async with toy_stack(tmp_path / "data") as stack:
        said = await stack.refused()
    assert said == (
        f"darkroom: Cannot use {tmp_path}/data for data (Is a directory). "
        "Choose another DARKROOM_DATA_DIR.\n"
    )


async def test_a_lock_of_postgres_that_names_another_process_is_no_obstacle(
    stack: ToyStack,
) -> None:
    await stack.start()
    await stack.stop()
    lock = stack.data_dir / "postgres" / "postmaster.pid"
    lock.write_text(f"{os.getpid()}\n{stack.data_dir / 'postgres'}\n1\n1\n\n127.0.0.1\n1 1\n")
    await stack.start()


async def test_a_lost_password_is_replaced(stack: ToyStack) -> None:
    await stack.start()
    await stack.stop()
    for file in (stack.data_dir / "run").iterdir():
        file.unlink()
    await stack.start()
    assert "died" not in stack.output
