"""Heads in a photo, without a model: a patch of skin as large as a face, with two eyes in it.

OpenCV's own wheel carries no trained detector, so this goes by what any face shows: its shape, its
colour, and a dark place on either side at the same height.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Image
from generator.studio.pictures import Pixels

Mask = npt.NDArray[np.bool_]

_SIDE = 48
"""Eyes are looked for in a square of this many pixels."""


@dataclass(frozen=True, slots=True)
class Face:
    """A head's middle and half-width, in pixels."""

    x: float
    y: float
    half: float

    def scaled(self, scale: float) -> Face:
        return Face(self.x * scale, self.y * scale, self.half * scale)


@dataclass(frozen=True, slots=True)
class Patch:
    """A connected patch of skin: its box, area and middle, in pixels."""

    y: int
    width: int
    height: int
    area: int
    middle: tuple[float, float]

    @property
    def filled(self) -> float:
        return self.area / (self.width * self.height)

    @property
    def aspect(self) -> float:
        return self.height / self.width

    @property
    def facelike(self) -> bool:
        return self.filled > 0.45 and 0.65 < self.aspect < 2.6

    @property
    def face(self) -> Face:
        """The face in it: a long patch has the neck below."""
        half = self.width / 2 * min(1.0, 1.5 / self.aspect * 1.1)
        return Face(self.middle[0], self.y + min(self.height, self.width * 1.4) / 2, half)


def skin_of(photo: Pixels) -> Image:
    """Where the picture has the colour of skin, (height, width) of 0 and 1."""
    ycc = cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb)
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV)
    y, cr, cb = (ycc[..., i].astype(np.int32) for i in range(3))
    hue, saturation = hsv[..., 0].astype(np.int32), hsv[..., 1].astype(np.int32)
    skin = (cr > 134) & (cr < 176) & (cb > 78) & (cb < 129) & (y > 45)
    skin &= ((hue < 24) | (hue > 170)) & (saturation > 28) & (saturation < 176)
    return skin.astype(np.float32)


def solid_skin(skin: Mask) -> npt.NDArray[np.uint8]:
    """Without specks, and with the holes closed that eyes and mouths leave."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    clean = cv2.morphologyEx(skin.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return np.asarray(cv2.morphologyEx(clean, cv2.MORPH_CLOSE, kernel, iterations=2), np.uint8)


def patches_of(solid: npt.NDArray[np.uint8]) -> list[Patch]:
    """The patches that are large enough for a face, the largest first."""
    count, _, stats, centres = cv2.connectedComponentsWithStats(solid)
    found = []
    for (_, y, width, height, area), (cx, cy) in zip(stats[1:count], centres[1:count], strict=True):
        if area >= 0.0012 * solid.size:
            found.append(Patch(int(y), int(width), int(height), int(area), (float(cx), float(cy))))
    return sorted(found, key=lambda patch: -patch.area)


def faces_in(small: Pixels, most: int = 4) -> list[Face]:
    """The faces that show two eyes, the largest first."""
    grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
    solid = solid_skin(skin_of(small) > 0)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(solid)
    least = 0.03 * max(solid.shape)
    found: list[Face] = []
    for label in np.argsort(-stats[1:, cv2.CC_STAT_AREA])[:16] + 1:
        x, y, width, height, area = (int(part) for part in stats[label])
        if area < max(3 * least**2, 0.45 * width * height) or not 0.6 < height / width < 2.6:
            continue
        box = (slice(y, y + height), slice(x, x + width))
        patch = labels[box] == label
        for part in (_lighter(patch, grey[box]), patch):
            place = _roundest(part, least)
            face = place and by_eyes(grey, Face(place.x + x, place.y + y, place.half))
            if face is not None:
                found.append(face)
                break
    return found[:most]


def _lighter(patch: Mask, grey: npt.NDArray[np.uint8]) -> Mask:
    """The patch without hair of nearly the colour of skin."""
    level, _ = cv2.threshold(grey[patch][None], 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return solid_skin(patch & (grey > level)) > 0


def _roundest(patch: Mask, least: float) -> Face | None:
    """The largest circle in the patch, eyes and mouth filled, if it is large and much of it."""
    padded = np.pad(patch.astype(np.uint8), 1)
    _, holes, stats, _ = cv2.connectedComponentsWithStats(1 - padded, connectivity=4)
    padded[np.isin(holes, np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.04 * patch.sum()))] = 1
    _, reach, _, (x, y) = cv2.minMaxLoc(cv2.distanceTransform(padded, cv2.DIST_L2, 5))
    if reach < least or 3.14 * reach**2 < 0.36 * patch.sum():
        return None
    return Face(x - 1, y - 1, float(reach) * 1.05)


def by_eyes(grey: npt.NDArray[np.uint8], near: Face) -> Face | None:
    """The face whose eyes are dark spots that mirror each other in the upper part of ``near``."""
    for down in (0, -0.2, 0.2):
        for size in (0.9, 1.1):
            place = Face(near.x, near.y + near.half * down, near.half * size)
            if (face := _mirrored(grey, place)) is not None:
                return face
    return None


def _mirrored(grey: npt.NDArray[np.uint8], near: Face) -> Face | None:
    left, right = round(near.x - near.half), round(near.x + near.half)
    top, bottom = round(near.y - near.half * 1.2), round(near.y + near.half * 1.2)
    if near.half < 4 or left < 0 or top < 0 or right > grey.shape[1] or bottom > grey.shape[0]:
        return None
    crop = cv2.resize(grey[top:bottom, left:right], (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15))
    dark = cv2.morphologyEx(crop, cv2.MORPH_BLACKHAT, kernel).astype(np.float32)
    first, margin = _SIDE // 5, _SIDE // 10
    spots = cv2.GaussianBlur(dark, (0, 0), 2)[first : _SIDE * 3 // 5]
    one, other = spots[:, margin : _SIDE // 2], spots[:, ::-1][:, margin : _SIDE // 2]
    if min(float(one.max()), float(other.max())) < 15:
        return None
    (y1, x1), (y2, x2) = (divmod(int(eye.argmax()), eye.shape[1]) for eye in (one, other))
    if min(y1, y2, x1, x2) < 2 or max(y1, y2) > len(one) - 3 or max(x1, x2) > one.shape[1] - 3:
        return None  # a spot at the rim is the end of something longer
    alike = float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    if alike < 0.5 or max(abs(y1 - y2), abs(x1 - x2)) > _SIDE // 8:
        return None
    half = 1.05 * (_SIDE - 2 * margin - x1 - x2) / _SIDE * 2 * near.half
    eyes = top + (first + (y1 + y2) / 2) / _SIDE * 2.4 * near.half
    return Face(
        float(near.x + (x1 - x2) / _SIDE * near.half), float(eyes + 0.35 * half), float(half)
    )


def person_area(shape: tuple[int, int], face: Face) -> Mask:
    """What is surely the person's: the inside of the face, and the middle of neck and chest."""
    down, aside = _from_face(shape, face)
    neck = (down > 0.8) & (down < 2) & (aside < 0.3)
    chest = (down >= 2) & (down < 4.5) & (aside < 0.7)
    return _oval(shape, face.x, face.y, face.half * 0.85, face.half * 1.15) | neck | chest


def body_area(shape: tuple[int, int], face: Face) -> Mask:
    """Where the head with its hair, the neck and the torso may be: (h, w)."""
    down, aside = _from_face(shape, face)
    head = _oval(shape, face.x, face.y - face.half * 0.35, face.half * 1.5, face.half * 1.7)
    shoulder = 0.9 + 2.1 * np.clip((down - 1.3) / 1.5, 0, 1)
    torso = (down > 0.8) & (down < 6.5) & (aside < shoulder)
    return np.asarray(head | torso, np.bool_)


def _from_face(shape: tuple[int, int], face: Face) -> tuple[Image, Image]:
    """How far below the face's middle, (h, 1), and aside of it, (1, w), in half-widths."""
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    return (y - face.y) / face.half, np.abs(x - face.x) / face.half


def _oval(shape: tuple[int, int], cx: float, cy: float, rx: float, ry: float) -> Mask:
    y = (np.arange(shape[0], dtype=np.float32)[:, None] - cy) / max(ry, 1e-3)
    x = (np.arange(shape[1], dtype=np.float32)[None, :] - cx) / max(rx, 1e-3)
    return np.asarray(x * x + y * y < 1, np.bool_)
