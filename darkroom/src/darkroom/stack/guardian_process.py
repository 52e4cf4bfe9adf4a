"""The process that cleans up when the supervisor was killed: it outlives it by a moment.

Run as a script with the read end of a pipe as its standard input. The supervisor holds the other
end and writes ``watch PID SIGNAL PID_FILE`` for each child it starts and ``forget PID`` for each
that is gone. The end of the pipe means that the supervisor is gone, however it went: each process
group still watched gets its signal, a while later SIGKILL, and its pid file goes.

It also inherits the lock on the data directory, so that nobody starts on it before all is over.
It stands alone and imports little.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

GRACE_S = 4.0
KILL_S = 2.0
POLL_S = 0.02

Watched = dict[int, tuple[int, str]]


def read_until_orphaned(watched: Watched) -> None:
    """Keep account of the living until the pipe ends."""
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "watch":
            pid, number, pid_file = rest.split(" ", 2)
            watched[int(pid)] = (int(number), pid_file)
        elif word == "forget":
            watched.pop(int(rest), None)


def end(watched: Watched) -> None:
    """Signal every group, wait, kill what is left."""
    for pid, (number, _) in watched.items():
        signal_group(pid, number)
    wait_for_end(watched, GRACE_S)
    for pid in watched:
        signal_group(pid, signal.SIGKILL)
    wait_for_end(watched, KILL_S)


def wait_for_end(watched: Watched, timeout_s: float) -> None:
    """Until no group is left; pid files go as their processes do."""
    deadline = time.monotonic() + timeout_s
    while watched and time.monotonic() < deadline:
        for pid in set(watched) - living_groups(watched):
            remove_pid_file(pid, watched.pop(pid)[1])
        time.sleep(POLL_S)


def signal_group(pid: int, number: int) -> bool:
    """False when there is no such group any more."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def living_groups(pids: Iterable[int]) -> set[int]:
    """Which groups have a member that still runs: what is dead but not yet reaped doesn't count."""
    existing = {pid for pid in pids if signal_group(pid, 0)}
    if existing and Path("/proc/self/stat").exists():
        return existing & running_groups()
    return existing


def running_groups() -> set[int]:
    """The process groups of everything that runs, from Linux's process table."""
    groups = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            state, _, group, *_ = status.read_text().rpartition(")")[2].split()
            if state not in "ZX":
                groups.add(int(group))
    return groups


def remove_pid_file(pid: int, path: str) -> None:
    """Unless it already names another process."""
    with suppress(OSError, ValueError):
        if int(Path(path).read_text()) == pid:
            Path(path).unlink()


def main() -> None:
    """Watch, then clean up."""
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watched: Watched = {}
    read_until_orphaned(watched)
    end(watched)


if __name__ == "__main__":
    main()
