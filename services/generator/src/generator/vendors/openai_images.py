"""Pictures through OpenAI's own library. It is imported by who has a key, see `OpenAIProvider`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import httpx2
import openai

from generator.provider import Output, Rejected, Unavailable
from generator.vendors.http import Service, Unanswered

_T = TypeVar("_T")
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_LONGEST_S = 900.0
_FOR_EDITS = frozenset(
    {"model", "size", "quality", "background", "output_format", "output_compression"}
)


class Images:
    """Calls that cost money, and are made once: the library would repeat them unasked."""

    def __init__(self, service: Service, key: str, url: str) -> None:
        self._service = service
        self._client = openai.AsyncOpenAI(
            api_key=key,
            base_url=url,
            max_retries=0,
            timeout=openai.Timeout(_LONGEST_S, connect=10.0),
        )

    async def make(
        self, prompt: str, params: Mapping[str, Any], references: Sequence[Output]
    ) -> list[bytes | str]:
        """Pictures, or links to them. Raises as `Service.submit` does."""
        wanted = {name: value for name, value in params.items() if name != "service"}
        count = wanted.pop("num_images", 1)
        if references:
            wanted = {name: value for name, value in wanted.items() if name in _FOR_EDITS}
            files = [
                (f"reference-{number}", each.content, each.content_type)
                for number, each in enumerate(references)
            ]
            call = self._client.images.edit(image=files, prompt=prompt, n=count, **wanted)
        else:
            call = self._client.images.generate(prompt=prompt, n=count, **wanted)
        answer = await self._paid(call)
        made = [_made(each.b64_json, each.url) for each in answer.data or ()]
        if not made:
            raise Rejected("OpenAI made no picture.")
        return made

    async def aclose(self) -> None:
        await self._client.close()

    async def _paid(self, call: Awaitable[_T]) -> _T:
        """What the library raises, in the words of `Service`."""
        try:
            return await call
        except openai.APIConnectionError as fault:
            kind = type(fault.__cause__ or fault).__name__
            if isinstance(fault.__cause__, _NOT_SENT):
                raise Unavailable(f"OpenAI can't be reached ({kind}).") from None
            raise Unanswered(f"OpenAI did not answer ({kind})") from None
        except openai.APIStatusError as answer:
            told = answer.response
            wait = {name: told.headers[name] for name in ("retry-after",) if name in told.headers}
            self._service.check_submit(
                httpx2.Response(answer.status_code, headers=wait, content=told.content)
            )
            raise


def _made(encoded: str | None, link: str | None) -> bytes | str:
    if encoded is None:
        if not link:
            raise Unanswered("OpenAI answered with neither a picture nor a link")
        return link
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error as damage:
        raise Unanswered("OpenAI answered with a picture that can't be read") from damage
