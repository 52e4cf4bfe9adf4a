"""The last touches: weather in the air, bloom, brush and paper, a vignette."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Image, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.noise import field, speckle


def weather(easel: Easel) -> None:
    """Rain, snow or fog between the painter and the scene."""
    kind = easel.scene.weather
    if kind in {"rain", "storm"}:
        _rain(easel)
    elif kind == "snow":
        _snow(easel)
    elif kind == "fog":
        shape = (easel.height, easel.width)
        drift = easel.once("fog", lambda: field(easel.rng("fog"), shape, (3, 3), 4))
        veil = smoothstep(0.2, 0.8, drift) * (0.35 + 0.4 * easel.down())
        strength = 0.42 if easel.scene.setting == "forest" else 0.7
        easel.lay(
            (veil * np.float32(strength)).astype(np.float32),
            mix(easel.palette.haze, rgb("#ffffff"), 0.15),
        )


def _rain(easel: Easel) -> None:
    rng = easel.rng("rain")
    streaks = np.zeros((easel.height, easel.width), np.float32)
    for _ in range(int(520 * easel.width / easel.unit)):
        across, down = rng.random() * 1.2, rng.random()
        long = easel.unit * float(rng.uniform(0.02, 0.06))
        fallen = easel.moment_s * long * 32
        x = (across * easel.width - fallen * 0.22) % (easel.width * 1.2)
        y = (down * easel.height + fallen) % easel.height
        start, end = (int(x * 16), int(y * 16)), (int((x - long * 0.22) * 16), int((y + long) * 16))
        cv2.line(
            streaks,
            start,
            end,
            float(rng.uniform(0.12, 0.4)),
            max(1, round(easel.unit / 900)),
            cv2.LINE_AA,
            4,
        )
    soft = cv2.GaussianBlur(streaks, (0, 0), max(0.4, easel.unit / 1400))
    easel.lay(
        np.clip(soft, 0, 1).astype(np.float32), mix(easel.palette.horizon, rgb("#ffffff"), 0.4)
    )


def _snow(easel: Easel) -> None:
    rng = easel.rng("snow")
    for near, count in ((0.3, 300), (0.6, 140), (1.0, 34)):
        flakes = np.zeros((easel.height, easel.width), np.float32)
        for _ in range(int(count * easel.width / easel.unit)):
            across, down = rng.random(), rng.random()
            swing = np.sin(easel.moment_s * 1.7 + 6.28 * down) - np.sin(6.28 * down)
            across += 0.012 * near * swing
            down += easel.moment_s * 0.16 * near
            centre = (
                int(across % 1 * easel.width * 16),
                int(down % 1 * easel.height * 16),
            )
            radius = easel.unit * 0.0052 * near * float(rng.uniform(0.6, 1.3))
            cv2.circle(
                flakes,
                centre,
                max(8, int(radius * 16)),
                float(rng.uniform(0.5, 0.95)),
                -1,
                cv2.LINE_AA,
                4,
            )
        soft = cv2.GaussianBlur(flakes, (0, 0), max(0.5, easel.unit * 0.0016 * near))
        easel.lay(np.clip(soft, 0, 1).astype(np.float32), rgb("#fbfdff"))


def bloom(easel: Easel) -> None:
    """Let the brightest parts glow into their surroundings."""
    picture = easel.picture.colour
    np.clip(picture, 0, 1.15, out=picture)
    small = cv2.resize(
        picture, (max(1, easel.width // 4), max(1, easel.height // 4)), interpolation=cv2.INTER_AREA
    )
    bright = np.maximum(small - 0.68, 0) * 1.5
    halo = cv2.GaussianBlur(bright, (0, 0), max(1.0, easel.unit / 90))
    halo += cv2.GaussianBlur(bright, (0, 0), max(1.0, easel.unit / 26)) * 0.7
    halo = cv2.resize(halo, (easel.width, easel.height), interpolation=cv2.INTER_LINEAR)
    picture += (1 - np.clip(picture, 0, 1)) * np.clip(halo, 0, 1) * np.float32(0.5)


def brush(easel: Easel) -> None:
    """Let edges wander by a pixel or two, as a hand's do."""
    dx, dy = easel.once("brush", lambda: _wandering(easel))
    easel.picture.colour = np.asarray(
        cv2.remap(easel.picture.colour, dx, dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )


def _wandering(easel: Easel) -> tuple[Image, Image]:
    """Which column and row each pixel takes its colour from."""
    shape, cells = (easel.height, easel.width), (60 * easel.height / easel.unit, 60.0)
    reach = np.float32(easel.unit * 0.0019)
    dx = (field(easel.rng("brush x"), shape, cells, 2) - np.float32(0.5)) * reach
    dy = (field(easel.rng("brush y"), shape, cells, 2) - np.float32(0.5)) * reach
    dx += np.arange(easel.width, dtype=np.float32)[None, :]
    dy += np.arange(easel.height, dtype=np.float32)[:, None]
    return dx, dy


def _tooth(easel: Easel) -> Image:
    """The paper's grain, around 1, (height, width)."""
    rng = easel.rng("paper grain")
    shape = (easel.height, easel.width)
    fine = cv2.GaussianBlur(speckle(rng, shape), (0, 0), max(0.5, easel.unit / 1300))
    strokes = (
        field(rng, shape, (120 * easel.height / easel.unit, 36 * easel.width / easel.unit), 2) - 0.5
    )
    return np.asarray(1 + fine * 0.026 + strokes * 0.03, np.float32)


def grade(easel: Easel) -> npt.NDArray[np.uint8]:
    """Paper, vignette and a mood's tint; returns the finished picture, (height, width, 3) RGB."""
    picture = easel.picture.colour
    picture *= easel.once("tooth", lambda: _tooth(easel))[..., None]
    x = np.linspace(-1, 1, easel.width, dtype=np.float32)[None, :]
    y = np.linspace(-1, 1, easel.height, dtype=np.float32)[:, None]
    edge = smoothstep(0.75, 1.55, np.sqrt(x * x + y * y * 0.9))
    picture *= (1 - edge * np.float32(0.42 if easel.scene.mood == "dark" else 0.26))[..., None]
    if easel.scene.mood == "vintage":
        grey = picture @ np.array([0.299, 0.587, 0.114], np.float32)
        sepia = grey[..., None] * rgb("#fff0d2") + rgb("#1c120a") * (1 - grey[..., None])
        picture += (sepia - picture) * np.float32(0.42)
    np.clip(picture, 0, 1, out=picture)
    curved = picture * picture * (3 - 2 * picture)
    picture += (curved - picture) * np.float32(0.16)
    return np.asarray(picture * 255 + 0.5, np.uint8)
