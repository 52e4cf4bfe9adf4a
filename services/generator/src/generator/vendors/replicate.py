"""The provider ``replicate``: any model, version or deployment of Replicate.

Not by Replicate's own client library: the settled one (1.x) takes the status ``aborted`` for an
answer that can't be read, the next one (2.x) repeats submits, and a prediction that is created
twice is paid twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote

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
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.vendors.hosted import (
    Link,
    data_of,
    data_url,
    fitting,
    glb_or,
    input_of,
    is_passing,
    links_in,
    media_type,
    params_schema,
    percent_in,
)
from generator.vendors.http import Service, Unanswered, measured, short
from generator.vendors.polling import SILENCE_S, Patience, pauses

_REFERENCES_IN = "image"
_LARGEST_INLINE = 256 * 1024
"""Bytes: what Replicate recommends at most in a data URL; what is larger is uploaded."""
_PAGES = 5
"""So many pages of a hundred are looked through for a prediction whose id nobody heard."""
_RUNNING = frozenset({"starting", "processing"})
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_DEPLOYMENT = "deployments/"
_MODEL = {
    "type": "string",
    "pattern": rf"^(({_DEPLOYMENT})?{_NAME}/{_NAME}|({_NAME}/{_NAME}:)?[0-9a-f]{{64}})$",
    "description": "owner/name, owner/name:version, a version's id, or deployments/owner/name.",
}
_PARAMS = params_schema(model=_MODEL, references_in=_REFERENCES_IN)


class ReplicateSettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    replicate_api_token: SecretStr | None = None
    replicate_url: str = "https://api.replicate.com"


class ReplicateProvider:
    """Predictions at Replicate. The handle: ``id``."""

    name = "replicate"
    settings = ReplicateSettings
    execution = Execution.REMOTE
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(_PARAMS, "Pictures by models on Replicate", 600, silence_s=SILENCE_S),
        "IMAGE": Offer(_PARAMS, "Pictures by models on Replicate", 600, silence_s=SILENCE_S),
        "VIDEO": Offer(_PARAMS, "Videos by models on Replicate", 1800, silence_s=SILENCE_S),
    }

    def __init__(
        self,
        settings: ReplicateSettings | None = None,
        *,
        poll_s: tuple[float, float] = (1.0, 5.0),
    ) -> None:
        settings = settings or ReplicateSettings()
        if settings.replicate_api_token is None:
            raise NotConfigured(
                "Set DARKROOM_REPLICATE_API_TOKEN to a token of "
                "https://replicate.com/account/api-tokens."
            )
        token = settings.replicate_api_token.get_secret_value()
        self._poll_s = poll_s
        self._takes_http = not settings.replicate_url.startswith("https://")
        self._api = Service(
            "Replicate",
            settings.replicate_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout_s=60,
            words=_words,
        )

    async def submit(self, job: Job, key: str) -> Submitted:
        links = [await self._reference(await job.fetch(each)) for each in job.reference_images]
        path, body = _target(job.params["model"])
        body["input"] = input_of(job, links, references_in=_REFERENCES_IN, count_in="num_outputs")
        webhook = self._webhook(job)
        if webhook is not None:
            body |= {"webhook": webhook, "webhook_events_filter": ["start", "completed"]}
        response = await self._api.submit(
            "POST", path, json=body, headers={"Prefer": "respond-async"}
        )
        told = _object(response)
        if not isinstance(told.get("id"), str):
            raise Unanswered("Replicate's answer to a submit has no id")
        return Submitted(told["id"], {"id": told["id"]})

    async def find(self, job: Job, key: str) -> Submitted | None:
        """The newest predictions are looked through for the one that calls this task back.

        Nothing else tells whose it is: two tasks may want the same of the same model. That it isn't
        there proves nothing, as nobody promises when it would be.
        """
        webhook = self._webhook(job)
        if webhook is None:
            raise StillUnknown("Replicate tells whose a prediction is by its webhook alone.")
        path = "/v1/predictions"
        for _ in range(_PAGES):
            page = _object(await self._api.ask("GET", path))
            for each in page.get("results") or ():
                if each.get("webhook") == webhook and isinstance(each.get("id"), str):
                    return Submitted(each["id"], {"id": each["id"]})
            more = self._next(page)
            if more is None:
                break
            path = more
        raise StillUnknown("Replicate lists no prediction with this task's webhook.")

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        percent = 0
        patience = Patience()
        for pause in pauses(*self._poll_s):
            told = await patience.answer(self._known(submitted))
            if told is not None:
                percent = max(percent, percent_in(str(told.get("logs") or "")))
                if told.get("status") not in _RUNNING:
                    _check(told)
                    break
            yield Progress(percent)
            # Whoever calls, Replicate or not: what it says is read there.
            await job.called_back(max(pause, patience.retry_after_s))
        yield Progress(percent)
        for link in _files(job, told):
            yield await self._output(link)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        try:
            told = await self._prediction(submitted)
            if told.get("status") not in _RUNNING:
                _check(told)
        except Rejected as refusal:
            if refusal.params.get("status") in {401, 402, 403}:
                raise
            return False
        except _PredictionFailed:
            return False
        return True

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        try:
            await self._api.ask("POST", f"{_place(submitted)}/cancel")
        except Rejected as refusal:
            if refusal.params.get("status") in {401, 402, 403}:
                raise

    async def check(self) -> str:
        account = _object(await self._api.ask("GET", "/v1/account"))
        return f"answers, and takes the token of {account.get('username')}"

    async def aclose(self) -> None:
        await self._api.aclose()

    def _webhook(self, job: Job) -> str | None:
        """Replicate itself calls https addresses only, and refuses to be given others."""
        url = job.callback_url
        return url if url and (self._takes_http or url.startswith("https://")) else None

    def _next(self, page: Mapping[str, Any]) -> str | None:
        """The address of the next page, if it is Replicate's: our token goes with it."""
        url = page.get("next")
        if not isinstance(url, str):
            return None
        ours = self._api.client.base_url
        wanted = ours.join(url)
        is_theirs = (wanted.scheme, wanted.host, wanted.port) == (ours.scheme, ours.host, ours.port)
        return str(wanted) if is_theirs else None

    async def _prediction(self, submitted: Submitted) -> Mapping[str, Any]:
        return _object(await self._api.ask("GET", _place(submitted)))

    async def _known(self, submitted: Submitted) -> Mapping[str, Any]:
        try:
            return await self._prediction(submitted)
        except Rejected as refusal:
            if refusal.params.get("status") != 404:
                raise
        # Waited for like any trouble: a new prediction may not be known everywhere yet.
        raise Unavailable("Replicate no longer knows the prediction.")

    async def _reference(self, content: bytes) -> str:
        content_type = media_type(content)
        if len(content) <= _LARGEST_INLINE:
            return data_url(content, content_type)
        name = f"reference.{content_type.rpartition('/')[2]}"
        told = _object(
            await self._api.ask(
                "POST", "/v1/files", files={"content": (name, content, content_type)}
            )
        )
        url = told.get("urls", {}).get("get")
        if not isinstance(url, str):
            raise Unavailable("Replicate took no upload of a reference image.")
        return url

    async def _output(self, link: Link) -> Output:
        if link.url.startswith("data:"):
            made = await measured(*data_of(link.url))
        else:
            made = await self._api.download(link.url)
        content_type = glb_or(made.content, made.content_type)
        return Output(made.content, content_type, made.width, made.height)


class _PredictionFailed(Unavailable):
    """It ended without a result, by no fault of the request."""


def _target(model: str) -> tuple[str, dict[str, Any]]:
    """Where a prediction by ``model`` is created, and what names the model there."""
    if model.startswith(_DEPLOYMENT):
        return f"/v1/{model}/predictions", {}
    return "/v1/predictions", {"version": model}


def _place(submitted: Submitted) -> str:
    """Not the address in the answer: our token would go wherever that points."""
    return f"/v1/predictions/{quote(submitted.handle['id'], safe='')}"


def _check(told: Mapping[str, Any]) -> None:
    """Raises what a prediction that has ended means to the task, if that is no result."""
    status = told.get("status")
    error = str(told.get("error") or "")
    words = f" It says: {short(error)}" if error else ""
    if status == "aborted":
        raise _PredictionFailed(f"Replicate did not begin in time.{words}")
    if status == "canceled":
        raise Rejected("The prediction was cancelled at Replicate.")
    if status != "succeeded":
        failure = f"The model on Replicate failed.{words}"
        raise _PredictionFailed(failure) if is_passing(error) else Rejected(failure)
    if told.get("data_removed") or told.get("output") is None:
        raise Rejected("Replicate has deleted the result: it keeps it for an hour.")


def _files(job: Job, told: Mapping[str, Any] | None) -> list[Link]:
    links = fitting(job.type, links_in(told["output"] if told else None))
    if not links:
        raise Rejected("The model on Replicate made no file.")
    return links


def _object(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _words(response: httpx2.Response) -> str | None:
    """Problems as in RFC 7807, and what is wrong with which field."""
    told = _object(response)
    fields = told.get("invalid_fields")
    if isinstance(fields, list) and fields:
        return "; ".join(
            f"{each.get('field')}: {each.get('description')}"
            for each in fields
            if isinstance(each, dict)
        )
    detail = told.get("detail") or told.get("title")
    return detail if isinstance(detail, str) else None
