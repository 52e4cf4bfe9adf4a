"""The provider ``forge``: Stable Diffusion web UI (AUTOMATIC1111, Forge) on a server of one's own.

A call lasts until the pictures are there, and nothing of it can be found again when its connection
is lost. So nothing is submitted: an attempt that is lost is computed again, on the same machine.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx2
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from generator.provider import (
    Execution,
    Job,
    Limits,
    NotConfigured,
    Offer,
    Output,
    Progress,
    Rejected,
    Submitted,
    Unavailable,
)
from generator.vendors.addresses import read_address
from generator.vendors.http import Service, measured

_PAUSE_S = 1.0
_LOOK_S = 5.0
_LEAVE_S = 1.0
_STEPS = 25
_NO_ANSWER_LIMIT = httpx2.Timeout(None, connect=10.0)
"""The generator's own limit holds: it tells the user, and stops the work."""


def _number(kind: str, least: float, most: float, text: str) -> Mapping[str, Any]:
    return {"type": kind, "minimum": least, "maximum": most, "description": text}


def _text(text: str) -> Mapping[str, Any]:
    return {"type": "string", "maxLength": 4000, "description": text}


# Under the names that the server knows them by.
_SENT: Mapping[str, Any] = {
    "negative_prompt": _text("What the picture should not show."),
    "seed": _number(
        "integer", -1, 2**32 - 1, "The same everything gives the same picture; -1: any."
    ),
    "steps": _number("integer", 1, 150, f"Steps of the sampler; {_STEPS} if not told."),
    "width": _number("integer", 64, 2048, "Pixels."),
    "height": _number("integer", 64, 2048, "Pixels."),
    "cfg_scale": _number("number", 0, 30, "How closely the prompt is kept to."),
    "sampler_name": _text("The sampler, as the server lists it."),
    "scheduler": _text("The scheduler, as the server lists it."),
    "denoising_strength": _number("number", 0, 1, "How much of a reference picture is changed."),
    "restore_faces": {"type": "boolean"},
    "tiling": {"type": "boolean"},
    "enable_hr": {"type": "boolean", "description": "Make it small first, then enlarge it."},
    "hr_scale": _number("number", 1, 4, "How much larger the second step makes it."),
    "hr_upscaler": _text("What enlarges it, as the server lists it."),
}
_SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "service": {"type": "string", "description": "The provider that shall serve the task."},
        "model": _text("The checkpoint, as the server lists it; the loaded one if none is named."),
        "num_images": _number("integer", 1, 16, "How many pictures to make, one after another."),
        "override_settings": {
            "type": "object",
            "additionalProperties": False,
            "description": "Settings of the server for this task. Forge keeps them.",
            "properties": {
                "sd_model_checkpoint": _text("As `model`."),
                "sd_vae": _text("The VAE, as the server lists it."),
                "CLIP_stop_at_last_layers": _number("integer", 1, 12, "Clip skip."),
            },
        },
        **_SENT,
    },
}


class ForgeSettings(BaseSettings):
    """``FORGE_URL`` may hold the login of ``--api-auth``; the other two go before it."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    forge_url: SecretStr | None = None
    forge_user: str | None = None
    forge_password: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What the server says of one call."""

    active: bool
    queued: bool
    completed: bool
    percent: int | None


class _Withdrawn(Enum):
    """Whether the server works no more on a call."""

    YES = auto()
    NOT_YET = auto()
    UNSEEN = auto()


class ForgeProvider:
    """Serves pictures by ``txt2img`` and ``img2img``. ``pause_s`` lies between two looks."""

    name = "forge"
    settings = ForgeSettings
    execution = Execution.INLINE
    limits = Limits(concurrency=1)
    """The server works under one lock."""
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(_SCHEMA, "A picture by Stable Diffusion"),
        "IMAGE": Offer(_SCHEMA, "Pictures by Stable Diffusion"),
    }

    def __init__(self, settings: ForgeSettings | None = None, *, pause_s: float = _PAUSE_S) -> None:
        settings = settings or ForgeSettings()
        if settings.forge_url is None:
            raise NotConfigured("Set DARKROOM_FORGE_URL to the address of a web UI with --api.")
        word = settings.forge_password
        address = read_address(
            "DARKROOM_FORGE_URL",
            settings.forge_url.get_secret_value(),
            user=settings.forge_user,
            password=None if word is None else word.get_secret_value(),
        )
        self._pause_s = pause_s
        self._service = Service("Forge", address.url, auth=address.auth, words=_words)
        self._withdrawals: set[asyncio.Task[None]] = set()

    async def submit(self, job: Job, key: str) -> Submitted:
        raise RuntimeError("Forge has no jobs: a call lasts until the pictures are there.")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        """Make the call, and look at its progress meanwhile; leaving stops the work there."""
        call_id = _call_id(job.task_id, job.attempt)
        path, body = await _request(job, call_id)
        if job.attempt > 1:
            # What an attempt whose worker was killed had begun still holds the server's lock.
            before = _call_id(job.task_id, job.attempt - 1)
            if await self._stop(before) is _Withdrawn.NOT_YET:
                self._withdraw(before)
        calling = asyncio.create_task(
            self._service.ask("POST", path, json=body, timeout=_NO_ANSWER_LIMIT)
        )
        percent = 0
        try:
            while not calling.done():
                yield Progress(percent)
                told = await self._told(call_id)
                if told is not None and told.percent is not None and told.percent > percent:
                    percent = told.percent
                    yield Progress(percent)
                await asyncio.wait({calling}, timeout=self._pause_s)
            response = await self._answer(calling, body)
        finally:
            if not calling.done():
                calling.cancel()
                self._withdraw(call_id)
        for picture in await asyncio.to_thread(_pictures, response, body["n_iter"]):
            yield await measured(picture)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Nothing to do: closing `follow` has stopped the work."""

    async def check(self) -> str:
        models = (await self._service.ask("GET", "/sdapi/v1/sd-models")).json()
        return f"answers; checkpoints: {len(models)}"

    async def aclose(self) -> None:
        if self._withdrawals:
            _, late = await asyncio.wait(self._withdrawals, timeout=_LEAVE_S)
            for withdrawal in late:
                withdrawal.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        await self._service.aclose()

    def _withdraw(self, call_id: str) -> None:
        withdrawal = asyncio.create_task(self._keep_stopping(call_id))
        self._withdrawals.add(withdrawal)
        withdrawal.add_done_callback(self._withdrawals.discard)

    async def _keep_stopping(self, call_id: str) -> None:
        """Stop a call that nobody waits for any more.

        One that waits for the lock can't be taken back, but is stopped once its turn has come. One
        that was just sent may not have been read yet: it is looked for twice.
        """
        unseen = 0
        while unseen < 2:
            state = await self._stop(call_id)
            if state is _Withdrawn.YES:
                return
            unseen = unseen + 1 if state is _Withdrawn.UNSEEN else 0
            await asyncio.sleep(self._pause_s)

    async def _stop(self, call_id: str) -> _Withdrawn:
        """Stop a call if it is being worked on.

        The server stops whatever it is at, also what others have asked for: so it is told to only
        while that is this call.
        """
        told = await self._told(call_id)
        if told is None or told.completed:
            return _Withdrawn.YES
        if told.active:
            with suppress(Unavailable, Rejected):
                await self._service.ask("POST", "/sdapi/v1/interrupt")
            return _Withdrawn.YES
        return _Withdrawn.NOT_YET if told.queued else _Withdrawn.UNSEEN

    async def _told(self, call_id: str) -> _Told | None:
        """What the server says of a call; None where it can't be asked.

        ``/sdapi/v1/progress`` would not do: it tells of whatever is worked on, and not whose it is.
        """
        asked = {"id_task": call_id, "live_preview": False}
        try:
            response = await self._service.ask(
                "POST", "/internal/progress", json=asked, timeout=_LOOK_S
            )
            told: dict[str, Any] = response.json()
            share = told.get("progress")
            percent = None if share is None else max(0, min(99, int(100 * share)))
            return _Told(told["active"], told["queued"], told["completed"], percent)
        except (Unavailable, Rejected, ValueError, KeyError, TypeError):
            # A web UI without its pages (--nowebui) has no such route.
            return None

    async def _answer(
        self, calling: asyncio.Task[httpx2.Response], body: Mapping[str, Any]
    ) -> httpx2.Response:
        try:
            return await calling
        except Unavailable:
            # An unknown checkpoint ends in a 500 like any fault, but no attempt will find it.
            model = body["override_settings"].get("sd_model_checkpoint")
            if model is not None and not await self._has(model):
                raise Rejected(f"Forge has no checkpoint {model!r}.") from None
            raise

    async def _has(self, model: str) -> bool:
        """Whether the server lists a checkpoint, by any of its names; yes if it can't be asked."""
        try:
            listed = (await self._service.ask("GET", "/sdapi/v1/sd-models")).json()
        except (Unavailable, Rejected, ValueError):
            return True
        names = {str(name) for each in listed for name in each.values()}
        names |= {
            str(each.get("filename", "")).replace("\\", "/").split("/")[-1] for each in listed
        }
        names |= {name.rpartition(".")[0] for name in names}
        return model in names


def _call_id(task_id: str, attempt: int) -> str:
    return f"task({task_id}-{attempt})"


async def _request(job: Job, call_id: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of the call. Raises `Rejected`."""
    if len(job.reference_images) > 1:
        raise Rejected("Forge works from one reference picture at most.", code="invalid_input")
    params = job.params
    settings = dict(params.get("override_settings", {}))
    if "model" in params:
        settings["sd_model_checkpoint"] = params["model"]
    body: dict[str, Any] = {
        "prompt": job.prompt or "",
        "steps": _STEPS,
        **{name: params[name] for name in _SENT if name in params},
        "n_iter": params.get("num_images", 1),
        "batch_size": 1,
        "override_settings": settings,
        "override_settings_restore_afterwards": True,
        "force_task_id": call_id,
        "send_images": True,
        "save_images": False,
    }
    if not job.reference_images:
        return "/sdapi/v1/txt2img", body
    picture = await job.fetch(job.reference_images[0])
    body["init_images"] = [base64.b64encode(picture).decode()]
    return "/sdapi/v1/img2img", body


def _pictures(response: httpx2.Response, wanted: int) -> list[bytes]:
    """The pictures of an answer, without the sheet that shows all of them and the maps of scripts.

    Raises `Unavailable` for fewer than were asked for: somebody has interrupted it.
    """
    try:
        told = response.json()
        first = json.loads(told.get("info") or "{}").get("index_of_first_image", 0)
        encoded = told["images"][first : first + wanted]
        pictures = [base64.b64decode(each.partition(",")[2] or each) for each in encoded]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise Unavailable("Forge answered with something else than pictures.") from None
    if len(pictures) < wanted:
        raise Unavailable("Forge was interrupted before all pictures were made.")
    return pictures


def _words(response: httpx2.Response) -> str | None:
    try:
        told = response.json()
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    detail = told.get("detail") or told.get("errors") or told.get("error")
    if isinstance(detail, list):
        return "; ".join(str(each.get("msg")) for each in detail if isinstance(each, dict))
    return str(detail) if detail else None
