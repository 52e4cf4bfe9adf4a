"""Moving pictures into a file: H.264 in MP4, or an animated WebP."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import av
from PIL import Image

from generator.studio.pictures import Pixels

FPS = 24


def mp4(pictures: Iterable[Pixels], size: tuple[int, int]) -> bytes:
    """What every browser plays, and begins to play before it has all of it."""
    # The index is moved to the front in a second pass over the file: that takes a real one.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
            stream = container.add_stream(
                "libx264", rate=FPS, options={"crf": "20", "preset": "veryfast"}
            )
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.thread_count = 1
            for pixels in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            container.mux(stream.encode(None))
        return path.read_bytes()


def webp(pictures: Iterable[Pixels]) -> bytes:
    frames = [Image.fromarray(pixels) for pixels in pictures]
    # Whole milliseconds that add up.
    ends = [round(1000 * number / FPS) for number in range(len(frames) + 1)]
    shown = [end - start for start, end in pairwise(ends)]
    target = io.BytesIO()
    frames[0].save(
        target,
        "WEBP",
        save_all=True,
        append_images=frames[1:],
        duration=shown,
        loop=0,
        quality=76,
        method=1,
    )
    return target.getvalue()
