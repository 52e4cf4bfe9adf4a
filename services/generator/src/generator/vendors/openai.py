"""The provider ``openai``: pictures and videos of OpenAI, or of what speaks its API.

A picture is the answer to the submit: there is no job to come back to. It is kept at once, and the
handle is where; an answer that is lost is a picture that is paid and gone. A video is a job.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx2
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from generator.provider import (
    Execution,
    Job,
    NotConfigured,
    Offer,
    Output,
    Progress,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.http import Service, Unanswered, measured, short
from generator.vendors.polling import SILENCE_S, Patience, pauses

_IMAGE_S = 240
"""Less than the reaper's patience: while a picture is painted nothing is heard."""
_VIDEO_S = 1800
_LONGEST_PAUSE_S = 30.0
_IMAGE_MODEL = "gpt-image-2.5-flare"
_VIDEO_MODEL = "sora-2"
_PART = "part_"
_NO_CREDIT = "insufficient_quota"
_PASSING = frozenset(
    {"server_error", "internal_error", "internal_server_error", "rate_limit_exceeded", "timeout"}
)
"""Codes of failed videos that say nothing against the request."""

_SERVICE = {"type": "string", "description": "The provider that shall serve the task."}
_SIZE = {"type": "string", "pattern": "^(?:auto|[1-9][0-9]{1,3}x[1-9][0-9]{1,3})$"}


def _schema(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"service": _SERVICE, **properties},
        "additionalProperties": False,
    }


_IMAGE_PARAMS = _schema(
    model={
        "type": "string",
        "minLength": 1,
        "default": _IMAGE_MODEL,
        "description": "A model that makes pictures.",
    },
    num_images={"type": "integer", "minimum": 1, "maximum": 10, "default": 1},
    size={**_SIZE, "description": "Width and height, such as 1536x1024, or auto."},
    quality={"enum": ["auto", "low", "medium", "high", "xhigh", "max"]},
    background={"enum": ["auto", "transparent", "opaque"]},
    output_format={"enum": ["png", "jpeg", "webp"], "default": "png"},
    output_compression={
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "description": "Percent, for jpeg and webp.",
    },
    moderation={"enum": ["auto", "low"], "description": "How strict; without references only."},
)
_VIDEO_PARAMS = _schema(
    model={
        "type": "string",
        "minLength": 1,
        "default": _VIDEO_MODEL,
        "description": "A model that makes videos.",
    },
    seconds={"type": "string", "pattern": "^[1-9][0-9]?$", "description": "Such as 4, 8 or 12."},
    size={**_SIZE, "description": "Width and height, such as 1280x720."},
)


class OpenAISettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    openai_api_key: SecretStr | None = None
    openai_url: str = "https://api.openai.com/v1"


class OpenAIProvider:
    """The handle of pictures: ``part_0``, ``part_1`` …, their keys. Of a video: ``video``, its id.

    Neither can be found when the answer to a submit is lost: pictures are kept nowhere, and the
    list of videos has nothing of ours by which to tell two of the same prompt apart.
    """

    name = "openai"
    settings = OpenAISettings
    execution = Execution.REMOTE
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(_IMAGE_PARAMS, "Pictures by GPT Image", _IMAGE_S),
        "IMAGE": Offer(_IMAGE_PARAMS, "Pictures by GPT Image", _IMAGE_S),
        "VIDEO": Offer(_VIDEO_PARAMS, "Videos by Sora", _VIDEO_S, silence_s=SILENCE_S),
    }

    def __init__(
        self, settings: OpenAISettings | None = None, *, poll_s: tuple[float, float] = (1.0, 5.0)
    ) -> None:
        settings = settings or OpenAISettings()
        if settings.openai_api_key is None:
            raise NotConfigured("Set DARKROOM_OPENAI_API_KEY to a key of OpenAI.")
        # The library takes seconds and tens of megabytes: only who uses it pays for it.
        from generator.vendors.openai_images import Images

        key = settings.openai_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}"}
        self._api = _OpenAI("OpenAI", settings.openai_url, headers=headers, words=_words)
        self._images = Images(self._api, key, settings.openai_url)
        self._poll_s = poll_s

    async def submit(self, job: Job, key: str) -> Submitted:
        if job.type == "VIDEO":
            return await self._film(job)
        references = [await measured(await job.fetch(each)) for each in job.reference_images]
        params = {"model": _IMAGE_MODEL, **job.params}
        made = await self._images.make(job.prompt or "", params, references)
        try:
            return Submitted(None, await _keep(job, self._api, made))
        except Unavailable as trouble:
            # Not as it comes: the job would count as not taken, and be paid again.
            raise Unanswered(f"Pictures were made and lost: {trouble.message}") from trouble

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        if "video" not in submitted.handle:
            for key in _parts(submitted):
                yield await measured(await job.fetch(key))
            return
        path = f"/videos/{submitted.handle['video']}"
        patience = Patience()
        percent = 0
        for pause in pauses(*self._poll_s):
            try:
                response = await self._api.ask("GET", path)
            except Unavailable as trouble:
                patience.unheard(trouble)
                await job.called_back(trouble.retry_after_s or pause)
                continue
            except Rejected as refusal:
                if refusal.params.get("status") != 404:
                    raise
                raise Unavailable("OpenAI no longer knows the video.") from refusal
            video = _told(response)
            patience.heard()
            if video.get("status") == "failed":
                raise _failure(video)
            percent = max(percent, min(99, int(video.get("progress") or 0)))
            yield Progress(percent)
            if video.get("status") == "completed":
                yield await self._api.download(f"{path}/content", through=self._api.client)
                return
            await job.called_back(_told_pause(response, pause))

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        try:
            if "video" not in submitted.handle:
                for key in _parts(submitted):
                    await job.fetch(key)
                return bool(_parts(submitted))
            response = await self._api.ask("GET", f"/videos/{submitted.handle['video']}")
        except Rejected as refusal:
            if "video" in submitted.handle and refusal.params.get("status") != 404:
                raise
            return False
        return bool(_told(response).get("status") != "failed")

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """A video can be deleted once it has ended; one that is being made can't be stopped."""
        if "video" not in submitted.handle:
            return
        try:
            await self._api.ask("DELETE", f"/videos/{submitted.handle['video']}")
        except Rejected as refusal:
            if refusal.params.get("status") in {401, 403}:
                raise

    async def check(self) -> str:
        await self._api.ask("GET", "/models")
        return "answers, and takes the key"

    async def aclose(self) -> None:
        await self._api.aclose()
        await self._images.aclose()

    async def _film(self, job: Job) -> Submitted:
        if len(job.reference_images) > 1:
            raise Rejected("A video starts from one picture at most.", code="invalid_input")
        wanted = {"model": _VIDEO_MODEL, **job.params, "prompt": job.prompt or ""}
        wanted.pop("service", None)
        # Without a name, a field is no file: the form is multipart also where it has no file.
        form: list[tuple[str, Any]] = [(name, (None, value)) for name, value in wanted.items()]
        for reference in job.reference_images:
            picture = await measured(await job.fetch(reference))
            file = ("reference", picture.content, picture.content_type)
            form.append(("input_reference", file))
        response = await self._api.submit("POST", "/videos", files=form)
        try:
            video = str(_told(response)["id"])
        except (Unavailable, KeyError):
            raise Unanswered("OpenAI answered a submit without the id of a video") from None
        return Submitted(video, {"video": video})


class _OpenAI(Service):
    """Tells a lack of credit from a lack of time: both are a 429."""

    def check(self, response: httpx2.Response) -> None:
        if response.status_code == 429 and _error(response).get("code") == _NO_CREDIT:
            response = httpx2.Response(402, content=response.content)
        super().check(response)


async def _keep(job: Job, api: Service, made: list[bytes | str]) -> dict[str, str]:
    """Store pictures, or what links lead to; where they are."""
    kept = {}
    for number, each in enumerate(made):
        output = await (api.download(each) if isinstance(each, str) else measured(each))
        kept[f"{_PART}{number}"] = await job.save(output.content, output.content_type)
    return kept


def _parts(submitted: Submitted) -> list[str]:
    names = [name for name in submitted.handle if name.startswith(_PART)]
    return [submitted.handle[name] for name in sorted(names, key=lambda name: int(name[5:]))]


def _told(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        video = response.json()
    except ValueError:
        video = None
    if not isinstance(video, dict):
        raise Unavailable("OpenAI answered something else than a video.")
    return video


def _told_pause(response: httpx2.Response, pause: float) -> float:
    """What the service wishes between two polls, within reason."""
    try:
        told = int(response.headers["openai-poll-after-ms"]) / 1000
    except (KeyError, ValueError):
        return pause
    return min(max(told, 0.0), _LONGEST_PAUSE_S)


def _failure(video: Mapping[str, Any]) -> Rejected | Unavailable:
    error = video.get("error") or {}
    words = short(str(error.get("message") or ""))
    says = f" It says: {words}" if words else ""
    if error.get("code") in _PASSING:
        return Unavailable(f"The video failed at OpenAI.{says}")
    return Rejected(f"OpenAI did not make this video.{says}")


def _error(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def _words(response: httpx2.Response) -> str | None:
    words = _error(response).get("message")
    return words if isinstance(words, str) else None
