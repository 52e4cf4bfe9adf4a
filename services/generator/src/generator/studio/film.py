"""Films of painted scenes: the camera passes by, clouds and water move, the light turns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from generator.studio import finish
from generator.studio.canvas import Layer
from generator.studio.colour import Image
from generator.studio.easel import Motion, Part, Step
from generator.studio.painter import compose, easel_for
from generator.studio.pictures import Pixels
from generator.studio.words import Scene

_PAN = 0.032
"""How far the camera goes to either side, of the picture's width, past what stands on the stage."""
_NEAREST = 1.4
"""How much farther it seems to what is nearest."""
_PUSH = 0.05
"""By how much the camera comes nearer in all."""
_LIGHT = 0.1
"""By how much the light changes to either side."""


@dataclass(frozen=True, slots=True)
class Sprite:
    """A part cut to what is painted on it, at (x, y): premultiplied ``colour``, and how much of
    what lies behind ``shows``, both (h, w, 3): arrays of one shape are multiplied fastest."""

    colour: Image
    shows: Image
    x: int
    y: int
    distance: float
    motion: Motion | None

    def lay(self, picture: Image, right: float, down: float) -> None:
        """Paste it onto ``picture``, moved by so many pixels."""
        whole_x, whole_y = int(np.floor(right)), int(np.floor(down))
        move = np.array([[1, 0, right - whole_x], [0, 1, down - whole_y]], np.float32)
        height, width = self.colour.shape[:2]
        left, top = self.x + whole_x, self.y + whole_y
        x0, y0 = max(0, left), max(0, top)
        x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
        if x0 >= x1 or y0 >= y1:
            return
        cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
        place = picture[y0:y1, x0:x1]
        place *= cv2.warpAffine(self.shows, move, (width, height), borderValue=(1, 1, 1))[cut]
        place += cv2.warpAffine(self.colour, move, (width, height))[cut]


def frames(
    scene: Scene, size: tuple[int, int], count: int, fps: int, step: Step
) -> Iterator[Pixels]:
    """Paint a scene, (width, height), and yield its pictures. ``step`` is told up to 30."""
    width, height = size
    margin = int(np.ceil(width * _PAN * _NEAREST)) + 2
    parts: list[Part] = []
    wide = width + 2 * margin
    stage = easel_for(scene, wide, height, lambda percent: step(percent * 30 // 100), parts)
    compose(stage)
    scenery = [part.paint or _sprite(part) for part in parts if part.paint or _shows(part)]
    distances = [part.distance for part in parts if part.paint or _shows(part)]
    lens = easel_for(scene, width, height, lambda percent: None)
    warmth = lens.palette.glow / max(float(lens.palette.glow.mean()), 1e-3)
    for number in range(count):
        moment = number / fps
        share = number / max(1, count - 1)
        pan = -np.cos(np.pi * share) * _PAN * width
        stage.picture = Layer(height, wide)
        stage.moment_s = lens.moment_s = moment
        for each, distance in zip(scenery, distances, strict=True):
            if not isinstance(each, Sprite):
                each(stage)
                continue
            right, down = (0.0, 0.0) if each.motion is None else each.motion(moment)
            past = pan * (1 - 0.85 * distance)
            each.lay(stage.picture.colour, right * stage.unit - past, down * stage.unit)
        lens.picture.colour = _seen(stage.picture.colour, size, 1 + _PUSH * share)
        lens.picture.colour *= 1 + (warmth - 0.94) * np.float32(_LIGHT * (2 * share - 1))
        finish.weather(lens)
        finish.bloom(lens)
        finish.brush(lens)
        yield finish.grade(lens)


def _shows(part: Part) -> bool:
    return part.layer is not None and bool((np.abs(part.layer.colour) > 1e-3).any())


def _sprite(part: Part) -> Sprite:
    assert part.layer is not None
    pixels = np.dstack([part.layer.colour, part.layer.cover])
    painted = (np.abs(pixels[..., :3]) > 1e-3).any(axis=2) | (pixels[..., 3] > 1e-3)
    rows, columns = np.flatnonzero(painted.any(axis=1)), np.flatnonzero(painted.any(axis=0))
    x, y = int(columns[0]), int(rows[0])
    cut = pixels[y : int(rows[-1]) + 1, x : int(columns[-1]) + 1]
    # With a seam, into which it moves by parts of a pixel.
    cut = np.pad(cut, ((0, 1), (0, 1), (0, 0)))
    colour = np.ascontiguousarray(cut[..., :3], np.float32)
    shows = np.repeat(1 - cut[..., 3:], 3, axis=2).astype(np.float32)
    return Sprite(colour, shows, x, y, part.distance, part.motion)


def _seen(picture: Image, size: tuple[int, int], zoom: float) -> Image:
    """The middle of the wide picture as the camera sees it, (width, height)."""
    width, height = size
    middle_x, middle_y = picture.shape[1] / 2, picture.shape[0] / 2
    view = np.array(
        [
            [1 / zoom, 0, middle_x - width / 2 / zoom],
            [0, 1 / zoom, middle_y - height / 2 / zoom],
        ],
        np.float32,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(picture, view, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.float32
    )
