"""What no unit test leaves behind for the next one."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def log_level() -> Iterator[None]:
    """The command line silences the logs of its process, which in a test is ours."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
