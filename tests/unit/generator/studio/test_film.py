"""VIDEO: films of painted scenes and of photos."""

from __future__ import annotations

import io
from collections.abc import Sequence
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from generator.provider import Rejected
from generator.studio import film, parallax
from generator.studio.orders import Made, Order
from generator.studio.render import render
from generator.studio.scenes import SCENES
from generator.studio.words import read
from unit.generator.studio.photos import Pixels, ball_photo, file_of

SIZE = (160, 96)


def silent(percent: int) -> None:
    """Nobody asks how far it is."""


def made(
    prompt: str, kind: str = "mp4", references: Sequence[bytes] = (), *, seconds: float = 1
) -> Made:
    params = {"width": SIZE[0], "height": SIZE[1], "seconds": seconds, "format": kind}
    return render(Order("VIDEO", prompt, tuple(references), {**params, "seed": 3}), silent)


def filmed(prompt: str, count: int = 2, fps: int = 1) -> list[Pixels]:
    return list(film.frames(read(prompt, 3), SIZE, count, fps, silent))


def moved(before: Pixels, after: Pixels, rows: slice) -> float:
    """How many columns a band of the picture has gone to the right."""
    bands = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)[rows] for each in (before, after)]
    first, second = (np.asarray(each, np.float64) for each in bands)
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_64F)
    return float(cv2.phaseCorrelate(first, second, window)[0][0])


def change(before: Pixels, after: Pixels) -> float:
    return float(np.abs(before.astype(np.int32) - after).mean())


def test_an_mp4_is_h264_that_browsers_play_from_the_start() -> None:
    video = made("a boat on the sea", seconds=1.5)
    assert (video.content_type, video.width, video.height) == ("video/mp4", *SIZE)
    with av.open(io.BytesIO(video.content)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height, stream.average_rate) == (*SIZE, 24)
        pictures = [each.to_ndarray(format="rgb24") for each in container.decode(video=0)]
        assert container.duration == pytest.approx(1.5 * av.time_base, rel=0.01)
    assert len(pictures) == 36
    assert all(change(*pair) > 0.1 for pair in pairwise(pictures))
    assert video.content.index(b"moov") < video.content.index(b"mdat")


def test_an_animated_webp_lasts_as_long() -> None:
    video = made("a boat on the sea", "webp")
    assert video.content_type == "image/webp"
    with Image.open(io.BytesIO(video.content)) as image:
        assert (image.n_frames, image.size) == (24, SIZE)
        shown = 0
        for number in range(image.n_frames):
            image.seek(number)
            image.load()
            shown += image.info["duration"]
    assert shown == 1000


def test_the_same_prompt_and_seed_give_the_same_film() -> None:
    assert made("snow on a lake").content == made("snow on a lake").content


@pytest.mark.parametrize("place", sorted(SCENES))
def test_every_place_can_be_filmed_and_moves(place: str) -> None:
    prompt = {"abstract": "qwrtz", "room": "a vase in a room"}.get(place, f"a bird, {place}")
    before, after = filmed(prompt)
    assert before.shape == (SIZE[1], SIZE[0], 3)
    assert change(before, after) > 1


def test_what_is_near_passes_faster_than_what_is_far() -> None:
    before, after = filmed("mountains at noon")
    far, near = moved(before, after, slice(30, 60)), moved(before, after, slice(84, 96))
    assert near < far - 2


def test_water_and_clouds_move_though_the_camera_stands_still(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("_PAN", "_PUSH", "_LIGHT"):
        monkeypatch.setattr(film, name, 0.0)
    before, after = filmed("the sea at noon, cloudy")
    assert change(before[:40], after[:40]) > 0.5
    assert change(before[60:76], after[60:76]) > 0.5


def test_snow_falls() -> None:
    calm, snowy = filmed("a field in winter"), filmed("a field in winter, it snows")
    assert change(*snowy) > change(*calm)


def test_a_photo_moves_before_what_is_behind_it() -> None:
    photo = ball_photo(320, 192, busy=True)
    shot = parallax.shot_of(photo, SIZE)
    start, end = (shot.seen(SIZE, share, 1.0) for share in (0.0, 1.0))
    ball = [each[..., 0] - each[..., 1] > 0.25 for each in (start, end)]
    middles = [float(np.flatnonzero(each.any(axis=0)).mean()) for each in ball]
    assert middles[1] - middles[0] > 0.01 * SIZE[0]
    behind = shot.backdrop[..., 0] - shot.backdrop[..., 1]
    assert (behind < 0.25).all()


def test_each_of_several_photos_is_shown() -> None:
    red, blue = ball_photo(), ball_photo()[..., ::-1].copy()
    pictures = list(parallax.frames([red, blue], read("balls", 1), SIZE, 24, 12, silent))
    assert len(pictures) == 24
    assert pictures[0][48, 80].argmax() == 0
    assert pictures[-1][48, 80].argmax() == 2


def test_a_film_of_photos_is_a_file_too() -> None:
    video = made("a ball", references=[file_of(ball_photo())])
    with av.open(io.BytesIO(video.content)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 24


def test_a_broken_photo_is_refused() -> None:
    with pytest.raises(Rejected) as refusal:
        made("a ball", references=[b"no picture"])
    assert refusal.value.code == "invalid_input"


def test_every_tenth_of_the_way_is_told_once_and_in_order() -> None:
    told: list[int] = []
    params = {"width": 96, "height": 64, "seconds": 1, "format": "mp4"}
    render(Order("VIDEO", "a cat", (), params), told.append)
    assert told == [10, 20, 30, 40, 50, 60, 70, 80, 90]
