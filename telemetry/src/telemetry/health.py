"""Liveness, readiness and metrics of a service, over HTTP on ``HEALTH_PORT``.

Live means that the event loop turns. Ready means that every named check passes: never just that
a socket is open.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True)
class Check:
    """The answer of one readiness check; ``detail`` says what is wrong, or how much."""

    ok: bool
    detail: str = ""


Checks = Mapping[str, Callable[[], Awaitable[Check]]]
Warnings = Callable[[], Mapping[str, str]]
"""What is wrong and does not keep the service from its work: by name, what it is."""

_CHECK_TIMEOUT_S = 2.0


async def run_checks(checks: Checks) -> tuple[bool, dict[str, dict[str, object]]]:
    """Run all checks at once; one that hangs for 2 s or raises has failed."""
    results = await asyncio.gather(*(_run(check) for check in checks.values()))
    report: dict[str, dict[str, object]] = {
        name: {"ok": result.ok, "detail": result.detail}
        for name, result in zip(checks, results, strict=True)
    }
    return all(result.ok for result in results), report


async def _run(check: Callable[[], Awaitable[Check]]) -> Check:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return Check(ok=False, detail=f"no answer in {_CHECK_TIMEOUT_S:g} s")
    except Exception as error:  # noqa: BLE001 - whatever a check raises, it has failed
        return Check(ok=False, detail=f"{type(error).__name__}: {error}")


def metrics_response() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def health_app(checks: Checks, warnings: Warnings = dict) -> Starlette:
    """``/healthz``, ``/readyz`` and ``/metrics``."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        ready, report = await run_checks(checks)
        status = "ready" if ready else "not ready"
        body = {"status": status, "checks": report, "warnings": dict(warnings())}
        return JSONResponse(body, status_code=200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return metrics_response()

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


class _QuietServer(uvicorn.Server):
    """A server that leaves the signals to the service that it is part of."""

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield


@contextlib.asynccontextmanager
async def serve_health(
    port: int | None, checks: Checks, host: str = "127.0.0.1", warnings: Warnings = dict
) -> AsyncIterator[None]:
    """Serve `health_app` while the context lasts; without a port, do nothing."""
    if port is None:
        yield
        return
    config = uvicorn.Config(
        health_app(checks, warnings),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        lifespan="off",
    )
    server = _QuietServer(config)
    serving = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await serving
