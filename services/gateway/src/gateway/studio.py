"""The studio page as it was built: read once, sent from memory, never in the way of the API.

`npm run build` in frontend/studio leaves in `BUILT` index.html, what it needs, each text also as
brotli and gzip, and pages.json: the paths at which index.html is the answer. There is no other
fallback: an address that is neither a page nor a file stays a 404.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from artifacts.http_range import not_modified
from gateway.home import CONTENT_SECURITY_POLICY, HOME
from gateway.refusals import Refusal

BUILT = Path(__file__).parent / "studio_build"
FOREVER = "public, max-age=31536000, immutable"
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
}
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$")
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        # A model's textures are read from its own file by blob: addresses.
        "connect-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of the page, and how it may be kept."""

    content: bytes
    encoded: Mapping[str, bytes]
    media_type: str
    etag: str
    headers: Mapping[str, str]


def routes(built: Path = BUILT) -> list[BaseRoute]:
    """Where the page is; without a build one address, which says how to get it."""
    if not (built / "index.html").is_file():
        return [Route("/", _home)]
    index = _read(built, built / "index.html")
    assets = {
        path.name: _read(built, path)
        for path in sorted((built / "assets").iterdir())
        if path.suffix not in _ENCODINGS.values()
    }

    async def page(request: Request) -> Response:
        return _send(request, index)

    async def asset(request: Request) -> Response:
        file = assets.get(request.path_params["name"])
        if file is None:
            raise Refusal("not_found", "There is nothing at this address.")
        return _send(request, file)

    pages: Sequence[str] = json.loads((built / "pages.json").read_bytes())
    return [
        *(Route(path, page) for path in pages),
        Route("/assets/{name}", asset),
        *(_file_route(built, path) for path in _loose_files(built)),
    ]


def _loose_files(built: Path) -> list[Path]:
    """What lies beside index.html and is asked for by its own name."""
    others = {"index.html", "pages.json"}
    return [
        path
        for path in sorted(built.iterdir())
        if path.is_file() and path.name not in others and path.suffix not in _ENCODINGS.values()
    ]


def _file_route(built: Path, path: Path) -> Route:
    file = _read(built, path)

    async def loose(request: Request) -> Response:
        return _send(request, file)

    return Route(f"/{path.name}", loose)


def _read(built: Path, path: Path) -> File:
    content = path.read_bytes()
    media_type = _TYPES[path.suffix]
    hashed = path.parent.name == "assets" and path.parent.parent == built
    headers = {"Cache-Control": FOREVER if hashed else "no-cache", "Vary": "Accept-Encoding"}
    if media_type == "text/html":
        headers["Content-Security-Policy"] = _POLICY
    return File(
        content=content,
        encoded={
            name: beside.read_bytes()
            for name, suffix in _ENCODINGS.items()
            if (beside := path.with_name(path.name + suffix)).is_file()
        },
        media_type=media_type,
        etag=hashlib.sha256(content).hexdigest()[:32],
        headers={**_SAFE, **headers},
    )


def _send(request: Request, file: File) -> Response:
    encoding = next(
        (each for each in file.encoded if accepts(request.headers.get("accept-encoding"), each)),
        None,
    )
    # Each encoding is bytes of its own, so it has a tag of its own.
    etag = f'"{file.etag}"' if encoding is None else f'"{file.etag}-{encoding}"'
    headers = {**file.headers, "ETag": etag}
    told = request.headers.get("if-none-match")
    if not_modified(told, None, etag=etag, last_modified=_LONG_AGO):
        return Response(status_code=304, headers=headers)
    if encoding is None:
        return Response(file.content, headers=headers, media_type=file.media_type)
    headers["Content-Encoding"] = encoding
    return Response(file.encoded[encoding], headers=headers, media_type=file.media_type)


def accepts(header: str | None, encoding: str) -> bool:
    """Whether ``Accept-Encoding`` names an encoding, and not to refuse it."""
    for part in (header or "").split(","):
        name = part.partition(";")[0].strip().lower()
        if name == encoding:
            return _REFUSED.search(part) is None
    return False


async def _home(_: Request) -> Response:
    headers = {**_SAFE, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    return HTMLResponse(HOME, headers={**headers, "Cache-Control": "no-cache"})
