"""The provider ``cog``: a model in a container that Cog built, which somebody here runs.

Cog keeps no results: a prediction is forgotten when it ends, and only who is connected then hears
of it. A model that streams is begun on its own, and listened to: whoever knows its id can go on
listening after a crash. One that doesn't stream answers on the connection that began it; Cog stops
it when that breaks, and it is then computed again under its id.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import httpx2
from pydantic_settings import BaseSettings, SettingsConfigDict

from generator.provider import (
    Busy,
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
from generator.vendors.cog_schema import REFERENCES_IN, fields_of, model_input, streams_by
from generator.vendors.cog_stream import events
from generator.vendors.hosted import (
    Link,
    data_of,
    fitting,
    glb_or,
    is_passing,
    links_in,
    params_schema,
    percent_in,
)
from generator.vendors.http import Service, Unanswered, measured, short
from generator.vendors.polling import Patience, pauses

_SILENCE_S = 45.0
_TITLE = "Pictures by a model of one's own"
"""Three comments that didn't come: the connection is dead."""
_KEY_LASTS_S = 3600.0
_LOOK = {"input": "?"}
"""No model takes a text for its fields: as a prediction it is refused, and none begins. But before
that Cog looks whether it has one of that id."""
_STREAM = {"Accept": "text/event-stream"}
_ASYNC = {"Prefer": "respond-async"}
_PARAMS = params_schema(model=None, references_in=REFERENCES_IN)


class CogSettings(BaseSettings):
    """Prefix ``DARKROOM_``; see docs/configuration.md."""

    model_config = SettingsConfigDict(
        env_prefix="DARKROOM_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    cog_url: str | None = None


class CogProvider:
    """Predictions by the model at one address. The handle: ``id``, and whether it ``streams``.

    A key may be used again for as long as anybody could want to: it names the prediction that is
    running, and when that has ended unheard, there is nothing of it that could be had twice.
    """

    name = "cog"
    settings = CogSettings
    execution = Execution.REMOTE
    offers: Mapping[str, Offer] = {
        "CREATE": Offer(_PARAMS, _TITLE, 600, _KEY_LASTS_S, silence_s=_SILENCE_S),
        "IMAGE": Offer(_PARAMS, _TITLE, 600, _KEY_LASTS_S, silence_s=_SILENCE_S),
    }

    def __init__(
        self,
        settings: CogSettings | None = None,
        *,
        poll_s: tuple[float, float] = (0.5, 5.0),
        silence_s: float = _SILENCE_S,
    ) -> None:
        settings = settings or CogSettings()
        if settings.cog_url is None:
            raise NotConfigured("Set DARKROOM_COG_URL to where a container built by Cog listens.")
        self._poll_s = poll_s
        self._api = Service("cog", settings.cog_url, words=_words)
        self._while_listening = httpx2.Timeout(30.0, read=silence_s)
        self._while_computed = httpx2.Timeout(30.0, read=None)
        self._streams: dict[str, httpx2.Response] = {}
        self._runs: dict[str, asyncio.Task[Mapping[str, Any]]] = {}

    async def submit(self, job: Job, key: str) -> Submitted:
        prediction_id = id_of(key)
        schema = await self._schema()
        wanted = await model_input(job, schema)
        streams = streams_by(schema)
        if streams:
            await self._begin(prediction_id, wanted)
        else:
            await self._connect(prediction_id, wanted)
        return Submitted(prediction_id, {"id": prediction_id, "streams": streams})

    async def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        prediction_id = submitted.handle["id"]
        if submitted.handle["streams"]:
            told = self._listened(prediction_id)
        else:
            told = self._awaited(job, prediction_id)
        percent, end = 0, None
        async with aclosing(told):
            async for each in told:
                if isinstance(each, int):
                    percent = max(percent, each)
                    yield Progress(percent)
                else:
                    end = each
        for link in _files(job, end):
            yield await self._output(link)

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        """Whether the prediction runs; one without a stream can be computed again in any case.

        Its connection is gone, and Cog has stopped it for that.
        """
        await self._check_health()
        if not submitted.handle["streams"]:
            return True
        prediction_id = submitted.handle["id"]
        if prediction_id not in self._streams:
            stream = await self._look(prediction_id)
            if stream is None:
                return False
            self._streams[prediction_id] = stream
        return True

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        prediction_id = submitted.handle["id"]
        await self._let_go(prediction_id)
        try:
            await self._api.ask("POST", f"{_place(prediction_id)}/cancel")
        except Rejected as refusal:
            if refusal.params.get("status") != 404:
                raise

    async def check(self) -> str:
        """It is there, and the model tells what it takes."""
        schema = await self._schema()
        return f"is ready; the model takes {', '.join(sorted(fields_of(schema)))}"

    async def aclose(self) -> None:
        for prediction_id in {*self._streams, *self._runs}:
            await self._let_go(prediction_id)
        await self._api.aclose()

    # Models that stream.

    async def _begin(self, prediction_id: str, wanted: Mapping[str, Any]) -> None:
        """Begin the prediction, unless it runs already, and listen from then on."""
        stream = await self._look(prediction_id)
        if stream is None:
            await self._put(prediction_id, {"input": wanted}, headers=_ASYNC)
            stream = await self._look(prediction_id)
        if stream is None:
            # It was over before anybody listened: it is computed again, heard from its start.
            stream = await self._opened(prediction_id, {"input": wanted})
        if stream is None:
            raise Unanswered("cog took a prediction and does not let it be heard")
        self._streams[prediction_id] = stream

    async def _look(self, prediction_id: str) -> httpx2.Response | None:
        """The stream of the prediction, from its first event; None if it isn't running."""
        try:
            return await self._opened(prediction_id, _LOOK)
        except httpx2.HTTPError as fault:
            raise Unavailable(f"cog can't be reached ({type(fault).__name__}).") from None

    async def _opened(self, prediction_id: str, body: Mapping[str, Any]) -> httpx2.Response | None:
        client = self._api.client
        request = client.build_request(
            "PUT",
            _place(prediction_id),
            json=body,
            headers=_STREAM,
            timeout=self._while_listening,
        )
        response = await client.send(request, stream=True)
        if response.status_code == 200:
            return response
        try:
            await response.aread()
        finally:
            await response.aclose()
        if response.status_code not in {404, 406, 422}:
            self._check(response)
        return None

    async def _listened(self, prediction_id: str) -> AsyncGenerator[int | Mapping[str, Any]]:
        """The percents that are printed, then the prediction as it ended."""
        stream = self._streams.pop(prediction_id, None) or await self._look(prediction_id)
        if stream is None:
            raise Unavailable("cog no longer knows the prediction.")
        is_whole = True
        try:
            async for event in events(stream):
                if event.name == "completed":
                    yield event.told
                    return
                if event.name == "error":
                    is_whole = False
                    break
                yield percent_in(str(event.told.get("data", "")))
        except httpx2.HTTPError as fault:
            raise Unavailable(f"The connection to cog broke ({type(fault).__name__}).") from None
        finally:
            await stream.aclose()
        if not is_whole:
            # What was dropped doesn't come again: the result could never be heard.
            await self._api.ask("POST", f"{_place(prediction_id)}/cancel")
            raise Unavailable("cog dropped what the model told.")
        raise Unavailable("cog ended the prediction's stream before the prediction.")

    # Models that do not.

    async def _connect(self, prediction_id: str, wanted: Mapping[str, Any]) -> None:
        """Begin the prediction on a connection of its own, and see that it was taken."""
        run = asyncio.create_task(self._computed(prediction_id, wanted))
        try:
            for pause in pauses(0.005, 0.1):
                await asyncio.wait({run}, timeout=pause)
                if run.done() or await self._running(prediction_id) is not None:
                    break
            if run.done():
                run.result()
        except BaseException:
            await _stopped(run)
            raise
        self._runs[prediction_id] = run

    async def _computed(self, prediction_id: str, wanted: Mapping[str, Any]) -> Mapping[str, Any]:
        """The prediction as it ended. While an earlier connection has it, it is waited for."""
        for pause in pauses(0.05, 1.0):
            response = await self._put(
                prediction_id, {"input": wanted}, timeout=self._while_computed
            )
            if response.status_code != 202:
                return _object(response)
            await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    async def _running(self, prediction_id: str) -> Mapping[str, Any] | None:
        """The prediction as it is now; None if it isn't running."""
        try:
            response = await self._api.ask("PUT", _place(prediction_id), json=_LOOK, headers=_ASYNC)
        except Rejected as refusal:
            if refusal.params.get("status") != 422:
                raise
            return None
        return _object(response)

    async def _awaited(
        self, job: Job, prediction_id: str
    ) -> AsyncGenerator[int | Mapping[str, Any]]:
        """The percents that are printed, then the prediction as it ended."""
        run = self._runs.pop(prediction_id, None)
        if run is None:
            wanted = await model_input(job, await self._schema())
            run = asyncio.create_task(self._computed(prediction_id, wanted))
        patience = Patience()
        try:
            for pause in pauses(*self._poll_s):
                await asyncio.wait({run}, timeout=pause)
                if run.done():
                    break
                told = await patience.answer(self._running(prediction_id))
                yield percent_in(str((told or {}).get("logs", "")))
            yield run.result()
        except Unanswered as trouble:
            raise Unavailable(f"The connection to cog broke: {trouble}.") from None
        finally:
            await _stopped(run)

    # Both.

    async def _put(self, prediction_id: str, body: Any, **sent: Any) -> httpx2.Response:
        try:
            return await self._api.submit("PUT", _place(prediction_id), json=body, **sent)
        except Rejected as refusal:
            if refusal.params.get("status") == 409:
                raise Busy("cog has all its slots in use.") from None
            raise

    def _check(self, response: httpx2.Response) -> None:
        if response.status_code == 409:
            raise Busy("cog has all its slots in use.")
        self._api.check(response)

    async def _check_health(self) -> None:
        """Raises `Unavailable` unless the model works, or could."""
        told = _object(await self._api.ask("GET", "/health-check"))
        status = told.get("status")
        if status not in {"READY", "BUSY"}:
            raise Unavailable(f"The model at cog is not ready ({short(str(status))}).")

    async def _schema(self) -> Mapping[str, Any]:
        """What the model takes. Without it nobody could look for a prediction and begin none."""
        await self._check_health()
        try:
            response = await self._api.client.get("/openapi.json")
        except httpx2.HTTPError as fault:
            raise Unavailable(f"cog can't be reached ({type(fault).__name__}).") from None
        # 503, while it is well, says that there is none.
        schema = {} if response.status_code == 503 else _object(response)
        if not fields_of(schema):
            raise Rejected(
                "The model at cog does not tell what it takes. The operator has to build it anew."
            )
        return schema

    async def _let_go(self, prediction_id: str) -> None:
        stream = self._streams.pop(prediction_id, None)
        if stream is not None:
            await stream.aclose()
        run = self._runs.pop(prediction_id, None)
        if run is not None:
            await _stopped(run)

    async def _output(self, link: Link) -> Output:
        if link.url.startswith("data:"):
            made = await measured(*data_of(link.url))
        else:
            made = await self._api.download(link.url)
        content_type = glb_or(made.content, made.content_type)
        return Output(made.content, content_type, made.width, made.height)


def id_of(key: str) -> str:
    """The id of the prediction that is submitted under ``key``: 26 characters, as Cog advises."""
    digest = hashlib.sha256(key.encode()).digest()[:16]
    return base64.b32encode(digest).decode().lower().rstrip("=")


def _place(prediction_id: str) -> str:
    return f"/predictions/{prediction_id}"


def _files(job: Job, end: Mapping[str, Any] | None) -> list[Link]:
    """The files of a prediction that has ended. Raises what it means that it has none."""
    told = end or {}
    status, error = told.get("status"), str(told.get("error") or "")
    if status == "canceled":
        raise Rejected("The prediction was cancelled at cog.")
    if status != "succeeded":
        failure = f"The model at cog failed.{f' It says: {short(error)}' if error else ''}"
        raise Unavailable(failure) if is_passing(error) else Rejected(failure)
    links = fitting(job.type, links_in(told.get("output")))
    if not links:
        raise Rejected("The model at cog made no file.")
    return links


async def _stopped(run: asyncio.Task[Mapping[str, Any]]) -> None:
    """Its connection closes, and Cog stops the prediction."""
    run.cancel()
    await asyncio.wait({run})
    if not run.cancelled():
        run.exception()


def _object(response: httpx2.Response) -> Mapping[str, Any]:
    try:
        told = json.loads(response.content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _words(response: httpx2.Response) -> str | None:
    told = _object(response)
    detail, error = told.get("detail"), told.get("error")
    if isinstance(detail, list):
        return "; ".join(
            f"{(each.get('loc') or ['?'])[-1]}: {each.get('msg')}"
            for each in detail
            if isinstance(each, dict)
        )
    return error if isinstance(error, str) else None
