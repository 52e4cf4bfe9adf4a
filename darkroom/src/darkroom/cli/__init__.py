"""The command ``darkroom``: thin commands over the services' own modules.

`main` is the entry point. The commands live in modules of their own, imported when one is called
for: ``darkroom --help`` imports none of them.
"""

from __future__ import annotations

import os
import sys

from darkroom.cli.catalogue import CommandLine, Entry
from darkroom.cli.invocation import HELP_OPTION_NAMES

COMMANDS = (
    Entry("up", "running:up", "Run the whole system until Ctrl-C."),
    Entry("gateway", "running:gateway", "Run the gateway alone, in this process."),
    Entry("generator", "running:generator", "Run one generator, in this process."),
    Entry("task-store", "running:task_store", "Run one task-store, in this process."),
    Entry("reaper", "running:reaper", "Run one reaper, in this process."),
    Entry("submit", "submit:submit", "Submit a task, and follow it with --wait."),
    Entry("tasks", "tasks:tasks", "List, show, cancel and retry tasks."),
    Entry("events", "events:events", "Read the log of events."),
    Entry("providers", "providers:providers", "See who serves what, and check who is configured."),
    Entry("projection", "projection:projection", "Look at, rebuild and verify the projection."),
    Entry("archive", "archive:archive", "See, write and import the archive of finished tasks."),
    Entry("dead-letters", "dead_letters:dead_letters", "See, retry and drop what was put aside."),
    Entry("erase", "erase:erase", "Erase everything of an owner, or show that nothing is left."),
    Entry("backup", "backup:backup", "Copy events, tables and artifacts of a running system."),
    Entry("restore", "backup:restore", "Bring a backup back, into an empty system."),
    Entry("setup", "setup:setup", "Create or check streams, consumers and schema."),
    Entry("doctor", "doctor:doctor", "Tell what is wrong, and the mend."),
    Entry("config", "config:config", "Print the effective settings, without secrets."),
    Entry("bench", "bench:bench", "Measure how fast it is here."),
)

cli = CommandLine(
    "darkroom",
    entries=COMMANDS,
    package=__name__,
    help="Submit generation tasks, and run and look after the system that does them.",
    context_settings={"help_option_names": HELP_OPTION_NAMES},
)


def main() -> None:
    """Run the command line; whatever happens, one line says so and no traceback is shown."""
    try:
        cli.main(prog_name="darkroom")
    except Exception as error:
        if os.environ.get("DARKROOM_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        print(
            f"Error: {what}. This is a fault of the command itself: DARKROOM_DEBUG=1 shows where.",
            file=sys.stderr,
        )
        sys.exit(1)
