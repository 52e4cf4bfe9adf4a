"""Who supervises goes on when nobody reads any more what it says."""

import errno
import io
import sys

import pytest

from darkroom.stack.console import Console


class Gone(io.StringIO):
    """A terminal that was closed."""

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_a_terminal_that_is_gone_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = Gone(), Gone()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    Console().say("ready")
    Console().complain("nats died")
    assert (out.getvalue(), err.getvalue()) == ("ready\n", "nats died\n")
