"""A command of `darkroom` beside the running system: how long it takes, and its memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from measuring.context import Context


def command_of(run: Context, *words: str) -> tuple[float, float]:
    """The seconds that it takes, and the most memory (RSS) that it had, in MB."""
    environment = {**os.environ, "DARKROOM_DATA_DIR": str(run.system.directory.path)}
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "darkroom", *words], env=environment, stdout=subprocess.DEVNULL
    ) as process:
        peak_mb = 0.0
        while process.poll() is None:
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            time.sleep(0.05)
        took_s = time.perf_counter() - began
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with {process.returncode}")
    return took_s, peak_mb


def _peak_mb(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return 0.0 if found is None else int(found[1]) / 1024
