"""Layers of paint and a pen: antialiased shapes with soft, graded fills."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Colour, Image

Point = tuple[float, float]
Points = Sequence[Point] | npt.NDArray[np.float32] | npt.NDArray[np.float64]

_SUBPIXEL = 4
"""Bits of fraction in the coordinates given to OpenCV."""


@dataclass(frozen=True, slots=True)
class Fade:
    """From one colour to another over the shape: from its top to its bottom, or left to right."""

    start: Colour
    end: Colour
    sideways: bool = False


@dataclass(frozen=True, slots=True)
class Orb:
    """A ball lit from the upper left: highlight, body, shadow."""

    light: Colour
    body: Colour
    shadow: Colour


Paint = Colour | Fade | Orb


def _spread(paint: Paint, height: int, width: int) -> Image | Colour:
    """The paint over a box, broadcastable to (height, width, 3)."""
    if isinstance(paint, Fade):
        t = np.linspace(0, 1, width if paint.sideways else height, dtype=np.float32)
        ramp = paint.start + (paint.end - paint.start) * t[:, None]
        return np.asarray(ramp[None, :, :] if paint.sideways else ramp[:, None, :], np.float32)
    if isinstance(paint, Orb):
        y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
        distance = np.sqrt((x + 0.4) ** 2 + (y + 0.45) ** 2)[..., None] / 1.62
        bright = np.clip(1 - distance / 0.42, 0, 1)
        dim = np.clip((distance - 0.42) / 0.58, 0, 1)
        body = paint.body + (paint.light - paint.body) * bright
        return np.asarray(body + (paint.shadow - paint.body) * dim, np.float32)
    return paint


class Layer:
    """Premultiplied colour and coverage of one rectangle of the picture, in pixels."""

    def __init__(self, height: int, width: int) -> None:
        self.colour: Image = np.zeros((height, width, 3), np.float32)
        self.cover: Image = np.zeros((height, width), np.float32)

    @property
    def height(self) -> int:
        return int(self.cover.shape[0])

    @property
    def width(self) -> int:
        return int(self.cover.shape[1])

    def fill(self, polygons: Sequence[Points], paint: Paint, opacity: float = 1.0) -> None:
        """Fill the union of closed polygons, given in pixels (x to the right, y down)."""
        outlines = [np.asarray(points, np.float64) for points in polygons if len(points) >= 3]
        if not outlines:
            return
        corners = np.concatenate(outlines)
        if not np.isfinite(corners).all():
            return
        left, top = np.floor(corners.min(axis=0)).astype(int) - 1
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 2
        x0, y0 = max(0, int(left)), max(0, int(top))
        x1, y1 = min(self.width, int(right)), min(self.height, int(bottom))
        if x0 >= x1 or y0 >= y1:
            return
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        for outline in outlines:
            fixed = np.round((outline - (x0, y0)) * 2**_SUBPIXEL).astype(np.int32)
            cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, _SUBPIXEL)
        whole = _spread(paint, int(bottom - top), int(right - left))
        if whole.ndim == 3:
            rows = slice(y0 - int(top), y1 - int(top)) if whole.shape[0] > 1 else slice(None)
            columns = slice(x0 - int(left), x1 - int(left)) if whole.shape[1] > 1 else slice(None)
            whole = whole[rows, columns]
        self.lay(mask.astype(np.float32) * np.float32(opacity / 255), whole, x0, y0)

    def lay(self, mask: Image, colour: Image | Colour, x: int = 0, y: int = 0) -> None:
        """Blend ``colour`` over the layer where ``mask`` (h, w) covers it, at (x, y)."""
        height, width = mask.shape
        box = (slice(y, y + height), slice(x, x + width))
        soft = mask[..., None]
        self.colour[box] += (colour - self.colour[box]) * soft
        self.cover[box] += (1 - self.cover[box]) * mask


def rounded(points: Points, *, closed: bool = True, steps: int = 10) -> npt.NDArray[np.float64]:
    """A Catmull-Rom curve through the points, as (n, 2)."""
    knots = np.asarray(points, np.float64)
    if closed:
        padded = np.concatenate([knots[-1:], knots, knots[:2]])
    else:
        padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        pieces.append(
            0.5
            * (
                2 * b
                + (c - a) * t
                + (2 * a - 5 * b + 4 * c - d) * t**2
                + (3 * b - a - 3 * c + d) * t**3
            )
        )
    if not closed:
        pieces.append(knots[-1:])
    return np.concatenate(pieces)


def arc(
    cx: float, cy: float, rx: float, ry: float, start: float = 0, end: float = 360, tilt: float = 0
) -> npt.NDArray[np.float64]:
    """Points on an ellipse between two angles in degrees, counted from +x towards +y."""
    steps = max(10, int(abs(end - start) / 6))
    angle = np.radians(np.linspace(start, end, steps))
    x, y = rx * np.cos(angle), ry * np.sin(angle)
    turn = np.radians(tilt)
    return np.stack(
        [cx + x * np.cos(turn) - y * np.sin(turn), cy + x * np.sin(turn) + y * np.cos(turn)], axis=1
    )


class Pen:
    """Draws in a figure's own units: feet at (0, 0), y up, the figure one unit tall."""

    def __init__(self, layer: Layer, x: float, y: float, unit: float, *, mirrored: bool = False):
        self.layer = layer
        self._origin = np.array([x, y])
        self._scale = np.array([-unit if mirrored else unit, -unit])
        self.unit = unit

    def at(self, points: Points) -> npt.NDArray[np.float64]:
        """The same points in the layer's pixels."""
        return np.asarray(np.asarray(points, np.float64) * self._scale + self._origin, np.float64)

    def moved(self, x: float, y: float, scale: float = 1.0, *, mirrored: bool = False) -> Pen:
        """A pen for a part: its own origin at (x, y), its own size."""
        pen = Pen(self.layer, 0, 0, self.unit * scale)
        pen._origin = self.at([(x, y)])[0]
        flip = np.array([-scale if mirrored else scale, scale])
        pen._scale = self._scale * flip
        return pen

    def polygon(self, points: Points, paint: Paint, opacity: float = 1.0) -> None:
        self.layer.fill([self.at(points)], paint, opacity)

    def polygons(self, shapes: Sequence[Points], paint: Paint, opacity: float = 1.0) -> None:
        """The union of several shapes in one paint."""
        self.layer.fill([self.at(points) for points in shapes], paint, opacity)

    def blob(self, points: Points, paint: Paint, opacity: float = 1.0) -> None:
        """A closed smooth shape through the points."""
        self.polygon(rounded(points), paint, opacity)

    def ellipse(
        self,
        cx: float,
        cy: float,
        rx: float,
        ry: float,
        paint: Paint,
        opacity: float = 1.0,
        tilt: float = 0,
    ) -> None:
        self.polygon(arc(cx, cy, rx, ry, tilt=tilt), paint, opacity)

    def circle(self, cx: float, cy: float, r: float, paint: Paint, opacity: float = 1.0) -> None:
        self.ellipse(cx, cy, r, r, paint, opacity)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        paint: Paint,
        corner: float = 0,
        opacity: float = 1.0,
    ) -> None:
        """A rectangle from its lower left corner, with round corners of radius ``corner``."""
        r = min(corner, width / 2, height / 2)
        if r <= 0:
            outline = np.array([(x, y), (x + width, y), (x + width, y + height), (x, y + height)])
        else:
            outline = np.concatenate(
                [
                    arc(x + width - r, y + height - r, r, r, 0, 90),
                    arc(x + r, y + height - r, r, r, 90, 180),
                    arc(x + r, y + r, r, r, 180, 270),
                    arc(x + width - r, y + r, r, r, 270, 360),
                ]
            )
        self.polygon(outline, paint, opacity)

    def line(
        self,
        points: Points,
        width: float,
        paint: Paint,
        *,
        end: float | None = None,
        smooth: bool = False,
        opacity: float = 1.0,
    ) -> None:
        """A stroke with round caps and joints, tapering to the width ``end`` if given."""
        path = self.at(rounded(points, closed=False) if smooth else points)
        widths = np.linspace(width, width if end is None else end, len(path)) * self.unit / 2
        widths = np.maximum(widths, 0.35)
        shapes: list[npt.NDArray[np.float64]] = []
        for (p, q), (r, s) in zip(pairwise(path), pairwise(widths), strict=True):
            along = q - p
            length = float(np.hypot(*along)) or 1.0
            side = np.array([-along[1], along[0]]) / length
            shapes.append(np.array([p + side * r, q + side * s, q - side * s, p - side * r]))
        for p, r in zip(path, widths, strict=True):
            shapes.append(arc(p[0], p[1], r, r))
        self.layer.fill(shapes, paint, opacity)

    def ring(
        self, cx: float, cy: float, r: float, width: float, paint: Paint, opacity: float = 1.0
    ) -> None:
        self.line(arc(cx, cy, r, r), width, paint, opacity=opacity)

    def glow(self, cx: float, cy: float, r: float, colour: Colour, strength: float = 0.8) -> None:
        """A soft light of radius ``r``, fading to nothing."""
        (x, y), radius = self.at([(cx, cy)])[0], r * self.unit
        x0, y0 = max(0, int(x - radius)), max(0, int(y - radius))
        x1 = min(self.layer.width, int(x + radius) + 1)
        y1 = min(self.layer.height, int(y + radius) + 1)
        if x0 >= x1 or y0 >= y1:
            return
        rows = (np.arange(y0, y1, dtype=np.float32)[:, None] - y) / radius
        columns = (np.arange(x0, x1, dtype=np.float32)[None, :] - x) / radius
        mask = np.clip(1 - np.sqrt(rows**2 + columns**2), 0, 1) ** 2 * strength
        self.layer.lay(mask.astype(np.float32), colour, x0, y0)
