"""A ComfyUI server as far as its protocol goes, written beside the real one (0.3.64).

It knows the nodes named below, works on one job at a time, and keeps all in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import struct
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from fakes.pictures import FILM, picture
from fakes.serving import Fake, Knobs, LostAnswer, main

CHECKPOINTS = ["painter.safetensors", "other.safetensors"]
NODES = {
    *("CheckpointLoaderSimple", "CLIPTextEncode", "EmptyImage", "EmptyLatentImage", "ImageInvert"),
    *("KSampler", "LoadImage", "PreviewImage", "RepeatLatentBatch", "SaveAnimatedWEBP"),
    *("SaveImage", "SaveVideo", "VAEDecode", "VAEEncode"),
}
_OUTPUT = {
    "SaveImage": ("png", "output"),
    "PreviewImage": ("png", "temp"),
    "SaveAnimatedWEBP": ("webp", "output"),
    "SaveVideo": ("mp4", "output"),
}
_STEP_S = 0.002


@dataclass
class ComfyKnobs(Knobs):
    """``old``: as before 0.3.44. ``deaf``: no WebSocket. ``hold``: the running job stays so."""

    old: bool = False
    deaf: bool = False
    hold: bool = False
    exhaust: int = 0
    """So many jobs run out of memory."""
    checkpoints: list[str] = field(default_factory=lambda: list(CHECKPOINTS))


class Interrupted(Exception):
    """Somebody has interrupted what runs."""


@dataclass
class FakeComfyUI(Fake):
    """Queue items are as on the wire: ``[number, prompt_id, graph, extra_data, outputs]``."""

    knobs: ComfyKnobs = field(default_factory=ComfyKnobs)
    pending: list[list[Any]] = field(default_factory=list)
    running: list[list[Any]] = field(default_factory=list)
    history: dict[str, Any] = field(default_factory=dict)
    inputs: dict[str, bytes] = field(default_factory=dict)
    made: dict[tuple[str, str], bytes] = field(default_factory=dict)
    sockets: dict[str, WebSocket] = field(default_factory=dict)
    authorizations: set[str | None] = field(default_factory=set)
    _number: int = 0
    _interrupted: bool = False
    _worker: asyncio.Task[None] | None = None

    def routes(self) -> Sequence[BaseRoute]:
        return [
            Route("/prompt", self._prompt, methods=["POST"]),
            Route("/system_stats", self._stats),
            Route("/queue", self._queue, methods=["GET", "POST"]),
            Route("/interrupt", self._interrupt, methods=["POST"]),
            Route("/history", self._recent),
            Route("/history/{prompt_id}", self._past),
            Route("/view", self._view),
            Route("/upload/image", self._upload, methods=["POST"]),
            Route("/object_info/CheckpointLoaderSimple", self._object_info),
            WebSocketRoute("/ws", self._listen),
        ]

    def restart(self) -> None:
        """All that it knew is gone."""
        self.pending.clear()
        self.history.clear()
        self._interrupted = True

    async def _called(self, request: Request) -> Response | None:
        self.note(f"{request.method} {request.url.path}")
        self.authorizations.add(request.headers.get("authorization"))
        if self.knobs.lost:
            self.restart()
        return await self.trouble()

    async def _stats(self, request: Request) -> Response:
        told = {"system": {"os": "posix", "comfyui_version": "0.3.64"}, "devices": []}
        return await self._called(request) or JSONResponse(told)

    async def _prompt(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        if self.knobs.spend("busy"):
            headers = {"Retry-After": self.knobs.retry_after} if self.knobs.retry_after else {}
            return Response(status_code=429, headers=headers)
        told = await request.json()
        if refusal := self._refusal(told["prompt"]):
            return JSONResponse(refusal, 400)
        prompt_id = str(uuid.uuid4())
        if not self.knobs.old:
            prompt_id = told.get("prompt_id", prompt_id)
        self._number += 1
        extra = {"client_id": told["client_id"]} if "client_id" in told else {}
        # The same id a second time is a second job: nothing is compared.
        self.pending.append([self._number, prompt_id, told["prompt"], extra, []])
        texts = [node["inputs"].get("text") for node in told["prompt"].values()]
        self.note("taken", job=prompt_id, prompt=next(filter(None, texts), None))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        if self.knobs.spend("drop"):
            return LostAnswer()
        return JSONResponse({"prompt_id": prompt_id, "number": self._number, "node_errors": {}})

    def _refusal(self, graph: dict[str, Any]) -> dict[str, Any] | None:
        for node_id, node in graph.items():
            kind, inputs = node["class_type"], node["inputs"]
            if kind not in NODES:
                return {
                    "error": {
                        "type": "invalid_prompt",
                        "message": f"Cannot execute because node {kind} does not exist.",
                        "details": f"Node ID '#{node_id}'",
                        "extra_info": {},
                    },
                    "node_errors": {},
                }
            problem = None
            if kind == "CheckpointLoaderSimple" and inputs["ckpt_name"] not in CHECKPOINTS:
                problem = ("Value not in list", f"ckpt_name: '{inputs['ckpt_name']}' not in list")
            if kind == "LoadImage" and inputs["image"] not in self.inputs:
                problem = (
                    "Custom validation failed for node",
                    f"image - Invalid image file: {inputs['image']}",
                )
            if problem is not None:
                return {
                    "error": {
                        "type": "prompt_outputs_failed_validation",
                        "message": "Prompt outputs failed validation",
                        "details": "",
                        "extra_info": {},
                    },
                    "node_errors": {
                        node_id: {
                            "errors": [{"message": problem[0], "details": problem[1]}],
                            "class_type": kind,
                        }
                    },
                }
        return None

    async def _queue(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        if request.method == "GET":
            told = {"queue_running": self.running, "queue_pending": self.pending}
            return JSONResponse(told)
        gone = (await request.json()).get("delete", ())
        self.pending = [item for item in self.pending if item[1] not in gone]
        return Response()

    async def _interrupt(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        told = json.loads(await request.body() or b"{}")
        wanted = None if self.knobs.old else told.get("prompt_id")
        if wanted is None or any(item[1] == wanted for item in self.running):
            self._interrupted = True
        return Response()

    async def _past(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        prompt_id = request.path_params["prompt_id"]
        known = {prompt_id: self.history[prompt_id]} if prompt_id in self.history else {}
        return JSONResponse(known)

    async def _recent(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        most = int(request.query_params["max_items"])
        return JSONResponse(dict(list(self.history.items())[-most:]))

    async def _view(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        query = request.query_params
        content = self.made.get((query["type"], query["filename"]))
        if content is None:
            return Response(status_code=404)
        kinds = {"png": "image/png", "webp": "image/webp", "mp4": "video/mp4"}
        return Response(content, media_type=kinds[query["filename"].rpartition(".")[2]])

    async def _upload(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        async with request.form() as form:
            file = form["image"]
            assert not isinstance(file, str)
            subfolder = str(form.get("subfolder", ""))
            name = file.filename or ""
            self.inputs["/".join(filter(None, (subfolder, name)))] = await file.read()
        return JSONResponse({"name": name, "subfolder": subfolder, "type": "input"})

    async def _object_info(self, request: Request) -> Response:
        if trouble := await self._called(request):
            return trouble
        names = self.knobs.checkpoints
        told = [names] if self.knobs.old else ["COMBO", {"options": names}]
        required = {"required": {"ckpt_name": told}}
        return JSONResponse({"CheckpointLoaderSimple": {"input": required}})

    async def _listen(self, socket: WebSocket) -> None:
        if self.knobs.deaf:
            await socket.close()
            return
        self.authorizations.add(socket.headers.get("authorization"))
        await socket.accept()
        client = socket.query_params["clientId"]
        self.sockets[client] = socket
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {}}}})
        with suppress(WebSocketDisconnect):
            while True:
                await socket.receive_text()
        if self.sockets.get(client) is socket:
            del self.sockets[client]

    async def _tell(self, item: list[Any], kind: str | bytes, **told: Any) -> None:
        """Send a message to whoever has submitted the job, if they listen."""
        socket = self.sockets.get(item[3].get("client_id", ""))
        if socket is None:
            return
        with suppress(RuntimeError, WebSocketDisconnect):
            if isinstance(kind, bytes):
                await socket.send_bytes(kind)
            else:
                data = {**told, "prompt_id": item[1]}
                await socket.send_text(json.dumps({"type": kind, "data": data}))

    async def _work(self) -> None:
        while self.pending:
            item = self.pending.pop(0)
            self.running = [item]
            self._interrupted = False
            said: list[Any] = [["execution_start", {"prompt_id": item[1]}]]
            outputs: dict[str, Any] = {}
            try:
                outputs = await self._run(item)
                end, about = "execution_success", {}
            except Interrupted:
                end, about = "execution_interrupted", {"node_id": "1"}
            except (RuntimeError, MemoryError) as fault:
                lacks = isinstance(fault, MemoryError)
                kind = "torch.OutOfMemoryError" if lacks else "RuntimeError"
                about = {
                    "node_type": "KSampler",
                    "exception_type": kind,
                    "exception_message": f"{fault}\n",
                    "traceback": ["  File …"],
                }
                end = "execution_error"
            said.append([end, {**about, "prompt_id": item[1]}])
            good = end == "execution_success"
            status = {"status_str": "success" if good else "error", "completed": good}
            await self._tell(item, end, **about)
            self.running = []
            if not self.knobs.lost:
                self.history[item[1]] = {
                    "prompt": item,
                    "outputs": outputs,
                    "status": {**status, "messages": said},
                }
            await self._tell(item, "executing", node=None)

    async def _run(self, item: list[Any]) -> dict[str, Any]:
        graph: dict[str, Any] = item[2]
        await self._tell(item, "execution_start")
        await self._tell(item, "execution_cached", nodes=[])
        while self.knobs.hold:
            await self._breathe()
        outputs: dict[str, Any] = {}
        finished: dict[str, Any] = {}
        for node_id, node in graph.items():
            await self._tell(item, "executing", node=node_id)
            for step in self._steps(node):
                await self._breathe()
                await self._tell(item, "progress", value=step, max=self._most(node), node=node_id)
                state = {"value": step, "max": self._most(node), "state": "running"}
                await self._tell_states(item, {**finished, node_id: state})
                await self._tell(item, struct.pack(">II", 1, 1) + b"\xff\xd8\xff a preview")
            finished[node_id] = {"value": 1, "max": 1, "state": "finished"}
            await self._tell_states(item, finished)
            if node["class_type"] in _OUTPUT:
                outputs[node_id] = self._save(item, node)
                await self._tell(item, "executed", node=node_id, output=outputs[node_id])
        if self.knobs.spend("exhaust"):
            raise MemoryError("Allocation on device")
        if self.knobs.spend("break_down"):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        await self._breathe()
        return outputs

    async def _tell_states(self, item: list[Any], nodes: dict[str, Any]) -> None:
        if not self.knobs.old:
            await self._tell(item, "progress_state", nodes=nodes)

    async def _breathe(self) -> None:
        await asyncio.sleep(_STEP_S)
        if self._interrupted:
            raise Interrupted

    def _most(self, node: dict[str, Any]) -> int:
        return int(node["inputs"].get("steps", 1))

    def _steps(self, node: dict[str, Any]) -> Iterator[int]:
        yield from range(1, self._most(node) + 1)

    def _save(self, item: list[Any], node: dict[str, Any]) -> dict[str, Any]:
        ext, folder = _OUTPUT[node["class_type"]]
        graph = item[2]
        count = max(
            (each["inputs"].get(name, 1) for each in graph.values() for name in _COUNTS), default=1
        )
        entries = []
        for index in range(1 if ext in ("webp", "mp4") else count):
            seed = f"{hashlib.sha256(json.dumps(graph).encode()).hexdigest()}{index}"
            content = FILM if ext == "mp4" else picture(seed, "WEBP" if ext == "webp" else "PNG")
            name = f"{seed[:12]}_{index:05}_.{ext}"
            self.made[folder, name] = content
            entries.append({"filename": name, "subfolder": "", "type": folder})
        return {"images": entries, **({"animated": [True]} if ext != "png" else {})}


_COUNTS = ("batch_size", "amount")


if __name__ == "__main__":
    main(FakeComfyUI())
