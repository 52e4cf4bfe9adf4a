"""What the first bytes of a file tell, and whether a video's container holds together."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from artifacts.media_headers import (
    BrokenVideo,
    VideoHeader,
    declared_size,
    format_of,
    has_too_many_scans,
    video_header,
)


def box(name: bytes, *bodies: bytes) -> bytes:
    """An MP4 box."""
    body = b"".join(bodies)
    return (len(body) + 8).to_bytes(4) + name + body


def element(name: int, *bodies: bytes) -> bytes:
    """A WebM element with a size of 4 bytes."""
    body = b"".join(bodies)
    size = (0x10000000 | len(body)).to_bytes(4)
    return name.to_bytes((name.bit_length() + 7) // 8) + size + body


def track(handler: bytes, *extra: bytes) -> bytes:
    """An MP4 track of this kind."""
    return box(b"trak", *extra, box(b"mdia", box(b"mdhd"), box(b"hdlr", bytes(8), handler)))


def tkhd(width: int, height: int) -> bytes:
    """An MP4 track header."""
    sides = width.to_bytes(2) + bytes(2) + height.to_bytes(2) + bytes(2)
    return box(b"tkhd", bytes(76), sides)


FTYP = box(b"ftyp", b"isom", bytes(4), b"isom", b"mp41")
MOOV = box(b"moov", box(b"mvhd"), track(b"soun"), track(b"vide", box(b"edts"), tkhd(640, 480)))
MDAT = box(b"mdat", b"pictures")
MP4 = FTYP + MOOV + MDAT

EBML = element(0x1A45DFA3, element(0x4286, b"\x01"), element(0x4282, b"webm"))
VIDEO = element(0xE0, element(0xB0, b"\x02\x80"), element(0xBA, b"\x01\xe0"))
TRACKS = element(
    0x1654AE6B, element(0xEC), element(0xAE), element(0xAE, element(0xD7, b"\1"), VIDEO)
)
CLUSTER = element(0x1F43B675, b"pictures")
WEBM = EBML + element(0x18538067, element(0x1549A966), TRACKS, CLUSTER)


def picture(kind: str, size: tuple[int, int] = (30, 20), **options: object) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (picture("png"), "png"),
        (picture("jpeg"), "jpeg"),
        (picture("webp"), "webp"),
        (picture("gif"), "gif"),
        (MP4, "iso-media"),
        (WEBM, "ebml"),
        (box(b"ftyp", b"heic"), "heif"),
        (box(b"ftyp", b"avif"), "heif"),
        (b"\xef\xbb\xbf  <SVG xmlns='x'>", "svg"),
        (b"<?xml version='1.0'?><!-- x --><svg/>", "svg"),
        (b"<?xml version='1.0'?><html/>", None),
        (b"<!doctype html><script>alert(1)</script>", None),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_a_file_is_what_its_first_bytes_say(content: bytes, found: str | None) -> None:
    assert format_of(content) == found


@pytest.mark.parametrize(
    "content",
    [
        picture("png"),
        picture("jpeg"),
        picture("jpeg", progressive=True),
        picture("jpeg", exif=b"Exif\0\0" + bytes(200)),
        picture("webp"),
        picture("webp", lossless=True),
        picture("webp", exif=b"Exif\0\0" + bytes(20)),
    ],
)
def test_the_size_a_header_gives_is_the_one_the_decoder_finds(content: bytes) -> None:
    assert declared_size(content) == (30, 20)
    with Image.open(BytesIO(content)) as image:
        assert image.size == (30, 20)


def test_filling_between_the_segments_of_a_jpeg_is_skipped() -> None:
    content = picture("jpeg")
    assert declared_size(content[:2] + b"\xff\xff" + content[2:]) == (30, 20)


@pytest.mark.parametrize(
    "content",
    [
        picture("png")[:20],
        picture("jpeg")[:30],
        b"\xff\xd8\xff\xe0\x00\x02rest of no jpeg",
        picture("webp")[:20],
        b"RIFF\0\0\0\0WEBPJUNK" + bytes(40),
        picture("gif"),
        b"",
    ],
)
def test_a_header_that_is_cut_off_or_of_another_kind_gives_no_size(content: bytes) -> None:
    assert declared_size(content) is None


def test_a_jpeg_drawn_over_without_end_is_told_from_a_real_one() -> None:
    content = picture("jpeg", progressive=True)
    start = content.rindex(b"\xff\xda")
    scan = content[start:-2]
    assert not has_too_many_scans(content)
    assert not has_too_many_scans(content[:-2] + scan * 50 + b"\xff\xd9")
    assert has_too_many_scans(content[:-2] + scan * 100 + b"\xff\xd9")
    assert has_too_many_scans(content[:2] + b"\xff\xfe\0\2" * 10_001 + content[2:])


def test_a_film_behind_a_jpeg_as_phones_put_it_is_not_counted() -> None:
    content = picture("jpeg", progressive=True) + b"\xff\xda" * 1000
    assert not has_too_many_scans(content)
    assert not has_too_many_scans(picture("jpeg")[:-2])


def test_an_mp4_and_a_quicktime_tell_their_size() -> None:
    assert video_header(MP4) == VideoHeader("video/mp4", "mp4", 640, 480)
    quicktime = box(b"ftyp", b"qt  ", bytes(4)) + MDAT + MOOV
    assert video_header(quicktime) == VideoHeader("video/quicktime", "mov", 640, 480)


def test_a_webm_tells_its_size() -> None:
    assert video_header(WEBM) == VideoHeader("video/webm", "webm", 640, 480)


def test_a_live_recording_whose_parts_have_no_size_is_a_webm() -> None:
    unknown = b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff"
    cluster = b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff" + b"pictures"
    recording = EBML + unknown + TRACKS + cluster
    assert video_header(recording).width == 640


def test_a_brand_it_is_compatible_with_makes_an_mp4() -> None:
    assert video_header(box(b"ftyp", b"XAVC", bytes(4), b"mp42") + MOOV).ext == "mp4"


def test_long_and_open_ended_boxes_are_read() -> None:
    long = b"\0\0\0\1mdat" + (24).to_bytes(8) + b"pictures"
    open_ended = b"\0\0\0\0mdat" + b"pictures" * 9
    assert video_header(FTYP + long + MOOV + open_ended).width == 640


@pytest.mark.parametrize("header", [b"", box(b"tkhd", bytes(20)), tkhd(0, 0)])
def test_a_track_may_leave_its_size_open(header: bytes) -> None:
    video = video_header(FTYP + box(b"moov", track(b"vide", header)))
    assert (video.width, video.height) == (None, None)


def test_a_webm_track_may_leave_its_size_open() -> None:
    tracks = element(0x1654AE6B, element(0xAE, element(0xE0)))
    video = video_header(EBML + element(0x18538067, tracks))
    assert (video.width, video.height) == (None, None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (box(b"ftyp", b"3gp5", bytes(4)) + MOOV, "neither MP4 nor QuickTime"),
        (FTYP, "no video track"),
        (FTYP + box(b"moov", track(b"soun")), "no video track"),
        (FTYP + MDAT, "no video track"),
        (FTYP + box(b"free") * 70_000, "too many parts"),
        (FTYP + b"\0\0\0\3moov", "cut off"),
        (FTYP + b"\0\0\0\1moov" + (8).to_bytes(8), "cut off"),
        (FTYP + box(b"moov", b"\0\0\1\0trak"), "cut off"),
        (b"", "neither"),
        (element(0x1A45DFA3, element(0x4282, b"matroska")), "Matroska"),
        (element(0x1A45DFA3), "Matroska"),
        (EBML, "no video track"),
        (EBML + element(0x18538067), "no video track"),
        (EBML + element(0x18538067, CLUSTER, TRACKS), "no video track"),
        (EBML + element(0x18538067, element(0x1654AE6B, element(0xAE))), "no video track"),
        (EBML + element(0xEC) * 70_000, "too many parts"),
        (EBML + b"\x18", "cut off"),
        (EBML + b"\0", "cut off"),
    ],
)
def test_a_container_without_a_video_is_told_by_its_reason(content: bytes, reason: str) -> None:
    with pytest.raises(BrokenVideo, match=reason):
        video_header(content)


HEAD = len(FTYP + MOOV)


@pytest.mark.parametrize(
    # Without its pictures an MP4 still holds together, with up to 7 bytes too few for a box too.
    ("whole", "tolerated"),
    [(MP4, range(HEAD, HEAD + 8)), (WEBM, range(0))],
)
def test_a_video_that_was_cut_off_anywhere_is_broken(whole: bytes, tolerated: range) -> None:
    for length in range(4, len(whole)):
        if length not in tolerated:
            with pytest.raises(BrokenVideo):
                video_header(whole[:length])


@given(st.binary(max_size=300), st.integers(0, 400), st.sampled_from([MP4, WEBM]))
def test_damage_anywhere_is_survived(noise: bytes, at: int, video: bytes) -> None:
    for content in (video[:at] + noise + video[at + len(noise) :], video[:8] + noise, noise):
        try:
            video_header(content)
        except BrokenVideo:
            continue


@given(st.binary(max_size=100), st.sampled_from(["png", "jpeg", "webp"]))
def test_a_damaged_picture_header_is_survived(noise: bytes, kind: str) -> None:
    declared_size(picture(kind)[:12] + noise)
    declared_size(picture(kind)[:4] + noise)
    has_too_many_scans(picture(kind)[:4] + noise)
