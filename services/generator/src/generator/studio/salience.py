"""What stands out in a photo: patches of one colour, and how firmly each hangs on the border.

After Zhu, Liang, Wei and Sun, "Saliency Optimization from Robust Background Detection": a
background runs along much of the border for its area; a subject that is cut off by it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Image
from generator.studio.pictures import Pixels

Labels = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
"""One for each patch."""

_SIDE = 160
_PATCHES = 260
_SAME = 10.0
"""Colours in Lab that are this far apart begin to be two."""


@dataclass(frozen=True, slots=True)
class Patches:
    """The picture in pieces: which one a pixel is in, and each one's colour, middle and size."""

    labels: Labels
    colour: Values
    """(n, 3), Lab."""
    middle: Values
    """(n, 2), x and y in 0..1."""
    pixels: Values
    border: Values
    """How much of the picture's border it has, in its own widths; the lower side counts less,
    since subjects stand there."""
    beside: npt.NDArray[np.bool_]
    """(n, n)"""
    detail: Values
    """How much fine detail it shows: little where the photo is out of focus."""


def standing_out(small: Pixels) -> Image:
    """How likely each pixel is the subject's, 0..1: (h, w)."""
    h, w = small.shape[:2]
    scale = min(1.0, _SIDE / max(h, w))
    size = (max(8, round(w * scale)), max(8, round(h * scale)))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    detail = np.abs(cv2.Laplacian(grey, cv2.CV_32F))
    patches = patches_of(
        np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_AREA)),
        np.asarray(cv2.resize(detail, size, interpolation=cv2.INTER_AREA)),
    )
    found = weighed(patches)[patches.labels].astype(np.float32)
    whole = cv2.resize(found, (w, h), interpolation=cv2.INTER_LINEAR)
    return np.asarray(whole, np.float32)


def patches_of(small: Pixels, detail: Image) -> Patches:
    """Patches of like colour (SLIC), in a grid to begin with."""
    sharp = cv2.cvtColor(small, cv2.COLOR_RGB2LAB) * np.array([100 / 255, 1, 1], np.float32)
    lab = np.asarray(cv2.GaussianBlur(sharp, (0, 0), 0.8), np.float32)
    h, w = lab.shape[:2]
    labels = _slic(lab, max(2.0, (h * w / _PATCHES) ** 0.5))
    n = int(labels.max()) + 1
    pixels = np.bincount(labels.ravel(), minlength=n).astype(np.float64)

    def mean(values: npt.NDArray[np.generic]) -> Values:
        return np.asarray(np.bincount(labels.ravel(), values.ravel(), n) / pixels, np.float64)

    y, x = np.mgrid[0:h, 0:w]
    beside = np.zeros((n, n), np.bool_)
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        beside[one.ravel(), other.ravel()] = True
    beside |= beside.T
    np.fill_diagonal(beside, False)
    border = np.zeros(n)
    for side, weight in ((labels[0], 1), (labels[:, 0], 1), (labels[:, -1], 1), (labels[-1], 0.6)):
        border += np.bincount(side, minlength=n) * weight
    colour = np.stack([mean(lab[..., part]) for part in range(3)], axis=1)
    middle = np.stack([mean((x + 0.5) / w), mean((y + 0.5) / h)], axis=1)
    return Patches(
        labels, colour, middle, pixels, border / (h * w / n) ** 0.5, beside, mean(detail)
    )


def _slic(lab: Image, pitch: float) -> Labels:
    h, w = lab.shape[:2]
    rows, columns = max(2, round(h / pitch)), max(2, round(w / pitch))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    row, column = (y * rows / h).astype(np.int64), (x * columns / w).astype(np.int64)
    place = np.float32(14 / pitch)
    points = np.dstack([lab, x * place, y * place]).astype(np.float32)
    flat = points.reshape(-1, 5)
    labels, n = row * columns + column, rows * columns
    for _ in range(6):
        count = np.maximum(np.bincount(labels.ravel(), minlength=n), 1)
        centres = np.stack(
            [np.bincount(labels.ravel(), part, n) / count for part in flat.T], axis=1
        )
        centres = centres.astype(np.float32)
        nearest = np.full((h, w), np.inf, np.float32)
        for down in (-1, 0, 1):
            for aside in (-1, 0, 1):
                candidate = np.clip(row + down, 0, rows - 1) * columns
                candidate += np.clip(column + aside, 0, columns - 1)
                distance = ((points - centres[candidate]) ** 2).sum(axis=2)
                labels = np.where(distance < nearest, candidate, labels)
                nearest = np.minimum(distance, nearest)
    return np.unique(labels, return_inverse=True)[1].reshape(h, w).astype(np.int64)


def weighed(patches: Patches) -> Values:
    """How likely each patch is the subject's, 0..1."""
    apart = np.sqrt(((patches.colour[:, None] - patches.colour[None]) ** 2).sum(axis=2))
    ground = hanging_on_border(patches, apart)
    off = ((patches.middle - 0.5) * 2) ** 2
    central = np.exp(-(off * (1.0, 0.75)).sum(axis=1) * 0.9)
    contrast = _contrast(patches, apart, ground)
    typical = _typical(patches, apart, off)
    free = np.average(1 - ground, weights=central * patches.pixels)
    if free < 0.08 and _close_up(patches, typical):
        figure, ground = typical**2 * central, (1 - typical) ** 2
    else:
        figure = (0.55 * (1 - ground) ** 2 + 0.45 * contrast) * central + 0.3 * typical**3 * central
        ground = ground * (1 - 0.6 * np.clip(typical * 2 - 1, 0, 1)) + 0.03
    return _settled(patches, apart, figure, ground)


def hanging_on_border(patches: Patches, apart: Values) -> Values:
    """How surely each patch is background, 0..1: how much border there is, for its area, among what
    one reaches from it without crossing an edge."""
    n = len(apart)
    outer = patches.border > 0
    step = np.where(patches.beside, apart, np.inf)
    slack = float(step.min(axis=1).mean())
    way = np.where(
        patches.beside | (outer[:, None] & outer[None]), np.maximum(apart - slack, 0), np.inf
    )
    np.fill_diagonal(way, 0)
    for over in range(n):
        np.minimum(way, way[:, over : over + 1] + way[over : over + 1], out=way)
    near = np.exp(-(way**2) / (2 * _SAME**2))
    firm = near @ patches.border / np.sqrt(near.sum(axis=1))
    return np.asarray(1 - np.exp(-(firm**2) / 2), np.float64)


def _contrast(patches: Patches, apart: Values, ground: Values) -> Values:
    """How unlike the background around it each patch is, 0..1."""
    away = ((patches.middle[:, None] - patches.middle[None]) ** 2).sum(axis=2)
    contrast = (apart * np.exp(-away / (2 * 0.4**2))) @ (ground * patches.pixels)
    spread = float(np.ptp(contrast))
    return np.asarray((contrast - contrast.min()) / (spread + 1e-6), np.float64)


def _typical(patches: Patches, apart: Values, off: Values) -> Values:
    """How much more of its colour is in the middle than along the border; 0.5 is as much."""
    like = np.exp(-(apart**2) / (2 * 9.0**2))
    middle = np.exp(-off.sum(axis=1) * 2.2) * patches.pixels
    inside = like @ (middle / middle.sum())
    outside = like @ (patches.border / patches.border.sum())
    return np.asarray(inside / (inside + outside + 1e-9), np.float64)


def _close_up(patches: Patches, typical: Values) -> bool:
    """Whether a subject in focus fills the picture, before what is out of focus."""
    inner, outer = typical > 0.52, typical < 0.42
    whole = patches.pixels.sum()
    if patches.pixels[inner].sum() < 0.2 * whole or patches.pixels[outer].sum() < 0.1 * whole:
        return False
    return bool(np.median(patches.detail[inner]) > 1.5 * np.median(patches.detail[outer]) + 1)


def _settled(patches: Patches, apart: Values, figure: Values, ground: Values) -> Values:
    """The likelihoods that suit both hints best while neighbours of like colour agree."""
    joined = patches.beside.astype(np.float64)
    close = (joined + joined @ joined) > 0
    np.fill_diagonal(close, False)
    alike = np.where(close, np.exp(-(apart**2) / (2 * 7.0**2)), 0) + 0.1 * joined
    system = np.diag(alike.sum(axis=1) + figure + ground + 1e-6) - alike
    return np.clip(np.linalg.solve(system, figure), 0, 1)
