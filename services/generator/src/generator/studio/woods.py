"""Woods from within: trunks in mist, ferns, a canopy, shafts of light."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Pen, Points
from generator.studio.colour import Colour, darker, lighter, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.land import below, hills
from generator.studio.noise import field, line
from generator.studio.palette import lit
from generator.studio.sky import paint_stars, rays


def forest(easel: Easel, ground: float) -> None:
    """Trunks fading into light, ground with ferns, a canopy overhead."""
    palette = easel.palette
    deep = mix(palette.near, lit(palette.leaves[2], palette) * 0.5, 0.55)
    glow = lit(mix(palette.horizon, lighter(palette.leaves[1], 0.45), 0.55), palette)
    t = np.clip(easel.down() / ground, 0, 1)[..., None]
    top = mix(glow, deep, 0.45)
    easel.picture.colour[:] = top + (glow - top) * t
    x = easel.sun_x
    dx = (np.linspace(0, 1, easel.width, dtype=np.float32)[None, :] - x) * easel.width / easel.unit
    dy = (easel.down() - ground * 0.5) * easel.height / easel.unit
    easel.add_light(
        np.exp(-(dx * dx * 5 + dy * dy * 4)).astype(np.float32) * np.float32(0.6),
        lighter(palette.glow, 0.2),
    )
    if palette.dark:
        paint_stars(easel, 0.3, ground * 0.6)
    easel.step(14)
    conifers = easel.season == "winter" or easel.rng("kind of wood").random() < 0.5
    for i in range(5):
        near = i / 4
        easel.recede(1 - near)
        tone = mix(glow, deep, 0.2 + 0.74 * near)
        _trees(easel, ground + 0.03 + 0.05 * near, near, tone, f"trunks {i}", conifers=conifers)
        if i < 3:
            _mist(easel, ground - 0.03, 0.5 - 0.14 * i, mix(glow, palette.haze, 0.3), f"mist {i}")
        if i == 1:
            rays(easel, x, -0.15, palette.glow, 0.5 if not palette.dark else 0.25, "far rays")
        easel.step(16 + 4 * i)
    easel.recede(0.5)
    floor = mix(palette.grass, palette.leaves[2], 0.4)
    _undergrowth(easel, ground, mix(glow, deep, 0.6))
    crest = hills(easel, ground + 0.06, 0.05, darker(floor, 0.25), 0.0, "floor")
    top_row, mask, depth = below(easel, crest)
    leaf = field(easel.rng("litter"), (mask.shape[0], mask.shape[1]), (34, 26), 4)
    easel.lay(
        mask * smoothstep(0.52, 0.75, leaf) * np.float32(0.5),
        lighter(lit(palette.leaves[0], palette), 0.1),
        0,
        top_row,
    )
    spot = np.exp(-((dx * 1.9) ** 2)) * np.exp(-depth / 0.16)
    easel.add_light((spot * mask * 0.34).astype(np.float32), palette.glow, top_row)
    easel.recede(-0.2)
    _ferns(easel, mix(lit(floor, palette), deep, 0.35))
    if not conifers:
        _canopy(easel, deep)
    rays(easel, x, -0.15, palette.glow, 0.34 if not palette.dark else 0.2, "forest rays")


def _undergrowth(easel: Easel, ground: float, tone: Colour) -> None:
    """Bushes that close the view between the farthest trunks."""
    for i in range(2):
        wave = line(easel.rng(f"bushes {i}"), easel.width, 9, 4, 0.6)
        crest = ((ground + 0.005 + 0.025 * i - 0.016 * wave) * easel.height).astype(np.float32)
        top, mask, _ = below(easel, crest)
        easel.lay(mask, mix(tone, lighter(tone, 0.25), 0.5 - 0.5 * i), 0, top)


def _mist(easel: Easel, ground: float, strength: float, tone: Colour, name: str) -> None:
    cloud = field(easel.rng(name), (easel.height, easel.width), (3, 4), 3)
    rise = np.exp(-(((easel.down() - ground) / 0.13) ** 2))
    easel.lay((cloud * rise * np.float32(strength * 1.3)).clip(0, 1).astype(np.float32), tone)


def _trees(
    easel: Easel, foot: float, near: float, tone: Colour, name: str, *, conifers: bool
) -> None:
    rng = easel.rng(name)
    count = max(3, int((20 - 14 * near) * easel.width / easel.unit))
    for slot in range(count):
        x = (slot + float(rng.uniform(0.1, 0.9))) / count
        if near > 0.4 and abs(x - 0.5) < 0.12 + 0.2 * near:
            continue
        pen = Pen(easel.picture, x * easel.width, (foot + 0.03) * easel.height, easel.unit)
        bark = darker(tone, 0.22 * float(rng.random()))
        if conifers:
            _conifer(pen, rng, (0.42 + 0.85 * near) * float(rng.uniform(0.75, 1.15)), bark, easel)
        else:
            _trunk(
                pen,
                rng,
                (0.007 + 0.042 * near**1.6) * float(rng.uniform(0.7, 1.2)),
                bark,
                easel,
                near,
            )


def _trunk(
    pen: Pen, rng: np.random.Generator, wide: float, bark: Colour, easel: Easel, near: float
) -> None:
    lean = float(rng.normal(0, 0.03))
    reach = 1.5 * easel.height / easel.unit
    paint = Fade(mix(bark, easel.palette.glow, 0.22 * (1 - near)), darker(bark, 0.3), sideways=True)
    pen.blob(
        [
            (-wide * 1.5, -0.02),
            (-wide * 0.6, 0.1),
            (-wide * 0.5 + lean, reach),
            (wide * 0.5 + lean, reach),
            (wide * 0.6, 0.1),
            (wide * 1.6, -0.02),
        ],
        paint,
    )
    for _ in range(2):
        side, at = (1 if rng.random() < 0.5 else -1), float(rng.uniform(0.22, 0.55))
        pen.line(
            [(lean * at, at), (side * wide * 2.4, at + 0.1), (side * wide * 5.5, at + 0.22)],
            wide * 0.5,
            bark,
            end=wide * 0.1,
            smooth=True,
        )


def _conifer(pen: Pen, rng: np.random.Generator, tall: float, tone: Colour, easel: Easel) -> None:
    """A whole spruce, ``tall`` in units, with ragged tiers; snow lies on it in winter."""
    pen.box(-tall * 0.014, -0.01, tall * 0.028, tall * 0.3, darker(tone, 0.3))
    tiers = 11
    snow = mix(tone, rgb("#f2f7fc") * easel.palette.light, 0.75)
    for i in range(tiers):
        low, half = tall * (0.1 + 0.08 * i), tall * 0.2 * (1 - i / (tiers + 0.5))
        jag = rng.uniform(-0.014, 0.014, 9) * tall
        skirt = [
            (-half + half * k / 4, low + float(jag[k]) + tall * 0.035 * (1 - abs(k / 4 - 1)))
            for k in range(9)
        ]
        pen.polygon([*skirt, (0, low + tall * 0.15)], darker(tone, 0.2 - 0.02 * i))
        if easel.season == "winter":
            cap = [(px * 0.8, py + tall * 0.022) for px, py in skirt[1:8]]
            pen.polygon([*cap, (0, low + tall * 0.15)], snow, 0.8)


def _ferns(easel: Easel, tone: Colour) -> None:
    rng = easel.rng("ferns")
    for i in range(int(16 * easel.width / easel.unit)):
        x = float(rng.random())
        if abs(x - 0.5) < 0.2 and rng.random() < 0.7:
            continue
        size = float(rng.uniform(0.07, 0.15))
        pen = Pen(easel.picture, x * easel.width, easel.height * 1.01, easel.unit * size)
        for angle in np.linspace(-1.15, 1.15, 7):
            tip = (float(np.sin(angle)), float(np.cos(angle)) * 1.05)
            shade = darker(tone, 0.25 + 0.3 * float(rng.random()) - 0.15 * (i % 2))
            pen.blob(
                [
                    (0, 0),
                    (tip[0] * 0.5 - 0.07, tip[1] * 0.62),
                    (tip[0], tip[1] * 0.86),
                    (tip[0] * 0.5 + 0.07, tip[1] * 0.5),
                ],
                Fade(lighter(shade, 0.22), shade),
            )


def _canopy(easel: Easel, deep: Colour) -> None:
    rng, palette = easel.rng("canopy"), easel.palette
    for i, leaf in enumerate((*palette.leaves, deep)):
        shapes: list[Points] = []
        tone = mix(lit(leaf, palette), deep, 0.25 + 0.12 * i)
        for _ in range(int(70 * easel.width / easel.unit)):
            x = float(rng.random())
            edge = 0.05 + 0.2 * abs(x - 0.5) * 2
            y = float(rng.random()) ** 1.5 * edge * (1.2 - 0.2 * i)
            r = easel.unit * float(rng.uniform(0.008, 0.026))
            turn = float(rng.uniform(0, 6.28))
            angles = np.linspace(0, 2 * np.pi, 9)[:-1] + turn
            wobble = r * rng.uniform(0.6, 1.1, 8)
            shapes.append(
                np.stack(
                    [
                        x * easel.width + np.cos(angles) * wobble * 1.3,
                        y * easel.height + np.sin(angles) * wobble,
                    ],
                    axis=1,
                )
            )
        for start in range(0, len(shapes), 20):
            easel.picture.fill(
                shapes[start : start + 20], darker(tone, float(rng.uniform(0, 0.22)))
            )
