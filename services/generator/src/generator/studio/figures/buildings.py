"""What people build."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Pen, arc
from generator.studio.colour import Colour, darker, lighter, rgb
from generator.studio.figures.ink import Ink


def _wall(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.1), darker(colour, 0.24), sideways=True)


def _window(pen: Pen, ink: Ink, x: float, y: float, w: float, h: float) -> None:
    pen.box(x - 0.012, y - 0.012, w + 0.024, h + 0.024, rgb("#f6efe2"))
    glass = rgb("#ffd27a") if ink.dark else rgb("#7fb0cc")
    pen.box(x, y, w, h, Fade(lighter(glass, 0.35), glass))
    pen.box(x + w / 2 - 0.005, y, 0.01, h, rgb("#f6efe2"))
    pen.box(x, y + h / 2 - 0.005, w, 0.01, rgb("#f6efe2"))
    if ink.dark:
        pen.glow(x + w / 2, y + h / 2, w * 1.5, rgb("#ffc76a"), 0.45)


def house(pen: Pen, ink: Ink) -> None:
    wall = ink.main("#f0dcc0")
    roof = ink.contrast("#b2523f")
    for i in range(4):
        pen.circle(
            0.37 + i * 0.035, 1.02 + i * 0.06, 0.03 + i * 0.014, rgb("#f4f1ec"), 0.6 - i * 0.13
        )
    pen.box(0.28, 0.7, 0.12, 0.28, Fade(rgb("#a5604c"), rgb("#6d3b30"), sideways=True))
    pen.box(0.265, 0.95, 0.15, 0.04, rgb("#7b4538"))
    pen.box(-0.56, 0, 1.12, 0.52, _wall(wall))
    pen.polygon([(-0.2, 0.5), (-0.56, 0.5), (-0.56, 0), (-0.2, 0)], lighter(wall, 0.1), 0.5)
    for y in np.linspace(0.06, 0.48, 7):
        pen.line([(-0.56, y), (0.56, y)], 0.004, darker(wall, 0.3), opacity=0.4)
    pen.polygon(
        [(-0.66, 0.48), (-0.44, 0.88), (0.44, 0.88), (0.66, 0.48)],
        Fade(lighter(roof, 0.12), darker(roof, 0.25)),
    )
    for row in range(5):
        y = 0.53 + row * 0.075
        half = 0.64 - row * 0.041
        pen.line([(-half, y), (half, y)], 0.008, darker(roof, 0.4), opacity=0.45)
    if ink.snowy:
        pen.blob(
            [
                (-0.6, 0.56),
                (-0.46, 0.88),
                (0, 0.92),
                (0.46, 0.88),
                (0.6, 0.56),
                (0.4, 0.62),
                (0.2, 0.58),
                (0, 0.64),
                (-0.24, 0.58),
                (-0.42, 0.62),
            ],
            Fade(rgb("#ffffff"), rgb("#d5e2f0")),
        )
    pen.polygon([(-0.34, 0.48), (-0.12, 0.8), (0.1, 0.48)], _wall(wall))
    pen.line([(-0.37, 0.46), (-0.12, 0.82), (0.13, 0.46)], 0.035, darker(roof, 0.25))
    pen.circle(-0.12, 0.6, 0.06, rgb("#f6efe2"))
    pen.circle(-0.12, 0.6, 0.045, rgb("#ffd27a") if ink.dark else rgb("#7fb0cc"))
    _window(pen, ink, -0.46, 0.17, 0.18, 0.2)
    _window(pen, ink, 0.26, 0.17, 0.2, 0.2)
    pen.box(-0.1, 0, 0.2, 0.34, Fade(rgb("#5d7a6a"), rgb("#3a5347")), 0.02)
    pen.circle(0.06, 0.16, 0.013, rgb("#e8c35a"))
    pen.box(-0.15, -0.01, 0.3, 0.03, rgb("#b8b0a4"))
    for i in range(9):
        x = -0.5 + i * 0.125
        if abs(x) > 0.17:
            pen.circle(x, 0.03, 0.06, darker(ink.leaves[0], 0.1 * (i % 3)))
            pen.circle(x + 0.02, 0.06, 0.017, ink.petals[i % len(ink.petals)])


def _battlements(pen: Pen, x: float, y: float, width: float, stone: Colour) -> None:
    teeth = max(3, int(width / 0.05) | 1)
    step = width / teeth
    pen.polygons(
        [
            [
                (x + i * step, y),
                (x + i * step, y + 0.04),
                (x + (i + 1) * step, y + 0.04),
                (x + (i + 1) * step, y),
            ]
            for i in range(0, teeth, 2)
        ],
        stone,
    )


def _turret(
    pen: Pen, ink: Ink, x: float, top: float, half: float, wall: Colour, roof: Colour
) -> None:
    pen.box(x - half, 0, half * 2, top, _wall(wall))
    pen.box(x - half * 1.2, top - 0.03, half * 2.4, 0.06, _wall(darker(wall, 0.1)))
    peak = top + half * 3.4
    pen.polygon(
        [(x - half * 1.4, top + 0.03), (x, peak), (x + half * 1.4, top + 0.03)],
        Fade(lighter(roof, 0.16), darker(roof, 0.35), sideways=True),
    )
    pen.line([(x, peak - 0.01), (x, peak + 0.07)], 0.007, rgb("#4b4550"))
    pen.polygon([(x, peak + 0.07), (x, peak + 0.03), (x + 0.07, peak + 0.05)], ink.petals[0])
    pen.box(x - 0.016, top - 0.15, 0.032, 0.08, ink.glass() if ink.dark else rgb("#4a4652"), 0.016)


def castle(pen: Pen, ink: Ink) -> None:
    wall = ink.main("#d8cdbd")
    roof = ink.contrast("#4d6aa5")
    _turret(pen, ink, -0.2, 0.62, 0.085, darker(wall, 0.12), roof)
    _turret(pen, ink, 0.22, 0.54, 0.08, darker(wall, 0.12), roof)
    pen.box(-0.52, 0, 1.04, 0.32, _wall(wall))
    _battlements(pen, -0.52, 0.32, 1.04, wall)
    pen.box(-0.2, 0, 0.4, 0.46, _wall(lighter(wall, 0.06)))
    _battlements(pen, -0.2, 0.46, 0.4, lighter(wall, 0.06))
    _turret(pen, ink, -0.54, 0.44, 0.1, wall, roof)
    _turret(pen, ink, 0.54, 0.44, 0.1, wall, roof)
    pen.polygon(
        [(-0.09, 0), (-0.09, 0.16), *arc(0, 0.16, 0.09, 0.1, 180, 0), (0.09, 0)], rgb("#3a2a22")
    )
    for i in range(-2, 3):
        pen.line([(i * 0.035, 0.02), (i * 0.035, 0.22)], 0.006, rgb("#6d5440"))
    for x, y in ((-0.36, 0.18), (0.36, 0.18), (-0.12, 0.34), (0.12, 0.34), (0, 0.34)):
        pen.box(x - 0.018, y, 0.036, 0.075, ink.glass() if ink.dark else rgb("#4a4652"), 0.018)
    for _ in range(46):
        x, y = ink.rng.uniform(-0.5, 0.46), ink.rng.uniform(0.02, 0.3)
        pen.box(x, y, 0.035, 0.015, darker(wall, 0.2), opacity=0.35)


def lighthouse(pen: Pen, ink: Ink) -> None:
    stripe = ink.main("#d23f35")
    white = rgb("#f8f3e8")
    pen.blob(
        [(-0.34, 0.0), (-0.2, 0.07), (0, 0.09), (0.22, 0.06), (0.36, 0.0), (0, -0.03)],
        Fade(rgb("#8d8279"), rgb("#4b443f")),
    )
    for i in range(5):
        low, high = 0.06 + i * 0.13, 0.06 + (i + 1) * 0.13
        a, b = 0.15 - low * 0.08, 0.15 - high * 0.08
        colour = white if i % 2 else stripe
        pen.polygon(
            [(-a, low), (-b, high), (b, high), (a, low)],
            Fade(lighter(colour, 0.12), darker(colour, 0.42), sideways=True),
        )
    pen.box(-0.14, 0.7, 0.28, 0.03, rgb("#3c3a42"))
    for i in range(7):
        pen.line([(-0.13 + i * 0.0433, 0.73), (-0.13 + i * 0.0433, 0.78)], 0.006, rgb("#3c3a42"))
    pen.line([(-0.13, 0.78), (0.13, 0.78)], 0.008, rgb("#3c3a42"))
    pen.box(-0.075, 0.73, 0.15, 0.13, rgb("#ffe9a8"))
    for x in (-0.075, -0.025, 0.02, 0.068):
        pen.box(x, 0.73, 0.008, 0.13, rgb("#3c3a42"))
    pen.polygon(
        [(-0.1, 0.86), (0, 0.97), (0.1, 0.86)], Fade(stripe, darker(stripe, 0.4), sideways=True)
    )
    pen.circle(0, 0.98, 0.014, rgb("#3c3a42"))
    pen.box(-0.035, 0.06, 0.07, 0.11, rgb("#4a3a30"), 0.03)
    for x, y in ((0.0, 0.3), (-0.01, 0.52)):
        pen.box(x - 0.015, y, 0.034, 0.055, rgb("#4d5566"), 0.015)
    if ink.dark:
        for side in (-1, 1):
            for k in range(8):
                reach = side * (0.2 + 0.06 * k)
                ends = [
                    (0, 0.8),
                    (reach, 0.8 + abs(reach) * 0.24),
                    (reach, 0.8 - abs(reach) * 0.12),
                ]
                pen.polygon(ends, rgb("#fff1b8"), 0.045)
        pen.glow(0, 0.795, 0.3, rgb("#fff1b8"), 0.9)


def windmill(pen: Pen, ink: Ink) -> None:
    wall = ink.main("#efe3cf")
    cap = ink.contrast("#a34a38")
    pen.polygon([(-0.2, 0), (-0.13, 0.6), (0.13, 0.6), (0.2, 0)], _wall(wall))
    pen.blob(
        [(-0.16, 0.59), (-0.12, 0.7), (0, 0.76), (0.12, 0.7), (0.16, 0.59)],
        Fade(cap, darker(cap, 0.3)),
    )
    pen.box(-0.05, 0, 0.1, 0.16, rgb("#6b4a33"), 0.04)
    _window(pen, ink, -0.035, 0.34, 0.07, 0.09)
    turn = float(ink.rng.uniform(10, 70))
    for i in range(4):
        a = np.radians(turn + 90 * i)
        c, s = np.cos(a), np.sin(a)

        def at(along: float, side: float, c: float = c, s: float = s) -> tuple[float, float]:
            return c * along - s * side, 0.64 + s * along + c * side

        pen.polygon(
            [at(0.1, 0.0), at(0.42, 0.0), at(0.42, 0.1), at(0.1, 0.08)], rgb("#fbf4e4"), 0.9
        )
        for k in range(6):
            pen.line([at(0.1 + k * 0.064, 0), at(0.1 + k * 0.064, 0.09)], 0.006, rgb("#6b4a33"))
        pen.line([at(0, 0), at(0.43, 0)], 0.016, rgb("#5b3d2a"))
        pen.line([at(0.1, 0.04), at(0.42, 0.05)], 0.006, rgb("#6b4a33"))
    pen.circle(0, 0.64, 0.028, rgb("#4b3222"))


def tower(pen: Pen, ink: Ink) -> None:
    wall = ink.main("#cdbfae")
    pen.polygon([(-0.15, 0), (-0.12, 0.68), (0.12, 0.68), (0.15, 0)], _wall(wall))
    pen.box(-0.16, 0.66, 0.32, 0.05, _wall(darker(wall, 0.15)))
    pen.box(-0.13, 0.71, 0.26, 0.09, _wall(wall))
    roof = ink.contrast("#5d6f8f")
    pen.polygon(
        [(-0.17, 0.8), (0, 1.0), (0.17, 0.8)],
        Fade(lighter(roof, 0.1), darker(roof, 0.4), sideways=True),
    )
    for i in range(4):
        pen.box(
            -0.1 + i * 0.056, 0.725, 0.032, 0.06, ink.glass() if ink.dark else rgb("#4a4652"), 0.016
        )
    for y in (0.18, 0.36, 0.54):
        pen.box(-0.022, y, 0.044, 0.075, ink.glass() if ink.dark else rgb("#4a4652"), 0.022)
    for _ in range(40):
        x, y = ink.rng.uniform(-0.12, 0.09), ink.rng.uniform(0.02, 0.62)
        pen.box(x, y, 0.03, 0.014, darker(wall, 0.22), opacity=0.35)


def temple(pen: Pen, ink: Ink) -> None:
    wall = ink.main("#c0392f")
    roof = rgb("#3f4b58")
    pen.box(-0.52, 0, 1.04, 0.06, _wall(rgb("#b9b0a4")))
    for tier in range(4):
        y, half = 0.06 + tier * 0.2, 0.34 - tier * 0.06
        pen.box(-half, y, half * 2, 0.12, _wall(wall))
        for i in range(5):
            x = -half + half * 2 * (i + 0.5) / 5
            pen.box(
                x - half * 0.12,
                y + 0.015,
                half * 0.24,
                0.075,
                ink.glass() if ink.dark else rgb("#f0dcb4"),
                0.01,
            )
        eave = half + 0.17
        pen.blob(
            [
                (-eave, y + 0.15),
                (-half * 0.9, y + 0.12),
                (half * 0.9, y + 0.12),
                (eave, y + 0.15),
                (half * 0.75, y + 0.21),
                (-half * 0.75, y + 0.21),
            ],
            Fade(lighter(roof, 0.25), darker(roof, 0.2)),
        )
    pen.line([(0, 0.86), (0, 1.0)], 0.016, rgb("#d9a93f"))
    for y in (0.9, 0.94):
        pen.ellipse(0, y, 0.03, 0.01, rgb("#d9a93f"))


def tent(pen: Pen, ink: Ink) -> None:
    cloth = ink.main("#e0803a")
    pen.polygon(
        [(-0.2, 0), (-0.05, 1.0), (0.95, 0.84), (1.0, 0)],
        Fade(darker(cloth, 0.12), darker(cloth, 0.45)),
    )
    pen.polygon([(-0.72, 0), (-0.05, 1.0), (0.5, 0)], Fade(lighter(cloth, 0.22), cloth))
    inside = rgb("#ffdd92") if ink.dark else rgb("#3d2c26")
    pen.polygon([(-0.24, 0), (-0.05, 0.78), (0.14, 0)], inside)
    pen.polygon([(-0.24, 0), (-0.05, 0.78), (-0.34, 0.08)], lighter(cloth, 0.4))
    pen.line([(-0.72, 0), (-0.95, -0.02)], 0.012, rgb("#e8dfce"))
    pen.line([(-0.05, 1.0), (0.95, 0.84)], 0.02, darker(cloth, 0.3))
    if ink.dark:
        pen.glow(-0.05, 0.25, 0.8, rgb("#ffcf7a"), 0.5)


def bridge(pen: Pen, ink: Ink) -> None:
    stone = ink.main("#a89c8e")
    deck = [(-1.2, 0.42), (-0.6, 0.64), (0, 0.72), (0.6, 0.64), (1.2, 0.42)]
    pen.line(deck, 0.2, Fade(lighter(stone, 0.2), darker(stone, 0.3)), smooth=True)
    pen.line([(x, y + 0.16) for x, y in deck], 0.04, lighter(stone, 0.25), smooth=True)
    for i in range(15):
        x = -1.05 + i * 0.15
        y = 0.72 - 0.21 * x * x
        pen.line([(x, y), (x, y + 0.16)], 0.022, lighter(stone, 0.15))
    for a, b in ((-1.15, -0.42), (-0.42, 0.42), (0.42, 1.15)):
        centre, half = (a + b) / 2, (b - a) / 2
        top = 0.62 - 0.2 * centre * centre
        outer = np.array([(a, 0), (a, top), (b, top), (b, 0)])
        hole = arc(centre, 0, half * 0.84, top * 0.82, 0, 180)
        pen.polygon(np.concatenate([outer, hole]), Fade(stone, darker(stone, 0.4)))
