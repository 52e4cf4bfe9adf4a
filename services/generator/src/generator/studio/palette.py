"""Which colours a scene is painted in: by time of day, weather, season, mood and the seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from generator.studio.colour import Colour, lighter, mix, named, rgb, turned
from generator.studio.noise import Generator
from generator.studio.words import Scene


@dataclass(frozen=True, slots=True)
class Palette:
    """One coherent set of colours; ``light`` multiplies whatever stands in the scene."""

    top: Colour
    """The sky overhead."""
    middle: Colour
    horizon: Colour
    glow: Colour
    """Around the sun or the moon, and on edges that face it."""
    disc: Colour
    haze: Colour
    """What distance fades to."""
    far: Colour
    near: Colour
    """The darkest foreground."""
    water: Colour
    grass: Colour
    leaves: tuple[Colour, ...]
    petals: tuple[Colour, ...]
    accent: Colour
    light: Colour
    dark: bool
    """Windows are lit."""
    moonlit: bool
    sun_height: float
    """Of the disc above the horizon, as a share of the sky; below 0 it is hidden."""


_SKIES: dict[str, tuple[str, ...]] = {
    # top, middle, horizon, glow, disc, haze, far, near, water, light
    "day": (
        "#2f7ccb",
        "#78b7e6",
        "#e6f2ee",
        "#fff3cf",
        "#fffbe6",
        "#cfe4ec",
        "#7ea3bd",
        "#2f5a48",
        "#3b86b4",
        "#fffdf6",
    ),
    "dawn": (
        "#5c79c4",
        "#d9a3c0",
        "#ffe2bd",
        "#ffd9a0",
        "#fff4d6",
        "#f3cfc6",
        "#a48db6",
        "#3d4668",
        "#7d90c4",
        "#fbe4df",
    ),
    "sunset": (
        "#33407f",
        "#d0607c",
        "#ffc268",
        "#ffb057",
        "#fff0b8",
        "#f6a377",
        "#96597f",
        "#30264c",
        "#a05a86",
        "#ffd9b8",
    ),
    "sunset 2": (
        "#2a5f8f",
        "#8fb0a8",
        "#ffd88f",
        "#ffb95f",
        "#fff3c4",
        "#f2bd8a",
        "#8a7f8a",
        "#2c3448",
        "#5f8f9a",
        "#ffe0bd",
    ),
    "sunset 3": (
        "#5a3f86",
        "#e8788a",
        "#ffb39a",
        "#ffa488",
        "#fff0d8",
        "#e89aa0",
        "#8f5f92",
        "#35264f",
        "#9a6aa6",
        "#ffd0c4",
    ),
    "day 2": (
        "#3f9ad0",
        "#9ad4e6",
        "#f4f0d8",
        "#fff0bd",
        "#fffbe6",
        "#dde8dc",
        "#8fb3b0",
        "#35604a",
        "#43a0b0",
        "#fffaec",
    ),
    "dawn 2": (
        "#7fa0d0",
        "#c4c8e0",
        "#ffe6c4",
        "#ffd8a4",
        "#fff6dd",
        "#e4d8dc",
        "#9aa4c0",
        "#445468",
        "#8aa8c8",
        "#fdeee2",
    ),
    "dusk": (
        "#171c4a",
        "#584089",
        "#ee9a8f",
        "#f7b39b",
        "#ffe9cf",
        "#94659a",
        "#51477f",
        "#191a38",
        "#423f80",
        "#b8a3cf",
    ),
    "night": (
        "#050a22",
        "#122455",
        "#39609a",
        "#9fc0f0",
        "#f7f3dd",
        "#2e4d85",
        "#233f70",
        "#081026",
        "#16306a",
        "#8d9bd6",
    ),
}

_SUN = {
    "day": (0.62, 0.86),
    "dawn": (0.12, 0.3),
    "sunset": (0.1, 0.26),
    "dusk": (-0.1, 0.0),
    "night": (0.55, 0.8),
}

_GRASS = {"spring": "#79b94c", "summer": "#5b9c48", "autumn": "#b98f43", "winter": "#e9f1f8"}

_LEAVES = {
    "spring": ("#86c04f", "#a9d36a", "#5fa04a"),
    "summer": ("#4f9448", "#6cab4b", "#357a48"),
    "autumn": ("#dd8429", "#c8502b", "#e9b13c"),
    "winter": ("#dfe9f2", "#b9cbdc", "#f4f8fb"),
}

_PETALS = ("#e8483f", "#f6c53d", "#f58fb0", "#8f6fd6", "#fdf6ec", "#f0802f")


def _weathered(palette: Palette, weather: str | None) -> Palette:
    """Grey skies and softer contrast for weather that hides the sun."""
    share = {"cloudy": 0.4, "rain": 0.66, "storm": 0.72, "snow": 0.5, "fog": 0.5}.get(weather or "")
    if share is None:
        return palette
    grey = rgb("#46505f") if weather == "storm" else rgb("#a9b6c1")
    grey = grey * (0.34 if palette.dark else 1.0)

    def dull(colour: Colour, more: float = 1.0) -> Colour:
        return mix(colour, grey, share * more)

    return replace(
        palette,
        top=dull(palette.top),
        middle=dull(palette.middle),
        horizon=dull(palette.horizon, 0.6),
        glow=dull(palette.glow, 0.5),
        haze=dull(palette.haze, 0.8),
        far=dull(palette.far, 0.7),
        water=dull(palette.water, 0.7),
        light=mix(palette.light, rgb("#c3ccd6"), share * 0.6),
        sun_height=palette.sun_height if weather in {"cloudy", "fog"} else -0.2,
    )


def _moody(palette: Palette, mood: str | None) -> Palette:
    turn, saturation, value, lift = {
        "joyful": (0.0, 1.22, 1.04, 0.0),
        "dark": (0.02, 0.72, 0.62, 0.0),
        "dreamy": (0.05, 0.82, 1.02, 0.2),
        "vintage": (0.0, 0.62, 0.97, 0.06),
        "calm": (0.0, 0.9, 1.0, 0.08),
    }.get(mood or "", (0.0, 1.0, 1.0, 0.0))

    def felt(colour: Colour) -> Colour:
        return lighter(turned(colour, turn, saturation=saturation, value=value), lift)

    shades: dict[str, Any] = {
        name: felt(getattr(palette, name))
        for name in ("top", "middle", "horizon", "glow", "haze", "far", "near", "water", "grass")
    }
    return replace(palette, **shades, leaves=tuple(felt(leaf) for leaf in palette.leaves))


def _tinted(palette: Palette, scene: Scene) -> Palette:
    """Named colours of places, and those that belong to nothing, reach the palette."""
    dim = 0.55 if palette.dark else 1.0
    if (sky := scene.tint("sky")) is not None:
        hue = named(sky) * dim
        palette = replace(
            palette,
            top=hue * 0.72,
            middle=mix(palette.middle, hue, 0.75),
            horizon=mix(palette.horizon, lighter(hue, 0.55), 0.55),
            haze=mix(palette.haze, lighter(hue, 0.4), 0.5),
            far=mix(palette.far, hue, 0.4),
        )
    if (water := scene.tint("water")) is not None:
        palette = replace(palette, water=named(water) * dim)
    if (ground := scene.tint("ground")) is not None:
        palette = replace(palette, grass=named(ground))
    if scene.colours:
        hues = [named(name) for name in scene.colours]
        first, last = hues[0] * dim, hues[-1] * dim
        palette = replace(
            palette,
            accent=hues[0],
            petals=tuple(hues),
            top=mix(palette.top, last, 0.45),
            middle=mix(palette.middle, first, 0.5),
            haze=mix(palette.haze, first, 0.35),
            far=mix(palette.far, first, 0.4),
            horizon=mix(palette.horizon, lighter(first, 0.5), 0.4),
        )
    return palette


def palette_of(scene: Scene, time: str, season: str, rng: Generator) -> Palette:
    """The palette of a scene at a decided ``time`` and ``season``."""
    variants = [name for name in _SKIES if name.split()[0] == time]
    chosen = _SKIES[variants[int(rng.integers(len(variants)))]]
    sky = [turned(rgb(code), float(rng.uniform(-0.018, 0.018))) for code in chosen]
    low, high = _SUN[time]
    winter = season == "winter"
    petals = [rgb(code) for code in _PETALS]
    palette = Palette(
        top=sky[0],
        middle=sky[1],
        horizon=sky[2],
        glow=sky[3],
        disc=sky[4],
        haze=sky[5],
        far=sky[6],
        near=sky[7],
        water=sky[8],
        grass=rgb(_GRASS[season]),
        leaves=tuple(rgb(code) for code in _LEAVES[season]),
        petals=tuple(petals[i] for i in rng.permutation(len(petals))[:3]),
        accent=petals[int(rng.integers(len(petals)))],
        light=mix(sky[9], rgb("#eaf2ff"), 0.3) if winter else sky[9],
        dark=time in {"night", "dusk"},
        moonlit=time == "night" or bool(scene.features & {"moon", "crescent"}),
        sun_height=float(rng.uniform(low, high)),
    )
    if palette.moonlit and time != "night":
        palette = replace(palette, sun_height=float(rng.uniform(0.5, 0.8)))
    return _tinted(_moody(_weathered(palette, scene.weather), scene.mood), scene)


def lit(colour: Colour, palette: Palette) -> Colour:
    """A thing's own colour as it looks under this light."""
    return np.asarray(colour * palette.light, np.float32)
