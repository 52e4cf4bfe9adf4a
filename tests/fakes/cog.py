"""A container of Cog as it behaves, with the traps that its own server shows seldom."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from fakes.pictures import picture
from fakes.serving import Fake, Knobs, LostAnswer, main

FIELDS = {"prompt": {"type": "string"}, "image": {"type": "string"}, "num_outputs": {}}


@dataclass
class CogKnobs(Knobs):
    """``break_down``: so many predictions fail with ``error``. ``busy``: so many find no slot."""

    health: str = "READY"
    has_schema: bool = True
    streams: bool = True
    step_s: float = 0.005
    holds: bool = False
    """Predictions don't end, and their streams fall silent."""
    error: str = "CUDA out of memory"
    truncate: int = 0
    """So many streams have dropped events."""
    cut: int = 0
    """So many streams break off."""


@dataclass
class Running:
    id: str
    body: dict[str, Any]
    base: str
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    logs: str = ""
    is_cancelled: bool = False


class FakeCog(Fake):
    def __init__(self) -> None:
        super().__init__(CogKnobs())
        self.running: dict[str, Running] = {}
        self._work: set[asyncio.Task[dict[str, Any]]] = set()

    @property
    def own(self) -> CogKnobs:
        assert isinstance(self.knobs, CogKnobs)
        return self.knobs

    def routes(self) -> Sequence[Route]:
        return [
            Route("/health-check", self._health),
            Route("/openapi.json", self._schema),
            Route("/predictions/{id}", self._put, methods=["PUT"]),
            Route("/predictions/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/files/{id}/{name}", self._file),
        ]

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": self.own.health})

    async def _schema(self, _: Request) -> Response:
        if not self.own.has_schema:
            return JSONResponse({"error": "OpenAPI schema not available"}, 503)
        model = {"type": "object", "required": ["prompt"], "properties": FIELDS}
        how = {"x-cog-streaming": True} if self.own.streams else {}
        return JSONResponse(
            {
                "paths": {"/predictions": {"post": how}},
                "components": {"schemas": {"Input": model}},
            }
        )

    async def _put(self, request: Request) -> Response:
        known, body = request.path_params["id"], await request.json()
        listens = request.headers.get("accept") == "text/event-stream"
        leaves = request.headers.get("prefer") == "respond-async"
        looks = not isinstance(body["input"], dict)
        self.note("look" if looks else "begin", id=known, listens=listens)
        if self.knobs.lost:
            self.running.clear()
        if listens and not self.own.streams:
            return JSONResponse({"error": "This model does not support streaming."}, 406)
        if known in self.running:
            run = self.running[known]
            if listens:
                return self._stream(run)
            state = {"id": known, "status": "processing", "logs": run.logs}
            return JSONResponse(state, 202)
        if looks:
            what = {"loc": ["body", "input", "__root__"], "msg": "not of type object"}
            return JSONResponse({"detail": [what]}, 422)
        if self.knobs.spend("busy"):
            return JSONResponse({"error": "At capacity - all prediction slots busy"}, 409)
        if trouble := await self.trouble():
            return trouble
        run = Running(known, body, str(request.base_url))
        self.running[known] = run
        self.note("taken", id=known)
        work = asyncio.create_task(self._compute(run))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        if self.knobs.spend("drop"):
            return LostAnswer()
        if listens:
            return self._stream(run)
        if leaves:
            return JSONResponse({"id": known, "status": "starting"}, 202)
        return JSONResponse(await work)

    async def _compute(self, run: Running) -> dict[str, Any]:
        await self._tell(run, "start", {"id": run.id, "status": "processing"})
        for step in range(1, self.knobs.steps + 1):
            await asyncio.sleep(self.own.step_s)
            if run.is_cancelled:
                break
            line = f"{100 * step // self.knobs.steps}%|## | {step}/{self.knobs.steps}\n"
            run.logs += line
            await self._tell(run, "log", {"source": "stderr", "data": line})
        while self.own.holds and not run.is_cancelled:  # noqa: ASYNC110 - knobs tell nobody
            await asyncio.sleep(0.005)
        end: dict[str, Any] = {"id": run.id, "status": "succeeded", "logs": run.logs}
        if run.is_cancelled:
            end["status"] = "canceled"
        elif self.knobs.spend("break_down"):
            end |= {"status": "failed", "error": self.own.error}
        else:
            count = int(run.body["input"].get("num_outputs", 1))
            end["output"] = [f"{run.base}files/{run.id}/{n}.png" for n in range(count)]
        # It is forgotten as it ends.
        self.running.pop(run.id, None)
        await self._tell(run, "completed", end)
        return end

    async def _tell(self, run: Running, name: str, told: dict[str, Any]) -> None:
        async with run.moved:
            run.told.append((name, told))
            run.moved.notify_all()

    def _stream(self, run: Running) -> Response:
        return StreamingResponse(self._events(run), media_type="text/event-stream")

    async def _events(self, run: Running) -> AsyncIterator[str]:
        if self.own.spend("truncate"):
            yield _event("error", {"error": "SSE stream replay truncated", "skipped": 3})
            return
        is_cut = self.own.spend("cut")
        seen, name = 0, ""
        while name != "completed":
            async with run.moved:
                while len(run.told) == seen:
                    await run.moved.wait()
                name, told = run.told[seen]
            seen += 1
            yield ": keep-alive\n\n"
            yield _event(name, told)
            if is_cut:
                return

    async def _cancel(self, request: Request) -> Response:
        self.note("cancel", id=request.path_params["id"])
        run = self.running.get(request.path_params["id"])
        if run is None:
            return JSONResponse({}, 404)
        run.is_cancelled = True
        return JSONResponse({})

    async def _file(self, request: Request) -> Response:
        return Response(picture(request.url.path), media_type="image/png")


def _event(name: str, told: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(told, ensure_ascii=False)}\n\n"


if __name__ == "__main__":
    main(FakeCog())
