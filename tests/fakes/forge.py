"""A web UI (AUTOMATIC1111, Forge) as far as its API goes: calls that block, under one lock."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fakes.pictures import picture
from fakes.serving import Fake, Knobs, main

CHECKPOINTS = [
    {
        "title": "painter.safetensors [1a2b3c]",
        "model_name": "painter",
        "hash": "1a2b3c",
        "filename": "C:\\models\\painter.safetensors",
    }
]
_STEP_S = 0.002


@dataclass
class ForgeKnobs(Knobs):
    """``hold``: what is worked on stays so. ``bare``: as with --nowebui. ``sheet``: one is made."""

    hold: bool = False
    bare: bool = False
    sheet: bool = False
    junk: int = 0
    """So many calls are answered with something else than pictures."""


@dataclass
class FakeForge(Fake):
    """``bodies``: what was asked for. ``current``: the id of the call that has the lock."""

    knobs: ForgeKnobs = field(default_factory=ForgeKnobs)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    pending: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    current: str | None = None
    authorization: str | None = None
    interrupted: bool = False
    _share: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _working: set[asyncio.Task[Response]] = field(default_factory=set)

    def routes(self) -> Sequence[Route]:
        return [
            Route("/sdapi/v1/txt2img", self._make, methods=["POST"]),
            Route("/sdapi/v1/img2img", self._make, methods=["POST"]),
            Route("/sdapi/v1/interrupt", self._interrupt, methods=["POST"]),
            Route("/sdapi/v1/sd-models", self._models),
            Route("/internal/progress", self._progress, methods=["POST"]),
        ]

    def _refused(self, request: Request) -> Response | None:
        self.note(f"{request.method} {request.url.path}")
        if self.authorization in (None, request.headers.get("authorization")):
            return None
        return JSONResponse({"detail": "Incorrect username or password"}, 401)

    async def _make(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        if trouble := await self.trouble():
            return trouble
        body = await request.json()
        self.bodies.append(body)
        if body.get("sampler_name") == "nothing":
            return JSONResponse({"detail": "Sampler not found"}, 400)
        model = body["override_settings"].get("sd_model_checkpoint")
        if model is not None and model not in CHECKPOINTS[0].values():
            return Response("Internal Server Error", 500)
        # Nobody notices that the caller is gone: what was begun is worked on.
        working = asyncio.create_task(self._work(body))
        self._working.add(working)
        working.add_done_callback(self._working.discard)
        return await asyncio.shield(working)

    async def _work(self, body: dict[str, Any]) -> Response:
        call_id, count = body["force_task_id"], body["n_iter"]
        self.pending.append(call_id)
        async with self._lock:
            self.pending.remove(call_id)
            self.current, self.interrupted = call_id, False
            made = []
            for number in range(count):
                for step in range(1, self.knobs.steps + 1):
                    await asyncio.sleep(_STEP_S)
                    self._share = (number + step / self.knobs.steps) / count
                    if self.interrupted:
                        break
                while self.knobs.hold and not self.interrupted:  # noqa: ASYNC110 - a knob
                    await asyncio.sleep(_STEP_S)
                if self.interrupted:
                    break
                made.append(picture(f"{body['prompt']}{number}{body.get('init_images')}"))
            self.current = None
            self.finished.append(call_id)
        if self.knobs.spend("junk"):
            return JSONResponse({"images": None})
        info: dict[str, Any] = {"index_of_first_image": 0}
        if self.knobs.sheet:
            made = [picture("all of them"), *made, picture("a map of a script")]
            info = {"index_of_first_image": 1}
        images = [base64.b64encode(each).decode() for each in made]
        return JSONResponse({"images": images, "parameters": {}, "info": json.dumps(info)})

    async def _interrupt(self, request: Request) -> Response:
        if refused := self._refused(request):
            return refused
        self.interrupted = True
        return JSONResponse({})

    async def _models(self, request: Request) -> Response:
        return self._refused(request) or JSONResponse(CHECKPOINTS)

    async def _progress(self, request: Request) -> Response:
        if self.knobs.bare:
            return JSONResponse({"detail": "Not Found"}, 404)
        wanted = (await request.json())["id_task"]
        active = wanted == self.current
        share = self._share if active else None
        self.note("look", id=wanted, share=share)
        return JSONResponse(
            {
                "active": active,
                "queued": wanted in self.pending,
                "completed": wanted in self.finished,
                "progress": share,
                "eta": 1.5 if active else None,
                "live_preview": None,
                "id_live_preview": -1,
                "textinfo": "Waiting...",
            }
        )


if __name__ == "__main__":
    main(FakeForge())
