"""How a command ends when it could not do what it was told: one line, and an exit code."""

from __future__ import annotations

import click

FOUND_SOMETHING = 1
"""The task failed, or a check found something wrong."""
WRONG_USAGE = 2
UNREACHABLE = 3


class Refused(click.ClickException):
    """It can't be done as things are; the message says what to do."""

    exit_code = FOUND_SOMETHING


class Unreachable(click.ClickException):
    """A part of the system does not answer; the message says which, and what to do."""

    exit_code = UNREACHABLE
