"""The service behind the provider ``remote``: takes a job at once, ends it when it is to be.

POST /jobs      {"own_s": seconds or null, "callback": URL or null} → {"id"}
GET  /jobs/{id} → {"done"}
POST /end       ends all jobs that wait to be told, and those that come later
GET  /own       → how long jobs took, in ms, from their arrival to the call back: the median
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Jobs:
    def __init__(self) -> None:
        self._done: list[bool] = []
        self._is_over = False
        self._own_ms: list[float] = []
        self._working: set[asyncio.Task[None]] = set()
        self._http = httpx2.AsyncClient(timeout=30)

    async def take(self, request: Request) -> Response:
        began = time.perf_counter()
        asked = await request.json()
        number, own_s = len(self._done), asked["own_s"]
        self._done.append(own_s == 0 or (own_s is None and self._is_over))
        if own_s:
            work = asyncio.create_task(self._end(number, own_s, asked["callback"], began))
            self._working.add(work)
            work.add_done_callback(self._working.discard)
        return JSONResponse({"id": str(number)})

    async def show(self, request: Request) -> Response:
        return JSONResponse({"done": self._done[int(request.path_params["id"])]})

    async def end(self, _: Request) -> Response:
        self._done = [True] * len(self._done)
        self._is_over = True
        return Response(status_code=204)

    async def own(self, _: Request) -> Response:
        return JSONResponse({"ms": statistics.median(self._own_ms) if self._own_ms else 0.0})

    async def _end(self, number: int, own_s: float, callback: str | None, began: float) -> None:
        await asyncio.sleep(own_s)
        self._done[number] = True
        self._own_ms.append((time.perf_counter() - began) * 1e3)
        if callback:
            (await self._http.post(callback, json={"id": number})).raise_for_status()


def create_app() -> Starlette:
    jobs = Jobs()
    return Starlette(
        routes=[
            Route("/jobs", jobs.take, methods=["POST"]),
            Route("/jobs/{id}", jobs.show),
            Route("/end", jobs.end, methods=["POST"]),
            Route("/own", jobs.own),
        ]
    )


if __name__ == "__main__":
    uvicorn.run(
        create_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        access_log=False,
        log_level="warning",
        # A connection that is kept is a call that needs none.
        timeout_keep_alive=60,
    )
