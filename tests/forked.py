"""Commands as processes of their own, forked off one that has imported what they all import.

Half of what a short command costs are its imports. One process has them; whoever is forked off it
is what ``python -m darkroom …`` is: an environment, arguments, streams and signals of its own.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

_MOST_BYTES = 200_000
PACKAGES = ("darkroom.cli", "darkroom.stack", "task_store")


@dataclass
class Process:
    """As `asyncio.subprocess.Process`, of which it has what tests ask for."""

    pid: int
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    _ended: asyncio.Future[int]

    @property
    def returncode(self) -> int | None:
        return self._ended.result() if self._ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self._ended)

    async def communicate(self) -> tuple[bytes, bytes]:
        out, err, _ = await asyncio.gather(self.stdout.read(), self.stderr.read(), self.wait())
        return out, err

    def send_signal(self, number: int) -> None:
        if not self._ended.done():
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@dataclass
class Nursery:
    """The process that commands are forked off, as the tests hold it; it ends with them."""

    channel: socket.socket
    _starting: asyncio.Lock = field(default_factory=asyncio.Lock)
    _born: asyncio.Queue[int] = field(default_factory=asyncio.Queue)
    _running: dict[int, asyncio.Future[int]] = field(default_factory=dict)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator[Nursery]:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours:
            with theirs:
                number = theirs.fileno()
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, __file__, str(number)), pass_fds=[number]
                )
            ours.setblocking(False)
            nursery = cls(ours)
            loop.add_reader(ours, nursery._hear)
            try:
                yield nursery
            finally:
                loop.remove_reader(ours)
        await process.wait()

    async def start(self, words: Sequence[str], environment: Mapping[str, str]) -> Process:
        """``darkroom`` with these words, in the directory that the tests run in."""
        loop = asyncio.get_running_loop()
        nowhere = os.open(os.devnull, os.O_RDONLY)
        (out, into_out), (err, into_err) = os.pipe(), os.pipe()
        told = json.dumps({"words": list(words), "environment": dict(environment)}).encode()
        async with self._starting:
            socket.send_fds(self.channel, [told], [nowhere, into_out, into_err])
            pid = await self._born.get()
        for each in (nowhere, into_out, into_err):
            os.close(each)
        return Process(pid, await _reader(loop, out), await _reader(loop, err), self._running[pid])

    def _hear(self) -> None:
        while True:
            try:
                told = json.loads(self.channel.recv(_MOST_BYTES) or b"null")
            except BlockingIOError:
                return
            if told is None:
                raise RuntimeError("the process that commands are forked off has ended")
            pid, status = told
            if status is None:
                self._running[pid] = asyncio.get_running_loop().create_future()
                self._born.put_nowait(pid)
            else:
                self._running.pop(pid).set_result(status)


async def _reader(loop: asyncio.AbstractEventLoop, end: int) -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=2**20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(end, "rb"))
    return reader


def _import_all() -> None:
    for package in PACKAGES:
        places: Any = importlib.import_module(package).__path__
        for each in pkgutil.iter_modules(places, f"{package}."):
            if not each.name.endswith("__main__"):
                importlib.import_module(each.name)
    gc.collect()
    gc.freeze()


def _serve(channel: socket.socket) -> dict[str, Any] | None:
    """Fork until nobody asks any more; in what was forked off, what it shall be."""
    wakened, waken = socket.socketpair()
    for end in (wakened, waken):
        end.setblocking(False)
    signal.set_wakeup_fd(waken.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Ctrl-C at the tests is not for this process; what it forks off hears its own signals.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        selector.register(wakened, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wakened:
                    wakened.recv(4096)
                    _tell_of_ended(channel)
                    continue
                told, streams, _, _ = socket.recv_fds(channel, _MOST_BYTES, 3)
                if not told:
                    return None
                if not (pid := os.fork()):
                    for end in (channel, wakened, waken):
                        end.close()
                    _be_born(streams)
                    command: dict[str, Any] = json.loads(told)
                    return command
                for stream in streams:
                    os.close(stream)
                channel.send(json.dumps([pid, None]).encode())


def _be_born(streams: Sequence[int]) -> None:
    """Signals and standard streams as a new process has them."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    sys.stdin, sys.stdout = open(0), open(1, "w")  # noqa: SIM115 - open until the end
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace")  # noqa: SIM115


def _tell_of_ended(channel: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        channel.send(json.dumps([pid, os.waitstatus_to_exitcode(status)]).encode())


def main() -> None:
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        _import_all()
        command = _serve(channel)
    if command is None:
        return
    os.environ.clear()
    os.environ.update(command["environment"])
    sys.argv = ["darkroom", *command["words"]]
    runpy.run_module("darkroom", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
