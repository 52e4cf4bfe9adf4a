"""``python -m gateway``: serve until SIGTERM, then finish what is in flight."""

from __future__ import annotations

import gc

gc.disable()  # importing makes no garbage; looking for some takes a tenth of the start

import asyncio
import contextlib
import resource
import signal
import sys
from types import FrameType

import uvicorn
from fastapi import FastAPI

from artifacts.store import StoreUnavailable
from contracts.exits import UNUSABLE_SETTINGS
from gateway.app import create_app
from gateway.serving import server_config
from gateway.settings import BadSettings, Settings, load
from telemetry.logs import configure_logs
from telemetry.tracing import traced

LOST = 1


class GatewayServer(uvicorn.Server):
    """Tells those who wait for a task to answer as soon as the end begins."""

    def __init__(self, config: uvicorn.Config, app: FastAPI) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None
        self.lost = False

    def on_lost(self) -> None:
        """The log can never be reached again: leave, so that a new process may try."""
        self.lost = True
        self.should_exit = True

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)  # type: ignore[arg-type]
        # What exists now lives as long as the process: no need to look at it ever again.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)
        gc.enable()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self._loop is not None:
            # Streams first: they would hold up everything else.
            self._loop.call_soon_threadsafe(self._app.state.parts.streams.stop)
            self._loop.call_soon_threadsafe(self._app.state.parts.live.stop)
        super().handle_exit(sig, frame)


def serve(settings: Settings) -> int:
    """Run until told to stop; the exit code."""
    allow_many_connections()
    servers: list[GatewayServer] = []
    app = create_app(settings, lambda: servers[0].on_lost())
    server = GatewayServer(server_config(app, settings), app)
    servers.append(server)
    # uvicorn raises the signal again when it is done: an orderly end is no failure.
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: None)
    server.run()
    return LOST if server.lost or not server.started else 0


def allow_many_connections() -> None:
    """As many open files as the system allows: the usual limit is 1,024, or 256."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where there is no bound, macOS takes no larger number than this for one.
    wanted = 10_240 if most == resource.RLIM_INFINITY else most
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def main() -> int:
    try:
        settings = load()
        configure_logs("gateway", level=settings.log_level)
        with traced("gateway"):
            return serve(settings)
    except (BadSettings, StoreUnavailable) as problem:
        print(f"gateway: {problem}", file=sys.stderr)
        return UNUSABLE_SETTINGS


if __name__ == "__main__":
    sys.exit(main())
