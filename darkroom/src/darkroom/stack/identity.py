"""As whom Postgres runs: it refuses root, which is who one is in many containers."""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from darkroom.stack.errors import StackError
from darkroom.stack.processes import LAUNCHER

UNPRIVILEGED_USERS = ("postgres", "nobody")
PROBE = "import os, sys; sys.exit(os.geteuid() == 0)"


@dataclass(frozen=True)
class Identity:
    """The launcher's word for it, and uid and gid of the files (None: as they are)."""

    launch: str
    owner: tuple[int, int] | None = None


KEEP = Identity("keep")
NAMESPACE = Identity("namespace", owner=(0, 0))


def unprivileged(program: Path) -> Identity:
    """An identity under which ``program`` runs without being root, the least invasive first."""
    if os.geteuid() != 0:
        return KEEP
    if _works(NAMESPACE, sys.executable, "-I", "-S", "-c", PROBE):
        return NAMESPACE
    for user in UNPRIVILEGED_USERS:
        try:
            entry = pwd.getpwnam(user)
        except KeyError:
            continue
        identity = Identity(f"{entry.pw_uid}:{entry.pw_gid}", owner=(entry.pw_uid, entry.pw_gid))
        if _works(identity, str(program), "--version"):
            return identity
    raise StackError(
        "Postgres refuses to run as root, and no other user can run it here. "
        "Start as an ordinary user, or set DARKROOM_DATABASE_URL to an existing server."
    )


def give(directory: Path, identity: Identity) -> None:
    """Make ``directory`` and what is in it, never what is above it, belong to the identity."""
    if identity.owner is None or not directory.exists():
        return
    status = directory.stat()
    if (status.st_uid, status.st_gid) == identity.owner:
        return
    for path in (*directory.rglob("*"), directory):
        os.chown(path, *identity.owner, follow_symlinks=False)


def _works(identity: Identity, *command: str) -> bool:
    launched = (sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), "9", identity.launch)
    probe = subprocess.run(
        (*launched, *command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=30,
    )
    return probe.returncode == 0
