"""A file in a request, as a form's field or as the body: never more of it than is allowed.

Over 1 MiB of it waits on disk.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from gateway.backlog import TRANSFER_S
from gateway.bodies import limited
from gateway.refusals import Refusal

FORM_OVERHEAD_BYTES = 64 * 1024
FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@asynccontextmanager
async def form_file(request: Request, most_bytes: int) -> AsyncIterator[UploadFile]:
    """The field ``file``."""
    stream = limited(request, most_bytes, "upload_too_large")
    parser = MultiPartParser(request.headers, stream, max_files=1, max_fields=16)
    try:
        async with _in_time():
            form = await parser.parse()
    except MultiPartException as problem:
        raise Refusal("invalid_multipart", f"The form can't be read: {problem.message}") from None
    except (LookupError, ValueError):  # a header without its parts, a charset that decodes nothing
        raise Refusal("invalid_multipart", "The form can't be read.") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refusal("invalid_multipart", "The form has no file in a field called file.")
        yield file
    finally:
        await form.close()


@asynccontextmanager
async def body_file(request: Request, most_bytes: int) -> AsyncIterator[UploadFile]:
    """The body itself."""
    with SpooledTemporaryFile(max_size=MultiPartParser.spool_max_size) as kept:
        file = UploadFile(cast("BinaryIO", kept))
        async with _in_time():
            async for chunk in limited(request, most_bytes, "upload_too_large"):
                await file.write(chunk)
        await file.seek(0)
        yield file


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(TRANSFER_S):
            yield
    except TimeoutError:
        raise Refusal(
            "upload_too_slow",
            f"The file did not come within {TRANSFER_S:g} s. Send a smaller one.",
            headers={"Connection": "close"},
        ) from None
