"""Replicate's predictions as documented, with its traps: ``aborted``, data that is removed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fakes.pictures import FILM, picture
from fakes.serving import Fake, Knobs, LostAnswer, main

TOKEN = "r8_token"
VERSION = "5c7d5dc6dd8bf75c1acaa8565735e7986bc5b66206b55cca93cb72c9bf15ccaa"
MODELS = {
    "black-forest-labs/flux-schnell": "images",
    f"ann/portraits:{VERSION}": "images",
    VERSION: "image",
    "wan-video/wan-2.2-t2v-fast": "video",
    "deployments/ann/portraits": "image",
}
_RUNNING = ("starting", "processing")


@dataclass
class ReplicateKnobs(Knobs):
    """``break_down``: so many predictions fail with ``error``."""

    error: str = "CUDA out of memory."
    abort: int = 0
    """So many predictions don't begin before their deadline."""
    is_removed: bool = False
    """An hour has passed: inputs, outputs and logs are gone."""
    page: int = 100
    hides_webhooks: bool = False


@dataclass
class Prediction:
    id: str
    model: str
    body: dict[str, Any]
    base: str
    end: str = "succeeded"
    error: str | None = None
    polls: int = 0
    is_cancelled: bool = False

    @property
    def url(self) -> str:
        return f"{self.base}v1/predictions/{self.id}"

    def output(self) -> Any:
        files, made = f"{self.base}files/{self.id}", MODELS[self.model]
        if made == "video":
            return f"{files}/0.mp4"
        if made == "image":
            return f"{files}/0.png"
        count = int(self.body["input"].get("num_outputs", 1))
        return [f"{files}/{n}.png" for n in range(count)]


class FakeReplicate(Fake):
    def __init__(self) -> None:
        super().__init__(ReplicateKnobs())
        self.predictions: dict[str, Prediction] = {}
        self.uploaded: dict[str, bytes] = {}
        self._calling: set[asyncio.Task[None]] = set()

    @property
    def own(self) -> ReplicateKnobs:
        assert isinstance(self.knobs, ReplicateKnobs)
        return self.knobs

    def routes(self) -> Sequence[Route]:
        return [
            Route("/v1/predictions", self._create, methods=["POST"]),
            Route("/v1/predictions", self._list),
            Route("/v1/deployments/{owner}/{name}/predictions", self._create, methods=["POST"]),
            Route("/v1/predictions/{id}", self._get),
            Route("/v1/predictions/{id}/cancel", self._cancel, methods=["POST"]),
            Route("/v1/account", self._account),
            Route("/v1/files", self._upload, methods=["POST"]),
            Route("/files/{id}/{name}", self._file),
        ]

    async def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _problem(401, "Unauthenticated", "You did not pass a valid token")
        return await self.trouble()

    async def _account(self, request: Request) -> Response:
        self.note("account")
        told = {"type": "organization", "username": "acme", "name": "Acme Corp"}
        return await self._refusal(request) or JSONResponse(told)

    async def _create(self, request: Request) -> Response:
        body = await request.json()
        owner = request.path_params.get("owner")
        name = request.path_params.get("name")
        model = f"deployments/{owner}/{name}" if owner else body.get("version")
        self.note("create", model=model, body=body, prefer=request.headers.get("prefer"))
        if refusal := await self._refusal(request):
            return refusal
        if self.knobs.spend("busy"):
            headers = {"retry-after": self.knobs.retry_after} if self.knobs.retry_after else {}
            return _problem(429, "Too many requests", "Request was throttled.", headers)
        if model not in MODELS:
            return _problem(422, "Invalid version or not permitted", f"No model {model}")
        if not body["input"].get("prompt"):
            fields = [{"type": "required", "field": "input", "description": "prompt is required"}]
            return JSONResponse({"title": "Input validation failed", "invalid_fields": fields}, 422)
        made = Prediction(f"p{len(self.predictions):025d}", model, body, str(request.base_url))
        if self.knobs.spend("moderate"):
            made.end, made.error = "failed", "NSFW content detected. Use a different prompt."
        elif self.knobs.spend("break_down"):
            made.end, made.error = "failed", self.own.error
        elif self.own.spend("abort"):
            made.end = "aborted"
        self.predictions[made.id] = made
        if body.get("webhook"):
            calling = asyncio.create_task(self._call_back(made))
            self._calling.add(calling)
            calling.add_done_callback(self._calling.discard)
        if self.knobs.spend("drop"):
            return LostAnswer()
        return JSONResponse(self._told(made), 201)

    def _told(self, made: Prediction) -> dict[str, Any]:
        steps = self.knobs.steps
        status = "starting" if made.polls <= 1 else "processing"
        if made.is_cancelled:
            status = "canceled"
        elif made.polls > steps:
            status = made.end
        running = status in _RUNNING
        done = min(made.polls, steps)
        logs = "".join(f"{100 * n // steps:3d}%|##  | {n}/{steps}\n" for n in range(done))
        gone = self.own.is_removed and not running
        webhook = {} if self.own.hides_webhooks else {"webhook": made.body.get("webhook")}
        return {
            "id": made.id,
            "model": made.model,
            "version": "hidden",
            "status": status,
            "input": {} if gone else made.body["input"],
            "output": made.output() if status == "succeeded" and not gone else None,
            "logs": "" if gone else logs,
            "error": made.error if status == "failed" else None,
            "data_removed": gone,
            "source": "api",
            "urls": {"get": made.url, "cancel": f"{made.url}/cancel"},
            **webhook,
        }

    async def _get(self, request: Request) -> Response:
        self.note("get")
        if refusal := await self._refusal(request):
            return refusal
        made = self.predictions.get(request.path_params["id"])
        if made is None or self.knobs.lost:
            return _problem(404, "Not found", "The requested resource could not be found.")
        made.polls += 1
        return JSONResponse(self._told(made))

    async def _list(self, request: Request) -> Response:
        """Newest first, in pages."""
        self.note("list")
        if refusal := await self._refusal(request):
            return refusal
        start = int(request.query_params.get("cursor", 0))
        end = start + self.own.page
        newest = list(reversed(self.predictions.values()))
        more = f"{request.base_url}v1/predictions?cursor={end}" if newest[end:] else None
        results = [self._told(each) for each in newest[start:end]]
        return JSONResponse({"previous": None, "next": more, "results": results})

    async def _cancel(self, request: Request) -> Response:
        self.note("cancel")
        made = self.predictions.get(request.path_params["id"])
        if made is None or self.knobs.lost:
            return _problem(404, "Not found", "The requested resource could not be found.")
        made.is_cancelled = made.is_cancelled or made.polls <= self.knobs.steps
        return JSONResponse(self._told(made))

    async def _call_back(self, made: Prediction) -> None:
        async with httpx2.AsyncClient() as client:
            try:
                await client.post(made.body["webhook"], json=self._told(made))
            except httpx2.HTTPError as fault:
                self.note("unheard", id=made.id, why=type(fault).__name__)

    async def _upload(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        async with request.form() as form:
            file = form["content"]
            assert not isinstance(file, str)
            name = f"{len(self.uploaded)}-{file.filename}"
            self.uploaded[name] = await file.read()
        url = f"{request.base_url}v1/files/{name}"
        return JSONResponse({"id": name, "urls": {"get": url}}, 201)

    async def _file(self, request: Request) -> Response:
        if request.headers.get("authorization"):
            return PlainTextResponse("Two ways to sign in at once", 400)
        if self.own.is_removed:
            return PlainTextResponse("Gone", 404)
        if request.path_params["name"].endswith(".mp4"):
            return Response(FILM, media_type="video/mp4")
        return Response(picture(request.url.path, "WEBP"), media_type="image/webp")


def _problem(
    status: int, title: str, detail: str, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse({"title": title, "detail": detail, "status": status}, status, headers)


if __name__ == "__main__":
    main(FakeReplicate())
