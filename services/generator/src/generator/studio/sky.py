"""Skies: gradients, the sun and the moon, stars, clouds, and rarer lights."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc, rounded
from generator.studio.colour import Colour, Image, lighter, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.noise import Generator, field, line

_WIND = 0.016
"""Units that a film's clouds go in a second."""

_COVER = {"cloudy": 0.36, "rain": 0.3, "storm": 0.3, "snow": 0.34, "fog": 0.46}


def paint_sky(easel: Easel) -> None:
    """Everything above the horizon; the gradient runs on below it for what is painted later."""
    _gradient(easel)
    easel.step(6)
    if easel.palette.dark and easel.scene.weather in {None, "cloudy"}:
        paint_stars(easel, 1.0 if easel.time == "night" else 0.45)
    if "aurora" in easel.scene.features:
        _aurora(easel)
    visible = easel.palette.sun_height > -0.02
    if visible and not easel.palette.moonlit:
        _disc(easel)
    easel.step(11)
    easel.alive(1.0, _clouds)
    if visible and easel.palette.moonlit:
        _disc(easel)
    if not easel.palette.dark and easel.scene.weather in {None, "cloudy"}:
        easel.recede(0.9, lambda seconds: (_WIND * 0.7 * seconds, 0.0))
        _cumuli(easel)
        easel.recede(1.0)
    if "rainbow" in easel.scene.features:
        _rainbow(easel)
    if "fireworks" in easel.scene.features:
        _fireworks(easel)
    if easel.scene.weather == "storm":
        _lightning(easel)
    easel.step(16)


def _gradient(easel: Easel) -> None:
    palette = easel.palette
    t = np.clip(easel.down() / max(easel.horizon, 0.05), 0, 1)
    stops = (0.0, 0.52, 0.86, 1.0)
    shades = (palette.top, palette.middle, palette.horizon, mix(palette.horizon, palette.glow, 0.3))
    ramp = np.stack(
        [np.interp(t[:, 0], stops, [float(shade[i]) for shade in shades]) for i in range(3)],
        axis=-1,
    ).astype(np.float32)
    easel.picture.colour[:] = ramp[:, None, :]
    x, y = easel.sun_px
    dx = (np.arange(easel.width, dtype=np.float32)[None, :] - x) / easel.unit
    dy = (np.arange(easel.height, dtype=np.float32)[:, None] - y) / easel.unit
    distance = np.sqrt(dx * dx * 0.7 + dy * dy)
    strength = 0.34 if palette.moonlit else 0.62
    easel.add_light(np.exp(-distance / 0.3) * np.float32(strength), palette.glow)


def paint_stars(easel: Easel, share: float, bottom: float | None = None) -> None:
    """Stars down to the horizon (or ``bottom``, a share of the height), few of them bright."""
    rng = easel.rng("stars")
    limit = easel.horizon if bottom is None else bottom
    sky = np.zeros((easel.height, easel.width), np.float32)
    count = int(620 * share)
    xs, ys = rng.random(count), rng.random(count) * limit
    bright = rng.random(count) ** 5
    unit = easel.unit / 1000
    for x, y, power in zip(xs, ys, bright, strict=True):
        centre = (int(x * easel.width * 16), int(y * easel.height * 16))
        radius = max(5.0, (0.6 + 1.7 * power) * 16 * unit)
        fade = 1 - 0.8 * (y / max(limit, 1e-3)) ** 2
        cv2.circle(
            sky, centre, int(radius), float((0.35 + 0.65 * power) * fade), -1, cv2.LINE_AA, 4
        )
    halo = cv2.GaussianBlur(sky, (0, 0), max(0.8, 3.2 * unit))
    easel.add_light(np.clip(sky + halo * 1.6, 0, 1), rgb("#fdf6e4"))
    if share >= 1:
        _milky_way(easel, limit)


def _milky_way(easel: Easel, limit: float) -> None:
    rng = easel.rng("milky way")
    tilt = float(rng.uniform(0.5, 1.1)) * (1 if rng.random() < 0.5 else -1)
    small = (max(2, easel.height // 3), max(2, easel.width // 3))
    x = np.linspace(-1, 1, small[1], dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, small[0], dtype=np.float32)[:, None]
    across = x * np.float32(np.sin(tilt)) + (y + 0.55) * np.float32(np.cos(tilt))
    across = across + (field(rng, small, (3, 4), 3) - 0.5) * 0.35
    dust = field(rng, small, (7, 9), 5)
    band = np.exp(-((across / 0.26) ** 2)) * (0.25 + 0.9 * smoothstep(0.35, 0.8, dust))
    band *= 1 - 0.75 * np.exp(-(((across - 0.03) / 0.07) ** 2)) * smoothstep(0.4, 0.65, dust)
    whole = cv2.resize(band, (easel.width, easel.height), interpolation=cv2.INTER_CUBIC)
    whole *= smoothstep(limit, limit * 0.4, easel.down())
    easel.add_light(np.clip(whole, 0, 1) * np.float32(0.3), rgb("#a9bcf2"))


def _disc(easel: Easel) -> None:
    palette, (x, y) = easel.palette, easel.sun_px
    radius = 0.052 if palette.moonlit else 0.066
    pen = Pen(easel.picture, x, y, easel.unit)
    pen.glow(0, 0, radius * 4.5, palette.glow, 0.42)
    pen.glow(0, 0, radius * 2.1, lighter(palette.disc, 0.3), 0.55)
    if not palette.moonlit:
        pen.circle(0, 0, radius, lighter(palette.disc, 0.4))
        return
    body = palette.disc
    if "crescent" in easel.scene.features:
        outer = arc(0, 0, radius, radius, 60, 300, tilt=20)
        inner = arc(radius * 0.52, radius * 0.18, radius * 0.86, radius * 0.86, 292, 68, tilt=20)
        pen.polygon(np.concatenate([outer, inner]), body)
        return
    pen.circle(0, 0, radius, Orb(lighter(body, 0.6), body, mix(body, palette.middle, 0.28)))
    rng = easel.rng("craters")
    for _ in range(9):
        angle, far = rng.uniform(0, 6.28), rng.uniform(0.1, 0.68) * radius
        size = rng.uniform(0.08, 0.24) * radius
        pen.circle(
            np.cos(angle) * far, np.sin(angle) * far, size, mix(body, palette.middle, 0.5), 0.28
        )


def _cloud_sheet(easel: Easel) -> tuple[float, Image, float, float]:
    """What chance has a say in: how much shows, the pattern, how flat it lies, where it starts."""
    rng = easel.rng("clouds")
    cover = _COVER.get(easel.scene.weather or "", float(rng.uniform(0.46, 0.6)))
    tile = field(rng, (768, 768), (6, 6), 7)
    return cover, tile, float(rng.choice([0.16, 0.3, 0.5, 0.8])), float(rng.uniform(0, 700))


def _clouds(easel: Easel) -> None:
    """A plane of fractal cloud in perspective, shaded towards the sun."""
    palette, rows = easel.palette, easel.horizon_px
    cover, tile, flat, start = easel.once("clouds", lambda: _cloud_sheet(easel))
    height = np.clip(easel.horizon - easel.down(0, rows), 0, 1)
    depth = 1 / (height + flat)
    stretch = 400.0 * flat**0.8
    u = (easel.across() - np.float32(_WIND * easel.moment_s)) * depth * stretch + start
    v = np.broadcast_to(depth * stretch * 1.25 * (0.28 + flat), u.shape)
    sample = _mirrored(tile, u, v)
    x, y = easel.sun_px
    towards = np.array([x / easel.width - 0.5, 0.35 if y < rows * 0.7 else 0.12])
    offset = towards / (np.hypot(*towards) + 1e-6) * 13
    shifted = _mirrored(tile, u + np.float32(offset[0]), v - np.float32(offset[1]))
    dense = smoothstep(cover, cover + 0.24, sample)
    dense *= smoothstep(0.0, 0.12, height) * 0.94
    light = np.clip(0.55 + (sample - shifted) * 2.6, 0, 1)[..., None]
    bright = mix(lighter(palette.horizon, 0.5), palette.glow, 0.35)
    dim = mix(palette.middle, palette.haze, 0.45) * (0.8 if easel.scene.weather else 0.93)
    if palette.dark:
        bright, dim = (
            mix(palette.horizon, palette.middle, 0.35),
            mix(palette.top, palette.middle, 0.6),
        )
        dense *= 0.8
    easel.lay(dense, dim + (bright - dim) * light)


def _cumuli(easel: Easel) -> None:
    """Heaped clouds with flat feet, small and pale towards the horizon."""
    rng, palette = easel.rng("cumuli"), easel.palette
    count = int(rng.integers(2, 5)) + (4 if easel.scene.weather else 0)
    side = -1.0 if easel.sun_x < 0.5 else 1.0
    for height in np.sort(rng.uniform(0.1, 0.72, count)):
        size = easel.unit * (0.06 + 0.2 * float(height)) * float(rng.uniform(0.7, 1.2))
        x, y = rng.uniform(-0.02, 1.02) * easel.width, easel.horizon_px * (1 - float(height))
        if (
            np.hypot(x - easel.sun_px[0], (y - easel.sun_px[1]) * 1.5)
            < size * 1.1 + easel.unit * 0.07
        ):
            continue
        pen = Pen(easel.picture, x, y, size)
        far = (1 - float(height)) * 0.75
        top = mix(mix(lighter(palette.horizon, 0.75), palette.glow, 0.3), palette.horizon, far)
        foot = mix(mix(palette.haze, palette.middle, 0.5), palette.horizon, far)
        _cumulus(pen, rng, top, foot, side)


def _cumulus(pen: Pen, rng: Generator, top: Colour, foot: Colour, side: float) -> None:
    heaps = []
    for x in np.linspace(-0.85, 0.85, 9):
        r = 0.17 + 0.24 * float(rng.random()) * (1 - abs(x)) + 0.1 * (1 - abs(x))
        heaps.append(
            (
                float(x),
                r * float(rng.uniform(0.2, 0.75)) + 0.3 * (1 - x * x) * float(rng.random()),
                r,
            )
        )
    base = [(-1.05, 0.02), (-0.7, -0.035), (0.7, -0.035), (1.05, 0.02), (0.7, 0.2), (-0.7, 0.2)]
    body = [arc(x, max(y, r * 0.62), r, r * 0.8) for x, y, r in heaps]
    pen.polygons([*body, rounded(base)], Fade(mix(top, foot, 0.12), foot), 0.9)
    for x, y, r in heaps:
        y = max(y, r * 0.62)
        pen.ellipse(
            x + side * r * 0.16,
            y + r * 0.17,
            r * 0.78,
            r * 0.58,
            Fade(top, mix(top, foot, 0.6)),
            0.5,
        )
        pen.ellipse(
            x + side * r * 0.28, y + r * 0.32, r * 0.48, r * 0.34, Fade(lighter(top, 0.4), top), 0.5
        )


def _mirrored(tile: Image, u: Image, v: Image) -> Image:
    """The tile at (u, v), continued by reflection."""
    size = tile.shape[0] - 1
    fold_u = np.abs((u % (2 * size)) - size).astype(np.float32)
    fold_v = np.abs((v % (2 * size)) - size).astype(np.float32)
    return np.asarray(cv2.remap(tile, fold_u, fold_v, cv2.INTER_LINEAR), np.float32)


def _aurora(easel: Easel) -> None:
    rng = easel.rng("aurora")
    rows = easel.horizon_px
    y = easel.down(0, rows) / max(easel.horizon, 0.05)
    for code, top in (("#3df0a0", 0.62), ("#4fd0e8", 0.5), ("#b566f0", 0.42)):
        crest = (top + 0.16 * line(rng, easel.width, 3, 3))[None, :]
        rays = (0.55 + 0.5 * line(rng, easel.width, 60, 3))[None, :]
        up = np.clip((crest - y) / 0.5, 0, 1)
        curtain = np.where(y < crest, np.exp(-up * 3.4), np.exp(-(y - crest) / 0.03))
        curtain = curtain * np.clip(rays, 0.1, 1.2) * smoothstep(0, 0.2, y)
        easel.add_light(np.clip(curtain, 0, 1).astype(np.float32) * np.float32(0.6), rgb(code))


def _rainbow(easel: Easel) -> None:
    rows = easel.horizon_px
    dx = easel.across() - (0.22 if easel.sun_x < 0.5 else -0.22)
    dy = (easel.down(0, rows) - easel.horizon - 0.1) * easel.height / easel.unit
    distance = np.sqrt(dx * dx + dy * dy)
    codes = ("#7d4fd0", "#3f6fe8", "#37b8d0", "#4fc05a", "#f6e04a", "#f6983a", "#e8443c")
    fade = smoothstep(0.02, 0.4, easel.horizon - easel.down(0, rows))
    for i, code in enumerate(codes):
        band = np.exp(-(((distance - 0.6 - i * 0.017) / 0.012) ** 2)) * (0.25 + 0.35 * fade)
        easel.lay(band.astype(np.float32), rgb(code))


def _fireworks(easel: Easel) -> None:
    rng = easel.rng("fireworks")
    for i in range(6):
        tone = easel.palette.petals[i % len(easel.palette.petals)]
        pen = Pen(
            easel.picture,
            rng.uniform(0.1, 0.9) * easel.width,
            rng.uniform(0.12, 0.55) * easel.horizon_px,
            easel.unit * rng.uniform(0.12, 0.22),
        )
        pen.glow(0, 0, 1.3, tone, 0.4)
        for spark in range(30):
            angle, reach = 2 * np.pi * spark / 30, rng.uniform(0.7, 1.0)
            tip = (np.cos(angle) * reach, np.sin(angle) * reach - 0.15)
            root = (tip[0] * 0.25, tip[1] * 0.25 + 0.03)
            pen.line(
                [root, (tip[0] * 0.7, tip[1] * 0.7 + 0.05), tip],
                0.008,
                lighter(tone, 0.3),
                end=0.022,
                smooth=True,
                opacity=0.9,
            )


def _lightning(easel: Easel) -> None:
    rng = easel.rng("lightning")
    pen = Pen(
        easel.picture, rng.uniform(0.2, 0.8) * easel.width, easel.horizon_px, easel.horizon_px
    )
    x, points = 0.0, []
    for y in np.linspace(1.0, 0.0, 14):
        points.append((x, float(y)))
        x += float(rng.uniform(-0.07, 0.07))
    pen.line(points, 0.07, rgb("#cfd8ff"), end=0.02, opacity=0.22)
    pen.line(points, 0.018, rgb("#f8f6ff"), end=0.005)
    for start in (4, 7):
        bx, by = points[start]
        branch = [
            (bx + i * 0.035 * (-1) ** start + float(rng.uniform(-0.02, 0.02)), by - i * 0.06)
            for i in range(5)
        ]
        pen.line(branch, 0.009, rgb("#e6e6ff"), end=0.003)


def rays(easel: Easel, x: float, y: float, colour: Colour, strength: float, name: str) -> None:
    """Shafts of light from (x, y), shares of the picture, fading downwards."""
    rng = easel.rng(name)
    small = (max(2, easel.height // 4), max(2, easel.width // 4))
    columns = (
        (np.linspace(0, 1, small[1], dtype=np.float32)[None, :] - x) * easel.width / easel.unit
    )
    rows = (np.linspace(0, 1, small[0], dtype=np.float32)[:, None] - y) * easel.height / easel.unit
    angle = np.arctan2(columns, np.maximum(rows, 1e-3))
    beams = line(rng, 512, 16, 3)
    picked = np.interp(angle, np.linspace(-1.6, 1.6, 512), beams).astype(np.float32)
    distance = np.sqrt(columns**2 + rows**2)
    mask = smoothstep(0.0, 0.9, picked) * np.exp(-distance / 0.75) * np.float32(strength)
    whole = cv2.resize(mask.astype(np.float32), (easel.width, easel.height))
    easel.add_light(np.asarray(whole, np.float32), colour)
