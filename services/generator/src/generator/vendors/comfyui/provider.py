"""The provider ``comfyui``: hands graphs to a ComfyUI server of one's own.

The server keeps queue and history in memory alone: a job that is in neither is lost, not done.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from mimetypes import guess_type
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx2
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from artifacts.media_headers import format_of
from generator.provider import (
    Execution,
    Job,
    Limits,
    NotConfigured,
    Output,
    Progress,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.addresses import read_address
from generator.vendors.comfyui.graphs import Graph, Value, asked, is_graph, weights_of
from generator.vendors.comfyui.messages import (
    File,
    GraphProgress,
    files,
    refusal_words,
    succeeded,
)
from generator.vendors.comfyui.params import (
    check,
    completed,
    graph_of,
    offers,
    picture_places,
    values_of,
)
from generator.vendors.comfyui.socket import hearing
from generator.vendors.http import Service
from generator.vendors.polling import Patience, pauses

_SHIPPED = Path(__file__).parent / "templates"
_JOBS = UUID("5d0d5a4e-9f0c-5a59-8f5e-6c0f3a1f7c11")
"""The namespace of our job ids, which are made from keys."""
_FOLDER = "darkroom"
_FIRST_PAUSE_S = 1.0
_END_PAUSE_S = 0.1
_RECENT = 64
_ANIMATED = frozenset({"image/webp", "image/gif", "image/apng"})


class _Lost(Unavailable):
    """The job is neither in the queue nor in the history."""


class ComfyUISettings(BaseSettings):
    """``COMFYUI_URL`` may hold a login: ``http://user:password@host:8188``."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    comfyui_url: SecretStr | None = None
    comfyui_templates: Path | None = None
    """A folder of graphs, ``NAME.json``; ``txt2img``, ``img2img`` and ``video`` are the defaults of
    their kind."""


class ComfyUIProvider:
    """Serves pictures and videos by graphs. ``pause_s`` is the first between two polls."""

    name = "comfyui"
    settings = ComfyUISettings
    execution = Execution.REMOTE
    limits = Limits(concurrency=2)
    """It runs one job at a time. One more waits there, so that it is never idle; what waits here
    survives a restart of the server."""

    def __init__(
        self, settings: ComfyUISettings | None = None, *, pause_s: float = _FIRST_PAUSE_S
    ) -> None:
        settings = settings or ComfyUISettings()
        if settings.comfyui_url is None:
            raise NotConfigured("Set DARKROOM_COMFYUI_URL to the address of a ComfyUI server.")
        address = read_address("DARKROOM_COMFYUI_URL", settings.comfyui_url.get_secret_value())
        self._templates = {
            **read_templates(_SHIPPED),
            **(read_templates(settings.comfyui_templates) if settings.comfyui_templates else {}),
        }
        self.offers = offers(self._templates)
        self._pause_s = pause_s
        self._service = Service("ComfyUI", address.url, auth=address.auth, words=_words)
        self._login = address.authorization

    async def submit(self, job: Job, key: str) -> Submitted:
        """Hand the graph over, under an id that follows from the key."""
        ours = _job_id(key)
        graph = graph_of(job, self._templates)
        check(job, graph)
        values = await self._values(job, graph)
        sent = {"prompt": completed(job, graph, values), "prompt_id": ours, "client_id": ours}
        response = await self._service.submit("POST", "/prompt", json=sent)
        # Servers older than 0.3.44 give an id of their own.
        return _submitted(str(response.json()["prompt_id"]), ours)

    async def find(self, job: Job, key: str) -> Submitted | None:
        """The job of this key, in the queue or in the history.

        It is looked for twice: a request may still be read there when its connection is gone.
        """
        ours = _job_id(key)
        found = await self._find(ours)
        if found is None:
            await asyncio.sleep(self._pause_s)
            found = await self._find(ours)
        return None if found is None else _submitted(found, ours)

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        """Listen, and look into the history now and then, which alone is believed."""
        prompt_id, client_id = _ids(submitted)
        progress = GraphProgress(prompt_id, weights_of(graph_of(job, self._templates)))
        clock = asyncio.get_running_loop().time
        rests, patience = pauses(self._pause_s), Patience()
        percent, look_at, entry = 0, clock(), None
        async with hearing(self._socket_url(client_id), self._login, progress) as heard:
            while True:
                if clock() >= look_at:
                    try:
                        entry = await self._look(prompt_id)
                        patience.heard()
                    except _Lost:
                        raise
                    except Unavailable as trouble:
                        patience.unheard(trouble)
                    if entry is not None:
                        break
                    rest = next(rests)
                    look_at = clock() + (_END_PAUSE_S if progress.ended else rest)
                    yield Progress(percent)
                news = await heard.next(look_at - clock())
                if news is not None:
                    percent = news
                    yield Progress(percent)
                    look_at = clock() if progress.ended else look_at
            while (news := await heard.next(0)) is not None:
                yield Progress(news)
        for file in _wanted(job, files(entry)):
            yield await self._download(file)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        prompt_id, _ = _ids(submitted)
        entry = await self._entry(prompt_id)
        if entry is None:
            if prompt_id in await self._queued():
                return True
            # It may have ended between the two questions.
            entry = await self._entry(prompt_id)
        return entry is not None and succeeded(entry)

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Take it out of the queue, or interrupt it.

        Only while it runs: servers older than 0.3.56 interrupt whatever does.
        """
        prompt_id, _ = _ids(submitted)
        await self._service.ask("POST", "/queue", json={"delete": [prompt_id]})
        running = (await self._queue()).get("queue_running", ())
        if any(item[1] == prompt_id for item in running):
            await self._service.ask("POST", "/interrupt", json={"prompt_id": prompt_id})

    async def check(self) -> str:
        told = (await self._service.ask("GET", "/system_stats")).json()
        return f"answers; ComfyUI {told['system'].get('comfyui_version', 'of an older version')}"

    async def aclose(self) -> None:
        await self._service.aclose()

    async def _values(self, job: Job, graph: Graph) -> dict[str, Value]:
        """What goes into the places of the graph; pictures are sent to the server before."""
        values = values_of(job)
        places = asked(graph)
        if "model" in places and "model" not in values:
            values["model"] = await self._first_checkpoint()
        names = picture_places(len(job.reference_images))
        for name, reference in zip(names, job.reference_images, strict=True):
            values[name] = await self._upload(await job.fetch(reference))
        return values

    async def _first_checkpoint(self) -> str:
        node = "CheckpointLoaderSimple"
        told = (await self._service.ask("GET", f"/object_info/{node}")).json()
        choice = told.get(node, {}).get("input", {}).get("required", {}).get("ckpt_name", [[]])
        # Newer nodes keep the list among the options: ["COMBO", {"options": […]}].
        names = choice[0] if isinstance(choice[0], list) else choice[1].get("options", [])
        if not names:
            raise Rejected("ComfyUI has no checkpoint to make pictures with.")
        return str(names[0])

    async def _upload(self, content: bytes) -> str:
        """Send a picture under a name that follows from its content; the name for `LoadImage`."""
        name = f"{hashlib.sha256(content).hexdigest()}.{format_of(content) or 'png'}"
        response = await self._service.ask(
            "POST",
            "/upload/image",
            files={"image": (name, content)},
            data={"type": "input", "subfolder": _FOLDER, "overwrite": "true"},
        )
        told = response.json()
        return "/".join(part for part in (told.get("subfolder"), told["name"]) if part)

    async def _look(self, prompt_id: str) -> Mapping[str, Any] | None:
        """The job's entry in the history; None while it waits or runs. Raises `_Lost`."""
        entry = await self._entry(prompt_id)
        if entry is not None or prompt_id in await self._queued():
            return entry
        entry = await self._entry(prompt_id)
        if entry is None:
            raise _Lost("ComfyUI no longer knows this job: it was restarted, or cleared.")
        return entry

    async def _entry(self, prompt_id: str) -> Mapping[str, Any] | None:
        told = (await self._service.ask("GET", f"/history/{prompt_id}")).json()
        entry: Mapping[str, Any] | None = told.get(prompt_id)
        return entry

    async def _queue(self) -> Mapping[str, Any]:
        told: Mapping[str, Any] = (await self._service.ask("GET", "/queue")).json()
        return told

    async def _queued(self) -> dict[str, str | None]:
        """The client of each job that waits or runs."""
        told = await self._queue()
        items = [*told.get("queue_running", ()), *told.get("queue_pending", ())]
        return {item[1]: item[3].get("client_id") for item in items}

    async def _find(self, ours: str) -> str | None:
        """The server's own id of the job that we know as ``ours``."""
        for _ in range(2):
            if await self._entry(ours) is not None:
                return ours
            queued = await self._queued()
            if found := next((each for each, client in queued.items() if client == ours), None):
                return found
        recent = (await self._service.ask("GET", f"/history?max_items={_RECENT}")).json()
        clients = {each: entry["prompt"][3].get("client_id") for each, entry in recent.items()}
        return next((each for each, client in clients.items() if client == ours), None)

    async def _download(self, file: File) -> Output:
        query = httpx2.QueryParams(
            filename=file.filename, subfolder=file.subfolder, type=file.folder
        )
        return await self._service.download(f"/view?{query}", through=self._service.client)

    def _socket_url(self, client_id: str) -> httpx2.URL:
        base = self._service.client.base_url
        scheme = "wss" if base.scheme == "https" else "ws"
        path = f"{base.path.rstrip('/')}/ws"
        return base.copy_with(scheme=scheme, path=path, params={"clientId": client_id})


def read_templates(folder: Path) -> dict[str, Graph]:
    """The graphs of a folder, by the names of their files. Raises `NotConfigured`."""
    if not folder.is_dir():
        raise NotConfigured(f"There is no folder of graphs at {folder}.")
    try:
        found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    except (OSError, ValueError) as fault:
        raise NotConfigured(f"The graphs in {folder} can't be read: {fault}") from None
    for name, graph in found.items():
        if not is_graph(graph):
            raise NotConfigured(
                f"{folder / name}.json is no graph in ComfyUI's API format: export it with "
                "“Export (API)”."
            )
    return found


def _wanted(job: Job, made: list[File]) -> list[File]:
    """The files that the task asks for: a graph may write others beside. Raises `Rejected`."""
    video = job.type == "VIDEO"
    kinds = [guess_type(file.filename)[0] or "" for file in made]
    moving = [file for file, kind in zip(made, kinds, strict=True) if kind.startswith("video/")]
    pictures = [file for file, kind in zip(made, kinds, strict=True) if kind.startswith("image/")]
    if video and not moving:
        moving = [file for file in pictures if guess_type(file.filename)[0] in _ANIMATED]
    wanted = moving if video else pictures
    if not wanted:
        raise Rejected(f"This graph has made no {'video' if video else 'picture'}.")
    return wanted


def _job_id(key: str) -> str:
    return str(uuid5(_JOBS, key))


def _submitted(prompt_id: str, client_id: str) -> Submitted:
    return Submitted(prompt_id, {"prompt_id": prompt_id, "client_id": client_id})


def _ids(submitted: Submitted) -> tuple[str, str]:
    return submitted.handle["prompt_id"], submitted.handle["client_id"]


def _words(response: httpx2.Response) -> str | None:
    try:
        return refusal_words(response.json())
    except ValueError:
        return None
