"""Kie.ai as documented, with its traps: errors within 200, late moderation, no keys, no cancel."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from fakes.pictures import FILM, picture
from fakes.serving import Fake, Knobs, LostAnswer, main

KEY = "kie-key"
MARKET = {
    "google/imagen4-fast": 4,
    "google/imagen4": 1,
    "google/imagen4-ultra": 1,
    "google/nano-banana": 1,
    "sora-2-text-to-video": 1,
    "sora-2-image-to-video": 1,
    "kling-3.0/video": 1,
}
"""The models that are served, and how many pictures a job of theirs makes at most."""


@dataclass
class KieKnobs(Knobs):
    code: int = 0
    """So many calls are answered with ``code_told`` within a 200."""
    code_told: int = 500
    blind: int = 0
    """So many looks at a new job find no record."""
    dead_links: bool = False
    unserved: list[str] = field(default_factory=list)
    """Models that are no longer served."""
    is_holding: bool = False
    """No job ends, and nothing is called back."""


@dataclass
class KieJob:
    """A job of one of the three families."""

    id: str
    family: str
    body: dict[str, Any]
    blind: int
    base: str
    polls: int = 0
    failure: tuple[str, str] | None = None

    @property
    def model(self) -> str:
        return str(self.body.get("model", "midjourney"))

    def links(self) -> list[str]:
        several = self.family == "mj"
        told = self.body.get("input", self.body)
        wanted = 4 if several else min(int(told.get("num_images", 1)), MARKET.get(self.model, 1))
        moving = "video" in self.model or "veo" in self.model or "video" in told.get("taskType", "")
        ending = "mp4" if moving else "png"
        return [f"{self.base}files/{self.id}/{n}.{ending}" for n in range(wanted)]


def _told(data: Any, code: int = 200, msg: str = "success") -> Response:
    """Nearly everything is a 200."""
    return JSONResponse({"code": code, "msg": msg, "data": data})


class FakeKie(Fake):
    """``limit``: new jobs in ten seconds; the documented one is 20."""

    def __init__(self, *, limit: int = 20) -> None:
        super().__init__(KieKnobs())
        self.limit = limit
        self.jobs: dict[str, KieJob] = {}
        self.uploaded: dict[str, bytes] = {}
        self._created: deque[float] = deque()
        self._calling: set[asyncio.Task[None]] = set()

    @property
    def own(self) -> KieKnobs:
        assert isinstance(self.knobs, KieKnobs)
        return self.knobs

    def routes(self) -> Sequence[Route]:
        families = {"jobs": "createTask", "veo": "generate", "mj": "generate"}
        records = {"jobs": "recordInfo", "veo": "record-info", "mj": "record-info"}
        return [
            *(
                Route(f"/api/v1/{each}/{call}", self._create, methods=["POST"])
                for each, call in families.items()
            ),
            *(Route(f"/api/v1/{each}/{call}", self._record) for each, call in records.items()),
            Route("/api/v1/chat/credit", self._credit),
            Route("/api/file-stream-upload", self._upload, methods=["POST"]),
            Route("/files/{job}/{name}", self._file),
        ]

    async def _refusal(self, request: Request) -> Response | None:
        if "Mozilla/" not in request.headers.get("user-agent", ""):
            return PlainTextResponse("error code: 1010", 403)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _told(None, 401, "You do not have access permissions")
        if trouble := await self.trouble():
            return trouble
        if self.knobs.spend("code"):
            return _told(None, self.own.code_told, "A word from Kie")
        return None

    async def _credit(self, request: Request) -> Response:
        self.note("credit")
        return await self._refusal(request) or _told(100)

    async def _create(self, request: Request) -> Response:
        family = request.url.path.split("/")[3]
        body = await request.json()
        self.note("create", family=family, body=body)
        if refusal := await self._refusal(request):
            return refusal
        now = time.monotonic()
        while self._created and now - self._created[0] > 10:
            self._created.popleft()
        if self.knobs.spend("busy") or len(self._created) >= self.limit:
            return _told(None, 429, "Your call frequency is too high")
        if family == "jobs" and (
            body.get("model") not in MARKET or body["model"] in self.own.unserved
        ):
            return _told(None, 422, "The model name you specified is not supported.")
        told = body.get("input", body)
        if not told.get("prompt"):
            return _told(None, 422, "prompt is required")
        self._created.append(now)
        job = KieJob(
            id=f"task_{family}_{len(self.jobs) + 1}",
            family=family,
            body=body,
            blind=self.own.blind,
            base=str(request.base_url),
        )
        self.jobs[job.id] = job
        if self.knobs.spend("moderate"):
            job.failure = ("400", "Your prompt was flagged by content moderation.")
        elif self.knobs.spend("break_down"):
            job.failure = ("500", "Internal error, please try again later.")
        self.note("taken", job=job.id, prompt=told["prompt"])
        if body.get("callBackUrl"):
            calling = asyncio.create_task(self._call_back(job))
            self._calling.add(calling)
            calling.add_done_callback(self._calling.discard)
        if self.knobs.spend("drop"):
            return LostAnswer()
        return _told({"taskId": job.id})

    async def _record(self, request: Request) -> Response:
        job_id = request.query_params.get("taskId", "")
        self.note("record", job=job_id)
        if refusal := await self._refusal(request):
            return refusal
        job = self.jobs.get(job_id)
        if job is None or self.knobs.lost:
            return _told(None, 422, "recordInfo is null")
        if job.blind:
            job.blind -= 1
            return _told(None, 422, "recordInfo is null")
        job.polls += 1
        return _told(self._state(job))

    def _state(self, job: KieJob) -> dict[str, Any]:
        done = job.polls > self.knobs.steps and not self.own.is_holding
        code, words = job.failure if job.failure and done else ("", "")
        good = done and not code
        if job.family == "jobs":
            state = ("fail" if code else "success") if done else "generating"
            told: dict[str, Any] = {
                "taskId": job.id,
                "model": job.model,
                "state": state if job.polls > 1 or done else "waiting",
                "param": json.dumps(job.body),
                "resultJson": json.dumps({"resultUrls": job.links()}) if good else "",
                "failCode": code,
                "failMsg": words,
                "createTime": 1765172332800,
                "completeTime": 1765172352800 if done else 0,
            }
            if "sora" in job.model:
                told["progress"] = 100 if done else 100 * job.polls // (self.knobs.steps + 1)
            return told
        told = {
            "taskId": job.id,
            "paramJson": json.dumps(job.body),
            "successFlag": (3 if code else 1) if done else 0,
            "errorCode": int(code) if code else None,
            "errorMessage": words,
        }
        if job.family == "veo":
            told["response"] = {"taskId": job.id, "resultUrls": job.links()} if good else None
        else:
            links = [{"resultUrl": each} for each in job.links()]
            told["resultInfoJson"] = {"resultUrls": links} if good else None
        return told

    async def _call_back(self, job: KieJob) -> None:
        """Once. The signature is over the id and the time, not over the body."""
        while self.own.is_holding:  # noqa: ASYNC110 - a knob tells nobody that it was turned
            await asyncio.sleep(0.01)
        sent = str(int(time.time()))
        digest = hmac.digest(KEY.encode(), f"{job.id}.{sent}".encode(), hashlib.sha256)
        headers = {
            "X-Webhook-Timestamp": sent,
            "X-Webhook-Signature": base64.b64encode(digest).decode(),
        }
        body = {"code": 200, "msg": "success", "data": {"taskId": job.id, "state": "success"}}
        async with httpx2.AsyncClient() as client:
            try:
                await client.post(job.body["callBackUrl"], json=body, headers=headers)
            except httpx2.HTTPError as fault:
                self.note("unheard", job=job.id, why=type(fault).__name__)
            else:
                self.note("called back", job=job.id)

    async def _upload(self, request: Request) -> Response:
        if refusal := await self._refusal(request):
            return refusal
        async with request.form() as form:
            file = form["file"]
            assert not isinstance(file, str)
            name = f"{form['uploadPath']}/{form.get('fileName') or file.filename}"
            self.uploaded[name] = await file.read()
        self.note("upload", name=name)
        return _told({"fileName": name, "downloadUrl": f"{request.base_url}files/{name}"})

    async def _file(self, request: Request) -> Response:
        self.note("file", path=request.url.path)
        if request.headers.get("authorization"):
            return PlainTextResponse("Two ways to sign in at once", 400)
        if self.own.dead_links:
            return PlainTextResponse("Gone", 404)
        name = request.path_params["name"]
        if name.endswith(".mp4"):
            return Response(FILM, media_type="video/mp4")
        return Response(picture(request.url.path), media_type="application/octet-stream")


if __name__ == "__main__":
    main(FakeKie())
