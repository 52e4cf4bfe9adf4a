"""Files in and out."""

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from generator.provider import Rejected
from generator.studio.pictures import LONGEST_SIDE, decode, encode
from unit.generator.studio.photos import ball_photo, file_of


def sideways_jpeg() -> bytes:
    """Stored 40 x 20 with its left half red, to be shown turned by a quarter."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = (250, 10, 10)
    image = Image.fromarray(pixels)
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera of someone"
    target = io.BytesIO()
    image.save(target, "JPEG", exif=exif, quality=95)
    return target.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds next to nothing."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def test_a_photo_is_turned_as_its_exif_says() -> None:
    upright = decode(sideways_jpeg())
    assert upright.shape == (40, 20, 3)
    assert upright[5, 10, 0] > 200
    assert upright[35, 10, 0] < 60


@pytest.mark.parametrize("name", ["png", "webp"])
def test_nothing_but_pixels_leaves(name: str) -> None:
    content, _ = encode(decode(sideways_jpeg()), name)
    with Image.open(io.BytesIO(content)) as image:
        assert not image.getexif()
        assert not set(image.info) & {"exif", "xmp", "icc_profile", "comment"}
    assert b"Camera of someone" not in content


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_four_formats_are_read(name: str) -> None:
    assert decode(file_of(ball_photo(), name)).shape == (120, 160, 3)


def test_what_is_transparent_becomes_white() -> None:
    target = io.BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(target, "PNG")
    assert (decode(target.getvalue()) == 255).all()


@pytest.mark.parametrize("name", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_refused(name: str) -> None:
    frames = [Image.fromarray(ball_photo(32, 24)), Image.new("RGB", (32, 24), "blue")]
    target = io.BytesIO()
    frames[0].save(target, name, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(Rejected, match="animated") as refusal:
        decode(target.getvalue())
    assert refusal.value.code == "invalid_input"


def test_more_than_forty_megapixels_are_refused_before_decoding() -> None:
    with pytest.raises(Rejected, match="megapixels"):
        decode(huge_png(8000, 5001))


def test_a_decompression_bomb_is_refused() -> None:
    with pytest.raises(Rejected):
        decode(huge_png(60000, 60000))


def test_a_large_photo_is_worked_on_at_the_longest_side() -> None:
    assert max(decode(file_of(np.zeros((40, 3000, 3), np.uint8))).shape) == LONGEST_SIDE


@pytest.mark.parametrize("content", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(Rejected) as refusal:
        decode(content)
    assert refusal.value.code == "invalid_input"


@pytest.mark.parametrize("name", ["TIFF", "BMP", "ICO"])
def test_other_formats_are_refused(name: str) -> None:
    with pytest.raises(Rejected):
        decode(file_of(ball_photo(32, 24), name))


@given(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF"]), st.floats(0, 0.9))
def test_a_truncated_file_is_refused(name: str, share: float) -> None:
    whole = file_of(ball_photo(64, 48), name)
    with pytest.raises(Rejected) as refusal:
        decode(whole[: int(len(whole) * share)])
    assert refusal.value.code == "invalid_input"
