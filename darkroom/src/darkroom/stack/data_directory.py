"""The directory that holds all data of an embedded system: who may use it, and what lies where."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from darkroom.stack.errors import StackError
from darkroom.stack.files import read_text, write_atomically

VERSION = 1
"""Of the layout below. A directory of a later one isn't touched."""
PREDECESSOR_TIMEOUT_S = 10.0
POLL_S = 0.02


@dataclass(frozen=True)
class DataDirectory:
    """What lies where."""

    path: Path

    @property
    def run(self) -> Path:
        """What describes the running system: pids, ports, addresses, locks."""
        return self.path / "run"

    @property
    def nats_store(self) -> Path:
        """The log of events."""
        return self.path / "nats"

    @property
    def postgres(self) -> Path:
        """The database cluster."""
        return self.path / "postgres"

    def log(self, name: str) -> Path:
        """What a process writes."""
        return self.path / "log" / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """The pid of a process that runs; absent otherwise."""
        return self.run / f"{name}.pid"

    def port_file(self, name: str) -> Path:
        """The port a process listens on."""
        return self.run / f"{name}.port"


@contextmanager
def claim(directory: DataDirectory, shown: Path) -> Iterator[int]:
    """Use the directory exclusively; gives the lock for processes that use it on our behalf.

    Two locks: one is held by this process alone and tells that it lives. The other is inherited by
    the guardian and the servers, so that whoever comes after a crash waits until they are gone.
    """
    with ExitStack() as open_files:
        try:
            directory.run.mkdir(parents=True, exist_ok=True, mode=0o700)
            own = open_files.enter_context(_open(directory.run / "supervisor.lock"))
            shared = open_files.enter_context(_open(directory.run / "lock"))
        except OSError as error:
            raise StackError(
                f"Cannot use {shown} for data ({error.strerror}). Choose another DARKROOM_DATA_DIR."
            ) from None
        if not _lock(own):
            holder = read_text(directory.run / "supervisor.lock") or "unknown"
            raise StackError(
                f"Darkroom is already running on {shown} (pid {holder}). Stop it with Ctrl-C "
                "there, or choose another DARKROOM_DATA_DIR and DARKROOM_PORT."
            )
        os.ftruncate(own, 0)
        os.pwrite(own, f"{os.getpid()}\n".encode(), 0)
        _wait_for_predecessor(directory, shared, shown)
        _check_version(directory.path / "VERSION", shown)
        for stale in (*directory.run.glob("*.pid"), *directory.run.glob("*.url")):
            stale.unlink(missing_ok=True)
        yield shared


def _wait_for_predecessor(directory: DataDirectory, lock: int, shown: Path) -> None:
    deadline = time.monotonic() + PREDECESSOR_TIMEOUT_S
    while not _lock(lock):
        if time.monotonic() > deadline:
            pids = ", ".join(
                f"{file.stem} {read_text(file)}" for file in sorted(directory.run.glob("*.pid"))
            )
            raise StackError(
                f"Processes of an earlier start still use {shown} ({pids or 'pids unknown'}). "
                "End them and start again."
            )
        time.sleep(POLL_S)


def _check_version(marker: Path, shown: Path) -> None:
    found = read_text(marker)
    if found is None:
        write_atomically(marker, f"{VERSION}\n")
    elif found != str(VERSION):
        raise StackError(
            f"{shown} has data version {found}, this Darkroom reads version {VERSION}. "
            "Use the Darkroom that wrote it, or choose another DARKROOM_DATA_DIR."
        )


@contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
