"""The picture while it is being painted, and everything that painting one needs."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar, cast

import numpy as np

from generator.studio.canvas import Layer
from generator.studio.colour import Colour, Image
from generator.studio.noise import Generator
from generator.studio.palette import Palette
from generator.studio.words import Scene

Step = Callable[[int], None]
"""Told how many percent of the work are done."""

Motion = Callable[[float], tuple[float, float]]
"""How far something has gone after so many seconds: to the right and down, in units."""

T = TypeVar("T")


@dataclass(slots=True, eq=False)
class Part:
    """A piece of a film's scenery that moves as one: painted once, or anew at each moment.

    ``distance`` is 1 at the horizon, 0 where figures stand, and less than that nearer by.
    """

    distance: float
    layer: Layer | None = None
    motion: Motion | None = None
    paint: Callable[[Easel], None] | None = None


@dataclass(slots=True)
class Easel:
    """``horizon`` is a share of the height from the top; ``sun_x`` a share of the width.

    With ``parts`` it is a film's: the picture is then only the part that is being painted.
    """

    scene: Scene
    palette: Palette
    width: int
    height: int
    time: str
    season: str
    step: Step
    horizon: float = 0.6
    sun_x: float = 0.5
    parts: list[Part] | None = None
    moment_s: float = 0.0
    picture: Layer = field(init=False)
    _kept: dict[str, object] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.picture = Layer(self.height, self.width)
        self.picture.cover[:] = 1
        if self.parts is not None:
            self.parts.append(Part(1.0, self.picture))

    def recede(self, distance: float, motion: Motion | None = None) -> None:
        """What is painted from here on stands so far away, and moves so. Only a film shows it."""
        if self.parts is None:
            return
        last = self.parts[-1]
        if (last.distance, last.motion, motion, last.paint) != (distance, None, None, None):
            self.picture = Layer(self.height, self.width)
            self.parts.append(Part(distance, self.picture, motion))

    def alive(self, distance: float, paint: Callable[[Easel], None]) -> None:
        """Paint what looks different at each ``moment_s``, over all that was painted before."""
        if self.parts is None:
            paint(self)
            return
        self.parts.append(Part(distance, paint=paint))
        self.recede(distance)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What ``make`` makes: kept under its name, for what is painted many times."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast("T", self._kept[name])

    def painted(self) -> Image:
        """The colours so far, without what lives."""
        if self.parts is None:
            return self.picture.colour
        whole = np.zeros_like(self.picture.colour)
        for part in self.parts:
            if part.layer is not None:
                whole = whole * (1 - part.layer.cover[..., None]) + part.layer.colour
        return np.asarray(whole, np.float32)

    @property
    def unit(self) -> float:
        """Pixels of the length in which strokes and noise are measured: fits either side."""
        return float(min(self.height, self.width * 1.1))

    @property
    def horizon_px(self) -> int:
        return int(np.clip(self.horizon * self.height, 1, self.height - 1))

    @property
    def sun_px(self) -> tuple[float, float]:
        """Where the disc's middle is, in pixels."""
        return self.sun_x * self.width, self.horizon_px * (1 - self.palette.sun_height)

    def rng(self, purpose: str) -> Generator:
        """Chance for one purpose, so that a change to one part leaves the others as they are."""
        return np.random.default_rng([self.scene.seed, zlib.crc32(purpose.encode())])

    def across(self) -> Image:
        """x of the pixel columns in units, (1, width); 0 is the middle."""
        columns = np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2
        return np.asarray(columns[None, :] / np.float32(self.unit), np.float32)

    def down(self, top: int = 0, bottom: int | None = None) -> Image:
        """y of pixel rows as a share of the height, (rows, 1)."""
        rows = np.arange(top, self.height if bottom is None else bottom, dtype=np.float32) + 0.5
        return np.asarray(rows[:, None] / np.float32(self.height), np.float32)

    def lay(self, mask: Image, colour: Image | Colour, x: int = 0, y: int = 0) -> None:
        self.picture.lay(mask, colour, x, y)

    def add_light(self, mask: Image, colour: Colour, y: int = 0) -> None:
        """Screen ``colour`` onto full-width rows from ``y`` where ``mask`` (rows, width) says."""
        part = self.picture.colour[y : y + mask.shape[0]]
        part += (1 - np.clip(part, 0, 1)) * (mask[..., None] * colour)
