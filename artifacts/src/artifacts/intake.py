"""What may enter the store: pictures and videos that are what they claim, judged by content.

A picture passes when it decodes to the last row within the pixel cap; a video when its container
holds together and declares a video track. The bytes are kept as they came, EXIF included.
"""

import asyncio
import hashlib
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Literal

from PIL import Image

from artifacts.media_headers import (
    BrokenVideo,
    Format,
    declared_size,
    format_of,
    has_too_many_scans,
    video_header,
)

UnusableCode = Literal[
    "empty_upload",
    "unsupported_media",
    "image_truncated",
    "image_too_large",
    "image_animated",
    "image_zero_size",
    "upload_too_large",
]

MAX_BYTES: Final = 26_214_400
MAX_PIXELS: Final = 40_000_000

_IMAGES: Final[dict[Format | None, tuple[str, str]]] = {
    "png": ("image/png", "png"),
    "jpeg": ("image/jpeg", "jpg"),
    "webp": ("image/webp", "webp"),
}
_ACCEPTED: Final = "Send a PNG, JPEG or WEBP picture, or an MP4, QuickTime or WebM video."
_REFUSED: Final[dict[Format | None, str]] = {
    None: f"This file is neither a picture nor a video that can be read. {_ACCEPTED}",
    "gif": "GIF is not accepted. Save the picture as PNG and send it again.",
    "heif": "HEIC and AVIF are not accepted. Save the picture as JPEG and send it again.",
    "svg": "SVG is not accepted. Export the drawing as PNG and send it again.",
}
_DAMAGE: Final = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    OverflowError,
    AttributeError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
"""What Pillow's readers raise at bytes that are not what their header says."""

_DECODERS: Final = ThreadPoolExecutor(max_workers=2, thread_name_prefix="intake")
"""Two pictures at once: a decoded one of 40 megapixels holds 160 MB."""

# For the whole process: a picture beyond Pillow's own limit is an error, never a remark.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class Unusable(Exception):
    """The bytes can't be taken in; `code` is for programs, `message` tells a person what to do."""

    def __init__(self, code: UnusableCode, message: str) -> None:
        super().__init__(message)
        self.code: UnusableCode = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Inspected:
    """What accepted bytes are.

    `ext` has no dot, `sha256` is hex. Width and height in pixels as stored, before any EXIF
    rotation; None for a video whose container doesn't say.
    """

    content_type: str
    ext: str
    width: int | None
    height: int | None
    bytes: int
    sha256: str


def inspect(
    content: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Inspected:
    """Say what the bytes are, or raise `Unusable`. Decodes pictures: up to a second of CPU."""
    if not content:
        raise Unusable("empty_upload", "The file is empty. Choose another one and send it again.")
    if len(content) > max_bytes:
        raise Unusable(
            "upload_too_large",
            f"The file has {_megabytes(len(content))}, more than the {_megabytes(max_bytes)} "
            "allowed. Send a smaller one.",
        )
    found = format_of(content)
    if found in _IMAGES:
        content_type, ext = _IMAGES[found]
        width, height = _image_size(content, ext, max_pixels)
        return _inspected(content, content_type, ext, width, height)
    if found in {"iso-media", "ebml"}:
        try:
            video = video_header(content)
        except BrokenVideo as broken:
            raise Unusable(
                "unsupported_media", f"This video can't be read: {broken}. {_ACCEPTED}"
            ) from broken
        return _inspected(content, video.content_type, video.ext, video.width, video.height)
    raise Unusable("unsupported_media", _REFUSED[found])


async def inspect_async(
    content: bytes, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Inspected:
    """`inspect` in a thread, two at a time in the process: the event loop goes on meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(
        _DECODERS, lambda: inspect(content, max_bytes=max_bytes, max_pixels=max_pixels)
    )


def _image_size(content: bytes, ext: str, max_pixels: int) -> tuple[int, int]:
    """Decode the whole picture, once its size is known to be within the cap."""
    name = {"jpg": "JPEG"}.get(ext, ext.upper())
    try:
        # The header first: to open a WEBP is to make room for all its pixels.
        if declared := declared_size(content):
            _check_size(*declared, max_pixels)
        if ext == "jpg" and has_too_many_scans(content):
            raise Unusable(
                "unsupported_media",
                "This JPEG is made of far too many layers. Save it anew and send it again.",
            )
        with Image.open(BytesIO(content), formats=[name]) as image:
            width, height = image.size
            _check_size(width, height, max_pixels)
            # MPO is a JPEG with more pictures behind it, as phones write: its first one counts.
            if image.format != "MPO" and getattr(image, "is_animated", False):
                raise Unusable(
                    "image_animated", "Animated pictures are not accepted. Send a still one."
                )
            image.load()
            return width, height
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise _too_large(max_pixels, "far more pixels") from bomb
    except _DAMAGE as damage:
        raise Unusable(
            "image_truncated",
            f"This {name} picture is cut off or damaged. "
            "Save it anew, or send it again if the transfer broke.",
        ) from damage


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if not width or not height:
        raise Unusable(
            "image_zero_size", "The picture has no area: its width or height is 0. Send another."
        )
    if width * height > max_pixels:
        raise _too_large(max_pixels, f"{width} × {height} pixels")


def _too_large(max_pixels: int, size: str) -> Unusable:
    return Unusable(
        "image_too_large",
        f"The picture has {size}, more than the {max_pixels / 1e6:g} megapixels allowed. "
        "Make it smaller and send it again.",
    )


def _inspected(
    content: bytes, content_type: str, ext: str, width: int | None, height: int | None
) -> Inspected:
    sha256 = hashlib.sha256(content).hexdigest()
    return Inspected(content_type, ext, width, height, len(content), sha256)


def _megabytes(count: int) -> str:
    return f"{count / 1_048_576:.1f} MiB" if count >= 104_858 else f"{count} bytes"
