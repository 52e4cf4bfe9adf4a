"""Videos as a real encoder writes them are recognised by what is in them."""

from pathlib import Path

import cv2
import numpy
import pytest

from artifacts.intake import Unusable, inspect


def film(path: Path, codec: str) -> bytes:
    """Five frames of 64 × 48 pixels."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 10, (64, 48))
    assert writer.isOpened(), f"the locked build of OpenCV should write {codec}"
    for shade in range(5):
        writer.write(numpy.full((48, 64, 3), shade * 40, numpy.uint8))
    writer.release()
    return path.read_bytes()


@pytest.mark.parametrize(
    ("ext", "codec", "content_type"),
    [
        ("mp4", "mp4v", "video/mp4"),
        ("mov", "mp4v", "video/quicktime"),
        ("webm", "VP80", "video/webm"),
        ("webm", "VP90", "video/webm"),
    ],
)
def test_a_film_is_taken_whole_and_refused_when_cut_off(
    tmp_path: Path, ext: str, codec: str, content_type: str
) -> None:
    content = film(tmp_path / f"film.{ext}", codec)
    inspected = inspect(content)
    assert (inspected.content_type, inspected.ext) == (content_type, ext)
    assert (inspected.width, inspected.height) == (64, 48)
    for length in (40, len(content) // 2, len(content) - 1):
        with pytest.raises(Unusable) as refused:
            inspect(content[:length])
        assert refused.value.code == "unsupported_media"


def test_a_matroska_file_is_not_a_webm(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="it is Matroska, not WebM"):
        inspect(film(tmp_path / "film.mkv", "VP80"))
