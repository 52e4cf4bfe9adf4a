"""What stands on a laid table."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc
from generator.studio.colour import Colour, darker, lighter, rgb
from generator.studio.figures.ink import Ink


def _glaze(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.3), darker(colour, 0.42), sideways=True)


def _ball(colour: Colour) -> Orb:
    return Orb(lighter(colour, 0.6), colour, darker(colour, 0.62))


def apple(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#cf2f2f")
    pen.blob(
        [
            (0, 0.02),
            (-0.2, 0.0),
            (-0.4, 0.2),
            (-0.44, 0.5),
            (-0.28, 0.76),
            (0, 0.7),
            (0.28, 0.76),
            (0.44, 0.5),
            (0.4, 0.2),
            (0.2, 0.0),
        ],
        _ball(skin),
    )
    pen.ellipse(0, 0.7, 0.13, 0.035, darker(skin, 0.5), 0.7)
    pen.line([(0, 0.68), (0.02, 0.84), (0.09, 0.96)], 0.036, rgb("#5b3a24"), smooth=True)
    pen.blob(
        [(0.05, 0.82), (0.16, 0.95), (0.36, 0.95), (0.24, 0.82)],
        Fade(rgb("#8fc65a"), rgb("#3f7d3a")),
    )
    pen.ellipse(-0.22, 0.52, 0.05, 0.12, rgb("#ffffff"), 0.4, tilt=-18)


def fruit(pen: Pen, ink: Ink) -> None:
    """A bowl of fruit."""
    skin = ink.main("#ef8a2a")
    for x, y, tone in (
        (-0.3, 0.58, skin),
        (0.3, 0.58, darker(skin, 0.1)),
        (0, 0.62, lighter(skin, 0.1)),
        (-0.15, 0.78, darker(skin, 0.06)),
        (0.17, 0.8, skin),
    ):
        pen.circle(x, y, 0.2, _ball(tone))
        pen.circle(x + 0.02, y + 0.14, 0.014, rgb("#5b6b2f"))
    pen.blob(
        [(0.2, 0.98), (0.3, 1.05), (0.46, 1.02), (0.34, 0.94)], Fade(rgb("#8fc65a"), rgb("#3f7d3a"))
    )
    bowl = ink.contrast("#f1ece1")
    pen.blob(
        [
            (-0.62, 0.5),
            (-0.5, 0.22),
            (-0.24, 0.06),
            (0.24, 0.06),
            (0.5, 0.22),
            (0.62, 0.5),
            (0, 0.44),
        ],
        _glaze(bowl),
    )
    pen.box(-0.2, 0, 0.4, 0.08, darker(bowl, 0.3), 0.03)


def cake(pen: Pen, ink: Ink) -> None:
    icing = ink.main("#f4a9bf")
    cream = ink.contrast("#fdf3e2")
    pen.ellipse(0, 0.03, 0.62, 0.05, rgb("#e8e2d8"))
    for low, high, half in ((0.04, 0.34, 0.48), (0.34, 0.6, 0.34)):
        pen.box(-half, low, half * 2, high - low, _glaze(cream), 0.03)
        pen.ellipse(0, high, half, 0.05, lighter(icing, 0.2))
        shapes = [
            arc(-half + half * 2 * (i + 0.5) / 9, high - 0.03 - 0.03 * (i % 3), half / 9, 0.06)
            for i in range(9)
        ]
        band = [(-half, high), (half, high), (half, high - 0.05), (-half, high - 0.05)]
        pen.polygons([*shapes, np.array(band)], Fade(lighter(icing, 0.15), icing))
    for i in range(5):
        x = -0.22 + i * 0.11
        pen.box(x - 0.014, 0.6, 0.028, 0.2, Fade(lighter(icing, 0.6), icing))
        pen.glow(x, 0.85, 0.09, rgb("#ffd87a"), 0.7)
        pen.blob([(x - 0.016, 0.83), (x, 0.92), (x + 0.016, 0.83), (x, 0.805)], rgb("#ffb53a"))
    for i in range(6):
        pen.circle(-0.4 + i * 0.16, 0.38, 0.035, _ball(rgb("#d23047")))


def cup(pen: Pen, ink: Ink) -> None:
    glaze = ink.main("#3f8a9a")
    for x in (-0.12, 0.06, 0.2):
        pen.line(
            [(x, 0.78), (x - 0.06, 0.88), (x + 0.05, 0.97), (x, 1.08)],
            0.034,
            rgb("#ffffff"),
            end=0.008,
            smooth=True,
            opacity=0.5,
        )
    pen.line(arc(0.44, 0.4, 0.2, 0.17, -110, 110), 0.075, _glaze(darker(glaze, 0.08)))
    pen.ellipse(0.02, 0.03, 0.62, 0.055, Fade(lighter(glaze, 0.4), darker(glaze, 0.1)))
    pen.blob(
        [
            (-0.44, 0.68),
            (-0.43, 0.34),
            (-0.3, 0.07),
            (0, 0.045),
            (0.3, 0.07),
            (0.43, 0.34),
            (0.44, 0.68),
            (0, 0.62),
        ],
        _glaze(glaze),
    )
    pen.ellipse(0, 0.68, 0.45, 0.085, lighter(glaze, 0.45))
    pen.ellipse(0, 0.675, 0.4, 0.066, Fade(rgb("#4a2a18"), rgb("#8a5630")))
    pen.line(arc(0, 0.675, 0.22, 0.034, 150, 330), 0.016, rgb("#d9b083"), opacity=0.8)


def bottle(pen: Pen, ink: Ink) -> None:
    glass = ink.main("#3f7d5a")
    pen.box(-0.05, 0.84, 0.1, 0.16, _glaze(rgb("#b58a5a")), 0.02)
    pen.blob(
        [
            (-0.19, 0.02),
            (-0.2, 0.3),
            (-0.19, 0.52),
            (-0.08, 0.68),
            (-0.062, 0.88),
            (0.062, 0.88),
            (0.08, 0.68),
            (0.19, 0.52),
            (0.2, 0.3),
            (0.19, 0.02),
            (0, -0.01),
        ],
        _glaze(glass),
    )
    pen.box(-0.17, 0.15, 0.34, 0.26, _glaze(ink.contrast("#f5ead2")), 0.01)
    pen.line([(-0.1, 0.32), (0.1, 0.32)], 0.016, rgb("#7d5a3a"))
    pen.line([(-0.07, 0.26), (0.07, 0.26)], 0.01, rgb("#7d5a3a"))
    pen.line(
        [(-0.14, 0.5), (-0.05, 0.66), (-0.035, 0.82)],
        0.025,
        rgb("#ffffff"),
        smooth=True,
        opacity=0.5,
    )
