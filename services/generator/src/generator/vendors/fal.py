"""The provider ``fal``: any model of fal's queue, by its endpoint id.

Not by fal's own client library: it sends a submit again when its answer is lost, under no key, and
a job that is taken twice is paid twice. What it is careful about: a job that failed is COMPLETED
like any other, with an ``error``, or with a result that is an error.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx2
from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from generator.provider import (
    Callback,
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
from generator.vendors.fal_webhooks import is_genuine, keys_of
from generator.vendors.hosted import (
    Link,
    data_of,
    data_url,
    fitting,
    glb_or,
    input_of,
    links_in,
    media_type,
    params_schema,
    percent_in,
)
from generator.vendors.http import Service, Unanswered, measured, short
from generator.vendors.polling import SILENCE_S, Patience, pauses

_DEFAULT_3D = "fal-ai/trellis"
_REFERENCES_IN = "image_url"
_LARGEST_INLINE = 256 * 1024
"""Bytes: a reference that is larger is uploaded, and its link handed over."""
_KEYS_LAST_S = 24 * 3600.0
_KEYS_PAUSE_S = 60.0
"""A call that no known key has signed may tell of a new one; but anybody can call."""
_NAMESPACES = frozenset({"workflows", "comfy"})
_PASSING = ("runner_", "startup_timeout", "request_timeout", "internal_error")
"""Beginnings of the ``error_type`` of failures that say nothing against the request."""
_MODEL = {
    "type": "string",
    "pattern": r"^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*){1,6}$",
    "description": "The endpoint's id, such as fal-ai/flux/dev.",
}
_PARAMS = params_schema(model=_MODEL, references_in=_REFERENCES_IN)
_PARAMS_3D = params_schema(
    model={**_MODEL, "default": _DEFAULT_3D}, references_in=_REFERENCES_IN, is_required=False
)


class FalSettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    fal_key: SecretStr | None = None
    fal_url: str = "https://queue.fal.run"
    fal_rest_url: str = "https://rest.fal.ai"
    """Where files are uploaded, and the keys are that webhooks are signed with."""


class FalProvider:
    """Jobs in fal's queue. The handle: ``model`` and ``request_id``."""

    name = "fal"
    settings = FalSettings
    execution = Execution.REMOTE
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(_PARAMS, "Pictures by fal's models", 600, silence_s=SILENCE_S),
        "IMAGE": Offer(_PARAMS, "Pictures by fal's models", 600, silence_s=SILENCE_S),
        "VIDEO": Offer(_PARAMS, "Videos by fal's models", 1800, silence_s=SILENCE_S),
        "PHOTO_TO_3D": Offer(_PARAMS_3D, "3D models by fal's models", 900, silence_s=SILENCE_S),
    }

    def __init__(
        self,
        settings: FalSettings | None = None,
        *,
        poll_s: tuple[float, float] = (1.0, 5.0),
        now: Callable[[], float] = time.time,
    ) -> None:
        settings = settings or FalSettings()
        if settings.fal_key is None:
            raise NotConfigured("Set DARKROOM_FAL_KEY to a key of https://fal.ai/dashboard/keys.")
        headers = {"Authorization": f"Key {settings.fal_key.get_secret_value()}"}
        self._poll_s = poll_s
        self._now = now
        self._api = Service("fal", settings.fal_url, headers=headers, words=_words)
        self._rest = Service(
            "fal", settings.fal_rest_url, headers=headers, timeout_s=120, words=_words
        )
        # Without our key: an upload goes to a link that is signed already.
        self._uploads = Service("fal", "", timeout_s=120)
        self._keys = keys_of({})
        self._keys_at = float("-inf")

    async def submit(self, job: Job, key: str) -> Submitted:
        try:
            return await self._submit(job)
        except Rejected as refusal:
            if job.type == "PHOTO_TO_3D" and refusal.stage is None:
                refusal.stage = "job_creation_failed"
            raise

    async def _submit(self, job: Job) -> Submitted:
        model = job.params.get("model", _DEFAULT_3D)
        links = [await self._reference(await job.fetch(each)) for each in job.reference_images]
        response = await self._api.submit(
            "POST",
            f"/{model}",
            params={"fal_webhook": job.callback_url} if job.callback_url else {},
            json=input_of(job, links, references_in=_REFERENCES_IN, count_in="num_images"),
        )
        request_id = _object(response).get("request_id")
        if not isinstance(request_id, str):
            raise Unanswered("fal's answer to a submit has no request_id")
        return Submitted(request_id, {"model": model, "request_id": request_id})

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        is_3d = job.type == "PHOTO_TO_3D"
        yield Progress(0, "job_created" if is_3d else None)
        percent = 0
        patience = Patience()
        result: Mapping[str, Any] | None = None
        for pause in pauses(*self._poll_s):
            status = await patience.answer(self._known_status(submitted))
            if status is not None:
                percent = max(percent, _percent(status))
                if status.get("status") == "COMPLETED":
                    _check(status)
                    result = await patience.answer(self._result(submitted))
            if result is not None:
                break
            yield Progress(percent)
            callback = await job.called_back(max(pause, patience.retry_after_s))
            if callback is not None:
                result = await self._told_by(callback, submitted)
                if result is not None:
                    break
        links = _files(job, result)
        yield Progress(percent, "model_generated" if is_3d else None)
        for link in links:
            yield await self._output(link)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        try:
            status = await self._status(submitted)
            if status.get("status") != "COMPLETED":
                return True
            _check(status)
            await self._result(submitted)
        except Rejected as refusal:
            if refusal.params.get("status") in {401, 402, 403}:
                raise
            return False
        except _JobFailed:
            return False
        return True

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        try:
            await self._api.ask("PUT", f"{_place(submitted)}/cancel")
        except Rejected as refusal:
            # 400: it has ended already; 404: it is forgotten.
            if refusal.params.get("status") not in {400, 404}:
                raise

    async def aclose(self) -> None:
        for service in (self._api, self._rest, self._uploads):
            await service.aclose()

    async def _status(self, submitted: Submitted) -> Mapping[str, Any]:
        response = await self._api.ask("GET", f"{_place(submitted)}/status", params={"logs": "1"})
        return _object(response)

    async def _known_status(self, submitted: Submitted) -> Mapping[str, Any]:
        try:
            return await self._status(submitted)
        except Rejected as refusal:
            if refusal.params.get("status") != 404:
                raise
        # Waited for like any trouble: a new job may not be known everywhere yet.
        raise Unavailable("fal no longer knows the job.")

    async def _result(self, submitted: Submitted) -> Mapping[str, Any]:
        """Raises what a failed job's result means, which is an error."""
        return _object(await self._api.ask("GET", _place(submitted)))

    async def _told_by(self, callback: Callback, submitted: Submitted) -> Mapping[str, Any] | None:
        """The result in a call that fal has signed. Any other is a hint to look at the job."""
        if not await self._is_genuine(callback):
            return None
        told = _parsed(callback.body)
        payload = told.get("payload")
        is_ours = told.get("request_id") == submitted.handle["request_id"]
        good = is_ours and told.get("status") == "OK" and isinstance(payload, dict)
        return payload if good else None

    async def _is_genuine(self, callback: Callback) -> bool:
        now = self._now()
        if now - self._keys_at < _KEYS_LAST_S and is_genuine(callback, self._keys, now):
            return True
        if now - self._keys_at < _KEYS_PAUSE_S:
            return False
        self._keys_at = now
        try:
            self._keys = keys_of(_object(await self._rest.ask("GET", "/.well-known/jwks.json")))
        except (Rejected, Unavailable):
            return False
        return is_genuine(callback, self._keys, now)

    async def _reference(self, content: bytes) -> str:
        """A reference as a model can read it: itself, or a link to it in fal's storage."""
        content_type = media_type(content)
        if len(content) <= _LARGEST_INLINE:
            return data_url(content, content_type)
        begun = _object(
            await self._rest.ask(
                "POST",
                "/storage/upload/initiate",
                params={"storage_type": "fal-cdn-v3"},
                json={
                    "content_type": content_type,
                    "file_name": f"reference.{content_type.rpartition('/')[2]}",
                },
            )
        )
        try:
            upload_url, file_url = str(begun["upload_url"]), str(begun["file_url"])
        except KeyError:
            raise Unavailable("fal took no upload of a reference image.") from None
        await self._uploads.ask(
            "PUT", upload_url, content=content, headers={"Content-Type": content_type}
        )
        return file_url

    async def _output(self, link: Link) -> Output:
        if link.url.startswith("data:"):
            made = await measured(*data_of(link.url))
        else:
            made = await self._api.download(link.url)
        content_type = glb_or(made.content, made.content_type)
        return Output(made.content, content_type, made.width, made.height)


class _JobFailed(Unavailable):
    """The job ended at fal without a result, by no fault of the request."""


def _files(job: Job, result: Mapping[str, Any] | None) -> list[Link]:
    links = fitting(job.type, links_in(result, in_objects_only=True))
    if job.type == "PHOTO_TO_3D":
        links = [each for each in links if each.is_a("model")]
    if not links:
        raise Rejected("fal's model made nothing of the kind that was asked for.")
    return links


def _place(submitted: Submitted) -> str:
    """Where a job is looked at: under the application of its model, without further path.

    Addresses that an answer names are not followed: our key would go with them.
    """
    handle = submitted.handle
    parts = handle["model"].split("/")
    app = "/".join(parts[: 3 if parts[0] in _NAMESPACES else 2])
    return f"/{app}/requests/{handle['request_id']}"


def _check(status: Mapping[str, Any]) -> None:
    """Raises what a job that is COMPLETED, but failed, means to the task."""
    error, kind = status.get("error"), str(status.get("error_type") or "")
    if not error and not kind:
        return
    words = f" It says: {short(str(error))}" if error else ""
    if kind.startswith(_PASSING):
        raise _JobFailed(f"fal could not run the model ({kind}).{words}")
    if kind == "client_cancelled":
        raise Rejected("The job was cancelled at fal.")
    raise Rejected(f"fal's model failed.{words}")


def _percent(status: Mapping[str, Any]) -> int:
    logs = status.get("logs") or ()
    texts = [str(each.get("message", "")) for each in logs if isinstance(each, dict)]
    return percent_in("\n".join(texts))


def _object(response: httpx2.Response) -> Mapping[str, Any]:
    return _parsed(response.content)


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _words(response: httpx2.Response) -> str | None:
    """``detail`` is a text, or a list with what is wrong with which field."""
    detail = _object(response).get("detail")
    if isinstance(detail, str):
        return detail
    if not isinstance(detail, list):
        return None
    told = [
        f"{'.'.join(str(part) for part in each.get('loc', ()) if part != 'body')}: {each['msg']}"
        for each in detail
        if isinstance(each, dict) and "msg" in each
    ]
    return "; ".join(told) or None
