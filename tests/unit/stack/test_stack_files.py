"""Small files, logs, ports, the directory's claim."""

import os
import socket
import sys
from pathlib import Path

import pytest

from darkroom.stack.data_directory import DataDirectory, claim
from darkroom.stack.errors import StackError
from darkroom.stack.files import bound_log, last_lines, read_text, require_program, write_atomically
from darkroom.stack.ports import free_port, is_free
from darkroom.stack.processes import describe_exit


def test_a_secret_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    secret = tmp_path / "run" / "password"
    write_atomically(secret, "hush", mode=0o600)
    assert read_text(secret) == "hush"
    assert secret.stat().st_mode & 0o077 == 0
    assert list(secret.parent.iterdir()) == [secret]


def test_a_log_that_grew_too_large_is_emptied_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        bound_log(log, max_bytes=100)
        writer.write(b"new\n")
    assert log.read_bytes() == b"new\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"old\n" * 100


def test_a_small_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("one\ntwo\n")
    bound_log(log, max_bytes=100)
    assert last_lines(log, 1) == ["two"]
    assert last_lines(tmp_path / "none.log", 5) == []


def test_a_recorded_port_is_used_again_unless_somebody_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        taken = busy.getsockname()[1]
        assert not is_free(taken)
        chosen = free_port(preferred=taken)
    assert chosen != taken
    assert free_port(preferred=chosen) == chosen
    assert free_port(preferred=chosen, taken=frozenset({chosen})) != chosen


def test_a_directory_has_one_user_at_a_time(tmp_path: Path) -> None:
    directory = DataDirectory(tmp_path)
    with (
        claim(directory, tmp_path),
        pytest.raises(StackError, match=rf"already running .*pid {os.getpid()}"),
        claim(directory, tmp_path),
    ):
        pytest.fail("claimed twice")
    with claim(directory, tmp_path):
        pass


@pytest.mark.parametrize("version", ["2", "0", "", "nonsense"])
def test_a_directory_of_another_version_is_refused_and_left_alone(
    tmp_path: Path, version: str
) -> None:
    (tmp_path / "VERSION").write_text(version)
    with (
        pytest.raises(StackError, match="data version"),
        claim(DataDirectory(tmp_path), tmp_path),
    ):
        pytest.fail("claimed")
    assert (tmp_path / "VERSION").read_text() == version


def test_a_directory_that_cannot_be_made_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StackError, match="Choose another DARKROOM_DATA_DIR"),
        claim(DataDirectory(tmp_path / "file" / "data"), Path("data")),
    ):
        pytest.fail("claimed")


def test_an_end_is_told_in_words() -> None:
    assert describe_exit(3) == "exit code 3"
    assert describe_exit(-9) == "SIGKILL"


def test_a_program_that_is_there_and_can_be_run_is_taken() -> None:
    assert require_program(Path(sys.executable), "DARKROOM_NATS_URL") == Path(sys.executable)


@pytest.mark.parametrize("mode", [None, 0o644])
def test_a_program_that_can_not_be_run_is_refused_with_the_mend(
    mode: int | None, tmp_path: Path
) -> None:
    program = tmp_path / "nats-server"
    if mode is not None:
        program.touch(mode)
    with pytest.raises(StackError) as refused:
        require_program(program, "DARKROOM_NATS_URL")
    assert str(refused.value) == (
        f"{program} is missing or can't be run. Remove .venv and run `make setup`, "
        "or set DARKROOM_NATS_URL to an existing server."
    )
