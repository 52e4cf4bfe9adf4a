"""What stops a start is told in words for the person who started it."""

import errno
import os

import pytest

from darkroom.stack.errors import StackError
from darkroom.stack.supervisor import in_words


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_mend(number: int) -> None:
    assert in_words(OSError(number, os.strerror(number), "run/.nats.conf.7")) == (
        "No space is left on the disk of DARKROOM_DATA_DIR. "
        "Make room there and start again, or choose another directory."
    )


def test_what_is_in_words_already_stays_so() -> None:
    assert in_words(StackError("Port 8400 is in use.")) == "Port 8400 is in use."
    assert "run/lock" in in_words(OSError(errno.EIO, "Input/output error", "run/lock"))
