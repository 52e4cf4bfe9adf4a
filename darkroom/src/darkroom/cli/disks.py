"""Whether the files of the system have a place: results can be written, the disk isn't full."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from darkroom.cli.settings import CommandLineSettings
from telemetry.findings import Finding

_ENOUGH_BYTES = 1 << 30
_GIB = 1 << 30


def artifacts_directory(settings: CommandLineSettings) -> Path | None:
    """Where results lie; None for an object store elsewhere."""
    if settings.artifacts_url is None:
        return settings.data_dir / "artifacts"
    parts = urlsplit(settings.artifacts_url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def examine(settings: CommandLineSettings) -> list[Finding]:
    return [_artifacts(settings), _space(settings)]


def _artifacts(settings: CommandLineSettings) -> Finding:
    directory = artifacts_directory(settings)
    if directory is None:
        return Finding(
            "artifacts", ok=None, detail=f"in {settings.artifacts_url}: not looked at from here"
        )
    there = _nearest(directory)
    try:
        # Rights alone don't tell: the disk may be read-only or full.
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"\0")
    except OSError as error:
        return Finding(
            "artifacts",
            ok=False,
            detail=f"{there} can't be written to ({error.strerror})",
            mend="give this user the right to, or choose another DARKROOM_ARTIFACTS_URL",
        )
    return Finding("artifacts", ok=True, detail=f"{directory} can be written to")


def _space(settings: CommandLineSettings) -> Finding:
    free = shutil.disk_usage(_nearest(settings.data_dir)).free
    enough = free >= _ENOUGH_BYTES
    return Finding(
        "disk",
        ok=enough,
        detail=f"{free / _GIB:.1f} GiB free for {settings.data_dir}",
        mend="" if enough else "make room, or move DARKROOM_DATA_DIR to a larger disk",
    )


def _nearest(path: Path) -> Path:
    """The path itself, or what there is of it."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
