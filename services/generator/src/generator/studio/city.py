"""Skylines: towers in the haze, lit windows, and a street in front."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.canvas import Pen
from generator.studio.colour import Colour, Image, darker, lighter, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.noise import Generator, field
from generator.studio.palette import lit

_LAMPS = ("#ffd98a", "#ffe6b0", "#ffc46b", "#cfe6ff")
_SIGNS = ("#ff5fa0", "#4fe0ff", "#b07bff", "#ffd24a")


def skyline(easel: Easel, base: float, tall: float, distance: float, name: str) -> None:
    """One row of towers with feet at ``base``; ``tall`` is the highest's share of the height."""
    easel.recede(distance)
    palette, rng = easel.palette, easel.rng(name)
    body = mix(mix(palette.near, palette.far, 0.22), mix(palette.far, palette.haze, 0.45), distance)
    x = -0.05 * easel.unit
    while x < easel.width:
        wide = easel.unit * float(rng.uniform(0.055, 0.125)) * (1.25 - 0.5 * distance)
        share = (
            float(rng.uniform(0.35, 0.8)) if rng.random() < 0.75 else float(rng.uniform(0.8, 1.0))
        )
        middle = 1 - 0.3 * abs(x / easel.width - 0.5) * 2
        top = (base - tall * share * middle) * easel.height
        tone = mix(body, darker(body, 0.3), float(rng.random()) * 0.6)
        _tower(easel, rng, (x, top, wide, base * easel.height), tone, distance)
        x += wide * float(rng.uniform(0.75, 1.12))


def _tower(
    easel: Easel,
    rng: Generator,
    box: tuple[float, float, float, float],
    tone: Colour,
    distance: float,
) -> None:
    x, top, wide, base = box
    pen = Pen(easel.picture, x + wide / 2, base, max(base - top, 1))
    half = wide / 2 / max(base - top, 1)
    style = rng.random()
    if style < 0.2:
        pen.polygon([(-half * 0.6, 0.99), (0, 1.1), (half * 0.6, 0.99)], tone)
        pen.line([(0, 1.08), (0, 1.22)], half * 0.07, tone)
    elif style < 0.42:
        pen.box(-half * 0.6, 0.98, half * 1.2, 0.06, tone)
    elif style < 0.52:
        pen.line([(half * 0.3, 1.0), (half * 0.3, 1.14)], half * 0.06, tone)
    x0, x1 = max(0, int(x)), min(easel.width, int(x + wide))
    y0, y1 = max(0, int(top)), min(easel.height, int(base))
    if x0 >= x1 or y0 >= y1:
        return
    rows, columns = y1 - y0, x1 - x0
    down = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None]
    across = np.linspace(0, 1, columns, dtype=np.float32)[None, :, None]
    sunward = across if easel.sun_x > x / easel.width else 1 - across
    face = mix(tone, easel.palette.glow, 0.14)
    shade = tone * 0.88 + (face - tone * 0.88) * smoothstep(0.2, 1.0, sunward)
    shade = shade + (easel.palette.haze - shade) * (down**2 * (0.2 + 0.5 * distance))
    easel.lay(np.ones((rows, columns), np.float32), shade.astype(np.float32), x0, y0)
    _windows(easel, rng, (x0, y0, columns, rows), tone, distance)


def _windows(
    easel: Easel, rng: Generator, box: tuple[int, int, int, int], tone: Colour, distance: float
) -> None:
    x, y, columns, rows = box
    cell = easel.unit * (0.0165 - 0.005 * distance)
    across, down = int(columns / cell), int(rows / (cell * 1.35))
    if across < 2 or down < 2:
        return
    share = 0.46 if easel.palette.dark else (0.16 if easel.time in {"sunset", "dawn"} else 0.0)
    glass = mix(tone, easel.palette.horizon, 0.3) if not easel.palette.dark else darker(tone, 0.35)
    grid = np.repeat(np.repeat((rng.random((down, across)) < share), 2, 0), 2, 1).astype(np.float32)
    frame = np.zeros((down * 2, across * 2), np.float32)
    frame[::2, ::2] = 1
    size = (columns, rows)
    pane = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    if columns > across * 2:
        pane = cv2.resize(frame, size, interpolation=cv2.INTER_NEAREST)
    glowing = cv2.resize(grid, size, interpolation=cv2.INTER_NEAREST) * pane
    fade = np.float32(1 - 0.55 * distance)
    easel.lay(pane * fade * np.float32(0.34), glass, x, y)
    lamp = rgb(_LAMPS[int(rng.integers(len(_LAMPS)))])
    easel.lay(glowing * fade * np.float32(0.92), lamp, x, y)


def street(easel: Easel, top: float) -> None:
    """A road with kerbs, wet where it rains, and lamps along it."""
    easel.recede(0.0)
    palette, rng = easel.palette, easel.rng("street")
    y0 = int(top * easel.height)
    rows = easel.height - y0
    if rows < 2:
        return
    depth = np.arange(rows, dtype=np.float32)[:, None] / rows
    wet = easel.scene.weather in {"rain", "storm"} or palette.dark
    mirrored = np.clip(y0 - 1 - np.arange(rows) * 1.5, 0, easel.height - 1).astype(np.int32)
    reflection = cv2.GaussianBlur(
        easel.painted()[mirrored], (0, 0), sigmaX=easel.unit / 300, sigmaY=easel.unit / 28
    )
    asphalt = lit(mix(rgb("#5b5f6b"), palette.near, 0.35), palette)
    grain = field(rng, (rows, easel.width), (60 * rows / easel.unit, 30), 4)[..., None]
    ground = mix(asphalt, palette.haze, 0.4) * (1 - depth[..., None]) + asphalt * depth[..., None]
    ground = ground + (grain - 0.5) * 0.1
    share = (0.62 if wet else 0.2) * (1 - 0.45 * depth)[..., None] * (0.7 + 0.6 * (grain - 0.3))
    ground = ground + (reflection - ground) * np.clip(share, 0, 1)
    easel.lay(np.ones((rows, easel.width), np.float32), ground.astype(np.float32), 0, y0)
    kerb = Pen(easel.picture, easel.width / 2, y0, easel.unit)
    half = easel.width / easel.unit
    kerb.polygon(
        [(-half, 0.006), (half, 0.006), (half, -0.02), (-half, -0.02)],
        lit(mix(lighter(asphalt, 0.3), palette.haze, 0.3), palette),
    )
    y = -0.16 * rows / easel.unit * 3.4
    for i in range(-4, 5):
        x = i * 0.36 + 0.1
        kerb.polygon(
            [(x, y), (x + 0.2, y), (x + 0.19, y - 0.014), (x - 0.02, y - 0.014)],
            lit(rgb("#f2ecd8"), palette),
            0.6,
        )


def lamps(easel: Easel, base: float) -> None:
    """Street lamps, glowing after dark."""
    palette = easel.palette
    tone = mix(palette.near, rgb("#2a2c36"), 0.5)
    for share in (0.1, 0.36, 0.64, 0.9):
        pen = Pen(easel.picture, share * easel.width, base * easel.height, easel.unit * 0.26)
        pen.line([(0, 0), (0, 0.9)], 0.03, tone, end=0.018)
        pen.line([(0, 0.88), (0.05, 0.98), (0.16, 0.98)], 0.02, tone, smooth=True)
        pen.box(0.1, 0.93, 0.14, 0.035, tone, 0.01)
        if palette.dark:
            pen.glow(0.17, 0.92, 0.5, rgb("#ffd48a"), 0.6)
            pen.circle(0.17, 0.92, 0.025, rgb("#fff6da"))


def bokeh(easel: Easel, base: float) -> None:
    """Soft coloured lights of a far street at night."""
    rng = easel.rng("bokeh")
    lights: Image = np.zeros((easel.height, easel.width, 3), np.float32)
    for _ in range(60):
        x = int(rng.random() * easel.width)
        y = int((base - rng.random() ** 2 * 0.16) * easel.height)
        codes = _SIGNS if easel.scene.mood != "calm" else _LAMPS
        tone = rgb(codes[int(rng.integers(len(codes)))]) * float(rng.uniform(0.3, 0.9))
        radius = max(1, int(easel.unit * rng.uniform(0.003, 0.012)))
        cv2.circle(lights, (x, y), radius, tuple(float(part) for part in tone), -1, cv2.LINE_AA)
    lights += cv2.GaussianBlur(lights, (0, 0), easel.unit / 55) * 1.5
    easel.picture.colour += (1 - np.clip(easel.picture.colour, 0, 1)) * np.clip(lights, 0, 1) * 0.8
