"""What may enter the store: judged by content, never by name."""

import asyncio
import hashlib
import struct
import warnings
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from artifacts.intake import Inspected, Unusable, inspect, inspect_async


def picture(
    kind: str, size: tuple[int, int] = (64, 48), mode: str = "RGB", **more: object
) -> bytes:
    """A picture with enough going on in it that its bytes can't be cut without loss."""
    image = Image.effect_noise(size, 90).convert(mode)
    ImageDraw.Draw(image).line((0, 0, *size), width=3)
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def animation(kind: str) -> bytes:
    """Two frames that differ."""
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    out = BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    return out.getvalue()


def png_header(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims this size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"")
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def refusal(content: bytes, **limits: int) -> Unusable:
    with pytest.raises(Unusable) as refused:
        inspect(content, **limits)
    return refused.value


@pytest.mark.parametrize(
    ("kind", "content_type", "ext"),
    [("png", "image/png", "png"), ("jpeg", "image/jpeg", "jpg"), ("webp", "image/webp", "webp")],
)
def test_a_whole_picture_is_taken_as_it_is(kind: str, content_type: str, ext: str) -> None:
    content = picture(kind)
    sha256 = hashlib.sha256(content).hexdigest()
    assert inspect(content) == Inspected(content_type, ext, 64, 48, len(content), sha256)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_colour_mode_of_png_is_taken(mode: str) -> None:
    out = BytesIO()
    Image.new(mode, (8, 8)).save(out, "png")
    assert inspect(out.getvalue()).content_type == "image/png"


def test_a_photo_in_cmyk_and_one_with_exif_are_taken() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert inspect(picture("jpeg", mode="CMYK")).ext == "jpg"
    turned = inspect(picture("jpeg", exif=exif))
    assert (turned.width, turned.height) == (64, 48)


def test_a_phones_jpeg_with_a_second_picture_behind_it_is_a_still_photo() -> None:
    assert inspect(animation("mpo")).content_type == "image/jpeg"


def test_one_frame_is_not_an_animation() -> None:
    assert inspect(picture("webp", save_all=True)).content_type == "image/webp"


def test_nothing_is_refused_as_empty() -> None:
    assert refusal(b"").code == "empty_upload"


def test_one_byte_over_the_cap_is_too_much() -> None:
    content = picture("png")
    assert inspect(content, max_bytes=len(content)).bytes == len(content)
    refused = refusal(content, max_bytes=len(content) - 1)
    assert refused.code == "upload_too_large"
    assert f"{len(content) - 1} bytes allowed" in refused.message
    assert "25.0 MiB allowed" in refusal(bytes(26_214_401)).message


@pytest.mark.parametrize("kind", ["png", "webp"])
def test_moving_pictures_are_refused(kind: str) -> None:
    assert refusal(animation(kind)).code == "image_animated"


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (animation("gif"), "Save the picture as PNG"),
        (picture("gif"), "Save the picture as PNG"),
        (b"\0\0\0\x18ftypheic" + bytes(40), "Save the picture as JPEG"),
        (b"<svg onload='alert(1)'/>", "Export the drawing as PNG"),
        (b"<!doctype html><script>alert(1)</script>", "Send a PNG, JPEG or WEBP"),
        (picture("bmp"), "Send a PNG, JPEG or WEBP"),
        (picture("tiff"), "Send a PNG, JPEG or WEBP"),
        (b"%PDF-1.7 %" + bytes(40), "Send a PNG, JPEG or WEBP"),
        (b"\0\0\0\x18ftypisom" + bytes(40), "This video can't be read"),
        (b"\x1a\x45\xdf\xa3", "This video can't be read"),
        (b"x", "Send a PNG, JPEG or WEBP"),
    ],
)
def test_other_media_are_refused_with_what_to_do(content: bytes, advice: str) -> None:
    refused = refusal(content)
    assert refused.code == "unsupported_media"
    assert advice in refused.message


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_a_picture_cut_off_on_its_way_is_refused(kind: str) -> None:
    content = picture(kind)
    for length in (13, 20, 40, len(content) // 4, len(content) // 2, len(content) * 9 // 10):
        assert refusal(content[:length]).code == "image_truncated", length


def test_bytes_behind_a_picture_do_no_harm() -> None:
    assert inspect(picture("png") + b"<script>alert(1)</script>").content_type == "image/png"


def test_a_picture_without_area_is_refused() -> None:
    jpeg = bytearray(picture("jpeg"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 7] = b"\0\0"
    for content in (png_header(0, 5), png_header(5, 0), bytes(jpeg)):
        assert refusal(content).code == "image_zero_size"


def test_one_pixel_over_the_cap_is_too_much() -> None:
    content = picture("png", (20, 10))
    assert inspect(content, max_pixels=200).width == 20
    refused = refusal(content, max_pixels=199)
    assert refused.code == "image_too_large"
    assert "20 × 10 pixels" in refused.message


@pytest.mark.parametrize("side", [6_500, 10_000, 60_000, 2**31 - 1])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    assert refusal(png_header(side, side)).code == "image_too_large"


def test_pillows_own_limit_holds_where_ours_is_wider(monkeypatch: pytest.MonkeyPatch) -> None:
    content = picture("png", (40, 40))
    for limit in (1500, 700):  # its warning, its error
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        assert refusal(content, max_pixels=10**9).code == "image_too_large"


def test_a_jpeg_that_would_be_drawn_for_hours_is_refused_at_once() -> None:
    content = picture("jpeg", progressive=True)
    scan = content[content.rindex(b"\xff\xda") : -2]
    refused = refusal(content[:-2] + scan * 10_000 + b"\xff\xd9")
    assert refused.code == "unsupported_media"
    assert "Save it anew" in refused.message


def test_a_bomb_in_the_text_of_a_png_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("note", "a" * (PngImagePlugin.MAX_TEXT_CHUNK + 1), zip=True)
    assert refusal(picture("png", pnginfo=info)).code == "image_truncated"


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([picture("png"), picture("jpeg"), picture("webp"), animation("mpo")]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_damaged_pictures_are_taken_or_refused_and_nothing_else(
    content: bytes, damage: list[tuple[float, int]]
) -> None:
    damaged = bytearray(content)
    for place, byte in damage:
        damaged[min(int(place * len(damaged)), len(damaged) - 1)] = byte
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # Pillow remarks on odd metadata
        try:
            assert inspect(bytes(damaged)).width
        except Unusable as refused:
            assert refused.message.endswith(".")  # noqa: PT017


async def test_the_event_loop_goes_on_while_a_picture_is_decoded() -> None:
    content = picture("png", (1500, 1500))
    decoding = asyncio.gather(*(inspect_async(content) for _ in range(4)))
    turns = 0
    while not decoding.done():
        await asyncio.sleep(0)
        turns += 1
    assert {inspected.width for inspected in await decoding} == {1500}
    assert turns > 10


async def test_a_refusal_comes_out_of_the_thread() -> None:
    with pytest.raises(Unusable) as refused:
        await inspect_async(picture("png"), max_pixels=10)
    assert refused.value.code == "image_too_large"
