"""From a photo to its cut-out, and from there to how far each part of it bulges."""

from __future__ import annotations

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow

from generator.provider import Rejected
from generator.studio.colour import Image, smoothstep
from generator.studio.cutout import subject_of
from generator.studio.easel import Step
from generator.studio.pictures import Pixels

Cutout = npt.NDArray[np.uint8]
"""(height, width, 4) RGBA: the subject, its colours continued beyond its edge."""

_CUTOUT_SIDE = 1024
_MARGIN = 0.03
MOST_TRIANGLES = 60_000
_CELLS = (11_000, 8_000, 5_500, 3_500)
"""How many cells of the grid the subject covers; fewer if its rim is so long that it takes many."""
_LONGEST_GRID = 420
_LEAST_SHARE = 0.004
"""A subject smaller than this share of the photo is none."""
_NOTHING_THERE = "Nothing stands out in this photo that a model could be made of."
_CRUMB = 0.04
"""Loose pieces smaller than this share of the largest are left out …"""
_PINHOLE = 0.0015
"""… and holes smaller than this are closed."""
_FINER = 3
_BULGE = 0.62
_DEEPEST = 0.17
"""Of the longer side, for a subject that is round and wide."""


def cut_out(photo: Pixels, step: Step) -> Cutout:
    """The subject without its background. Raises `Rejected` when there is none."""
    alpha = subject_of(photo, step)
    if float(alpha.mean()) < _LEAST_SHARE:
        raise Rejected(_NOTHING_THERE)
    rows = np.flatnonzero(alpha.max(axis=1) > 0.5)
    columns = np.flatnonzero(alpha.max(axis=0) > 0.5)
    if rows.size < 2 or columns.size < 2:
        raise Rejected(_NOTHING_THERE)
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    margin = max(2, round(_MARGIN * max(rows.size, columns.size)))
    edges = ((margin, margin), (margin, margin))
    shape = np.pad(alpha[box], edges)
    colour = np.pad(photo[box], (*edges, (0, 0)), mode="edge").astype(np.float32)
    scale = min(1.0, _CUTOUT_SIDE / max(shape.shape))
    size = (max(8, round(shape.shape[1] * scale)), max(8, round(shape.shape[0] * scale)))
    shape = _resized(shape, size)
    colour = continued(_resized(colour, size), shape > 0.96)
    step(90)
    whole = np.dstack([colour, shape * 255])
    return np.asarray(np.clip(whole + 0.5, 0, 255), np.uint8)


def continued(colour: Image, known: npt.NDArray[np.bool_]) -> Image:
    """``colour`` where it is known, elsewhere what surrounds the place, ever softer."""
    if not known.any():
        return colour
    levels = [(colour * known[..., None], known.astype(np.float32))]
    while min(levels[-1][1].shape) > 2:
        paint, weight = levels[-1]
        size = (-(-weight.shape[1] // 2), -(-weight.shape[0] // 2))
        levels.append((_resized(paint, size), _resized(weight, size)))
    paint, weight = levels.pop()
    filled: Image = np.asarray(paint / np.maximum(weight, 1e-4)[..., None], np.float32)
    for paint, weight in reversed(levels):
        size = (weight.shape[1], weight.shape[0])
        filled = _resized(filled, size, cv2.INTER_LINEAR)
        sure = np.clip(weight * 4, 0, 1)[..., None]
        own = paint / np.maximum(weight, 1e-4)[..., None]
        filled += (own - filled) * sure
    return np.asarray(np.where(known[..., None], colour, filled), np.float32)


def _resized(image: Image, size: tuple[int, int], how: int = cv2.INTER_AREA) -> Image:
    """``size`` is (width, height)."""
    return np.asarray(cv2.resize(image, size, interpolation=how), np.float32)


def outline(cutout: Cutout) -> Image:
    """The subject's shape on the model's grid, (rows, columns): above 0.5 it is inside.

    Without crumbs and pinholes, and nothing of it touches the border. As fine as a model may be.
    """
    for cells in _CELLS:
        shape = _outline(cutout, cells)
        if _most_triangles(shape > 0.5) <= MOST_TRIANGLES:
            break
    return shape


def _most_triangles(inside: npt.NDArray[np.bool_]) -> int:
    """No model of this shape has more: a cell has two in front and two behind, at the rim eight."""
    corners = sum(
        part.astype(np.int64)
        for part in (inside[:-1, :-1], inside[:-1, 1:], inside[1:, 1:], inside[1:, :-1])
    )
    whole = np.count_nonzero(corners == 4)
    return int(4 * whole + 8 * (np.count_nonzero(corners) - whole))


def _outline(cutout: Cutout, cells: int) -> Image:
    alpha = cutout[..., 3].astype(np.float32) / 255
    covered = max(float((alpha > 0.5).mean()), 1e-6)
    height, width = alpha.shape
    longest = min(_LONGEST_GRID, (cells / covered * max(height / width, width / height)) ** 0.5)
    scale = min(1.0, longest / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    shape = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
    shape = cv2.GaussianBlur(np.pad(shape, 3), (0, 0), 1.7)
    solid = _whole_pieces(shape > 0.5)
    inside = cv2.dilate(solid.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    shape = np.where(inside, shape, 0)
    filled = solid & (shape <= 0.5)
    shape[filled] = 1
    shape[[0, -1]] = 0
    shape[:, [0, -1]] = 0
    return np.asarray(shape, np.float32)


def _whole_pieces(solid: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    area = max(1, int(solid.sum()))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.astype(np.uint8))
    if count > 1:
        sizes = stats[1:, cv2.CC_STAT_AREA]
        keep = 1 + np.flatnonzero(sizes >= _CRUMB * sizes.max())
        solid = np.isin(labels, keep)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (~solid).astype(np.uint8), connectivity=4
    )
    small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < _PINHOLE * area]
    return np.asarray(solid | np.isin(labels, small))


def depth_of(shape: Image) -> Image:
    """How far each point of the grid bulges forwards, in cells; 0 outside.

    The outline is blown up like a balloon: a disc becomes half a ball, a bar half a cylinder.
    """
    rows, columns = shape.shape
    # On a finer grid, so that the rim has no steps.
    fine = _resized(shape, (columns * _FINER, rows * _FINER), cv2.INTER_CUBIC)
    bulge = np.sqrt(np.maximum(_solved(fine > 0.5), 0)) * np.float32(_BULGE / _FINER)
    limit = np.float32(_DEEPEST * max(rows, columns))
    soft = _resized(limit * np.tanh(bulge / limit), (columns, rows))
    smooth = cv2.GaussianBlur(soft, (0, 0), 1.6)
    inside = shape > 0.5
    near = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
    share = smoothstep(1.0, 4.0, np.asarray(near, np.float32))
    return np.asarray(np.where(inside, soft + (smooth - soft) * share, 0), np.float32)


def _solved(inside: npt.NDArray[np.bool_]) -> Image:
    """The solution of Poisson's equation with -4 inside and 0 outside, from coarse to fine."""
    sizes = [inside.shape]
    while min(sizes[-1]) > 12:
        sizes.append((sizes[-1][0] // 2, sizes[-1][1] // 2))
    found = np.zeros(sizes[-1], np.float32)
    for rows, columns in reversed(sizes):
        cell = np.float32(inside.shape[0] / rows)
        area = cv2.resize(inside.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        mask = (area > 0.5).astype(np.float32)
        found = cv2.resize(found, (columns, rows), interpolation=cv2.INTER_LINEAR) * mask
        for _ in range(80):
            around = cv2.filter2D(found, -1, _CROSS, borderType=cv2.BORDER_CONSTANT)
            found = (around + cell * cell) * mask
    return np.asarray(found, np.float32)


_CROSS = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], np.float32) / 4


def png_of(cutout: Cutout) -> bytes:
    target = io.BytesIO()
    Pillow.fromarray(cutout).save(target, "PNG", compress_level=4)
    return target.getvalue()


def cutout_from(content: bytes) -> Cutout:
    with Pillow.open(io.BytesIO(content), formats=("PNG",)) as image:
        return np.asarray(image.convert("RGBA"), np.uint8)


_DEPTH_STEPS = 64.0
"""A depth map counts sixty-fourths of a cell: 16 bits hold a thousand cells."""


def depth_map_of(depth: Image) -> bytes:
    """The depths as a grey picture of 16 bits."""
    steps = np.clip(depth * _DEPTH_STEPS + 0.5, 0, 65535).astype(np.uint16)
    done, content = cv2.imencode(".png", steps)
    if not done:
        raise RuntimeError("OpenCV didn't encode a depth map.")
    return bytes(content)


def depth_from(content: bytes) -> Image:
    steps = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    return np.asarray(steps, np.float32) / np.float32(_DEPTH_STEPS)
