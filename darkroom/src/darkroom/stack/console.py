"""What the person at the terminal reads: few lines, each about one thing."""

import sys
from collections.abc import Iterable


class Console:
    """Lines to the terminal, at once."""

    def say(self, line: str) -> None:
        """Something happened."""
        print(line, flush=True)

    def complain(self, line: str) -> None:
        """Something is wrong."""
        print(line, file=sys.stderr, flush=True)

    def quote(self, lines: Iterable[str]) -> None:
        """Show the end of a log."""
        for line in lines:
            self.complain(f"    {line}")
