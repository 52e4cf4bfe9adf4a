"""fal's queue as documented, with its traps: three statuses only, failures that are COMPLETED."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fakes.pictures import FILM, picture
from fakes.serving import Fake, Knobs, LostAnswer, main

KEY = "fal-id:fal-secret"
GLB = b"glTF\x02\x00\x00\x00\x0c\x00\x00\x00"
"""What begins like a 3D model."""
MODELS = {
    "fal-ai/flux/dev": "images",
    "fal-ai/ltx-video": "video",
    "fal-ai/trellis": "model_mesh",
    "workflows/ann/portrait": "images",
}


@dataclass
class FalKnobs(Knobs):
    """``break_down``: so many jobs end with ``error_type``."""

    error_type: str = "runner_disconnected"
    bad_result: int = 0
    """So many jobs are COMPLETED without an error; their result is a 422."""
    is_silent: bool = False
    """Nothing is called back."""


@dataclass
class FalJob:
    id: str
    model: str
    body: dict[str, Any]
    webhook: str | None
    base: str
    polls: int = 0
    error: str | None = None
    error_type: str | None = None
    detail: Any = None
    is_cancelled: bool = False

    @property
    def app(self) -> str:
        parts = self.model.split("/")
        return "/".join(parts[: 3 if parts[0] in ("workflows", "comfy") else 2])

    @property
    def url(self) -> str:
        return f"{self.base}{self.app}/requests/{self.id}"

    def result(self) -> dict[str, Any]:
        files = f"{self.base}files/{self.id}"
        made = MODELS[self.model]
        if made == "video":
            return {"video": {"url": f"{files}/0.mp4", "content_type": "video/mp4"}}
        if made == "model_mesh":
            mesh = {"url": f"{files}/0.glb", "content_type": "application/octet-stream"}
            return {"model_mesh": mesh, "preview": {"url": f"{files}/1.png"}}
        count = int(self.body.get("num_images", 1))
        images = [
            {"url": f"{files}/{n}.png", "content_type": "image/png", "width": 48, "height": 32}
            for n in range(count)
        ]
        return {"images": images, "seed": 7, "prompt": self.body.get("prompt")}


class FakeFal(Fake):
    def __init__(self) -> None:
        super().__init__(FalKnobs())
        self.jobs: dict[str, FalJob] = {}
        self.uploaded: dict[str, bytes] = {}
        self.key = Ed25519PrivateKey.generate()
        self._calling: set[asyncio.Task[None]] = set()

    @property
    def own(self) -> FalKnobs:
        assert isinstance(self.knobs, FalKnobs)
        return self.knobs

    def routes(self) -> Sequence[Route]:
        return [
            Route("/.well-known/jwks.json", self._jwks),
            Route("/storage/upload/initiate", self._initiate, methods=["POST"]),
            Route("/uploads/{name}", self._upload, methods=["PUT"]),
            Route("/files/{job}/{name}", self._file),
            Route("/{app:path}/requests/{id}/status", self._status),
            Route("/{app:path}/requests/{id}/cancel", self._cancel, methods=["PUT"]),
            Route("/{app:path}/requests/{id}", self._result),
            Route("/{model:path}", self._create, methods=["POST"]),
        ]

    async def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Key {KEY}":
            return JSONResponse({"detail": "Authentication is required"}, 401)
        return await self.trouble()

    async def _create(self, request: Request) -> Response:
        model, body = request.path_params["model"], await request.json()
        webhook = request.query_params.get("fal_webhook")
        self.note("create", model=model, body=body, webhook=webhook)
        if refusal := await self._refusal(request):
            return refusal
        if self.knobs.spend("busy"):
            headers = {"retry-after": self.knobs.retry_after} if self.knobs.retry_after else {}
            return JSONResponse({"detail": "Too many requests"}, 429, headers)
        if model not in MODELS:
            return JSONResponse({"detail": f"Application '{model}' not found"}, 404)
        job = FalJob(
            f"00000000-0000-4000-8000-{len(self.jobs):012d}",
            model,
            body,
            webhook,
            str(request.base_url),
        )
        self._doom(job)
        self.jobs[job.id] = job
        if webhook and not self.own.is_silent:
            calling = asyncio.create_task(self._call_back(job))
            self._calling.add(calling)
            calling.add_done_callback(self._calling.discard)
        if self.knobs.spend("drop"):
            return LostAnswer()
        urls = {f"{name}_url": f"{job.url}{path}" for name, path in _PATHS.items()}
        return JSONResponse(
            {"status": "IN_QUEUE", "request_id": job.id, "queue_position": 0, **urls}
        )

    def _doom(self, job: FalJob) -> None:
        if MODELS[job.model] != "model_mesh" and not job.body.get("prompt"):
            job.error, job.error_type = "Invalid input", "bad_request"
            job.detail = [{"loc": ["body", "prompt"], "msg": "field required", "type": "missing"}]
        elif self.knobs.spend("moderate"):
            job.error, job.error_type = "Content policy violation", "bad_request"
            job.detail = [{"loc": ["body", "prompt"], "msg": "flagged", "type": "policy"}]
        elif self.knobs.spend("break_down"):
            job.error, job.error_type = "The runner went away", self.own.error_type
            job.detail = job.error
        elif self.own.spend("bad_result"):
            job.detail = [{"loc": ["body", "steps"], "msg": "too many", "type": "value_error"}]

    def _known(self, request: Request) -> FalJob | None:
        job = self.jobs.get(request.path_params["id"])
        if job is None or job.app != request.path_params["app"] or self.knobs.lost:
            return None
        return job

    async def _status(self, request: Request) -> Response:
        self.note("status", logs=request.query_params.get("logs"))
        if refusal := await self._refusal(request):
            return refusal
        job = self._known(request)
        if job is None:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        job.polls += 1
        steps = self.knobs.steps
        told: dict[str, Any] = {"request_id": job.id, "response_url": job.url}
        if job.polls > steps or job.is_cancelled:
            error, kind = job.error, job.error_type
            if job.is_cancelled:
                error, kind = "Cancelled", "client_cancelled"
            told |= {"status": "COMPLETED", "logs": None, "error": error, "error_type": kind}
            return JSONResponse(told)
        if job.polls == 1:
            return JSONResponse({**told, "status": "IN_QUEUE", "queue_position": 0}, 202)
        logs = [
            {"message": f"{100 * n // steps:3d}%|##   | {n}/{steps}", "level": "INFO"}
            for n in range(job.polls)
        ]
        return JSONResponse({**told, "status": "IN_PROGRESS", "logs": logs}, 202)

    async def _result(self, request: Request) -> Response:
        self.note("result")
        if refusal := await self._refusal(request):
            return refusal
        job = self._known(request)
        if job is None:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        if job.is_cancelled:
            return JSONResponse({"detail": "Request was cancelled"}, 499)
        if job.polls <= self.knobs.steps:
            return JSONResponse({"detail": "Request is still in progress"}, 400)
        if job.detail is not None:
            status = 422 if isinstance(job.detail, list) else 503
            body = {"detail": job.detail, "error_type": job.error_type}
            return JSONResponse(body, status)
        return JSONResponse(job.result(), headers={"x-fal-request-id": job.id})

    async def _cancel(self, request: Request) -> Response:
        self.note("cancel")
        job = self._known(request)
        if job is None:
            return JSONResponse({"status": "NOT_FOUND"}, 404)
        if job.polls > self.knobs.steps or job.is_cancelled:
            return JSONResponse({"status": "ALREADY_COMPLETED"}, 400)
        job.is_cancelled = True
        return JSONResponse({"status": "CANCELLATION_REQUESTED"}, 202)

    def signed(self, body: bytes, *, at: float | None = None) -> Mapping[str, str]:
        """The headers of a webhook with this body."""
        sent = str(int(time.time() if at is None else at))
        message = "\n".join(("gateway-1", "user-1", sent, hashlib.sha256(body).hexdigest()))
        return {
            "x-fal-webhook-request-id": "gateway-1",
            "x-fal-webhook-user-id": "user-1",
            "x-fal-webhook-timestamp": sent,
            "x-fal-webhook-signature": self.key.sign(message.encode()).hex(),
        }

    def told_by_webhook(self, job: FalJob) -> bytes:
        """What is called back at the end."""
        good = job.detail is None
        told = {
            "request_id": job.id,
            "gateway_request_id": job.id,
            "status": "OK" if good else "ERROR",
            "payload": job.result() if good else {"detail": job.detail},
            "error": job.error,
        }
        return json.dumps(told).encode()

    async def _call_back(self, job: FalJob) -> None:
        body = self.told_by_webhook(job)
        headers = {"content-type": "application/json", **self.signed(body)}
        async with httpx2.AsyncClient() as client:
            try:
                await client.post(str(job.webhook), content=body, headers=headers)
            except httpx2.HTTPError as fault:
                self.note("unheard", job=job.id, why=type(fault).__name__)

    async def _jwks(self, _: Request) -> Response:
        self.note("jwks")
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        x = base64.urlsafe_b64encode(raw).decode().rstrip("=")
        other = {"kty": "RSA", "n": "0", "e": "AQAB"}
        return JSONResponse({"keys": [other, {"kty": "OKP", "crv": "Ed25519", "x": x}]})

    async def _initiate(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        name = f"{len(self.uploaded)}-{(await request.json())['file_name']}"
        base = request.base_url
        self.uploaded[name] = b""
        return JSONResponse(
            {"upload_url": f"{base}uploads/{name}?sig=1", "file_url": f"{base}uploads/{name}"}
        )

    async def _upload(self, request: Request) -> Response:
        if request.headers.get("authorization"):
            return PlainTextResponse("Two ways to sign in at once", 400)
        self.uploaded[request.path_params["name"]] = await request.body()
        return Response(status_code=200)

    async def _file(self, request: Request) -> Response:
        self.note("file", path=request.url.path)
        if request.headers.get("authorization"):
            return PlainTextResponse("The key of fal, sent to a link", 400)
        name = request.path_params["name"]
        if name.endswith(".mp4"):
            return Response(FILM, media_type="video/mp4")
        if name.endswith(".glb"):
            return Response(GLB, media_type="application/octet-stream")
        return Response(picture(request.url.path), media_type="image/png")


_PATHS = {"response": "", "status": "/status", "cancel": "/cancel"}


if __name__ == "__main__":
    main(FakeFal())
