"""``darkroom up``: start the whole system, keep it running, end all of it."""

import asyncio
import errno
import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress

from darkroom.stack import readiness
from darkroom.stack.assembly import Assembly
from darkroom.stack.console import Console
from darkroom.stack.data_directory import DataDirectory, claim
from darkroom.stack.errors import StackError
from darkroom.stack.ports import require_free
from darkroom.stack.programs import DARKROOM, Programs
from darkroom.stack.settings import StackSettings

READY_POLL_S = 0.05
TELL_EVERY_S = 30.0
PARENT_POLL_S = 0.5
EXIT_STOPPED = 0
EXIT_FAILED = 1


def main(
    settings: StackSettings | None = None,
    programs: Programs = DARKROOM,
    environment: Mapping[str, str] = os.environ,
) -> int:
    """Run the system until it is told to stop; the exit code for the shell."""
    console = Console()
    try:
        chosen = settings or StackSettings.from_environment(environment)
        directory = DataDirectory(chosen.data_dir.absolute())
        with claim(directory, chosen.data_dir) as lock:
            require_free(chosen.host, chosen.port)
            return asyncio.run(_supervise(chosen, directory, programs, lock, console))
    except (StackError, OSError) as error:
        console.complain(f"darkroom: {in_words(error)}")
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_STOPPED


def in_words(error: StackError | OSError) -> str:
    """What went wrong, in one line that says what to do."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            "No space is left on the disk of DARKROOM_DATA_DIR. "
            "Make room there and start again, or choose another directory."
        )
    return str(error)


async def _supervise(
    settings: StackSettings,
    directory: DataDirectory,
    programs: Programs,
    lock: int,
    console: Console,
) -> int:
    assembly = Assembly(settings, directory, programs, lock, console)
    stop = asyncio.Event()
    _listen_for_signals(stop, assembly)
    work = [
        asyncio.create_task(_bring_up(assembly, settings, console), name="bring up"),
        asyncio.create_task(assembly.bound_logs(), name="bound logs"),
        asyncio.create_task(assembly.refused(), name="refused"),
    ]
    wait_for_stop = asyncio.create_task(_told_to_stop(stop, settings), name="told to stop")
    try:
        await _first_of(wait_for_stop, work)
        console.say("Stopping; Ctrl-C again ends everything at once")
    finally:
        for task in (*work, wait_for_stop):
            task.cancel()
        await asyncio.gather(*work, wait_for_stop, return_exceptions=True)
        await assembly.stop()
    return EXIT_STOPPED


async def _bring_up(assembly: Assembly, settings: StackSettings, console: Console) -> None:
    await assembly.start()
    await _until_ready(settings, console)
    console.say(
        f"Darkroom is ready on {settings.url} (data in {settings.data_dir}) — Ctrl-C stops it"
    )


async def _until_ready(settings: StackSettings, console: Console) -> None:
    began = told = time.monotonic()
    while True:
        ready, answer = await readiness.ask(settings.reachable_host, settings.port)
        if ready:
            return
        if time.monotonic() - told >= TELL_EVERY_S:
            told = time.monotonic()
            console.complain(f"Not ready after {told - began:.0f} s: {answer[:300]}")
        await asyncio.sleep(READY_POLL_S)


async def _told_to_stop(stop: asyncio.Event, settings: StackSettings) -> None:
    """Until a signal came or, where asked for, who started this is gone: process or terminal.

    Of a terminal that is closed its first process alone is told, and that may be make.
    """
    parent, on_terminal = os.getppid(), os.isatty(0)
    while not stop.is_set():
        left_alone = os.getppid() != parent or (on_terminal and not os.isatty(0))
        if settings.stop_with_parent and left_alone:
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), PARENT_POLL_S)


async def _first_of(wanted: asyncio.Task[None], work: list[asyncio.Task[None]]) -> None:
    """Until the wanted end; an error of the work comes before."""
    running = {wanted, *work}
    while wanted in running:
        done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()


def _listen_for_signals(stop: asyncio.Event, assembly: Assembly) -> None:
    """The first signal stops the system, the next one without any grace."""

    def on_signal() -> None:
        if stop.is_set():
            assembly.hurry()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # what nohup ignores stays ignored
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            loop.add_signal_handler(number, on_signal)
