"""Birds, what swims, and what only stories have seen."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Pen, arc
from generator.studio.colour import Colour, darker, lighter, mix, rgb
from generator.studio.figures.ink import Ink


def _body(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.16), darker(colour, 0.28))


def _eye(pen: Pen, x: float, y: float, r: float) -> None:
    pen.circle(x, y, r, rgb("#1f1b1c"))
    pen.circle(x - r * 0.3, y + r * 0.35, r * 0.34, rgb("#ffffff"))


def bird(pen: Pen, ink: Ink) -> None:
    """In flight, wings raised."""
    plume = ink.main("#3f77b8")
    dim, pale = darker(plume, 0.38), lighter(plume, 0.6)
    pen.blob([(0.02, 0.42), (0.12, 0.7), (0.34, 1.0), (0.3, 0.72), (0.2, 0.42)], dim)
    pen.blob(
        [(-0.3, 0.34), (-0.56, 0.3), (-0.74, 0.36), (-0.7, 0.24), (-0.56, 0.2), (-0.3, 0.24)], dim
    )
    pen.blob(
        [
            (-0.4, 0.28),
            (-0.2, 0.42),
            (0.16, 0.46),
            (0.42, 0.4),
            (0.48, 0.28),
            (0.3, 0.14),
            (0, 0.1),
            (-0.26, 0.17),
        ],
        _body(plume),
    )
    pen.blob([(-0.2, 0.2), (0.1, 0.28), (0.4, 0.28), (0.3, 0.14), (0, 0.1)], pale)
    pen.polygon([(0.45, 0.35), (0.62, 0.3), (0.46, 0.27)], rgb("#e8992f"))
    _eye(pen, 0.38, 0.345, 0.026)
    pen.blob(
        [(-0.16, 0.34), (-0.3, 0.62), (-0.42, 1.0), (-0.14, 0.86), (0.1, 0.62), (0.18, 0.36)],
        Fade(lighter(plume, 0.25), plume),
    )
    for i in range(4):
        pen.line(
            [(-0.12 + i * 0.07, 0.4), (-0.34 + i * 0.12, 0.86 - i * 0.08)], 0.012, dim, opacity=0.6
        )


def duck(pen: Pen, ink: Ink) -> None:
    """Afloat: the water line is at y = 0."""
    plume = ink.main("#f7f3ea")
    dim = darker(plume, 0.16)
    pen.blob(
        [
            (-0.62, 0.42),
            (-0.5, 0.12),
            (-0.3, -0.02),
            (0.2, -0.02),
            (0.4, 0.14),
            (0.34, 0.3),
            (0.1, 0.38),
            (-0.2, 0.36),
            (-0.42, 0.4),
        ],
        _body(plume),
    )
    pen.line(
        [(0.26, 0.2), (0.38, 0.4), (0.24, 0.64), (0.28, 0.84)],
        0.15,
        _body(plume),
        end=0.12,
        smooth=True,
    )
    pen.ellipse(0.33, 0.86, 0.12, 0.1, _body(plume))
    pen.polygon([(0.42, 0.9), (0.62, 0.8), (0.41, 0.79)], rgb("#ec8b2e"))
    _eye(pen, 0.37, 0.89, 0.02)
    pen.blob([(-0.5, 0.34), (-0.3, 0.16), (0.06, 0.12), (0.16, 0.24), (-0.06, 0.34)], dim)
    pen.line([(-0.42, 0.3), (-0.2, 0.2), (0.06, 0.18)], 0.012, darker(plume, 0.3), smooth=True)


def penguin(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#2b3142")
    for side in (-1, 1):
        pen.ellipse(side * 0.11, 0.03, 0.11, 0.04, rgb("#ec9a35"))
        pen.blob(
            [(side * 0.22, 0.62), (side * 0.36, 0.4), (side * 0.38, 0.24), (side * 0.24, 0.36)],
            darker(coat, 0.2),
        )
    pen.blob(
        [
            (-0.24, 0.06),
            (-0.28, 0.4),
            (-0.2, 0.72),
            (-0.17, 0.9),
            (0, 0.99),
            (0.17, 0.9),
            (0.2, 0.72),
            (0.28, 0.4),
            (0.24, 0.06),
            (0, 0.02),
        ],
        _body(coat),
    )
    pen.blob(
        [
            (-0.17, 0.1),
            (-0.2, 0.4),
            (-0.12, 0.66),
            (0, 0.7),
            (0.12, 0.66),
            (0.2, 0.4),
            (0.17, 0.1),
            (0, 0.05),
        ],
        rgb("#fbf7ee"),
    )
    for side in (-1, 1):
        pen.ellipse(side * 0.075, 0.8, 0.08, 0.085, rgb("#fbf7ee"))
        _eye(pen, side * 0.07, 0.83, 0.024)
    pen.polygon([(-0.05, 0.78), (0.05, 0.78), (0, 0.71)], rgb("#ec9a35"))


def fish(pen: Pen, ink: Ink) -> None:
    scale = ink.main("#f28a2e")
    dim = darker(scale, 0.32)
    pen.blob(
        [(-0.5, 0.5), (-0.72, 0.82), (-0.92, 0.92), (-0.82, 0.54), (-0.92, 0.12), (-0.7, 0.2)],
        Fade(lighter(scale, 0.3), dim),
    )
    pen.blob([(-0.3, 0.74), (-0.06, 1.0), (0.22, 0.94), (0.28, 0.78)], dim)
    pen.blob([(-0.1, 0.22), (-0.14, 0.02), (0.06, 0.1), (0.16, 0.24)], dim)
    pen.blob(
        [
            (-0.58, 0.5),
            (-0.3, 0.74),
            (0.1, 0.84),
            (0.46, 0.74),
            (0.66, 0.5),
            (0.46, 0.28),
            (0.1, 0.16),
            (-0.3, 0.28),
        ],
        Fade(scale, lighter(scale, 0.5)),
    )
    for row in range(5):
        for i in range(7):
            x, y = -0.36 + i * 0.1 + 0.05 * (row % 2), 0.32 + row * 0.09
            pen.line(arc(x, y, 0.05, 0.045, -70, 70), 0.01, dim, opacity=0.38)
    for x in (-0.02, 0.3):
        pen.blob(
            [
                (x - 0.04, 0.82),
                (x + 0.05, 0.82),
                (x + 0.07, 0.5),
                (x + 0.04, 0.18),
                (x - 0.04, 0.2),
                (x, 0.5),
            ],
            rgb("#fff7ea"),
            0.85,
        )
    pen.blob([(0.1, 0.5), (-0.1, 0.4), (-0.14, 0.28), (0.08, 0.34)], dim)
    pen.circle(0.48, 0.56, 0.07, rgb("#fffdf5"))
    _eye(pen, 0.49, 0.56, 0.045)
    pen.line([(0.63, 0.45), (0.55, 0.42)], 0.014, dim)


def whale(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#3f6ea6")
    pen.line([(0.3, 0.72), (0.3, 0.84), (0.18, 0.97)], 0.03, rgb("#dff1fa"), smooth=True, end=0.015)
    pen.line(
        [(0.3, 0.72), (0.31, 0.84), (0.44, 0.97)], 0.03, rgb("#dff1fa"), smooth=True, end=0.015
    )
    pen.blob(
        [
            (-0.74, 0.5),
            (-0.96, 0.62),
            (-1.06, 0.8),
            (-0.86, 0.76),
            (-0.78, 0.62),
            (-0.66, 0.8),
            (-0.56, 0.84),
            (-0.6, 0.6),
        ],
        _body(skin),
    )
    pen.blob(
        [
            (-0.78, 0.52),
            (-0.5, 0.5),
            (-0.2, 0.66),
            (0.3, 0.74),
            (0.7, 0.6),
            (0.82, 0.34),
            (0.66, 0.12),
            (0.2, 0.02),
            (-0.3, 0.1),
            (-0.62, 0.36),
        ],
        _body(skin),
    )
    pen.blob(
        [(0.8, 0.32), (0.64, 0.12), (0.2, 0.02), (-0.2, 0.08), (0.2, 0.2), (0.5, 0.26)],
        lighter(skin, 0.72),
    )
    for i in range(5):
        pen.line(
            [(0.66 - i * 0.11, 0.24 - i * 0.012), (0.52 - i * 0.13, 0.1 - i * 0.01)],
            0.008,
            mix(skin, rgb("#ffffff"), 0.35),
        )
    pen.blob(
        [(0.14, 0.18), (-0.04, 0.02), (-0.2, -0.04), (-0.1, 0.14), (0.02, 0.24)], darker(skin, 0.25)
    )
    _eye(pen, 0.56, 0.38, 0.026)


def turtle(pen: Pen, ink: Ink) -> None:
    shell, skin = ink.main("#6d8a3f"), rgb("#8fb36a")
    for x, tilt in ((-0.42, 215.0), (0.36, -40.0)):
        pen.ellipse(x, 0.2, 0.24, 0.1, _body(skin), tilt=tilt)
    pen.ellipse(-0.62, 0.26, 0.1, 0.04, skin, tilt=200)
    pen.line([(0.4, 0.36), (0.62, 0.56)], 0.18, _body(skin))
    pen.ellipse(0.68, 0.62, 0.16, 0.13, _body(skin))
    _eye(pen, 0.73, 0.65, 0.03)
    pen.ellipse(0, 0.26, 0.56, 0.12, rgb("#d9cf9a"))
    pen.blob(
        [
            (-0.58, 0.26),
            (-0.46, 0.58),
            (-0.16, 0.84),
            (0.16, 0.84),
            (0.44, 0.6),
            (0.58, 0.26),
            (0, 0.2),
        ],
        _body(shell),
    )
    for x, y, r in (
        (0, 0.6, 0.15),
        (-0.28, 0.48, 0.12),
        (0.28, 0.48, 0.12),
        (-0.14, 0.34, 0.09),
        (0.14, 0.34, 0.09),
    ):
        pen.polygon(arc(x, y, r, r * 0.85, 0, 360)[::10], lighter(shell, 0.26), 0.8)


def octopus(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#d2607e")
    for i, x in enumerate(np.linspace(-0.3, 0.3, 7)):
        side = -1 if i % 2 else 1
        pen.line(
            [
                (x * 0.5, 0.5),
                (x * 1.1, 0.3),
                (x * 1.6 + side * 0.05, 0.14),
                (x * 1.7 - side * 0.06, 0.02),
            ],
            0.12,
            _body(darker(skin, 0.08 * (i % 2))),
            end=0.03,
            smooth=True,
        )
    pen.blob(
        [
            (-0.22, 0.46),
            (-0.33, 0.7),
            (-0.2, 0.95),
            (0.1, 1.0),
            (0.32, 0.82),
            (0.26, 0.52),
            (0, 0.4),
        ],
        _body(skin),
    )
    for x in (-0.09, 0.13):
        pen.circle(x, 0.6, 0.068, rgb("#fffaf0"))
        _eye(pen, x, 0.6, 0.042)
    for x, y, r in ((-0.15, 0.83, 0.035), (0.02, 0.9, 0.028), (0.16, 0.84, 0.04)):
        pen.circle(x, y, r, lighter(skin, 0.3), 0.7)


def butterfly(pen: Pen, ink: Ink) -> None:
    wing = ink.main("#e8892c")
    edge = rgb("#2c2530")
    for side in (-1, 1):
        upper = [
            (0, 0.52),
            (side * 0.2, 0.86),
            (side * 0.48, 1.0),
            (side * 0.56, 0.78),
            (side * 0.4, 0.5),
            (side * 0.1, 0.44),
        ]
        lower = [
            (0, 0.46),
            (side * 0.34, 0.44),
            (side * 0.46, 0.26),
            (side * 0.3, 0.04),
            (side * 0.12, 0.16),
        ]
        for shape, centre in ((upper, (side * 0.3, 0.72)), (lower, (side * 0.26, 0.28))):
            pen.blob(shape, edge)
            inner = [
                (centre[0] + (x - centre[0]) * 0.84, centre[1] + (y - centre[1]) * 0.84)
                for x, y in shape
            ]
            pen.blob(inner, Fade(lighter(wing, 0.3), darker(wing, 0.12)))
        pen.line([(side * 0.04, 0.52), (side * 0.44, 0.88)], 0.012, edge)
        pen.line([(side * 0.04, 0.5), (side * 0.5, 0.72)], 0.012, edge)
        pen.line([(side * 0.04, 0.44), (side * 0.34, 0.16)], 0.012, edge)
        for x, y in ((0.49, 0.9), (0.52, 0.8), (0.4, 0.16), (0.33, 0.09)):
            pen.circle(side * x, y, 0.016, rgb("#fff6e2"))
        pen.line([(0, 0.68), (side * 0.07, 0.82), (side * 0.14, 0.88)], 0.012, edge, smooth=True)
    pen.line([(0, 0.24), (0, 0.68)], 0.055, edge, end=0.045)


def dragon(pen: Pen, ink: Ink) -> None:
    scale = ink.main("#3f8f63")
    belly, dim = lighter(scale, 0.55), darker(scale, 0.4)
    pen.blob(
        [
            (-0.04, 0.52),
            (-0.3, 0.9),
            (-0.62, 1.0),
            (-0.5, 0.84),
            (-0.56, 0.7),
            (-0.38, 0.64),
            (-0.36, 0.5),
            (-0.16, 0.42),
        ],
        Fade(mix(scale, rgb("#e8a33f"), 0.5), dim),
    )
    pen.line(
        [(-0.2, 0.2), (-0.46, 0.06), (-0.72, 0.12), (-0.82, 0.34)],
        0.16,
        _body(scale),
        end=0.03,
        smooth=True,
    )
    pen.polygon([(-0.82, 0.3), (-0.94, 0.44), (-0.8, 0.5), (-0.72, 0.4)], dim)
    pen.blob(
        [(-0.3, 0.06), (-0.3, 0.34), (-0.08, 0.52), (0.14, 0.5), (0.24, 0.26), (0.18, 0.03)],
        _body(scale),
    )
    pen.line(
        [(0.1, 0.4), (0.26, 0.58), (0.2, 0.76), (0.3, 0.86)],
        0.2,
        _body(scale),
        end=0.13,
        smooth=True,
    )
    pen.blob(
        [
            (0.2, 0.84),
            (0.26, 0.96),
            (0.42, 0.96),
            (0.62, 0.86),
            (0.63, 0.77),
            (0.44, 0.74),
            (0.28, 0.76),
        ],
        _body(scale),
    )
    pen.blob([(0.1, 0.08), (0.06, 0.3), (0.16, 0.46), (0.24, 0.28), (0.2, 0.06)], belly)
    for x in (-0.16, 0.12):
        pen.ellipse(x, 0.045, 0.13, 0.05, darker(scale, 0.15))
    for x, y in ((0.08, 0.56), (0.09, 0.68), (0.1, 0.8), (-0.14, 0.52), (-0.3, 0.36)):
        pen.polygon(
            [(x - 0.03, y - 0.05), (x - 0.07, y + 0.05), (x + 0.05, y + 0.03)], rgb("#e8a33f")
        )
    for x in (0.26, 0.34):
        pen.line([(x, 0.93), (x - 0.1, 1.04)], 0.035, rgb("#f1e3c4"), end=0.006)
    _eye(pen, 0.4, 0.89, 0.026)
    pen.circle(0.58, 0.85, 0.012, dim)
    for i in range(3):
        pen.glow(
            0.7 + i * 0.1, 0.8 - i * 0.01, 0.1 + i * 0.05, rgb(("#fff0a0", "#ffb03a", "#f0642a")[i])
        )
