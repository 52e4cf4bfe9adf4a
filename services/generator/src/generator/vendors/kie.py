"""The provider ``kie``: models that Kie.ai resells, its market, Veo and Midjourney.

What it is careful about: an answer of 200 may be an error, in its body; moderation and other
failures come late, through the record of a job; a callback isn't signed over its body, so that it
is a hint to read the record; a job can neither be cancelled nor created under a key.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from itertools import islice
from typing import Any

import httpx2
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from generator.provider import (
    Busy,
    Callback,
    Execution,
    Job,
    Limits,
    NotConfigured,
    Offer,
    Output,
    Progress,
    Rate,
    Rejected,
    StillUnknown,
    Submitted,
    Unavailable,
)
from generator.vendors.http import Service, Unanswered, measured
from generator.vendors.kie_params import FAMILIES, IMAGE_PARAMS, VIDEO_PARAMS, Order, order_of
from generator.vendors.kie_records import DONE, NO_RECORD, Record, record_of
from generator.vendors.polling import SILENCE_S, Patience, pauses

# Cloudflare before Kie turns away what doesn't look like a browser.
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Darkroom"
_IMAGE_S = 600
_VIDEO_S = 1800
_BUSY_S = 2.0
_BLIND_POLLS = 5
"""A new job may have no record yet: one that has none so often is lost."""


class KieSettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    kie_api_key: SecretStr | None = None
    kie_url: str = "https://api.kie.ai"
    kie_upload_url: str = "https://kieai.redpandaai.co"
    kie_hold_s: float = Field(default=60, ge=0)
    """How long a job is waited for of which only a callback can tell."""


class KieProvider:
    """Jobs at Kie; a task has several where a model makes one picture at a time.

    The handle: ``family``, ``jobs`` (ids), ``references`` (links to what was uploaded),
    ``handing_over`` while one more job is being created, and ``unknown``, how many creations
    nobody heard the answer of. Those are never repeated.
    """

    name = "kie"
    settings = KieSettings
    execution = Execution.REMOTE
    limits = Limits(rate=Rate(20, 10))
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(
            IMAGE_PARAMS, "Pictures by Imagen, Midjourney and others", _IMAGE_S, silence_s=SILENCE_S
        ),
        "IMAGE": Offer(
            IMAGE_PARAMS, "Pictures by Imagen, Midjourney and others", _IMAGE_S, silence_s=SILENCE_S
        ),
        "VIDEO": Offer(
            VIDEO_PARAMS, "Videos by Veo, Sora and others", _VIDEO_S, silence_s=SILENCE_S
        ),
    }

    def __init__(
        self, settings: KieSettings | None = None, *, poll_s: tuple[float, float] = (1.0, 5.0)
    ) -> None:
        settings = settings or KieSettings()
        if settings.kie_api_key is None:
            raise NotConfigured("Set DARKROOM_KIE_API_KEY to a key of https://kie.ai/api-key.")
        self._hold_s = settings.kie_hold_s
        self._poll_s = poll_s
        key = settings.kie_api_key.get_secret_value()
        headers = {"Authorization": f"Bearer {key}", "User-Agent": _AGENT}
        self._api = Service("Kie", settings.kie_url, headers=headers, words=_words)
        self._uploads = Service(
            "Kie", settings.kie_upload_url, headers=headers, timeout_s=120, words=_words
        )

    async def submit(self, job: Job, key: str) -> Submitted:
        order = _order(job)
        references = await self._upload(job)
        job_id = await self._create(job, order, references)
        return Submitted(
            job_id, {"family": order.family, "jobs": [job_id], "references": references}
        )

    async def find(self, job: Job, key: str) -> Submitted | None:
        """The job that Kie calls back about: it can't be asked for what it was given."""
        if job.callback_url is None:
            raise StillUnknown("Kie tells of jobs by callback alone, and can't reach this place.")
        order = _order(job)
        job_id = await self._adopt(job, order, ())
        if job_id is None:
            raise StillUnknown("Kie did not call back.")
        return Submitted(job_id, {"family": order.family, "jobs": [job_id]})

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        order = _order(job)
        handle = dict(submitted.handle)
        if handle.pop("handing_over", False):
            handle["unknown"] = handle.get("unknown", 0) + 1
        while len(handle["jobs"]) + handle.get("unknown", 0) < order.jobs:
            if "references" not in handle:
                handle["references"] = await self._upload(job)
            yield Progress(0, handle={**handle, "handing_over": True})
            creation, stop = await _to_the_end(self._create(job, order, handle["references"]))
            fault = creation.exception()
            not_taken = fault if isinstance(fault, Rejected | Unavailable) else None
            if fault is None:
                handle["jobs"] = [*handle["jobs"], creation.result()]
            elif not_taken is None:
                handle["unknown"] = handle.get("unknown", 0) + 1
            yield Progress(0, handle=dict(handle))
            if stop is not None:
                raise stop
            if isinstance(not_taken, Busy):
                await job.called_back(not_taken.retry_after_s or _BUSY_S)
            elif not_taken is not None:
                raise not_taken
        outputs: dict[str, list[Output]] = {}
        async for each in self._until_done(job, order, handle, outputs):
            yield each
        for job_id in handle["jobs"]:
            for output in outputs[job_id]:
                yield output

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        family, jobs = submitted.handle["family"], submitted.handle["jobs"]
        for pause in islice(pauses(*self._poll_s), _BLIND_POLLS):
            records = [await self._record(family, each) for each in jobs]
            if any(record is not None and not record.has_failed for record in records):
                return True
            if None not in records:
                return False
            await job.called_back(pause)
        return False

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Kie has no call for it: a job runs to its end, and its result is left there."""

    async def check(self) -> str:
        response = await self._api.ask("GET", "/api/v1/chat/credit")
        return f"answers; {self._checked(self._api, response, paid=False)} credits are left"

    async def aclose(self) -> None:
        await self._api.aclose()
        await self._uploads.aclose()

    async def _until_done(
        self, job: Job, order: Order, handle: dict[str, Any], outputs: dict[str, list[Output]]
    ) -> AsyncIterator[Progress]:
        """Poll until each job of the handle has its results in ``outputs``."""
        blind: Counter[str] = Counter()
        patience = Patience()
        percent = 0
        for pause in pauses(*self._poll_s):
            try:
                records = await self._poll(handle, outputs, blind)
            except Unavailable as trouble:
                patience.unheard(trouble)
                await job.called_back(trouble.retry_after_s or pause)
                continue
            patience.heard()
            for job_id, record in records.items():
                if record.has_failed:
                    left = _without(job_id, handle)
                    yield Progress(percent, handle=left)
                    raise _failure(record, left)
            told = sum(record.percent for record in records.values())
            percent = max(percent, min(99, told // len(handle["jobs"])))
            yield Progress(percent)
            if len(outputs) < len(handle["jobs"]):
                callback = await job.called_back(pause)
                found = None
                if callback is not None and handle.get("unknown"):
                    found = await self._verified(job, order, callback, handle["jobs"])
            elif handle.get("unknown") and job.callback_url is not None:
                found = await self._adopt(job, order, handle["jobs"])
                if found is None:
                    return
            else:
                return
            if found is not None:
                handle["jobs"] = [*handle["jobs"], found]
                handle["unknown"] -= 1
                yield Progress(percent, handle=dict(handle))

    async def _poll(
        self, handle: Mapping[str, Any], outputs: dict[str, list[Output]], blind: Counter[str]
    ) -> dict[str, Record]:
        """The record of every job; ``blind`` counts how often one had none."""
        records = {}
        for job_id in handle["jobs"]:
            record: Record | None = DONE
            if job_id not in outputs:
                record = await self._record(handle["family"], job_id)
            if record is None:
                blind[job_id] += 1
                record = NO_RECORD if blind[job_id] >= _BLIND_POLLS else Record()
            elif record.links:
                # At once: the links die within minutes.
                outputs[job_id] = [await self._api.download(link) for link in record.links]
            records[job_id] = record
        return records

    async def _upload(self, job: Job) -> list[str]:
        """Links to the task's references at Kie, where they stay for a day or three."""
        links = []
        for number, reference in enumerate(job.reference_images):
            picture = await measured(await job.fetch(reference))
            # A file of the same name would be replaced.
            name = f"{job.task_id}-{job.attempt}-{number}"
            response = await self._uploads.ask(
                "POST",
                "/api/file-stream-upload",
                data={"uploadPath": "darkroom", "fileName": f"{name}.{_ending(picture)}"},
                files={"file": (name, picture.content, picture.content_type)},
            )
            told = self._checked(self._uploads, response, paid=False)
            link = told.get("downloadUrl") if isinstance(told, dict) else None
            if not isinstance(link, str):
                raise Unavailable("Kie took a reference picture, and did not say where it is.")
            links.append(link)
        return links

    async def _create(self, job: Job, order: Order, references: Sequence[str]) -> str:
        """A new job, by its id. Raises as `Service.submit` does."""
        body = order.body(references, job.callback_url)
        response = await self._api.submit("POST", FAMILIES[order.family].create, json=body)
        told = self._checked(self._api, response, paid=True)
        job_id = told.get("taskId") if isinstance(told, dict) else None
        if not isinstance(job_id, str) or not job_id:
            raise Unanswered("Kie answered a submit without the id of a job")
        return job_id

    async def _told(self, family: str, job_id: str) -> Mapping[str, Any] | None:
        """The record of a job as Kie tells it; None if it has none."""
        try:
            response = await self._api.ask(
                "GET", FAMILIES[family].record, params={"taskId": job_id}
            )
            told = self._checked(self._api, response, paid=False)
        except Rejected as refusal:
            if refusal.params.get("status") in {404, 422}:
                return None
            raise
        return told if isinstance(told, dict) and told else None

    async def _record(self, family: str, job_id: str) -> Record | None:
        told = await self._told(family, job_id)
        return None if told is None else record_of(told)

    async def _adopt(self, job: Job, order: Order, known: Sequence[str]) -> str | None:
        """The job of this order, beside the ``known``, that Kie calls back about in time."""
        clock = asyncio.get_running_loop().time
        until = clock() + self._hold_s
        while (left := until - clock()) > 0:
            callback = await job.called_back(left)
            if callback is None:
                return None
            job_id = await self._verified(job, order, callback, known)
            if job_id is not None:
                return job_id
        return None

    async def _verified(
        self, job: Job, order: Order, callback: Callback, known: Sequence[str]
    ) -> str | None:
        """The job of a callback, which anybody may send, if Kie itself says that it is ours."""
        job_id = _job_in(callback)
        if job_id is None or job_id in known:
            return None
        told = await self._told(order.family, job_id)
        if told is None or not order.is_of(told, job.callback_url) or record_of(told).has_failed:
            return None
        return job_id

    def _checked(self, service: Service, response: httpx2.Response, *, paid: bool) -> Any:
        """What the answer holds. Its HTTP status is 200 for many an error."""
        try:
            body = response.json()
        except ValueError:
            body = None
        code = body.get("code") if isinstance(body, dict) else None
        if code == 200:
            return body.get("data")
        if code in {455, 501}:
            raise Unavailable(f"Kie can't do this now ({code}).{service.told(response)}")
        if code == 505:
            raise Rejected(f"Kie does not offer this any more (505).{service.told(response)}")
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        wait = {
            name: response.headers[name] for name in ("retry-after",) if name in response.headers
        }
        meant = httpx2.Response(status, json=body, headers=wait)
        if paid:
            service.check_submit(meant)
        else:
            service.check(meant)
        raise AssertionError("unreachable: an error was checked")


async def _to_the_end(
    call: Coroutine[Any, Any, str],
) -> tuple[asyncio.Task[str], asyncio.CancelledError | None]:
    """A call that costs money is not cut off by who stops: what it gave has to be told first."""
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task})
    except asyncio.CancelledError as stop:
        try:
            await asyncio.wait({task})
        finally:
            task.cancel()
        return task, stop
    return task, None


def _failure(record: Record, left: Mapping[str, Any]) -> Rejected | Unavailable:
    says = f" It says: {record.words}" if record.words else ""
    # Without a job to go on with all is handed over again: also what may have been taken unheard.
    if record.is_passing and (left["jobs"] or not left.get("unknown")):
        return Unavailable(f"The job failed at Kie.{says}")
    return Rejected(f"Kie did not make this.{says}")


def _without(job_id: str, handle: Mapping[str, Any]) -> dict[str, Any]:
    """The handle for a later attempt: what else is done there is not paid for again."""
    return {**handle, "jobs": [each for each in handle["jobs"] if each != job_id]}


def _job_in(callback: Callback) -> str | None:
    try:
        body = json.loads(callback.body)
        told = body["data"]
        job_id = told.get("taskId") or told.get("task_id")
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return job_id if isinstance(job_id, str) and len(job_id) <= 200 else None


def _order(job: Job) -> Order:
    return order_of(job.type, job.prompt, job.params, references=len(job.reference_images))


def _ending(picture: Output) -> str:
    return picture.content_type.rpartition("/")[2].replace("octet-stream", "bin")


def _words(response: httpx2.Response) -> str | None:
    try:
        body = response.json()
    except ValueError:
        return None
    told = body.get("msg") or body.get("message") if isinstance(body, dict) else None
    return told if isinstance(told, str) else None
