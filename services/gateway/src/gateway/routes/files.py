"""Bytes in and out: uploads, and what tasks made."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from artifacts.http_range import (
    Part,
    Unsatisfiable,
    http_date,
    not_modified,
    parse_range,
    range_applies,
)
from artifacts.intake import Unusable
from artifacts.keys import belongs_to, kind, url_of
from artifacts.store import NotFound, Stored
from artifacts.uploads import Upload
from contracts.api import UploadView
from gateway.bodies import expected_bytes, media_type, require_plain
from gateway.forms import FORM, FORM_OVERHEAD_BYTES, form_file
from gateway.parts import InParts, Owner, Parts
from gateway.refusals import Refusal
from gateway.views import json_response, utc

router = APIRouter()
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {}}},
    206: {"description": "A part, as `Range` asked for."},
}


@router.post(
    "/uploads", tags=["uploads"], status_code=201, response_model=UploadView, openapi_extra=FORM
)
async def upload_file(request: Request, parts: InParts, owner: Owner) -> Response:
    """Send a picture or video to refer to in a task. What it is, its content tells."""
    if media_type(request.headers) != "multipart/form-data":
        raise Refusal(
            "unsupported_media_type",
            "Send the file as multipart/form-data, in a field called file.",
        )
    require_plain(request.headers)
    most_bytes = parts.settings.upload_max_bytes + FORM_OVERHEAD_BYTES
    with parts.backlog.room(expected_bytes(request.headers, most_bytes)):
        async with form_file(request, most_bytes) as file, parts.backlog.in_hand():
            try:
                upload = await parts.uploads.save(
                    owner, await file.read(), file.filename, datetime.now(UTC)
                )
            except Unusable as unusable:
                raise Refusal(unusable.code, unusable.message) from None
    url = url_of(upload.key, parts.views.root_url)
    view = {
        "upload_id": upload.upload_id,
        "url": url,
        "content_type": upload.content_type,
        "bytes": upload.bytes,
        "sha256": upload.sha256,
        "expires_at": utc(upload.expires_at),
    }
    return json_response(view, 201, {"Location": f"/uploads/{upload.upload_id}"})


@router.get("/uploads/{upload_id}", tags=["uploads"], response_class=Response, responses=_BYTES)
async def show_upload(request: Request, parts: InParts, owner: Owner, upload_id: str) -> Response:
    """An upload's bytes, until it expires, or for as long as a task refers to it."""
    upload = await _upload(parts, owner, upload_id)
    stored = None if upload is None else await parts.store.head(upload.key)
    if upload is None or stored is None:
        raise Refusal("upload_not_found", "There is no such upload, or it has expired.")
    stored = Stored(
        key=stored.key,
        bytes=stored.bytes,
        etag=f'"{upload.sha256}"',
        content_type=upload.content_type,
        last_modified=upload.created_at,
    )
    return await _send(request, parts, stored, "private, max-age=3600")


@router.get("/artifacts/{key:path}", tags=["artifacts"], response_class=Response, responses=_BYTES)
async def show_artifact(request: Request, parts: InParts, owner: Owner, key: str) -> Response:
    """A file that a task made."""
    whole = f"artifacts/{key}"
    own = kind(whole) == "artifact" and belongs_to(whole, owner)
    stored = await parts.store.head(whole) if own else None
    if stored is None:
        raise Refusal("artifact_not_found", "There is no such artifact.")
    return await _send(request, parts, stored, "private, max-age=31536000, immutable")


async def _upload(parts: Parts, owner: str, upload_id: str) -> Upload | None:
    upload = await parts.uploads.find(owner, upload_id, _LONG_AGO)
    if upload is None or datetime.now(UTC) < upload.expires_at:
        return upload
    return upload if await parts.tasks.referenced([upload.key], None) else None


async def _send(request: Request, parts: Parts, stored: Stored, cache_control: str) -> Response:
    headers = {
        "ETag": stored.etag,
        "Last-Modified": http_date(stored.last_modified),
        "Cache-Control": cache_control,
        # Whose it is, the credential tells: kept for one, it is not shown to the next.
        "Vary": "Cookie, Authorization",
        "Accept-Ranges": "bytes",
        "Content-Disposition": "inline",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    told = request.headers
    if not_modified(
        told.get("if-none-match"),
        told.get("if-modified-since"),
        etag=stored.etag,
        last_modified=stored.last_modified,
    ):
        return Response(status_code=304, headers=headers)
    part = None
    if range_applies(told.get("if-range"), etag=stored.etag, last_modified=stored.last_modified):
        part = parse_range(told.get("range"), stored.bytes)
    if isinstance(part, Unsatisfiable):
        raise Refusal(
            "range_not_satisfiable",
            f"The file has {stored.bytes} bytes.",
            headers={"Content-Range": part.content_range},
        )
    if isinstance(part, Part):
        headers["Content-Range"] = part.content_range
    start, end = (0, stored.bytes) if part is None else (part.start, part.end)
    headers["Content-Length"] = str(end - start)
    chunks = parts.store.stream(stored.key, start, end)
    return StreamingResponse(
        await _begun(chunks),
        status_code=200 if part is None else 206,
        headers=headers,
        media_type=stored.content_type,
    )


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The chunks, the first one read already: a fault of the store is still an answer."""
    try:
        first = await anext(chunks, b"")
    except NotFound:
        raise Refusal("not_found", "The file is gone.") from None

    async def all_of_them() -> AsyncIterator[bytes]:
        yield first
        async for chunk in chunks:
            yield chunk

    return all_of_them()
