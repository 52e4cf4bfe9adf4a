"""Animals of land and air."""

from __future__ import annotations

from generator.studio.canvas import Fade, Pen, arc
from generator.studio.colour import Colour, darker, lighter, luminance, rgb
from generator.studio.figures.ink import Ink


def _fur(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.14), darker(colour, 0.26))


def _eye(pen: Pen, x: float, y: float, r: float, iris: str = "#2a2422") -> None:
    pen.circle(x, y, r, rgb(iris))
    pen.circle(x - r * 0.3, y + r * 0.35, r * 0.34, rgb("#ffffff"))


def cat(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#d98b45")
    dim = darker(coat, 0.3) if luminance(coat) > 0.25 else lighter(coat, 0.16)
    pale = lighter(coat, 0.55) if luminance(coat) > 0.25 else lighter(coat, 0.25)
    pen.line(
        [(0.16, 0.06), (0.38, 0.05), (0.46, 0.2), (0.4, 0.38), (0.46, 0.48)],
        0.085,
        dim,
        end=0.06,
        smooth=True,
    )
    pen.blob(
        [
            (-0.2, 0.02),
            (-0.22, 0.2),
            (-0.16, 0.5),
            (0.0, 0.62),
            (0.16, 0.5),
            (0.27, 0.22),
            (0.26, 0.02),
            (0, -0.01),
        ],
        _fur(coat),
    )
    pen.blob([(-0.1, 0.2), (-0.08, 0.48), (0, 0.56), (0.07, 0.46), (0.07, 0.2), (0, 0.1)], pale)
    for x in (-0.1, 0.06):
        pen.line([(x, 0.32), (x - 0.005, 0.04)], 0.095, _fur(coat))
        pen.ellipse(x - 0.01, 0.03, 0.065, 0.036, pale)
    for side in (-1, 1):
        pen.polygon([(side * 0.21, 0.72), (side * 0.2, 0.99), (side * 0.045, 0.86)], coat)
        pen.polygon(
            [(side * 0.18, 0.77), (side * 0.18, 0.93), (side * 0.085, 0.85)], rgb("#e7a3a0")
        )
    pen.blob(
        [
            (-0.22, 0.69),
            (-0.17, 0.83),
            (0, 0.88),
            (0.17, 0.83),
            (0.22, 0.69),
            (0.13, 0.56),
            (0, 0.53),
            (-0.13, 0.56),
        ],
        _fur(coat),
    )
    for x in (-0.05, 0.0, 0.05):
        pen.line([(x, 0.865 - abs(x) * 0.3), (x * 0.8, 0.8)], 0.016, dim, end=0.006)
    pen.ellipse(-0.035, 0.605, 0.05, 0.038, pale)
    pen.ellipse(0.035, 0.605, 0.05, 0.038, pale)
    for side in (-1, 1):
        pen.ellipse(side * 0.092, 0.705, 0.042, 0.046, rgb("#d8e07a"))
        pen.ellipse(side * 0.09, 0.705, 0.017, 0.043, rgb("#1d1a18"))
        pen.circle(side * 0.09 - 0.012, 0.722, 0.01, rgb("#ffffff"))
        for dy in (-0.02, 0.015):
            pen.line(
                [(side * 0.06, 0.61), (side * 0.27, 0.62 + dy * 2)],
                0.004,
                rgb("#fbf6ee"),
                opacity=0.8,
            )
    pen.polygon([(-0.022, 0.648), (0.022, 0.648), (0, 0.622)], rgb("#c9686b"))


def dog(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#b9834f")
    dim, pale = darker(coat, 0.38), lighter(coat, 0.6)
    pen.line([(-0.3, 0.45), (-0.46, 0.56), (-0.5, 0.7)], 0.07, coat, end=0.03, smooth=True)
    for x in (-0.24, 0.2):
        pen.line([(x + 0.06, 0.36), (x + 0.05, 0.04)], 0.085, dim)
    pen.blob(
        [
            (-0.34, 0.36),
            (-0.34, 0.52),
            (-0.1, 0.57),
            (0.14, 0.58),
            (0.3, 0.5),
            (0.26, 0.3),
            (0, 0.27),
            (-0.24, 0.26),
        ],
        _fur(coat),
    )
    for x in (-0.28, 0.16):
        pen.line([(x, 0.36), (x - 0.01, 0.04)], 0.095, _fur(coat))
        pen.ellipse(x + 0.01, 0.03, 0.07, 0.034, pale)
    pen.blob([(0.08, 0.42), (0.14, 0.6), (0.2, 0.74), (0.38, 0.72), (0.34, 0.5), (0.2, 0.36)], coat)
    pen.blob(
        [
            (0.13, 0.72),
            (0.18, 0.89),
            (0.34, 0.93),
            (0.43, 0.82),
            (0.57, 0.76),
            (0.58, 0.67),
            (0.42, 0.62),
            (0.24, 0.62),
        ],
        _fur(coat),
    )
    pen.blob([(0.4, 0.75), (0.56, 0.745), (0.57, 0.67), (0.42, 0.635)], pale)
    pen.ellipse(0.575, 0.742, 0.034, 0.028, rgb("#231d1c"))
    pen.line([(0.55, 0.685), (0.44, 0.665)], 0.01, darker(coat, 0.7), smooth=False)
    _eye(pen, 0.39, 0.82, 0.026)
    pen.blob(
        [(0.17, 0.9), (0.06, 0.82), (0.06, 0.62), (0.14, 0.56), (0.22, 0.68), (0.26, 0.86)], dim
    )
    pen.line([(0.16, 0.58), (0.34, 0.58)], 0.04, ink.contrast("#c8393b"))
    pen.circle(0.3, 0.545, 0.024, rgb("#e8bf4a"))


def fox(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#d9702b")
    pale, sock = rgb("#f8ecdc"), rgb("#3b2a28")
    pen.blob(
        [(-0.16, 0.1), (-0.4, 0.04), (-0.62, 0.16), (-0.66, 0.36), (-0.5, 0.3), (-0.3, 0.26)],
        _fur(coat),
    )
    pen.blob([(-0.62, 0.2), (-0.68, 0.38), (-0.54, 0.33), (-0.54, 0.24)], pale)
    pen.blob(
        [(-0.24, 0.0), (-0.26, 0.22), (-0.12, 0.48), (0.06, 0.6), (0.18, 0.44), (0.16, 0.0)],
        _fur(coat),
    )
    pen.blob([(0.02, 0.3), (0.06, 0.56), (0.18, 0.5), (0.17, 0.28), (0.1, 0.16)], pale)
    for x in (0.03, 0.13):
        pen.line([(x, 0.3), (x + 0.01, 0.03)], 0.07, sock, end=0.06)
    for x in (-0.04, 0.2):
        pen.polygon([(x - 0.07, 0.76), (x - 0.03, 1.0), (x + 0.07, 0.82)], coat)
        pen.polygon([(x - 0.04, 0.8), (x - 0.02, 0.93), (x + 0.03, 0.83)], sock)
    pen.blob(
        [
            (-0.14, 0.72),
            (-0.04, 0.84),
            (0.1, 0.86),
            (0.24, 0.82),
            (0.32, 0.7),
            (0.2, 0.6),
            (0.12, 0.49),
            (0.02, 0.58),
        ],
        _fur(coat),
    )
    pen.blob([(-0.12, 0.7), (0.0, 0.68), (0.08, 0.6), (0.12, 0.5), (0.02, 0.57)], pale)
    pen.blob([(0.31, 0.69), (0.2, 0.68), (0.15, 0.6), (0.13, 0.5), (0.22, 0.6)], pale)
    pen.circle(0.125, 0.505, 0.025, rgb("#231d1c"))
    _eye(pen, 0.03, 0.71, 0.024)
    _eye(pen, 0.2, 0.71, 0.024)


def rabbit(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#cdb59a")
    pale = lighter(coat, 0.6)
    pen.circle(-0.27, 0.13, 0.08, pale)
    pen.blob(
        [(-0.26, 0.02), (-0.28, 0.24), (-0.1, 0.42), (0.1, 0.42), (0.2, 0.26), (0.2, 0.02)],
        _fur(coat),
    )
    pen.ellipse(-0.1, 0.15, 0.14, 0.13, _fur(darker(coat, 0.08)))
    pen.ellipse(-0.06, 0.03, 0.15, 0.036, pale)
    pen.ellipse(0.16, 0.03, 0.08, 0.034, pale)
    for x, tilt in ((0.06, 98.0), (0.16, 80.0)):
        pen.ellipse(x, 0.8, 0.2, 0.052, _fur(coat), tilt=tilt)
        pen.ellipse(x, 0.79, 0.15, 0.027, rgb("#e8adab"), tilt=tilt)
    pen.blob(
        [
            (-0.02, 0.5),
            (0.02, 0.63),
            (0.14, 0.67),
            (0.26, 0.6),
            (0.3, 0.49),
            (0.2, 0.4),
            (0.06, 0.4),
        ],
        _fur(coat),
    )
    pen.ellipse(0.25, 0.46, 0.055, 0.045, pale)
    pen.circle(0.292, 0.492, 0.018, rgb("#c9686b"))
    _eye(pen, 0.165, 0.55, 0.03)


def bear(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#7b5238")
    pale = lighter(coat, 0.45)
    for side in (-1, 1):
        pen.ellipse(side * 0.18, 0.07, 0.12, 0.075, darker(coat, 0.18))
        pen.circle(side * 0.17, 0.95, 0.075, coat)
        pen.circle(side * 0.17, 0.945, 0.042, pale)
    pen.blob(
        [(-0.3, 0.1), (-0.32, 0.4), (-0.2, 0.62), (0.2, 0.62), (0.32, 0.4), (0.3, 0.1), (0, 0.01)],
        _fur(coat),
    )
    pen.ellipse(0, 0.32, 0.19, 0.23, pale, 0.7)
    for side in (-1, 1):
        pen.line(
            [(side * 0.25, 0.52), (side * 0.34, 0.34), (side * 0.28, 0.22)],
            0.13,
            _fur(coat),
            smooth=True,
        )
    pen.ellipse(0, 0.78, 0.245, 0.21, _fur(coat))
    pen.ellipse(0, 0.71, 0.11, 0.085, pale)
    pen.ellipse(0, 0.745, 0.042, 0.03, rgb("#231a18"))
    for side in (-1, 1):
        _eye(pen, side * 0.1, 0.82, 0.025)


def owl(pen: Pen, ink: Ink) -> None:
    coat = ink.main("#8c6a4d")
    pale = lighter(coat, 0.6)
    for side in (-1, 1):
        pen.polygon([(side * 0.26, 0.8), (side * 0.25, 1.0), (side * 0.06, 0.88)], coat)
    pen.blob(
        [
            (-0.28, 0.12),
            (-0.31, 0.5),
            (-0.27, 0.82),
            (0, 0.92),
            (0.27, 0.82),
            (0.31, 0.5),
            (0.28, 0.12),
            (0, 0.02),
        ],
        _fur(coat),
    )
    pen.ellipse(0, 0.34, 0.19, 0.28, pale)
    for row in range(5):
        for i in range(-2 + row % 2, 3):
            x, y = (i - 0.5 * (row % 2)) * 0.075, 0.18 + row * 0.075
            pen.line(arc(x, y, 0.03, 0.03, 200, 340), 0.012, darker(coat, 0.1), opacity=0.8)
    for side in (-1, 1):
        pen.blob(
            [(side * 0.24, 0.62), (side * 0.36, 0.4), (side * 0.28, 0.1), (side * 0.19, 0.3)],
            darker(coat, 0.34),
        )
        pen.circle(side * 0.125, 0.71, 0.125, pale)
        pen.circle(side * 0.12, 0.71, 0.088, rgb("#f2b632"))
        _eye(pen, side * 0.118, 0.71, 0.055)
        for toe in (-0.03, 0.02, 0.07):
            pen.ellipse(side * 0.1 + toe * side, 0.02, 0.022, 0.028, rgb("#d99a34"))
    pen.polygon([(-0.035, 0.67), (0.035, 0.67), (0, 0.58)], rgb("#e3a02f"))
