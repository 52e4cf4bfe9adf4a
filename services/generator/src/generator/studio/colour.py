"""Colours as three floats in 0..1 (red, green, blue), and what a painter does with them."""

from __future__ import annotations

import colorsys

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
"""(height, width, 3) colours, or (height, width) mask; 0..1."""

Colour = npt.NDArray[np.float32]
"""(3,)"""

NAMED = {
    "red": "#d92b2f",
    "orange": "#f08a24",
    "yellow": "#f7cf3a",
    "gold": "#dba632",
    "green": "#3f9e4d",
    "olive": "#7f8544",
    "mint": "#9fdcc0",
    "teal": "#1f9a9a",
    "turquoise": "#35c4c8",
    "blue": "#2f6fd6",
    "navy": "#263f86",
    "purple": "#7d45b8",
    "lilac": "#bda0e0",
    "magenta": "#d1369c",
    "pink": "#f08fb6",
    "brown": "#8a5a3a",
    "beige": "#e3cfab",
    "white": "#f6f3ec",
    "gray": "#8f969c",
    "black": "#26262c",
}


def rgb(code: str) -> Colour:
    """``#rrggbb`` as a colour."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)], np.float32)


def named(name: str) -> Colour:
    return rgb(NAMED[name])


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """``share`` 0 is ``a``, 1 is ``b``."""
    return np.asarray(a + (b - a) * np.float32(share), np.float32)


def lighter(colour: Colour, share: float) -> Colour:
    """Towards a warm white."""
    return mix(colour, rgb("#fffaf0"), share)


def darker(colour: Colour, share: float) -> Colour:
    """Towards a cool, deep shade of the same hue, as painters darken."""
    return mix(colour, colour * np.array([0.16, 0.14, 0.30], np.float32), share)


def turned(colour: Colour, hue: float, *, saturation: float = 1.0, value: float = 1.0) -> Colour:
    """The colour with its hue turned by ``hue`` (1 is a full circle)."""
    h, s, v = colorsys.rgb_to_hsv(*(float(np.clip(part, 0, 1)) for part in colour))
    turned_rgb = colorsys.hsv_to_rgb((h + hue) % 1, min(1, s * saturation), min(1, v * value))
    return np.array(turned_rgb, np.float32)


def luminance(colour: Colour) -> float:
    return float(colour @ np.array([0.299, 0.587, 0.114], np.float32))


def smoothstep(low: float | Image, high: float | Image, value: Image) -> Image:
    """0 below ``low``, 1 above ``high``, an S-curve between; ``low`` may exceed ``high``."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
