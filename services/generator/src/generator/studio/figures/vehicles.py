"""What rolls, sails and flies."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc
from generator.studio.colour import Colour, darker, lighter, mix, rgb
from generator.studio.figures.ink import Ink

_TYRE = "#26262b"


def _gloss(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.22), darker(colour, 0.24))


def _spoked_wheel(pen: Pen, x: float, r: float, rim: Colour) -> None:
    for i in range(14):
        a = 2 * np.pi * i / 14
        pen.line(
            [(x, r), (x + np.cos(a) * r * 0.9, r + np.sin(a) * r * 0.9)], 0.006, rgb("#c9ccd2")
        )
    pen.ring(x, r, r * 0.94, 0.045, rgb(_TYRE))
    pen.ring(x, r, r * 0.86, 0.016, rim)
    pen.circle(x, r, 0.03, rgb("#8f959e"))


def bicycle(pen: Pen, ink: Ink) -> None:
    paint, metal, dark = ink.main("#2f9a8a"), rgb("#b9bec6"), rgb("#33303a")
    r, rear, front = 0.32, -0.5, 0.52
    _spoked_wheel(pen, rear, r, lighter(paint, 0.5))
    _spoked_wheel(pen, front, r, lighter(paint, 0.5))
    pedal, seat, head, neck = (-0.08, 0.3), (-0.2, 0.72), (0.36, 0.8), (0.39, 0.69)
    for x, start, end in ((rear, 20, 160), (front, 30, 170)):
        pen.line(arc(x, r, r * 1.09, r * 1.09, start, end), 0.03, darker(paint, 0.15))
    tube = Fade(lighter(paint, 0.12), darker(paint, 0.14))
    for a, b, width in (
        (pedal, seat, 0.052),
        (pedal, neck, 0.06),
        (seat, head, 0.052),
        ((rear, r), pedal, 0.038),
        ((rear, r), (-0.19, 0.68), 0.034),
    ):
        pen.line([a, b], width, tube)
    pen.line([(front, r), (0.47, 0.48), head, (0.345, 0.9)], 0.05, tube, end=0.036)
    pen.line([(-0.19, 0.7), (-0.225, 0.82)], 0.03, metal)
    pen.blob(
        [(-0.4, 0.86), (-0.3, 0.89), (-0.1, 0.85), (-0.07, 0.82), (-0.2, 0.81), (-0.36, 0.8)],
        rgb("#5b3a26"),
    )
    pen.line([(0.345, 0.9), (0.32, 0.97), (0.2, 0.99), (0.13, 0.94)], 0.032, metal, smooth=True)
    pen.line([(0.17, 0.972), (0.11, 0.925)], 0.05, rgb("#5b3a26"))
    pen.ring(pedal[0], pedal[1], 0.085, 0.024, metal)
    pen.line([(rear, r + 0.04), (pedal[0], pedal[1] + 0.085)], 0.01, dark)
    pen.line([(rear, r - 0.04), (pedal[0], pedal[1] - 0.085)], 0.01, dark)
    pen.line([pedal, (0.02, 0.17)], 0.026, metal)
    pen.line([(-0.05, 0.16), (0.09, 0.16)], 0.036, dark)
    pen.line([(0.4, 0.78), (0.62, 0.78)], 0.02, metal)
    pen.polygon(
        [(0.42, 0.92), (0.72, 0.92), (0.67, 0.7), (0.46, 0.7)], Fade(rgb("#c99a63"), rgb("#8f6238"))
    )
    for i in range(4):
        pen.line(
            [(0.435 + i * 0.008, 0.88 - i * 0.05), (0.705 - i * 0.01, 0.88 - i * 0.05)],
            0.01,
            rgb("#6f4a28"),
            opacity=0.7,
        )
    for i, x in enumerate((0.48, 0.545, 0.61, 0.67)):
        pen.circle(x, 0.955 + 0.02 * (i % 2), 0.036, lighter(ink.petals[i % len(ink.petals)], 0.1))
        pen.circle(x, 0.955 + 0.02 * (i % 2), 0.013, rgb("#fbe7a0"))


def _tyre(pen: Pen, x: float, r: float) -> None:
    pen.circle(x, r, r, rgb(_TYRE))
    pen.circle(x, r, r * 0.6, Orb(rgb("#f0f2f5"), rgb("#b5bbc4"), rgb("#6b717c")))
    pen.circle(x, r, r * 0.18, rgb("#5b606a"))


def car(pen: Pen, ink: Ink) -> None:
    paint, glass = ink.main("#e0a53a"), ink.glass()
    pen.box(-1.02, 0.2, 2.04, 0.18, darker(paint, 0.4), 0.06)
    pen.blob(
        [
            (-1.06, 0.3),
            (-1.06, 0.52),
            (-0.86, 0.63),
            (-0.55, 0.64),
            (0.3, 0.64),
            (0.7, 0.6),
            (1.02, 0.5),
            (1.06, 0.3),
            (0.5, 0.24),
            (-0.5, 0.24),
        ],
        _gloss(paint),
    )
    pen.blob(
        [(-0.78, 0.6), (-0.6, 0.86), (-0.3, 0.99), (0.1, 0.99), (0.36, 0.86), (0.56, 0.6)],
        _gloss(paint),
    )
    pane = Fade(lighter(glass, 0.35), glass)
    pen.blob([(-0.64, 0.63), (-0.52, 0.82), (-0.28, 0.91), (-0.1, 0.92), (-0.1, 0.63)], pane)
    pen.blob([(-0.02, 0.63), (-0.02, 0.92), (0.1, 0.91), (0.27, 0.82), (0.42, 0.63)], pane)
    pen.line([(-0.06, 0.62), (-0.06, 0.28)], 0.012, darker(paint, 0.42))
    pen.line([(-1.0, 0.45), (1.0, 0.43)], 0.02, lighter(paint, 0.55), opacity=0.7)
    pen.box(0.04, 0.52, 0.13, 0.028, rgb("#e8ebef"), 0.012)
    for x in (-0.62, 0.62):
        pen.polygon(arc(x, 0.24, 0.27, 0.27, 0, 180), darker(paint, 0.62))
        _tyre(pen, x, 0.21)
    pen.ellipse(1.0, 0.44, 0.06, 0.075, rgb("#fff3c4"))
    pen.ellipse(-1.03, 0.44, 0.035, 0.06, rgb("#d8362f"))
    for x in (-1.06, 1.0):
        pen.box(x, 0.22, 0.1, 0.07, rgb("#cfd4da"), 0.03)
    if ink.dark:
        pen.glow(1.12, 0.42, 0.5, rgb("#ffedb0"), 0.7)


def bus(pen: Pen, ink: Ink) -> None:
    paint, glass = ink.main("#3f8fb8"), ink.glass()
    pen.box(-0.95, 0.14, 1.9, 0.84, _gloss(paint), 0.16)
    pen.polygon(
        [(-0.95, 0.2), (0.95, 0.2), (0.95, 0.5), (0.2, 0.46), (-0.95, 0.5)],
        ink.contrast("#fbf3e2"),
        0.95,
    )
    pen.box(-0.95, 0.14, 1.9, 0.1, darker(paint, 0.4), 0.04)
    for i in range(4):
        pen.box(-0.85 + i * 0.4, 0.58, 0.33, 0.27, Fade(lighter(glass, 0.4), glass), 0.05)
    pen.box(0.75, 0.54, 0.17, 0.31, Fade(lighter(glass, 0.4), glass), 0.05)
    for x in (-0.52, 0.52):
        pen.polygon(arc(x, 0.18, 0.21, 0.21, 0, 180), darker(paint, 0.65))
        _tyre(pen, x, 0.16)
    pen.circle(0.9, 0.34, 0.06, rgb("#fff3c4"))
    pen.line([(-0.75, 1.0), (0.75, 1.0)], 0.03, rgb("#b9bec6"))


def train(pen: Pen, ink: Ink) -> None:
    paint, brass, dark = ink.main("#b5382f"), rgb("#d9a93f"), rgb("#2c2a30")
    pen.line([(-1.3, 0.0), (1.3, 0.0)], 0.025, rgb("#6d625c"))
    pen.box(-1.0, 0.24, 1.9, 0.12, dark)
    pen.box(-0.3, 0.34, 1.12, 0.36, _gloss(darker(paint, 0.1)), 0.16)
    for x in (-0.05, 0.25, 0.55):
        pen.box(x, 0.34, 0.03, 0.36, brass)
    pen.box(-1.0, 0.34, 0.62, 0.6, _gloss(paint), 0.03)
    pen.box(-1.06, 0.92, 0.74, 0.08, dark, 0.03)
    pen.box(-0.9, 0.6, 0.19, 0.24, ink.glass(), 0.03)
    pen.box(-0.65, 0.6, 0.19, 0.24, ink.glass(), 0.03)
    pen.polygon([(0.46, 0.68), (0.42, 0.98), (0.7, 0.98), (0.66, 0.68)], dark)
    pen.ellipse(0.1, 0.72, 0.1, 0.1, brass)
    pen.polygon([(0.8, 0.3), (1.1, 0.02), (0.8, 0.02)], darker(paint, 0.35))
    pen.circle(0.82, 0.54, 0.07, rgb("#fff0b0"))
    for x, r in ((-0.74, 0.2), (-0.28, 0.2), (0.18, 0.14), (0.52, 0.14)):
        pen.circle(x, r, r, dark)
        pen.ring(x, r, r * 0.72, 0.03, paint)
        pen.circle(x, r, r * 0.2, brass)
    pen.line([(-0.74, 0.16), (0.18, 0.12)], 0.04, rgb("#b9bec6"))
    puffs = [
        arc(0.52 - i * 0.16 - i * i * 0.012, 1.06 + i * 0.018, r, r)
        for i, r in enumerate((0.07, 0.1, 0.11, 0.13, 0.14, 0.15))
    ]
    pen.polygons(puffs, Fade(rgb("#fbf8f4"), rgb("#cfcac8")), 0.78)


def boat(pen: Pen, ink: Ink) -> None:
    """Under sail: the water line is at y = 0."""
    hull = ink.main("#a8452f")
    sail = ink.contrast("#fdf6e6") if ink.colour is None else lighter(hull, 0.35)
    wood = rgb("#6b4a30")
    pen.line([(0, 0.1), (0.02, 0.99)], 0.022, wood)
    pen.blob(
        [(-0.02, 0.2), (-0.03, 0.6), (0.0, 0.95), (-0.2, 0.66), (-0.42, 0.22), (-0.2, 0.185)],
        Fade(lighter(sail, 0.3), darker(sail, 0.12)),
    )
    pen.polygon(
        [(0.05, 0.93), (0.05, 0.2), (0.44, 0.2), (0.3, 0.42), (0.16, 0.68)],
        Fade(sail, darker(sail, 0.22)),
    )
    for t in (0.4, 0.6):
        pen.line(
            [(-0.03, t), (-0.36 * (1.08 - t) - 0.06, t - 0.01)],
            0.005,
            darker(sail, 0.3),
            opacity=0.6,
        )
    pen.polygon([(0.02, 0.99), (0.02, 0.93), (0.14, 0.955)], rgb("#e0443c"))
    pen.blob(
        [
            (-0.52, 0.17),
            (-0.2, 0.13),
            (0.2, 0.13),
            (0.56, 0.2),
            (0.44, 0.02),
            (0.34, -0.05),
            (-0.34, -0.05),
            (-0.45, 0.02),
        ],
        Fade(lighter(hull, 0.15), darker(hull, 0.34)),
    )
    pen.line(
        [(-0.51, 0.16), (-0.2, 0.13), (0.2, 0.13), (0.55, 0.195)],
        0.028,
        rgb("#f2e3c4"),
        smooth=True,
    )


def balloon(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#e2503f")
    second = ink.contrast("#fbe6b8")
    pen.line([(-0.15, 0.33), (-0.07, 0.13)], 0.008, rgb("#4d3a2c"))
    pen.line([(0.15, 0.33), (0.07, 0.13)], 0.008, rgb("#4d3a2c"))
    outline = [
        (-0.11, 0.3),
        (-0.3, 0.48),
        (-0.37, 0.68),
        (-0.28, 0.9),
        (0, 1.0),
        (0.28, 0.9),
        (0.37, 0.68),
        (0.3, 0.48),
        (0.11, 0.3),
    ]
    pen.blob(outline, Fade(lighter(skin, 0.12), darker(skin, 0.3)))
    profile = np.array(
        [
            (0.11, 0.3),
            (0.22, 0.4),
            (0.3, 0.48),
            (0.355, 0.6),
            (0.372, 0.7),
            (0.34, 0.83),
            (0.26, 0.92),
            (0.14, 0.98),
            (0.0, 1.0),
        ]
    )
    for inner, outer in ((-0.86, -0.52), (-0.17, 0.17), (0.52, 0.86)):
        left = profile * (inner, 1)
        right = profile * (outer, 1)
        pen.polygon(
            np.concatenate([left, right[::-1]]), Fade(lighter(second, 0.15), darker(second, 0.22))
        )
    pen.blob(
        [(-0.3, 0.66), (-0.25, 0.84), (-0.12, 0.94), (-0.2, 0.8), (-0.24, 0.64)],
        rgb("#ffffff"),
        0.26,
    )
    pen.ellipse(0, 0.305, 0.11, 0.022, darker(skin, 0.5))
    if ink.dark:
        pen.glow(0, 0.4, 0.24, rgb("#ffd27a"), 0.8)
    pen.box(-0.085, 0.0, 0.17, 0.13, Fade(rgb("#b98550"), rgb("#6f4a28")), 0.03)
    pen.line([(-0.09, 0.13), (0.09, 0.13)], 0.022, rgb("#5b3a24"))
    for y in (0.04, 0.08):
        pen.line([(-0.08, y), (0.08, y)], 0.006, rgb("#5b3a24"), opacity=0.6)


def plane(pen: Pen, ink: Ink) -> None:
    paint = ink.main("#f3f0ea")
    stripe = ink.contrast("#d8463c")
    pen.blob([(-0.16, 0.5), (0.06, 0.86), (0.2, 0.92), (0.22, 0.6)], darker(paint, 0.26))
    pen.polygon([(-0.86, 0.5), (-1.06, 0.92), (-0.86, 0.92), (-0.58, 0.56)], stripe)
    pen.blob(
        [
            (-0.96, 0.5),
            (-0.6, 0.34),
            (0.3, 0.3),
            (0.86, 0.38),
            (1.02, 0.48),
            (0.86, 0.6),
            (0.3, 0.64),
            (-0.6, 0.6),
        ],
        _gloss(paint),
    )
    pen.line([(-0.9, 0.45), (0.96, 0.43)], 0.034, stripe)
    for i in range(8):
        pen.box(-0.5 + i * 0.14, 0.51, 0.06, 0.07, rgb("#3d5a7a"), 0.02)
    pen.blob([(0.74, 0.56), (0.8, 0.6), (0.94, 0.53), (0.8, 0.51)], rgb("#3d5a7a"))
    pen.blob(
        [(-0.1, 0.44), (-0.5, 0.06), (-0.36, 0.04), (0.3, 0.42)], Fade(paint, darker(paint, 0.35))
    )
    pen.ellipse(-0.02, 0.2, 0.15, 0.06, _gloss(darker(paint, 0.15)))


def rocket(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#f1eee6")
    fin = ink.contrast("#d8402f")
    for r, code in ((0.34, "#ff7a2f"), (0.24, "#ffb73a"), (0.13, "#fff2b8")):
        pen.glow(0, 0.06, r, rgb(code), 0.9)
    pen.blob([(-0.09, 0.2), (-0.1, 0.08), (0, -0.12), (0.1, 0.08), (0.09, 0.2)], rgb("#ff9a2f"))
    pen.blob([(-0.05, 0.2), (-0.05, 0.1), (0, 0.0), (0.05, 0.1), (0.05, 0.2)], rgb("#fff0b0"))
    for side in (-1, 1):
        pen.blob(
            [(side * 0.12, 0.46), (side * 0.28, 0.3), (side * 0.3, 0.14), (side * 0.12, 0.24)],
            Fade(fin, darker(fin, 0.35)),
        )
    pen.blob(
        [
            (-0.13, 0.2),
            (-0.17, 0.46),
            (-0.14, 0.74),
            (0, 1.0),
            (0.14, 0.74),
            (0.17, 0.46),
            (0.13, 0.2),
        ],
        Fade(lighter(skin, 0.3), darker(skin, 0.36), sideways=True),
    )
    pen.blob(
        [(-0.125, 0.78), (-0.06, 0.92), (0, 1.0), (0.06, 0.92), (0.125, 0.78), (0, 0.765)],
        Fade(fin, darker(fin, 0.3), sideways=True),
    )
    pen.circle(0, 0.62, 0.076, rgb("#59606e"))
    pen.circle(0, 0.62, 0.055, Orb(rgb("#dff4ff"), rgb("#5fb0dc"), rgb("#285a8a")))
    pen.box(-0.145, 0.27, 0.29, 0.03, fin)
    pen.blob([(-0.03, 0.44), (-0.03, 0.2), (0, 0.12), (0.03, 0.2), (0.03, 0.44)], darker(fin, 0.12))


def planet(pen: Pen, ink: Ink) -> None:
    ground = ink.main("#d99a5f")
    edge = mix(ground, rgb("#f2e2c4"), 0.6)
    pen.line(arc(0, 0.5, 0.78, 0.17, 180, 360, tilt=14), 0.06, darker(edge, 0.3), opacity=0.9)
    back = arc(0, 0.5, 0.78, 0.17, 0, 180, tilt=14)
    pen.line(back, 0.07, Fade(edge, darker(edge, 0.3), sideways=True), opacity=0.95)
    pen.circle(0, 0.5, 0.46, Orb(lighter(ground, 0.5), ground, darker(ground, 0.8)))
    for y, w in ((0.72, 0.03), (0.6, 0.06), (0.44, 0.04), (0.3, 0.05)):
        half = np.sqrt(0.45**2 - (y - 0.5) ** 2)
        pen.line(arc(0, y, half * 0.98, 0.06, 190, 350), w, lighter(ground, 0.3), opacity=0.3)
    front = arc(0, 0.5, 0.78, 0.17, 180, 360, tilt=14)
    pen.line(front, 0.075, Fade(lighter(edge, 0.3), darker(edge, 0.25), sideways=True))
    pen.line(front, 0.012, darker(edge, 0.4), opacity=0.5)
