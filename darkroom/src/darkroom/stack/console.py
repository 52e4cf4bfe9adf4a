"""What the person at the terminal reads: few lines, each about one thing."""

import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import TextIO


class Console:
    """Lines to the terminal, at once. One that is gone hears nothing; the system goes on."""

    def say(self, line: str) -> None:
        """Something happened."""
        _print(line, sys.stdout)

    def complain(self, line: str) -> None:
        """Something is wrong."""
        _print(line, sys.stderr)

    def quote(self, lines: Iterable[str]) -> None:
        """Show the end of a log."""
        for line in lines:
            self.complain(f"    {line}")


def _print(line: str, to: TextIO) -> None:
    with suppress(OSError):
        print(line, file=to, flush=True)
