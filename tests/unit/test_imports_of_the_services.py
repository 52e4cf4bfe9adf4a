"""A start is quick because a service imports nothing that it does not need to be ready."""

import subprocess
import sys

_IMPORT_ALL = """
import sys
import gateway.app, generator.app, reaper.app, task_store.app
import generator.studio.provider
needless = {"cv2", "numpy", "rich", "pygments", "typer", "darkroom"}
assert not needless & sys.modules.keys(), needless & sys.modules.keys()
"""


def test_no_service_imports_what_only_pictures_and_the_command_line_need() -> None:
    imported = subprocess.run(
        [sys.executable, "-c", _IMPORT_ALL], capture_output=True, text=True, check=False
    )

    assert imported.returncode == 0, imported.stderr
