"""Keep the code of a released version, for the tests that run it beside the present one.

    python tests/corpus/release.py VERSION COMMIT

Writes ``VERSION.zip``: the services and what they import, without the page.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = {
    "contracts": "contracts/src",
    "delivery": "delivery/src",
    "telemetry": "telemetry/src",
    "artifacts": "artifacts/src",
    "gateway": "services/gateway/src",
    "generator": "services/generator/src",
    "task_store": "services/task-store/src",
    "reaper": "services/reaper/src",
}
_LEFT_OUT = ("/studio_build/", "/schemas/")
_SOME_DAY = (1980, 1, 1, 0, 0, 0)
"""The same code makes the same file."""


def keep(version: str, commit: str) -> Path:
    """Write the archive of a commit's services; where it is."""
    archive = subprocess.run(
        ["git", "archive", "--format=zip", commit, *PACKAGES.values()],
        cwd=HERE.parents[1],
        check=True,
        capture_output=True,
    ).stdout
    made = HERE / f"{version}.zip"
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as whole,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as kept,
    ):
        for name in sorted(whole.namelist()):
            inside = name.partition("/src/")[2]
            if name.endswith("/") or not inside or any(part in name for part in _LEFT_OUT):
                continue
            kept.writestr(
                zipfile.ZipInfo(inside, _SOME_DAY), whole.read(name), zipfile.ZIP_DEFLATED
            )
    return made


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="tests/corpus/release.py")
    parser.add_argument("version")
    parser.add_argument("commit")
    chosen = parser.parse_args()
    written = keep(chosen.version, chosen.commit)
    print(f"{written.name}: {written.stat().st_size:,} bytes")
