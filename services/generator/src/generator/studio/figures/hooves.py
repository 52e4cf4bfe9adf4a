"""Animals on hooves, and the elephant."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Pen, arc
from generator.studio.colour import Colour, darker, lighter, luminance, rgb
from generator.studio.figures.ink import Ink


def _fur(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.14), darker(colour, 0.26))


def _eye(pen: Pen, x: float, y: float, r: float, iris: str = "#2a2422") -> None:
    pen.circle(x, y, r, rgb(iris))
    pen.circle(x - r * 0.3, y + r * 0.35, r * 0.34, rgb("#ffffff"))


def _quadruped(pen: Pen, coat: Colour, limb: float, hoof: Colour, top: float) -> None:
    """Body and four legs, facing right; ``top`` is the height of the back."""
    for x, lean in ((-0.28, 0.03), (0.24, -0.03)):
        pen.line(
            [(x, top - 0.16), (x + lean, top * 0.45), (x + lean * 1.4, 0.05)],
            limb,
            darker(coat, 0.4),
            end=limb * 0.62,
            smooth=True,
        )
    for x, lean in ((-0.38, -0.02), (0.17, 0.02)):
        pen.line(
            [(x, top - 0.16), (x + lean, top * 0.45), (x + lean, 0.05)],
            limb * 1.15,
            _fur(coat),
            end=limb * 0.66,
            smooth=True,
        )
        pen.box(x + lean - limb * 0.42, 0, limb * 0.84, 0.055, hoof, 0.01)


def horse(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#8a5635")
    mane = darker(coat, 0.62) if luminance(coat) < 0.7 else rgb("#c9b9a0")
    pen.line([(-0.42, 0.58), (-0.56, 0.5), (-0.58, 0.2)], 0.09, mane, end=0.03, smooth=True)
    _quadruped(pen, coat, 0.082, darker(coat, 0.75), 0.58)
    pen.blob(
        [
            (-0.44, 0.5),
            (-0.4, 0.62),
            (-0.15, 0.6),
            (0.1, 0.61),
            (0.26, 0.58),
            (0.28, 0.44),
            (0.16, 0.35),
            (-0.1, 0.34),
            (-0.34, 0.36),
        ],
        _fur(coat),
    )
    pen.blob(
        [(0.08, 0.56), (0.22, 0.78), (0.32, 0.92), (0.44, 0.88), (0.36, 0.68), (0.3, 0.46)],
        _fur(coat),
    )
    pen.blob(
        [
            (0.28, 0.9),
            (0.36, 0.98),
            (0.46, 0.92),
            (0.62, 0.76),
            (0.6, 0.69),
            (0.53, 0.69),
            (0.4, 0.78),
        ],
        _fur(coat),
    )
    pen.polygon([(0.33, 0.93), (0.35, 1.04), (0.41, 0.95)], coat)
    pen.blob(
        [(0.34, 0.99), (0.24, 0.92), (0.08, 0.66), (0.04, 0.55), (0.16, 0.64), (0.28, 0.84)], mane
    )
    _eye(pen, 0.44, 0.87, 0.018)
    pen.circle(0.585, 0.73, 0.011, darker(coat, 0.7))


def deer(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#a8693f")
    pale, horn = lighter(coat, 0.65), rgb("#5c4433")
    for side in (-1, 1):
        root = 0.33 + side * 0.02
        pen.line(
            [(root, 0.83), (root + side * 0.1, 0.9), (root + side * 0.12, 1.03)],
            0.022,
            horn,
            end=0.01,
            smooth=True,
        )
        pen.line([(root + side * 0.07, 0.88), (root + side * 0.03, 0.99)], 0.016, horn, end=0.008)
        pen.line([(root + side * 0.11, 0.94), (root + side * 0.18, 0.99)], 0.014, horn, end=0.007)
    _quadruped(pen, coat, 0.056, rgb("#33261f"), 0.55)
    pen.ellipse(-0.43, 0.54, 0.05, 0.04, pale, tilt=60)
    pen.blob(
        [
            (-0.44, 0.48),
            (-0.38, 0.58),
            (-0.1, 0.55),
            (0.2, 0.57),
            (0.27, 0.46),
            (0.16, 0.36),
            (-0.1, 0.35),
            (-0.34, 0.38),
        ],
        _fur(coat),
    )
    pen.blob(
        [(0.1, 0.52), (0.22, 0.7), (0.28, 0.82), (0.38, 0.8), (0.33, 0.6), (0.27, 0.44)], _fur(coat)
    )
    pen.blob([(0.22, 0.46), (0.3, 0.62), (0.35, 0.76), (0.33, 0.6), (0.28, 0.44)], pale)
    pen.ellipse(0.23, 0.85, 0.07, 0.03, coat, tilt=150)
    pen.blob(
        [(0.25, 0.8), (0.31, 0.87), (0.4, 0.83), (0.5, 0.74), (0.49, 0.69), (0.36, 0.71)],
        _fur(coat),
    )
    pen.circle(0.495, 0.722, 0.018, rgb("#231d1c"))
    _eye(pen, 0.37, 0.79, 0.017)
    for x, y in ((-0.3, 0.51), (-0.2, 0.48), (-0.1, 0.51), (0.0, 0.49), (-0.25, 0.45)):
        pen.circle(x, y, 0.013, pale, 0.8)


def elephant(pen: Pen, ink: Ink) -> None:
    hide = ink.main("#8d939e")
    for x in (-0.24, 0.24):
        pen.line([(x, 0.4), (x, 0.06)], 0.17, darker(hide, 0.36))
    pen.blob(
        [
            (-0.5, 0.45),
            (-0.42, 0.74),
            (-0.1, 0.86),
            (0.22, 0.8),
            (0.34, 0.5),
            (0.2, 0.3),
            (-0.1, 0.27),
            (-0.42, 0.28),
        ],
        _fur(hide),
    )
    for x in (-0.36, 0.12):
        pen.line([(x, 0.42), (x, 0.07)], 0.18, _fur(hide))
        for toe in (-0.05, 0, 0.05):
            pen.ellipse(x + toe, 0.012, 0.022, 0.018, lighter(hide, 0.6))
    pen.line([(-0.48, 0.55), (-0.56, 0.3)], 0.02, darker(hide, 0.3))
    pen.line(
        [(0.5, 0.62), (0.62, 0.44), (0.6, 0.2), (0.68, 0.12)],
        0.15,
        _fur(hide),
        end=0.06,
        smooth=True,
    )
    pen.blob(
        [
            (0.2, 0.62),
            (0.26, 0.86),
            (0.44, 0.92),
            (0.6, 0.8),
            (0.62, 0.6),
            (0.5, 0.48),
            (0.3, 0.48),
        ],
        _fur(hide),
    )
    pen.line([(0.5, 0.5), (0.62, 0.42), (0.72, 0.46)], 0.04, rgb("#f7efdd"), end=0.012, smooth=True)
    pen.blob(
        [(0.34, 0.82), (0.16, 0.9), (0.02, 0.76), (0.08, 0.52), (0.22, 0.42), (0.34, 0.54)],
        Fade(lighter(hide, 0.05), darker(hide, 0.4)),
    )
    _eye(pen, 0.49, 0.72, 0.02)


def sheep(pen: Pen, ink: Ink) -> None:
    wool = ink.main("#f4eee2")
    face = rgb("#4a423f") if luminance(wool) > 0.3 else rgb("#d9cdbd")
    for x in (-0.24, -0.12, 0.14, 0.26):
        pen.line([(x, 0.32), (x, 0.03)], 0.065, darker(face, 0.2))
    shapes = [arc(0, 0.55, 0.36, 0.24)]
    for i in range(17):
        a = 2 * np.pi * i / 17
        shapes.append(arc(np.cos(a) * 0.36, 0.55 + np.sin(a) * 0.24, 0.11, 0.105))
    pen.polygons(shapes, _fur(wool))
    for _ in range(16):
        x, y = ink.rng.uniform(-0.3, 0.26), ink.rng.uniform(0.42, 0.74)
        pen.line(arc(x, y, 0.05, 0.045, 20, 200), 0.012, darker(wool, 0.16), opacity=0.7)
    pen.ellipse(0.33, 0.76, 0.08, 0.032, face, tilt=205)
    pen.ellipse(0.57, 0.77, 0.075, 0.03, face, tilt=-20)
    pen.blob(
        [
            (0.36, 0.72),
            (0.38, 0.83),
            (0.46, 0.87),
            (0.55, 0.82),
            (0.56, 0.7),
            (0.5, 0.58),
            (0.42, 0.58),
        ],
        _fur(face),
    )
    pen.polygons([arc(0.42 + i * 0.045, 0.855, 0.05, 0.045) for i in range(3)], wool)
    for x in (0.42, 0.51):
        pen.circle(x, 0.745, 0.022, rgb("#ffffff"))
        pen.circle(x + 0.004, 0.742, 0.012, rgb("#1d1a18"))
