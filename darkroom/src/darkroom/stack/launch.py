"""Become another program, tied to the life of the process that asked for it.

Run as a script: ``launch.py PARENT_PID SIGNAL IDENTITY COMMAND…``. It arranges what has to be
arranged inside the child, then replaces itself with COMMAND: the child stays a direct one, with the
same pid.

SIGNAL is what the kernel sends when the parent dies (on Linux; elsewhere only the guardian does).
IDENTITY is ``keep``, ``namespace`` (a user namespace in which this user isn't root) or ``UID:GID``.

It stands alone and imports little: it runs once for every process started.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
ORDINARY_ID = 1000
EXIT_UNABLE = 126
EXIT_NOT_FOUND = 127


def enter_user_namespace() -> None:
    """Look like an ordinary user to the program, while files stay owned by who started it."""
    uid, gid = os.geteuid(), os.getegid()
    _libc_call("unshare", CLONE_NEWUSER)
    _write("/proc/self/uid_map", f"{ORDINARY_ID} {uid} 1")
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/gid_map", f"{ORDINARY_ID} {gid} 1")


def drop_to(uid: int, gid: int) -> None:
    """Give up root for good."""
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)


def die_with(parent: int, death_signal: int) -> None:
    """Ask for a signal when the parent dies. A change of identity cancels it: this comes last."""
    if sys.platform != "linux":
        return
    _libc_call("prctl", PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(EXIT_UNABLE)


def main(arguments: list[str]) -> None:
    """Take the identity, tie the life, become the command."""
    parent, death_signal, identity, *command = arguments
    try:
        if identity == "namespace":
            enter_user_namespace()
        elif identity != "keep":
            uid, _, gid = identity.partition(":")
            drop_to(int(uid), int(gid))
        die_with(int(parent), int(death_signal))
    except OSError as error:
        sys.exit(_complaint(f"cannot start {command[0]} as {identity}: {error}", EXIT_UNABLE))
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(_complaint(f"cannot run {command[0]}: {error}", EXIT_NOT_FOUND))


def _libc_call(name: str, *arguments: int) -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _complaint(text: str, exit_code: int) -> int:
    print(text, file=sys.stderr, flush=True)
    return exit_code


if __name__ == "__main__":
    main(sys.argv[1:])
