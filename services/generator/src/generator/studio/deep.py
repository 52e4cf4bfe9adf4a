"""Under the sea: light from above, reefs, sand, bubbles."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Pen
from generator.studio.colour import Colour, darker, lighter, mix, named, rgb, smoothstep, turned
from generator.studio.easel import Easel, Motion
from generator.studio.land import below
from generator.studio.noise import field, line
from generator.studio.sky import rays


def deep_sea(easel: Easel, floor: float) -> None:
    """Light from above, rays, rocks with weed, sand, bubbles."""
    rng = easel.rng("deep")
    tint = easel.scene.tint("water") or (easel.scene.colours[0] if easel.scene.colours else None)
    body = rgb("#1879a8") if tint is None else mix(named(tint), rgb("#1879a8"), 0.35)
    if easel.palette.dark:
        body = darker(body, 0.4)
    bright, dark = lighter(turned(body, -0.03), 0.5), darker(body, 0.62)
    t = easel.down()[..., None]
    ramp = np.where(
        t < 0.35, bright + (body - bright) * (t / 0.35), body + (dark - body) * ((t - 0.35) / 0.65)
    )
    easel.picture.colour[:] = ramp
    mottled = field(rng, (easel.height, easel.width), (4, 6), 4)
    easel.add_light((smoothstep(0.45, 0.9, mottled) * (1 - easel.down()) * np.float32(0.2)), bright)
    rays(easel, easel.sun_x, -0.35, rgb("#d8fbff"), 0.85, "sea rays")
    easel.step(26)
    for i, distance in enumerate((0.8, 0.45, 0.12)):
        tone = mix(darker(rgb("#2f5a63"), 0.2), body, distance)
        easel.recede(distance)
        _reef(easel, floor - 0.03 + 0.05 * i, 0.3 - 0.07 * i, tone, f"reef {i}")
    sand = mix(rgb("#d8c79a"), body, 0.42)
    _sand(easel, floor, sand, dark)
    easel.step(36)
    bubbles = [
        (float(rng.random()), float(rng.random()), 0.002 + 0.009 * float(rng.random()) ** 3)
        for _ in range(46)
    ]
    for group in range(3):
        easel.recede(0.2, _rising(0.05 + 0.03 * group))
        _bubbles(easel, bubbles[group::3])
    easel.recede(0.7, lambda seconds: (0.03 * seconds, 0.0))
    _shoal(easel, mix(body, rgb("#0a2a44"), 0.55))


def _rising(speed: float) -> Motion:
    return lambda seconds: (0.0, -speed * seconds)


def _bubbles(easel: Easel, bubbles: list[tuple[float, float, float]]) -> None:
    for x, y, r in bubbles:
        pen = Pen(easel.picture, x * easel.width, y * easel.height * 0.9, easel.unit)
        pen.circle(0, 0, r, rgb("#e6fbff"), 0.22)
        pen.ring(0, 0, r, 0.0014, rgb("#f4feff"), 0.6)
        pen.circle(-r * 0.35, r * 0.35, r * 0.25, rgb("#ffffff"), 0.8)


def _reef(easel: Easel, base: float, rise: float, tone: Colour, name: str) -> None:
    rng = easel.rng(name)
    edge = np.abs(np.linspace(-1, 1, easel.width)) ** 1.6
    outline = line(rng, easel.width, 5, 4) * 0.35 + 0.2 + edge * 0.8
    crest = ((base - rise * outline) * easel.height).astype(np.float32)
    top, mask, depth = below(easel, crest)
    shade = (
        lighter(tone, 0.14)
        + (darker(tone, 0.3) - lighter(tone, 0.14)) * np.clip(depth * 5, 0, 1)[..., None]
    )
    easel.lay(mask, shade.astype(np.float32), 0, top)
    corals = ("#e8606a", "#f0a04f", "#b565c0", "#f2d06a", "#5fc0a0")
    for _ in range(int(15 * easel.width / easel.unit)):
        x = float(rng.random())
        foot = float(crest[min(int(x * easel.width), easel.width - 1)]) + easel.unit * 0.012
        pen = Pen(
            easel.picture, x * easel.width, foot, easel.unit * rise * float(rng.uniform(0.25, 0.6))
        )
        hue = mix(rgb(corals[int(rng.integers(len(corals)))]), tone, 0.35)
        if rng.random() < 0.5:
            for k in range(3):
                sway = float(rng.uniform(-0.3, 0.3))
                pen.line(
                    [(k * 0.1, 0), (k * 0.1 + sway, 0.5), (k * 0.1 - sway * 0.4, 1.0 + k * 0.2)],
                    0.1,
                    mix(rgb("#3f9a5f"), tone, 0.4),
                    end=0.02,
                    smooth=True,
                )
        else:
            for angle in np.linspace(-0.9, 0.9, 6):
                pen.line([(0, 0), (np.sin(angle) * 0.4, np.cos(angle) * 0.4)], 0.11, hue, end=0.09)
                pen.circle(np.sin(angle) * 0.42, np.cos(angle) * 0.42, 0.08, lighter(hue, 0.25))


def _sand(easel: Easel, floor: float, sand: Colour, dark: Colour) -> None:
    rng = easel.rng("sea floor")
    crest = ((floor + 0.02 * line(rng, easel.width, 3, 2)) * easel.height).astype(np.float32)
    top, mask, depth = below(easel, crest)
    caustic = 1 - np.abs(field(rng, (mask.shape[0], mask.shape[1]), (8, 14), 3) - 0.5) * 2
    shade = sand + (mix(sand, dark, 0.6) - sand) * np.clip(depth * 3.6, 0, 1)[..., None]
    shade = shade + smoothstep(0.86, 1.0, caustic)[..., None] * 0.16
    easel.lay(mask, shade.astype(np.float32), 0, top)


def _shoal(easel: Easel, tone: Colour) -> None:
    rng = easel.rng("shoal")
    cx, cy = rng.uniform(0.15, 0.85), rng.uniform(0.18, 0.4)
    for _ in range(22):
        pen = Pen(
            easel.picture,
            (cx + rng.normal(0, 0.09)) * easel.width,
            (cy + rng.normal(0, 0.05)) * easel.height,
            easel.unit * float(rng.uniform(0.012, 0.022)),
        )
        pen.blob([(-0.8, 0), (0, 0.34), (0.8, 0), (0, -0.34)], tone, 0.55)
        pen.polygon([(-0.7, 0), (-1.2, 0.36), (-1.2, -0.36)], tone, 0.55)
