"""Pictures for fakes: small, and different for each seed."""

from __future__ import annotations

import hashlib
from io import BytesIO

from PIL import Image

SIZE = (48, 32)
FILM = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
"""What begins like a video."""


def picture(seed: str, form: str = "PNG") -> bytes:
    """A plain picture of `SIZE` in the seed's colour."""
    red, green, blue = hashlib.sha256(seed.encode()).digest()[:3]
    file = BytesIO()
    Image.new("RGB", SIZE, (red, green, blue)).save(file, form)
    return file.getvalue()
