"""Rooms and tables in window light, and landscapes of cut paper."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.canvas import Fade, Pen
from generator.studio.colour import darker, lighter, mix, named, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.land import below
from generator.studio.noise import field, line

_PAPERS = (
    ("#e8735a", "#f2b267", "#2f5d73"),
    ("#f2a07b", "#8f6fb0", "#2f3f78"),
    ("#f4c95d", "#4fa39a", "#1f5069"),
    ("#e889a5", "#7fb0c9", "#3d4f8a"),
    ("#f0b04a", "#c8554a", "#54305a"),
    ("#9fcfb0", "#4f9a8f", "#274f5f"),
)
"""Sun, middle and depth of a paper landscape."""


def interior(easel: Easel, table: float, *, wooden: bool) -> None:
    """A wall with window light and a surface in front of it, its edge at ``table``."""
    rng = easel.rng("room")
    tint = easel.scene.tint("wall") or (easel.scene.colours[0] if easel.scene.colours else None)
    walls = ("#c9b8a6", "#a9bdb6", "#d8b8a0", "#9fb0c4", "#c4b0bd", "#d3c08f", "#8fa38a")
    wall = (
        rgb(walls[int(rng.integers(len(walls)))])
        if tint is None
        else mix(named(tint), rgb("#d8cfc4"), 0.22)
    )
    if easel.palette.dark:
        wall = wall * rgb("#7d7a92")
    shade = (
        lighter(wall, 0.2)
        + (darker(wall, 0.32) - lighter(wall, 0.2))
        * (easel.down() * 0.6 + np.linspace(0, 0.5, easel.width, dtype=np.float32)[None, :])[
            ..., None
        ]
    )
    plaster = field(rng, (easel.height, easel.width), (7, 9), 5)[..., None]
    easel.picture.colour[:] = shade + (plaster - 0.5) * 0.06
    easel.step(20)
    easel.recede(0.7)
    _window_light(easel, table)
    easel.recede(0.0)
    top = int(table * easel.height)
    rows = easel.height - top
    grain = field(rng, (rows, easel.width), (26 * rows / easel.unit, 2.4), 5)
    woods = ("#9a6b45", "#b98a5c", "#6f4a36")
    surface = rgb(woods[int(rng.integers(3))]) if wooden else mix(wall, rgb("#efe8dc"), 0.6)
    if easel.palette.dark:
        surface = surface * rgb("#8d86a0")
    bands = 0.5 + 0.5 * np.sin(grain * 34)
    depth = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    board = lighter(surface, 0.22) + (darker(surface, 0.3) - lighter(surface, 0.22)) * depth
    board = board * (1 - (0.13 if wooden else 0.03) * bands[..., None])
    easel.lay(np.ones((rows, easel.width), np.float32), board.astype(np.float32), 0, top)
    edge = Pen(easel.picture, easel.width / 2, top, easel.unit)
    half = easel.width / easel.unit
    edge.polygon(
        [(-half, 0.008), (half, 0.008), (half, -0.004), (-half, -0.004)],
        lighter(surface, 0.45),
        0.6,
    )
    shadow = np.exp(-np.abs(easel.down(0, top) - table) / 0.03) * np.float32(0.28)
    easel.lay(np.broadcast_to(shadow, (top, easel.width)).astype(np.float32), darker(wall, 0.7))


def _window_light(easel: Easel, table: float) -> None:
    """Panes of sun (or of the moon) thrown across the wall."""
    rng = easel.rng("window")
    mask = np.zeros((easel.height, easel.width), np.float32)
    x0, unit = easel.width * float(rng.uniform(0.42, 0.58)), easel.unit
    for row in range(2):
        for column in range(2):
            x = x0 + column * unit * 0.2 - row * unit * 0.06
            y = easel.height * 0.1 + row * unit * 0.25 + column * unit * 0.035
            pane = np.array(
                [
                    (x, y),
                    (x + unit * 0.18, y + unit * 0.032),
                    (x + unit * 0.125, y + unit * 0.262),
                    (x - unit * 0.055, y + unit * 0.23),
                ]
            )
            cv2.fillPoly(mask, [(pane * 16).astype(np.int32)], (1.0,), cv2.LINE_AA, 4)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), max(0.5, unit / 110)), np.float32)
    leaf = field(rng, mask.shape, (7, 9), 3)
    mask *= smoothstep(0.22, 0.5, leaf + 0.1) * np.float32(0.42)
    glow = rgb("#9fb8f0") if easel.palette.dark else rgb("#ffe3b0")
    mask[int(table * easel.height) :] = 0
    easel.add_light(mask, glow)


def paper_cut(easel: Easel) -> None:
    """Waves of cut paper over a rising disc: for words that the painter does not know."""
    rng, palette = easel.rng("paper"), easel.palette
    hues = [named(name) for name in easel.scene.colours]
    hues = hues or [rgb(code) for code in _PAPERS[int(rng.integers(len(_PAPERS)))]]
    first, last = hues[0], hues[-1]
    paper = lighter(mix(first, last, 0.5), 0.78) if not palette.dark else darker(last, 0.75)
    easel.picture.colour[:] = paper + (mix(paper, last, 0.3) - paper) * (
        1 - easel.down()[..., None]
    )
    x = float(rng.uniform(0.3, 0.7))
    pen = Pen(easel.picture, x * easel.width, easel.height * 0.42, easel.unit)
    for i in range(6):
        pen.circle(0, 0, 0.4 - i * 0.05, mix(paper, lighter(last, 0.3), 0.18 + 0.13 * i))
    pen.circle(0, 0, 0.13, Fade(lighter(first, 0.35), first))
    layers = 8
    for i in range(layers):
        near = i / (layers - 1)
        easel.recede(1 - near)
        wave = line(rng, easel.width, 1.3 + 1.2 * float(rng.random()), 2, 0.3)
        crest = ((0.44 + 0.5 * near - 0.085 * wave) * easel.height).astype(np.float32)
        top, mask, depth = below(easel, crest)
        tone = mix(lighter(first, 0.5), darker(last, 0.5), near)
        tone = mix(tone, hues[i % len(hues)], 0.5)
        shifted = max(0, top - int(easel.unit * 0.05))
        soft = (
            np.clip(
                (np.arange(shifted, easel.height, dtype=np.float32)[:, None] - crest[None, :])
                / (easel.unit * 0.05)
                + 1,
                0,
                1,
            )
            ** 2
        )
        easel.lay((soft * np.float32(0.32)).astype(np.float32), darker(tone, 0.8), 0, shifted)
        shade = (
            lighter(tone, 0.2) + (tone - lighter(tone, 0.2)) * np.clip(depth * 7, 0, 1)[..., None]
        )
        easel.lay(mask, shade.astype(np.float32), 0, top)
        easel.step(12 + 4 * i)
    for _ in range(14):
        spot = Pen(
            easel.picture,
            rng.random() * easel.width,
            rng.random() * easel.height * 0.55,
            easel.unit,
        )
        spot.circle(0, 0, 0.003 + 0.007 * float(rng.random()), mix(paper, first, 0.8), 0.8)
