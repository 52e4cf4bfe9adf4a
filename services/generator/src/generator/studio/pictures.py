"""Pictures in and out: decoded with care, encoded with nothing in them but pixels."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from generator.provider import Rejected

Pixels = npt.NDArray[np.uint8]
"""(height, width, 3) RGB."""

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 40_000_000
LONGEST_SIDE = 2048
"""Larger pictures are worked on at this many pixels on the long side."""


# A telephone's JPEG may hold a second, technical frame (MPO): its first is the photo.


def _refused(message: str) -> Rejected:
    return Rejected(message, code="invalid_input")


@contextmanager
def _refusing_broken_files() -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except Rejected:
        raise
    except Exception as fault:
        raise _refused("The reference image can't be read: it is broken or incomplete.") from fault


def decode(content: bytes) -> Pixels:
    """The picture upright, on white where it was transparent, at most `LONGEST_SIDE` long.

    Raises `Rejected` with ``invalid_input`` for anything that isn't one whole still picture.
    """
    with _refusing_broken_files():
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
        except UnidentifiedImageError as fault:
            raise _refused("The reference image is not a PNG, JPEG, WebP or GIF.") from fault
        with image:
            if image.width * image.height > MOST_PIXELS:
                raise _refused(
                    f"The reference image has more than {MOST_PIXELS // 1_000_000} megapixels."
                )
            if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
                raise _refused("The reference image is animated; send a still picture.")
            image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            image.load()
            upright = ImageOps.exif_transpose(image).convert("RGBA")
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            flat = Image.new("RGBA", upright.size, "white")
            flat.alpha_composite(upright)
            return np.asarray(flat.convert("RGB"), np.uint8)


def encode(pixels: Pixels, name: str) -> tuple[bytes, str]:
    """The file's bytes and content type; ``name`` is ``png`` or ``webp``. Carries no metadata."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    target = io.BytesIO()
    if name == "webp":
        image.save(target, "WEBP", quality=90, method=3)
        return target.getvalue(), "image/webp"
    image.save(target, "PNG", compress_level=4)
    return target.getvalue(), "image/png"
