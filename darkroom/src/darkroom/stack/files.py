"""Small files that other processes read while we write them, and the logs of the children."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from darkroom.stack.errors import StackError

LOG_MAX_BYTES = 10 * 1024 * 1024


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """A reader sees the old text or the new, never half of either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def require_program(path: Path, variable: str) -> Path:
    """The path, if it can be run; ``variable`` names a server to use in its place."""
    if not os.access(path, os.X_OK):
        raise StackError(
            f"{path} is missing or can't be run. Remove .venv and run `make setup`, "
            f"or set {variable} to an existing server."
        )
    return path


def read_text(path: Path) -> str | None:
    """What the file says, without surrounding blanks; None when there is no such file."""
    try:
        return path.read_text().strip()
    except OSError:
        return None


def last_lines(path: Path, count: int, max_bytes: int = 16384) -> list[str]:
    """The end of a log, however long it is."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - max_bytes))
            return file.read().decode(errors="replace").splitlines()[-count:]
    except OSError:
        return []


def bound_log(path: Path, max_bytes: int = LOG_MAX_BYTES) -> None:
    """Keep one older copy of a log that has grown too large.

    It is emptied in place: whoever writes it has it open for appending and goes on at its start.
    """
    with suppress(OSError):
        if path.stat().st_size > max_bytes:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)
