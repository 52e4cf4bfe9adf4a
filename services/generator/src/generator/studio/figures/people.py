"""People, and those that look a little like them."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc
from generator.studio.colour import Colour, darker, lighter, mix, rgb
from generator.studio.figures.ink import Ink

_SKINS = ("#f1c6a2", "#d9a074", "#a8703f", "#7a4a2b", "#f6d5b8")
_HAIRS = ("#2b211d", "#5a3822", "#8a5a2c", "#c9923f", "#3a2a3a")


def _skin(ink: Ink) -> Colour:
    return rgb(_SKINS[int(ink.rng.integers(len(_SKINS)))])


def _hair(ink: Ink) -> Colour:
    return rgb(_HAIRS[int(ink.rng.integers(len(_HAIRS)))])


def _cloth(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.16), darker(colour, 0.28))


def person(pen: Pen, ink: Ink) -> None:
    """A wanderer with a rucksack, seen from the side."""
    coat, skin, hair = ink.main("#c9533b"), _skin(ink), _hair(ink)
    trousers = ink.contrast("#3b4a63")
    pen.line(
        [(0.03, 0.46), (0.08, 0.26), (0.07, 0.05)],
        0.085,
        darker(trousers, 0.25),
        end=0.06,
        smooth=True,
    )
    pen.line(
        [(-0.02, 0.46), (-0.06, 0.26), (-0.12, 0.05)],
        0.092,
        _cloth(trousers),
        end=0.064,
        smooth=True,
    )
    for x in (-0.1, 0.095):
        pen.ellipse(x, 0.025, 0.068, 0.03, rgb("#4a3226"))
    pen.blob(
        [(-0.19, 0.5), (-0.22, 0.66), (-0.18, 0.78), (-0.08, 0.78), (-0.07, 0.5)],
        _cloth(rgb("#6f7d4a")),
    )
    pen.line([(-0.21, 0.79), (-0.06, 0.8)], 0.05, rgb("#d9c9a0"))
    pen.blob(
        [(-0.11, 0.42), (-0.11, 0.66), (-0.07, 0.8), (0.06, 0.8), (0.11, 0.66), (0.12, 0.42)],
        _cloth(coat),
    )
    pen.line(
        [(0.0, 0.74), (0.08, 0.58), (0.16, 0.53)], 0.062, darker(coat, 0.14), end=0.052, smooth=True
    )
    pen.circle(0.175, 0.525, 0.028, skin)
    pen.line([(0.18, 0.72), (0.2, 0.01)], 0.014, rgb("#6b4a30"))
    pen.line([(0.005, 0.78), (0.01, 0.83)], 0.055, skin)
    pen.ellipse(0.012, 0.88, 0.068, 0.078, Fade(skin, darker(skin, 0.15)))
    pen.blob(
        [
            (-0.065, 0.82),
            (-0.075, 0.93),
            (-0.01, 0.97),
            (0.07, 0.95),
            (0.05, 0.91),
            (-0.02, 0.9),
            (-0.03, 0.83),
        ],
        hair,
    )
    pen.line([(-0.06, 0.79), (0.07, 0.79)], 0.045, ink.contrast("#e8c35a"))
    pen.line(
        [(-0.05, 0.78), (-0.14, 0.72), (-0.18, 0.64)],
        0.04,
        ink.contrast("#e8c35a"),
        end=0.02,
        smooth=True,
    )
    pen.blob([(-0.085, 0.925), (-0.06, 1.0), (0.05, 1.0), (0.075, 0.94)], darker(coat, 0.2))
    pen.line([(-0.12, 0.932), (0.12, 0.94)], 0.02, darker(coat, 0.3))


def woman(pen: Pen, ink: Ink) -> None:
    """In a wide dress, hair in the wind."""
    dress, skin, hair = ink.main("#c9405a"), _skin(ink), _hair(ink)
    for x in (-0.03, 0.045):
        pen.line([(x, 0.16), (x, 0.03)], 0.038, skin)
        pen.ellipse(x + 0.015, 0.018, 0.04, 0.018, darker(dress, 0.4))
    pen.blob(
        [
            (-0.02, 0.92),
            (-0.12, 0.84),
            (-0.24, 0.78),
            (-0.28, 0.7),
            (-0.16, 0.72),
            (-0.05, 0.74),
            (0.03, 0.8),
        ],
        hair,
    )
    pen.blob(
        [
            (-0.06, 0.56),
            (-0.14, 0.36),
            (-0.27, 0.13),
            (-0.1, 0.11),
            (0.06, 0.1),
            (0.22, 0.13),
            (0.14, 0.36),
            (0.06, 0.56),
        ],
        _cloth(dress),
    )
    for x in (-0.14, -0.04, 0.07, 0.15):
        pen.line(
            [(x * 0.3, 0.54), (x * 0.8, 0.3), (x * 1.2, 0.13)],
            0.008,
            darker(dress, 0.3),
            smooth=True,
            opacity=0.7,
        )
    pen.blob(
        [
            (-0.075, 0.54),
            (-0.085, 0.68),
            (-0.075, 0.76),
            (0.075, 0.76),
            (0.085, 0.68),
            (0.075, 0.54),
        ],
        _cloth(lighter(dress, 0.06)),
    )
    pen.box(-0.077, 0.535, 0.154, 0.026, ink.contrast("#f6e6c4"), 0.01)
    pen.line([(-0.08, 0.73), (-0.13, 0.6), (-0.1, 0.5)], 0.036, skin, smooth=True)
    pen.line([(0.08, 0.73), (0.16, 0.64), (0.2, 0.72)], 0.036, skin, smooth=True)
    for i, x in enumerate((0.18, 0.215, 0.2)):
        pen.circle(x, 0.75 + 0.02 * i, 0.022, ink.petals[i % len(ink.petals)])
    pen.line([(0, 0.75), (0.004, 0.81)], 0.042, skin)
    pen.ellipse(0.012, 0.865, 0.06, 0.072, Fade(skin, darker(skin, 0.12)))
    pen.blob(
        [
            (0.07, 0.9),
            (0.03, 0.955),
            (-0.05, 0.94),
            (-0.08, 0.84),
            (-0.05, 0.76),
            (-0.03, 0.85),
            (0.02, 0.905),
        ],
        hair,
    )
    pen.ellipse(-0.005, 0.93, 0.13, 0.028, ink.contrast("#f0d9a0"), tilt=-8)
    pen.blob([(-0.06, 0.935), (-0.05, 0.99), (0.05, 0.995), (0.06, 0.93)], ink.contrast("#f0d9a0"))


def portrait(pen: Pen, ink: Ink) -> None:
    """Head and shoulders."""
    cloth, skin, hair = ink.main("#3f6f8f"), _skin(ink), _hair(ink)
    shade = darker(skin, 0.22)
    pen.blob(
        [
            (-0.32, 0.46),
            (-0.36, 0.74),
            (-0.2, 0.98),
            (0.06, 1.03),
            (0.3, 0.92),
            (0.35, 0.68),
            (0.32, 0.4),
            (0.2, 0.3),
            (-0.22, 0.3),
        ],
        Fade(lighter(hair, 0.12), darker(hair, 0.25)),
    )
    pen.blob(
        [(-0.58, 0.0), (-0.52, 0.2), (-0.3, 0.31), (0.3, 0.31), (0.52, 0.2), (0.58, 0.0)],
        _cloth(cloth),
    )
    pen.blob(
        [
            (-0.11, 0.46),
            (-0.13, 0.3),
            (-0.2, 0.27),
            (0, 0.16),
            (0.2, 0.27),
            (0.13, 0.3),
            (0.11, 0.46),
        ],
        shade,
    )
    pen.blob(
        [
            (-0.22, 0.66),
            (-0.2, 0.5),
            (-0.11, 0.38),
            (0, 0.345),
            (0.11, 0.38),
            (0.2, 0.5),
            (0.22, 0.66),
            (0.17, 0.84),
            (0, 0.9),
            (-0.17, 0.84),
        ],
        Fade(lighter(skin, 0.1), darker(skin, 0.14), sideways=True),
    )
    for side in (-1, 1):
        pen.ellipse(side * 0.125, 0.52, 0.062, 0.045, rgb("#e8837a"), 0.16)
        pen.ellipse(side * 0.095, 0.625, 0.044, 0.024, rgb("#fdf8f0"))
        pen.circle(side * 0.095, 0.625, 0.022, rgb("#4f6b4a"))
        pen.circle(side * 0.095, 0.625, 0.011, rgb("#17130f"))
        pen.circle(side * 0.095 - 0.008, 0.634, 0.006, rgb("#ffffff"))
        pen.line(arc(side * 0.095, 0.615, 0.05, 0.038, 25, 155), 0.01, darker(hair, 0.2))
        pen.line(
            [(side * 0.045, 0.69), (side * 0.1, 0.712), (side * 0.155, 0.692)],
            0.016,
            hair,
            smooth=True,
        )
    pen.line([(0.012, 0.62), (0.03, 0.53), (-0.006, 0.515)], 0.01, darker(skin, 0.32), smooth=True)
    pen.blob(
        [(-0.07, 0.452), (-0.02, 0.468), (0.02, 0.468), (0.07, 0.452), (0.0, 0.42)], rgb("#b8504f")
    )
    pen.line([(-0.07, 0.452), (0, 0.446), (0.07, 0.452)], 0.006, rgb("#7d2f33"), smooth=True)
    pen.blob(
        [
            (-0.25, 0.6),
            (-0.25, 0.8),
            (-0.1, 0.96),
            (0.1, 0.96),
            (0.25, 0.8),
            (0.26, 0.6),
            (0.17, 0.76),
            (0.04, 0.82),
            (-0.12, 0.76),
        ],
        Fade(lighter(hair, 0.16), hair),
    )
    pen.line(
        [(-0.3, 0.31), (-0.12, 0.2), (0, 0.16), (0.12, 0.2), (0.3, 0.31)],
        0.03,
        ink.contrast("#f0d9a0"),
        smooth=True,
    )


def astronaut(pen: Pen, ink: Ink) -> None:
    suit = ink.main("#f0efec")
    trim = ink.contrast("#e0703a")
    pen.box(-0.23, 0.4, 0.46, 0.34, _cloth(darker(suit, 0.22)), 0.06)
    for side in (-1, 1):
        pen.line(
            [(side * 0.09, 0.42), (side * 0.11, 0.24), (side * 0.12, 0.08)],
            0.15,
            _cloth(suit),
            smooth=True,
        )
        pen.ellipse(side * 0.13, 0.045, 0.1, 0.05, darker(suit, 0.35))
        pen.line([(side * 0.06, 0.22), (side * 0.17, 0.22)], 0.03, trim)
        pen.line(
            [(side * 0.19, 0.64), (side * 0.3, 0.5), (side * 0.29, 0.38)],
            0.115,
            _cloth(suit),
            end=0.1,
            smooth=True,
        )
        pen.circle(side * 0.29, 0.36, 0.058, trim)
    pen.blob(
        [(-0.19, 0.38), (-0.22, 0.56), (-0.17, 0.7), (0.17, 0.7), (0.22, 0.56), (0.19, 0.38)],
        _cloth(suit),
    )
    pen.box(-0.1, 0.48, 0.2, 0.12, darker(suit, 0.3), 0.02)
    for i, code in enumerate(("#e0443c", "#4fb06a", "#3f8fd0")):
        pen.circle(-0.055 + i * 0.055, 0.54, 0.018, rgb(code))
    pen.ellipse(0, 0.82, 0.2, 0.185, Orb(rgb("#ffffff"), suit, darker(suit, 0.5)))
    pen.ellipse(0.015, 0.815, 0.15, 0.125, rgb("#d9b04a"))
    pen.ellipse(0.015, 0.815, 0.135, 0.11, Orb(rgb("#8fb6e0"), rgb("#2b3a63"), rgb("#0d1226")))
    pen.blob([(-0.07, 0.85), (-0.04, 0.89), (0.02, 0.9), (-0.03, 0.86)], rgb("#ffffff"), 0.85)


def robot(pen: Pen, ink: Ink) -> None:
    shell = ink.main("#7fa3b5")
    joint, glow = rgb("#4b525e"), rgb("#7df0e0")
    pen.line([(0, 0.9), (0, 0.98)], 0.02, joint)
    pen.circle(0, 0.985, 0.03, rgb("#f0564a"))
    for side in (-1, 1):
        pen.line([(side * 0.11, 0.3), (side * 0.12, 0.06)], 0.075, joint)
        pen.box(side * 0.12 - 0.09, 0, 0.18, 0.075, _cloth(darker(shell, 0.15)), 0.03)
        pen.line(
            [(side * 0.25, 0.55), (side * 0.35, 0.44), (side * 0.34, 0.32)],
            0.07,
            joint,
            smooth=True,
        )
        pen.line(arc(side * 0.34, 0.27, 0.05, 0.05, 120, 420), 0.03, shell)
        pen.circle(side * 0.25, 0.55, 0.06, _cloth(shell))
        pen.box(side * 0.235 - 0.025, 0.72, 0.05, 0.1, joint, 0.02)
    pen.box(-0.22, 0.24, 0.44, 0.37, _cloth(shell), 0.07)
    pen.box(-0.14, 0.32, 0.28, 0.18, darker(shell, 0.45), 0.03)
    for i, code in enumerate(("#f0564a", "#f6c53d", "#62c46f")):
        pen.circle(-0.08 + i * 0.08, 0.45, 0.024, rgb(code))
    pen.line([(-0.1, 0.37), (-0.04, 0.39), (0.0, 0.35), (0.05, 0.4), (0.1, 0.37)], 0.012, glow)
    pen.line([(0, 0.6), (0, 0.66)], 0.1, joint)
    pen.box(-0.23, 0.64, 0.46, 0.27, _cloth(lighter(shell, 0.1)), 0.09)
    pen.box(-0.18, 0.69, 0.36, 0.16, rgb("#1f2733"), 0.07)
    for x in (-0.08, 0.08):
        pen.circle(x, 0.775, 0.04, glow)
        pen.circle(x - 0.01, 0.787, 0.014, rgb("#ffffff"))
    pen.line(arc(0, 0.745, 0.045, 0.03, 200, 340), 0.014, glow)


def snowman(pen: Pen, ink: Ink) -> None:
    snow = Orb(rgb("#ffffff"), rgb("#eef4fa"), rgb("#a9bfd8"))
    scarf = ink.main("#d23f3f")
    for side in (-1, 1):
        pen.line([(side * 0.16, 0.5), (side * 0.4, 0.62)], 0.022, rgb("#5b4030"))
        pen.line([(side * 0.34, 0.59), (side * 0.38, 0.68)], 0.014, rgb("#5b4030"))
    for y, r in ((0.21, 0.25), (0.52, 0.19), (0.75, 0.135)):
        pen.circle(0, y, r, snow)
    for y in (0.44, 0.52, 0.6):
        pen.circle(0.01, y, 0.02, rgb("#2c2a30"))
    for x in (-0.045, 0.055):
        pen.circle(x, 0.79, 0.017, rgb("#2c2a30"))
    pen.polygon([(0.01, 0.765), (0.01, 0.73), (0.16, 0.735)], rgb("#ef8a2f"))
    pen.line([(-0.13, 0.65), (0, 0.625), (0.13, 0.65)], 0.055, scarf, smooth=True)
    pen.line([(0.08, 0.64), (0.12, 0.5)], 0.06, Fade(scarf, darker(scarf, 0.25)))
    pen.box(-0.16, 0.85, 0.32, 0.025, rgb("#2c2a30"), 0.01)
    pen.box(-0.1, 0.86, 0.2, 0.14, rgb("#33313a"), 0.01)
    pen.box(-0.1, 0.875, 0.2, 0.03, mix(scarf, rgb("#ffffff"), 0.1))


def heart(pen: Pen, ink: Ink) -> None:
    red = ink.main("#e0344a")
    t = np.linspace(0, 2 * np.pi, 90)
    x = 16 * np.sin(t) ** 3 / 34
    y = (13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 30 + 0.57
    outline = np.stack([x, y], axis=1)
    pen.polygon(outline, Orb(lighter(red, 0.4), red, darker(red, 0.55)))
    pen.ellipse(-0.24, 0.8, 0.1, 0.055, rgb("#ffffff"), 0.5, tilt=32)
