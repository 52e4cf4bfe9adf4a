"""Water: what it mirrors, how it moves, and where the sun glitters on it."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.colour import Colour, Image, darker, lighter, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.land import below
from generator.studio.noise import Generator, field, line
from generator.studio.palette import lit

_PACE = 11.0
"""How fast waves come nearer: steps of their pattern in a second."""


def ripples(rng: Generator, easel: Easel, top: int, fine: float = 1.0) -> Image:
    """Wave noise in perspective over the rows from ``top`` down, 0..1."""
    rows, columns = easel.height - top, easel.width
    tile = easel.once("ripples", lambda: field(rng, (512, 512), (40 * fine, 14 * fine), 4))
    y = (np.arange(rows, dtype=np.float32)[:, None] + 1) / easel.unit
    depth = 1 / (y + 0.035)
    u = np.abs(((easel.across() * depth * 66 + 2000) % 1022) - 511)
    nearer = easel.moment_s * _PACE
    v = np.abs(((np.log(y + 0.012) * 250 + 4000 - nearer) % 1022) - 511)
    return np.asarray(
        cv2.remap(
            tile,
            u.astype(np.float32),
            np.broadcast_to(v, (rows, columns)).astype(np.float32),
            cv2.INTER_LINEAR,
        ),
        np.float32,
    )


def paint_water(easel: Easel, *, calm: float = 0.5) -> None:
    """Fill everything under the horizon with water; ``calm`` 1 is a mirror, 0 a rough sea."""
    easel.alive(0.5, lambda canvas: _water(canvas, calm))


def _water(easel: Easel, calm: float) -> None:
    palette, rng = easel.palette, easel.rng("water")
    top = easel.horizon_px
    rows = easel.height - top
    wave = ripples(rng, easel, top)
    depth = np.arange(rows, dtype=np.float32)[:, None] / max(1, rows)
    reach = (0.006 + 0.05 * depth) * easel.unit * (1.35 - calm)
    columns = np.arange(easel.width, dtype=np.float32)[None, :] + (wave - 0.5) * reach
    mirrored = top - 1 - np.arange(rows, dtype=np.float32)[:, None] * 0.92
    mirrored = mirrored + (wave - 0.5) * reach * 1.6
    reflection = cv2.remap(
        easel.picture.colour,
        columns.astype(np.float32),
        np.clip(mirrored, 0, top - 1).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    reflection = cv2.GaussianBlur(
        reflection,
        (0, 0),
        sigmaX=0.1 + easel.unit / 900,
        sigmaY=0.1 + easel.unit / 160 * (1.1 - calm),
    )
    body = lit(palette.water, palette)
    deep = darker(body, 0.35)
    own = mix(body, palette.haze, 0.25) + (deep - mix(body, palette.haze, 0.25)) * depth[..., None]
    share = (0.36 + 0.5 * calm) * (1 - 0.42 * depth)
    water = own + (reflection - own) * share[..., None]
    crests = smoothstep(0.56, 0.82, wave) * (0.1 + 0.28 * (1 - calm)) * (0.4 + depth)
    troughs = smoothstep(0.46, 0.2, wave) * (0.16 + 0.22 * (1 - calm))
    water += (lighter(mix(body, palette.horizon, 0.6), 0.2) - water) * crests[..., None]
    water += (deep * 0.8 - water) * troughs[..., None]
    edge = np.clip(np.arange(rows, dtype=np.float32)[:, None] / 2 + 0.5, 0, 1)
    easel.lay(
        np.broadcast_to(edge, (rows, easel.width)).astype(np.float32),
        water.astype(np.float32),
        0,
        top,
    )
    _glitter(easel, wave, top)


def _glitter(easel: Easel, wave: Image, top: int) -> None:
    """The path of light under the sun or the moon."""
    palette = easel.palette
    if palette.sun_height < 0:
        return
    rows = wave.shape[0]
    depth = np.arange(rows, dtype=np.float32)[:, None] / max(1, rows)
    columns = (np.arange(easel.width, dtype=np.float32)[None, :] - easel.sun_px[0]) / easel.unit
    low = 1.25 - min(1.0, palette.sun_height)
    path = np.exp(-((columns / (0.05 + 0.15 * depth)) ** 2))
    spark = smoothstep(0.5, 0.66, wave + path * 0.1)
    easel.add_light(
        (path * (0.2 + 0.8 * spark) * np.float32(0.72 * low)).astype(np.float32),
        lighter(palette.glow, 0.15),
        top,
    )


def shore(easel: Easel, level: float, colour: Colour, name: str = "shore") -> Image:
    """A beach along the lower edge, with foam; ``level`` is a share of the height."""
    easel.recede(0.0)
    rng, palette = easel.rng(name), easel.palette
    wave = line(rng, easel.width, 1.5 * max(1.0, easel.width / easel.unit), 3, 0.4)
    tilt = np.linspace(-0.05, 0.05, easel.width) * (1 if rng.random() < 0.5 else -1)
    crest = ((level + 0.02 * wave + tilt) * easel.height).astype(np.float32)
    for lift, strength, thick in ((0.035, 0.5, 0.006), (0.012, 0.85, 0.012)):
        ragged = crest - lift * easel.height + line(rng, easel.width, 14, 4) * easel.height * 0.004
        top, mask, depth = below(easel, ragged.astype(np.float32))
        lace = field(rng, (mask.shape[0], mask.shape[1]), (40, 40 * easel.width / easel.unit), 3)
        foam = mask * smoothstep(thick * 2, 0, depth) * smoothstep(0.3, 0.55, lace + 0.12)
        easel.lay(foam * np.float32(strength), lit(rgb("#ffffff"), palette), 0, top)
    body = lit(colour, palette)
    top, mask, depth = below(easel, crest)
    grain = field(rng, (mask.shape[0], mask.shape[1]), (30, 30 * easel.width / easel.unit), 5)[
        ..., None
    ]
    wet = mix(darker(body, 0.42), palette.horizon, 0.2)
    t = smoothstep(0.0, 0.07, depth)[..., None]
    sand = wet + (body - wet) * t + (grain - 0.5) * 0.16
    easel.lay(mask, sand.astype(np.float32), 0, top)
    return crest
