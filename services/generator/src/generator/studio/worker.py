"""A worker process: orders on standard input, progress and pictures on standard output.

It ends when its parent does, however that ends: its input closes, and Linux tells it as well.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"):
    os.environ.setdefault(_threads, "1")

import pickle  # noqa: E402 - NumPy reads the settings above when it is first imported

from generator.provider import Rejected  # noqa: E402
from generator.studio.orders import LENGTH, Fault, Order, Refusal, Reply, framed  # noqa: E402

_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> None:
    """Ask Linux for a SIGKILL at the parent's end, and leave if it has ended already."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        with contextlib.suppress(OSError):
            # Where memory runs out, a picture is lost rather than the generator.
            Path("/proc/self/oom_score_adj").write_text("600")
    if os.getppid() != parent:
        os._exit(0)


def _read_orders(source: BinaryIO, orders: queue.SimpleQueue[Order]) -> None:
    """Runs in a thread of its own, so that the end of the input is seen in the middle of work."""
    while True:
        head = source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            os._exit(0)
        content = source.read(LENGTH.unpack(head)[0])
        orders.put(pickle.loads(content))  # the other end is our own parent


def _serve(order: Order, answer: BinaryIO) -> None:
    from generator.studio.render import render

    def say(reply: Reply) -> None:
        answer.write(framed(reply))
        answer.flush()

    try:
        say(render(order, say))
    except Rejected as refusal:
        say(Refusal(refusal.message, refusal.code))
    except Exception as fault:  # noqa: BLE001 - whatever it is, it must reach the generator
        say(Fault(f"{type(fault).__name__}: {fault}"))


def main(parent: int) -> None:
    _die_with(parent)
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(2)
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between two messages
    orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
    threading.Thread(target=_read_orders, args=(sys.stdin.buffer, orders), daemon=True).start()
    import cv2

    cv2.setNumThreads(1)
    try:
        while True:
            _serve(orders.get(), answer)
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
