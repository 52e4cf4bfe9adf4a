"""What a file says it is in its first bytes, and whether a video's container holds together. Pure.

Nothing is decoded here. Names and declared media types are never asked: they come from the sender.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

Format = Literal["png", "jpeg", "webp", "gif", "heif", "svg", "iso-media", "ebml"]

_HEIF_BRANDS: Final = frozenset(
    {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis"}
)
_MP4_BRANDS: Final = frozenset(
    {b"isom", b"mp41", b"mp42", b"mp71", b"avc1", b"M4V ", b"MSNV", b"dash", b"cmfc", b"f4v "}
    | {b"iso%d" % edition for edition in range(2, 10)}
)
_MOST_BOXES: Final = 65_536
"""More boxes than a real video of any allowed size has; a file of nothing but boxes stops here."""


_JPEG_MARKER: Final = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")
"""Those that a length follows, and the end; within the pixels, 0xFF comes before 0 or a restart."""

_SCAN, _JPEG_END = 0xDA, 0xD9
_MOST_SCANS: Final = 100
_MOST_SEGMENTS: Final = 10_000


class BrokenVideo(ValueError):
    """The container is cut off, holds no video track, or is of a kind not accepted."""


@dataclass(frozen=True, slots=True)
class VideoHeader:
    """What a container declares; width and height in pixels, None where it doesn't say."""

    content_type: str
    ext: str
    width: int | None
    height: int | None


def format_of(content: bytes) -> Format | None:
    """The format that the first bytes claim; None for anything else, HTML included."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if content[4:8] == b"ftyp":
        return "heif" if content[8:12] in _HEIF_BRANDS else "iso-media"
    if content.startswith(b"\x1a\x45\xdf\xa3"):
        return "ebml"
    start = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return "svg"
    return None


def declared_size(content: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that a PNG, JPEG or WEBP header gives; None without one."""
    match format_of(content):
        case "png" if len(content) >= 24:
            return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
        case "jpeg":
            return _jpeg_size(content)
        case "webp" if len(content) >= 30:
            return _webp_size(content)
        case _:
            return None


def _jpeg_size(content: bytes) -> tuple[int, int] | None:
    for marker, body in _jpeg_segments(content):
        frame = 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}
        if frame and body + 7 <= len(content):
            height, width = content[body + 3 : body + 5], content[body + 5 : body + 7]
            return int.from_bytes(width), int.from_bytes(height)
    return None


def has_too_many_scans(content: bytes) -> bool:
    """Whether a JPEG is drawn over more often than any real one: hours of work in a small file."""
    scans = 0
    for segments, (marker, _) in enumerate(_jpeg_segments(content), start=1):
        scans += marker == _SCAN
        if scans > _MOST_SCANS or segments > _MOST_SEGMENTS:
            return True
    return False


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Each segment up to the end of the picture: its marker, and where its length stands."""
    at = 2
    while (found := _JPEG_MARKER.search(content, at)) and (marker := found[0][1]) != _JPEG_END:
        at = found.end()
        yield marker, at
        at += int.from_bytes(content[at : at + 2])


def _webp_size(content: bytes) -> tuple[int, int] | None:
    def little(start: int, end: int) -> int:
        return int.from_bytes(content[start:end], "little")

    match content[12:16]:
        case b"VP8 ":
            return little(26, 28) & 0x3FFF, little(28, 30) & 0x3FFF
        case b"VP8L":
            return (little(21, 25) & 0x3FFF) + 1, (little(21, 25) >> 14 & 0x3FFF) + 1
        case b"VP8X":
            return little(24, 27) + 1, little(27, 30) + 1
        case _:
            return None


def video_header(content: bytes) -> VideoHeader:
    """What an MP4, QuickTime or WebM container declares; `BrokenVideo` when it isn't whole."""
    return _webm(content) if format_of(content) == "ebml" else _iso_media(content)


# MP4 and QuickTime: a tree of boxes, each with its size and a four-letter type.


def _iso_media(content: bytes) -> VideoHeader:
    ftyp_end = min(int.from_bytes(content[:4]), len(content), 1024)
    major, rest = content[8:12], content[16:ftyp_end]
    compatible = {rest[at : at + 4] for at in range(0, len(rest), 4)}
    if major == b"qt  ":
        content_type, ext = "video/quicktime", "mov"
    elif _MP4_BRANDS & ({major} | compatible):
        content_type, ext = "video/mp4", "mp4"
    else:
        raise BrokenVideo("it is neither MP4 nor QuickTime")
    boxes_left = iter(range(_MOST_BOXES))
    # The whole top level is walked: only so does a file that was cut off show.
    top = list(_boxes(content, 0, len(content), boxes_left))
    for name, start, end in top:
        if name != b"moov":
            continue
        for child, child_start, child_end in _boxes(content, start, end, boxes_left):
            if child == b"trak":
                track = list(_boxes(content, child_start, child_end, boxes_left))
                if _is_video(content, track, boxes_left):
                    return VideoHeader(content_type, ext, *_track_size(content, track))
    raise BrokenVideo("it has no video track")


_Box = tuple[bytes, int, int]


def _boxes(content: bytes, start: int, end: int, left: Iterator[int]) -> Iterator[_Box]:
    """Each box between two offsets: its type, and where its body starts and ends."""
    while end - start >= 8:
        if next(left, None) is None:
            raise BrokenVideo("it has too many parts")
        size, header = int.from_bytes(content[start : start + 4]), 8
        if size == 1:
            size, header = int.from_bytes(content[start + 8 : start + 16]), 16
        elif size == 0:
            size = end - start
        if size < header or start + size > end:
            raise BrokenVideo("it is cut off or damaged")
        yield content[start + 4 : start + 8], start + header, start + size
        start += size


def _is_video(content: bytes, track: list[_Box], left: Iterator[int]) -> bool:
    return any(
        name == b"hdlr" and content[start + 8 : start + 12] == b"vide"
        for media, media_start, media_end in track
        if media == b"mdia"
        for name, start, _ in _boxes(content, media_start, media_end, left)
    )


def _track_size(content: bytes, track: list[_Box]) -> tuple[int | None, int | None]:
    """A track header ends with width and height, as 16.16 fixed point."""
    for name, start, end in track:
        if name == b"tkhd" and end - start >= 84:
            width = int.from_bytes(content[end - 8 : end - 6])
            height = int.from_bytes(content[end - 4 : end - 2])
            return width or None, height or None
    return None, None


# WebM: EBML elements, each an id, a size of 1 to 8 bytes, and a body.

_EBML, _DOCTYPE, _SEGMENT, _TRACKS = 0x1A45DFA3, 0x4282, 0x18538067, 0x1654AE6B
_TRACK, _VIDEO, _PIXEL_WIDTH, _PIXEL_HEIGHT = 0xAE, 0xE0, 0xB0, 0xBA
_CLUSTER: Final = 0x1F43B675

_Element = tuple[int, int, int]


def _webm(content: bytes) -> VideoHeader:
    left = iter(range(_MOST_BOXES))
    for name, start, end in _elements(content, 0, len(content), left):
        if name == _EBML and _child(content, start, end, _DOCTYPE, left).rstrip(b"\0") != b"webm":
            raise BrokenVideo("it is Matroska, not WebM")
        if name == _SEGMENT:
            return _segment(content, start, end, left)
    raise BrokenVideo("it has no video track")


def _segment(content: bytes, start: int, end: int, left: Iterator[int]) -> VideoHeader:
    for name, tracks_start, tracks_end in _elements(content, start, end, left):
        if name == _CLUSTER:  # the pictures begin, and no track was declared
            break
        if name != _TRACKS:
            continue
        for track, track_start, track_end in _elements(content, tracks_start, tracks_end, left):
            if track != _TRACK:
                continue
            for part, video_start, video_end in _elements(content, track_start, track_end, left):
                if part == _VIDEO:
                    width, height = (
                        int.from_bytes(_child(content, video_start, video_end, side, left)) or None
                        for side in (_PIXEL_WIDTH, _PIXEL_HEIGHT)
                    )
                    return VideoHeader("video/webm", "webm", width, height)
    raise BrokenVideo("it has no video track")


def _child(content: bytes, start: int, end: int, wanted: int, left: Iterator[int]) -> bytes:
    for name, body_start, body_end in _elements(content, start, end, left):
        if name == wanted:
            return content[body_start:body_end]
    return b""


def _elements(content: bytes, start: int, end: int, left: Iterator[int]) -> Iterator[_Element]:
    """Each element between two offsets: its id, and where its body starts and ends."""
    while start < end:
        if next(left, None) is None:
            raise BrokenVideo("it has too many parts")
        id_length = _vint_length(content, start, end)
        body = start + id_length
        size_length = _vint_length(content, body, end)
        size = int.from_bytes(content[body : body + size_length])
        size &= (1 << 7 * size_length) - 1
        name = int.from_bytes(content[start:body])
        body += size_length
        if size == (1 << 7 * size_length) - 1:  # unknown, as live recorders write it
            size = end - body
        if body + size > end:
            raise BrokenVideo("it is cut off or damaged")
        yield name, body, body + size
        start = body + size


def _vint_length(content: bytes, at: int, end: int) -> int:
    """How many bytes a number at this offset has: 1 more than its leading zero bits."""
    if at >= end or content[at] == 0 or at + 9 - content[at].bit_length() > end:
        raise BrokenVideo("it is cut off or damaged")
    return 9 - content[at].bit_length()
