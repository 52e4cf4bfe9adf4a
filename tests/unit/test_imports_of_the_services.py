"""A start is quick because no process imports what it does not need to be ready."""

import subprocess
import sys

import pytest

_IMPORT_ALL = """
import sys
import gateway.app, generator.app, reaper.app, task_store.app
import generator.studio.provider
needless = {"cv2", "numpy", "rich", "pygments", "typer", "darkroom"}
assert not needless & sys.modules.keys(), needless & sys.modules.keys()
"""


_IMPORT_SUPERVISOR = """
import sys
import darkroom.cli.running, darkroom.stack.supervisor
needless = {"asyncpg", "fastapi", "nats", "pydantic", "rich"}
assert not needless & sys.modules.keys(), needless & sys.modules.keys()
"""


@pytest.mark.parametrize("program", [_IMPORT_ALL, _IMPORT_SUPERVISOR], ids=["all", "supervisor"])
def test_nothing_is_imported_that_only_others_need(program: str) -> None:
    imported = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert imported.returncode == 0, imported.stderr
