"""Of what Postgres's programs say, the one line that tells why they failed."""

import pytest

from darkroom.stack.postgres import reason_of

FULL = """\
running bootstrap script ... 2026-11-25 17:23:04.123 UTC [42] FATAL:  could not extend file: \
No space left on device
2026-11-25 17:23:04.123 UTC [42] HINT:  Check free disk space.
2026-11-25 17:23:04.129 UTC [42] PANIC:  cannot abort transaction 1, it was already committed
child process exited with exit code 1
initdb: removing contents of data directory "/d/postgres.new"
"""


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (FULL, "FATAL:  could not extend file: No space left on device"),
        ('initdb: error: program "postgres" is needed\n', 'program "postgres" is needed'),
        ("one thing\nthe other.\n", "the other"),
        ("", "no output"),
    ],
)
def test_the_reason_is_the_first_error_not_what_came_of_it(output: str, reason: str) -> None:
    assert reason_of(output).endswith(reason)
