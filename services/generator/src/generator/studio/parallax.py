"""Films of photos: the camera passes by, and the subject moves before what is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from generator.studio import finish
from generator.studio.colour import Image
from generator.studio.cutout import subject_of
from generator.studio.easel import Step
from generator.studio.painter import easel_for
from generator.studio.pictures import Pixels
from generator.studio.relief import continued
from generator.studio.words import Scene

_ROOM = 1.12
"""The photo is this much larger than the picture, so that the camera has somewhere to go."""
_PAN = 0.016
"""How far the subject goes to either side, of the picture's width …"""
_BEHIND = -0.4
"""… and how far what is behind it does, of that."""
_FADE_S = 0.5


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo as two sheets, colours 0..1, larger than the picture: (h, w, 3) and (h, w, 4)."""

    backdrop: Image
    subject: Image

    def seen(self, size: tuple[int, int], share: float, way: float) -> Image:
        """The picture when ``share`` of the shot is over; the camera goes ``way``, 1 or -1."""
        pan = way * -np.cos(np.pi * share) * _PAN * size[0]
        behind = _view(self.backdrop, size, pan * _BEHIND, 1 + 0.02 * share)
        front = _view(self.subject, size, pan, 1 + 0.07 * share)
        return np.asarray(behind * (1 - front[..., 3:]) + front[..., :3], np.float32)


def shot_of(photo: Pixels, size: tuple[int, int]) -> Shot:
    """Cut the subject out, and let what surrounds it go on behind it."""
    width, height = (round(side * _ROOM) for side in size)
    scale = max(width / photo.shape[1], height / photo.shape[0])
    whole = (max(width, round(photo.shape[1] * scale)), max(height, round(photo.shape[0] * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    large = cv2.resize(photo, whole, interpolation=how)
    # Of a photo that is higher than the film, the upper part: there are the faces.
    x, y = (whole[0] - width) // 2, (whole[1] - height) // 6
    fitted = np.ascontiguousarray(large[y : y + height, x : x + width])
    alpha = subject_of(np.asarray(fitted, np.uint8), lambda percent: None)
    colour = np.asarray(fitted, np.float32) / np.float32(255)
    reach = max(2, round(min(size) * 0.02))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    open_ground = cv2.dilate((alpha > 0.05).astype(np.uint8), kernel) == 0
    backdrop = continued(colour, open_ground) if open_ground.mean() > 0.05 else colour
    subject = np.dstack([colour * alpha[..., None], alpha])
    return Shot(backdrop, np.asarray(subject, np.float32))


def frames(
    photos: Sequence[Pixels],
    scene: Scene,
    size: tuple[int, int],
    count: int,
    fps: int,
    step: Step,
) -> Iterator[Pixels]:
    """Show the photos one after another, in the weather of ``scene``.

    ``step`` is told up to 30.
    """
    shots = []
    for done, photo in enumerate(photos, 1):
        shots.append(shot_of(photo, size))
        step(30 * done // len(photos))
    lens = easel_for(scene, *size, lambda percent: None)
    each = count / len(shots)
    fade = min(_FADE_S * fps, each / 2)
    for number in range(count):
        at = min(len(shots) - 1, int(number / each))
        lens.moment_s = number / fps
        picture = _picture(shots, at, number / each - at, size)
        left = (at + 1) * each - number
        if at + 1 < len(shots) and left < fade:
            share = np.float32(1 - left / fade)
            picture += (_picture(shots, at + 1, 0.0, size) - picture) * share
        lens.picture.colour = picture
        finish.weather(lens)
        yield np.asarray(np.clip(picture, 0, 1) * 255 + 0.5, np.uint8)


def _picture(shots: Sequence[Shot], at: int, share: float, size: tuple[int, int]) -> Image:
    return shots[at].seen(size, share, 1.0 if at % 2 == 0 else -1.0)


def _view(sheet: Image, size: tuple[int, int], right: float, zoom: float) -> Image:
    width, height = size
    middle_x, middle_y = sheet.shape[1] / 2, sheet.shape[0] / 2
    view = np.array(
        [
            [1 / zoom, 0, middle_x - width / 2 / zoom - right],
            [0, 1 / zoom, middle_y - height / 2 / zoom],
        ],
        np.float32,
    )
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(sheet, view, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)
