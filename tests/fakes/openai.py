"""OpenAI's images and videos as documented: a picture is the answer, a video is a job."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from fakes.pictures import FILM, picture
from fakes.serving import Fake, Knobs, LostAnswer, main

KEY = "openai-key"


@dataclass
class OpenAIKnobs(Knobs):
    no_credit: bool = False
    links: bool = False
    """Pictures are told as links, as compatible services do."""
    poll_after_ms: str | None = None
    redirect: bool = False
    """A video's content is elsewhere."""
    dead_links: bool = False


def _error(status: int, code: str, words: str, **headers: str) -> Response:
    told = {"message": words, "type": "error", "code": code, "param": None}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": told}, status, named)


class FakeOpenAI(Fake):
    def __init__(self) -> None:
        super().__init__(OpenAIKnobs())
        self.videos: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.references: list[bytes] = []
        self._painted = 0

    @property
    def own(self) -> OpenAIKnobs:
        assert isinstance(self.knobs, OpenAIKnobs)
        return self.knobs

    def routes(self) -> Sequence[Route]:
        return [
            Route("/v1/images/generations", self._generate, methods=["POST"]),
            Route("/v1/images/edits", self._edit, methods=["POST"]),
            Route("/v1/videos", self._film, methods=["POST"]),
            Route("/v1/videos/{video}", self._video),
            Route("/v1/videos/{video}", self._delete, methods=["DELETE"]),
            Route("/v1/videos/{video}/content", self._content),
            Route("/v1/models", self._models),
            Route("/files/{name}", self._file),
        ]

    async def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "invalid_api_key", "Incorrect API key provided.")
        return await self.trouble()

    async def _paid_refusal(self, request: Request, prompt: str) -> Response | None:
        if refusal := await self._refusal(request):
            return refusal
        if self.own.no_credit:
            return _error(429, "insufficient_quota", "You exceeded your current quota.")
        if self.knobs.spend("busy"):
            wait = {"Retry_After": self.knobs.retry_after} if self.knobs.retry_after else {}
            return _error(429, "rate_limit_exceeded", "Slow down.", **wait)
        if not prompt:
            return _error(400, "missing_required_parameter", "You must provide a prompt.")
        return None

    async def _models(self, request: Request) -> Response:
        self.note("models")
        told = {"object": "list", "data": [{"id": "gpt-image-2.5-flare", "object": "model"}]}
        return await self._refusal(request) or JSONResponse(told)

    async def _generate(self, request: Request) -> Response:
        body = await request.json()
        self.note("generate", body=body)
        return await self._paint(request, body)

    async def _edit(self, request: Request) -> Response:
        async with request.form() as form:
            files = form.getlist("image[]") or form.getlist("image")
            read = [await each.read() for each in files if not isinstance(each, str)]
            body = {name: value for name, value in form.items() if isinstance(value, str)}
        self.note("edit", body=body, files=len(read))
        self.references += read
        return await self._paint(request, body)

    async def _paint(self, request: Request, body: dict[str, Any]) -> Response:
        if refusal := await self._paid_refusal(request, body.get("prompt", "")):
            return refusal
        if self.knobs.spend("moderate"):
            return _error(400, "moderation_blocked", "Your request was rejected by safety.")
        form = str(body.get("output_format", "png")).upper()
        told = []
        for _ in range(int(body.get("n", 1))):
            self._painted += 1
            self.note("painted")
            if self.own.links:
                told.append({"url": f"{request.base_url}files/{self._painted}.png"})
            else:
                content = picture(str(self._painted), form)
                told.append({"b64_json": base64.b64encode(content).decode()})
        if self.knobs.spend("drop"):
            return LostAnswer()
        return JSONResponse({"created": 1765172332, "data": told})

    async def _film(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        if not kind.startswith("multipart/form-data"):
            return _error(400, "unsupported_content_type", "Send multipart/form-data.")
        async with request.form() as form:
            body = {name: value for name, value in form.items() if isinstance(value, str)}
            file = form.get("input_reference")
            if file is not None and not isinstance(file, str):
                self.references.append(await file.read())
        self.note("film", body=body)
        if refusal := await self._paid_refusal(request, body.get("prompt", "")):
            return refusal
        video = {
            "id": f"video_{len(self.videos) + 1}",
            "object": "video",
            "created_at": 1765172332,
            "status": "queued",
            "progress": 0,
            "error": None,
            "seconds": "4",
            "size": "720x1280",
            **body,
        }
        if self.knobs.spend("moderate"):
            video["_failure"] = ("moderation_blocked", "This video goes against our policies.")
        elif self.knobs.spend("break_down"):
            video["_failure"] = ("server_error", "Something went wrong.")
        self.videos[str(video["id"])] = video
        self.note("filmed", video=video["id"])
        if self.knobs.spend("drop"):
            return LostAnswer()
        return JSONResponse(_told(video))

    async def _video(self, request: Request) -> Response:
        name = request.path_params["video"]
        self.note("video", video=name)
        if refusal := await self._refusal(request):
            return refusal
        video = self._known(name)
        if video is None:
            return _error(404, "not_found", "Video not found.")
        polls = self.polls[name] = self.polls.get(name, 0) + 1
        steps = self.knobs.steps
        if polls <= steps:
            video |= {"status": "in_progress", "progress": 100 * polls // (steps + 1)}
        elif "_failure" in video:
            code, words = video["_failure"]
            video |= {"status": "failed", "error": {"code": code, "message": words}}
        else:
            video |= {"status": "completed", "progress": 100}
        wait = self.own.poll_after_ms
        headers = {} if wait is None else {"openai-poll-after-ms": wait}
        return JSONResponse(_told(video), headers=headers)

    async def _delete(self, request: Request) -> Response:
        name = request.path_params["video"]
        self.note("delete", video=name)
        if refusal := await self._refusal(request):
            return refusal
        video = self._known(name)
        if video is None:
            return _error(404, "not_found", "Video not found.")
        if video["status"] not in {"completed", "failed"}:
            return _error(400, "invalid_request", "The video is still being made.")
        del self.videos[name]
        return JSONResponse({"id": name, "deleted": True, "object": "video.deleted"})

    async def _content(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        name = request.path_params["video"]
        self.note("content", video=name)
        if self._known(name) is None:
            return _error(404, "not_found", "Video not found.")
        if self.own.redirect:
            return RedirectResponse("/files/film.mp4", 302)
        return Response(FILM, media_type="video/mp4")

    async def _file(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.note("file", name=name, key=request.headers.get("authorization"))
        if self.own.dead_links:
            return Response("broken", 503)
        if name.endswith(".mp4"):
            return Response(FILM, media_type="video/mp4")
        return Response(picture(name), media_type="image/png")

    def _known(self, name: str) -> dict[str, Any] | None:
        return None if self.knobs.lost else self.videos.get(name)


def _told(video: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in video.items() if not name.startswith("_")}


if __name__ == "__main__":
    main(FakeOpenAI())
