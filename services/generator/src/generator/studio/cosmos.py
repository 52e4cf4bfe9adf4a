"""Space: a nebula, stars, worlds, and the surface of a moon."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.canvas import Fade, Orb, Pen
from generator.studio.colour import Colour, darker, lighter, mix, named, rgb, smoothstep, turned
from generator.studio.easel import Easel
from generator.studio.land import below
from generator.studio.noise import field, line
from generator.studio.sky import paint_stars


def space(easel: Easel, *, ground: float | None) -> None:
    """A nebula, stars, worlds; a moon's surface underfoot when ``ground`` is given."""
    rng, palette = easel.rng("space"), easel.palette
    shape = (easel.height, easel.width)
    easel.picture.colour[:] = (
        rgb("#050716") + (rgb("#10122e") - rgb("#050716")) * easel.down()[..., None]
    )
    names = easel.scene.colours
    hues = [named(name) for name in names] or [
        turned(rgb(code), float(rng.uniform(-0.06, 0.06)))
        for code in ("#6a3fd0", "#d04f9a", "#2f8fd8")
    ]
    warp_x = field(rng, shape, (3, 4), 4)
    warp_y = field(rng, shape, (3, 4), 4)
    columns = np.arange(easel.width, dtype=np.float32)[None, :] + (warp_x - 0.5) * easel.unit * 0.34
    rows = np.arange(easel.height, dtype=np.float32)[:, None] + (warp_y - 0.5) * easel.unit * 0.34
    slope = float(rng.uniform(-0.6, 0.6))
    middle = (
        easel.down()
        - 0.45
        - slope * (np.linspace(0, 1, easel.width, dtype=np.float32)[None, :] - 0.5)
    )
    band = np.exp(-((middle / 0.4) ** 2))
    for i, hue in enumerate([*hues, lighter(hues[0], 0.55)]):
        cloud = cv2.remap(
            field(rng, shape, (3.2, 4.2), 6),
            columns,
            rows,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        thin = 0.42 if i < len(hues) else 0.62
        thick = smoothstep(thin, 0.9, np.asarray(cloud, np.float32)) * band
        easel.add_light((thick * np.float32(0.85)).astype(np.float32), hue)
    dust = cv2.remap(
        field(rng, shape, (4, 5), 5),
        rows,
        columns,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    lanes = smoothstep(0.55, 0.85, np.asarray(dust, np.float32)) * band * np.float32(0.5)
    easel.lay(lanes.astype(np.float32), rgb("#070818"))
    easel.step(24)
    paint_stars(easel, 0.95, 1.6)
    _flares(easel)
    easel.recede(0.6)
    _worlds(easel, hues)
    easel.recede(0.0)
    if ground is not None:
        soil = (
            mix(rgb("#8f8c9a"), hues[0], 0.25)
            if easel.scene.tint("ground") is None
            else palette.grass
        )
        _regolith(easel, ground, soil)


def _flares(easel: Easel) -> None:
    rng = easel.rng("flares")
    for _ in range(9):
        pen = Pen(
            easel.picture, rng.random() * easel.width, rng.random() * easel.height * 0.8, easel.unit
        )
        size = float(rng.uniform(0.012, 0.032))
        pen.glow(0, 0, size * 1.4, rgb("#dfe8ff"), 0.6)
        for dx, dy in ((1, 0), (0, 1)):
            pen.polygon(
                [
                    (-size * dx, -size * dy),
                    (size * 0.05 * dy, size * 0.05 * dx),
                    (size * dx, size * dy),
                    (-size * 0.05 * dy, -size * 0.05 * dx),
                ],
                rgb("#ffffff"),
                0.9,
            )


def _worlds(easel: Easel, hues: list[Colour]) -> None:
    if any(subject.kind == "planet" for subject in easel.scene.subjects):
        return
    rng = easel.rng("worlds")
    left = rng.random() < 0.5
    for i, (share, size) in enumerate(
        ((0.8 if left else 0.2, 0.15), (0.2 if left else 0.83, 0.045))
    ):
        body = mix(hues[i % len(hues)], rgb("#e0c0a0"), 0.45)
        pen = Pen(
            easel.picture, share * easel.width, (0.26 + 0.12 * i) * easel.height, easel.unit * size
        )
        pen.glow(0, 0, 1.5, lighter(body, 0.2), 0.3)
        pen.circle(0, 0, 1, Orb(lighter(body, 0.5), body, darker(body, 0.95)))
        for y in np.linspace(-0.7, 0.7, 6):
            half = float(np.sqrt(1 - y * y)) * 0.96
            pen.line(
                [(-half, y), (0, y - 0.1), (half, y)],
                0.09,
                lighter(body, 0.3),
                smooth=True,
                opacity=0.1,
            )


def _regolith(easel: Easel, ground: float, soil: Colour) -> None:
    rng = easel.rng("regolith")
    for i, distance in enumerate((0.55, 0.0)):
        base = ground - 0.07 + 0.07 * i
        crest = ((base - 0.05 * np.abs(line(rng, easel.width, 3, 4))) * easel.height).astype(
            np.float32
        )
        top, mask, depth = below(easel, crest)
        grain = field(rng, (mask.shape[0], mask.shape[1]), (14, 24), 5)
        body = mix(soil, rgb("#14142e"), distance)
        shade = (
            lighter(body, 0.15)
            + (darker(body, 0.55) - lighter(body, 0.15)) * np.clip(depth * 3.2, 0, 1)[..., None]
            + (grain[..., None] - 0.5) * 0.25
        )
        easel.lay(mask, shade.astype(np.float32), 0, top)
    for _ in range(12):
        y = float(rng.uniform(ground + 0.04, 1.0))
        size = 0.02 + 0.14 * (y - ground)
        pen = Pen(easel.picture, rng.random() * easel.width, y * easel.height, easel.unit * size)
        pen.ellipse(0, 0, 1, 0.3, Fade(darker(soil, 0.75), darker(soil, 0.2)), 0.85)
        pen.ellipse(0, -0.09, 0.9, 0.22, Fade(darker(soil, 0.5), lighter(soil, 0.1)), 0.5)
