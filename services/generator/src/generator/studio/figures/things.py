"""What stands on tables and hangs in rooms."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc
from generator.studio.colour import Colour, darker, lighter, mix, rgb
from generator.studio.figures.ink import Ink


def _glaze(colour: Colour) -> Fade:
    return Fade(lighter(colour, 0.3), darker(colour, 0.42), sideways=True)


def _ball(colour: Colour) -> Orb:
    return Orb(lighter(colour, 0.6), colour, darker(colour, 0.62))


def vase(pen: Pen, ink: Ink) -> None:
    clay = ink.main("#4f7fb0")
    for i, (x, y) in enumerate(
        ((-0.24, 0.8), (-0.06, 0.92), (0.14, 0.9), (0.28, 0.76), (0.02, 0.72))
    ):
        pen.line([(0, 0.5), (x * 0.5, 0.64), (x, y)], 0.014, rgb("#4d8a45"), smooth=True)
        petal = ink.petals[i % len(ink.petals)]
        for k in range(7):
            a = 2 * np.pi * k / 7
            pen.ellipse(
                x + np.cos(a) * 0.05,
                y + np.sin(a) * 0.05,
                0.048,
                0.028,
                lighter(petal, 0.16 * (k % 2)),
                tilt=float(np.degrees(a)),
            )
        pen.circle(x, y, 0.026, rgb("#f2c23a"))
    pen.blob(
        [
            (-0.13, 0.02),
            (-0.24, 0.18),
            (-0.23, 0.34),
            (-0.1, 0.46),
            (-0.13, 0.55),
            (0.13, 0.55),
            (0.1, 0.46),
            (0.23, 0.34),
            (0.24, 0.18),
            (0.13, 0.02),
        ],
        _glaze(clay),
    )
    for y in (0.2, 0.24, 0.3):
        pen.line(
            [(-0.235, y), (0, y - 0.02), (0.235, y)],
            0.012,
            ink.contrast("#f4efe4"),
            smooth=True,
            opacity=0.8,
        )


def book(pen: Pen, ink: Ink) -> None:
    """A small pile, one open on top."""
    cover = ink.main("#a8433a")
    for i, tone in enumerate((cover, ink.contrast("#3f5f7d"), mix(cover, rgb("#e0b060"), 0.6))):
        y, shift = i * 0.17, (0.0, 0.06, -0.05)[i]
        pen.box(-0.6 + shift, y, 1.2, 0.16, Fade(lighter(tone, 0.2), darker(tone, 0.25)), 0.03)
        pen.box(-0.52 + shift, y + 0.03, 1.14, 0.1, Fade(rgb("#fbf4e2"), rgb("#d9ccb0")))
        pen.line([(-0.58 + shift, y + 0.08), (-0.5 + shift, y + 0.08)], 0.1, darker(tone, 0.1))
    pen.blob(
        [(-0.62, 0.54), (-0.58, 0.84), (-0.3, 0.92), (0, 0.84), (0, 0.56), (-0.3, 0.62)],
        Fade(rgb("#fffaf0"), rgb("#e8dcc4")),
    )
    pen.blob(
        [(0.62, 0.54), (0.58, 0.84), (0.3, 0.92), (0, 0.84), (0, 0.56), (0.3, 0.62)],
        Fade(rgb("#fffaf0"), rgb("#ddd0b6")),
    )
    for row in range(4):
        y = 0.68 + row * 0.05
        pen.line(
            [(-0.5, y - 0.005), (-0.28, y + 0.02), (-0.08, y - 0.02)],
            0.01,
            rgb("#8f8473"),
            smooth=True,
        )
        pen.line(
            [(0.5, y - 0.005), (0.28, y + 0.02), (0.08, y - 0.02)],
            0.01,
            rgb("#8f8473"),
            smooth=True,
        )


def lamp(pen: Pen, ink: Ink) -> None:
    metal = ink.main("#b5483a")
    pen.glow(0, 0.45, 0.9, rgb("#ffc96a"), 0.55)
    pen.line(arc(0, 0.82, 0.14, 0.16, 0, 180), 0.024, darker(metal, 0.2))
    pen.polygon([(-0.24, 0.74), (-0.12, 0.86), (0.12, 0.86), (0.24, 0.74)], _glaze(metal))
    pen.box(-0.2, 0.14, 0.4, 0.6, Fade(rgb("#fff2c4"), rgb("#ffc458")), 0.05)
    pen.blob([(-0.05, 0.3), (-0.06, 0.42), (0, 0.6), (0.06, 0.42), (0.05, 0.3)], rgb("#fffdf0"))
    for x in (-0.2, -0.01, 0.175):
        pen.box(x, 0.12, 0.025, 0.63, darker(metal, 0.25))
    pen.box(-0.26, 0.0, 0.52, 0.14, _glaze(metal), 0.04)


def chair(pen: Pen, ink: Ink) -> None:
    cloth, wood = ink.main("#c98a3a"), rgb("#6b4a30")
    for x, lean in ((-0.3, -0.05), (0.3, 0.05), (-0.2, -0.02), (0.2, 0.02)):
        pen.line([(x, 0.24), (x + lean, 0.01)], 0.04, wood, end=0.026)
    pen.blob(
        [(-0.36, 0.3), (-0.37, 0.7), (-0.24, 0.98), (0.24, 0.98), (0.37, 0.7), (0.36, 0.3)],
        Fade(lighter(cloth, 0.12), darker(cloth, 0.2)),
    )
    for x, y in ((-0.12, 0.78), (0.12, 0.78), (0, 0.66), (-0.16, 0.6), (0.16, 0.6)):
        pen.circle(x, y, 0.014, darker(cloth, 0.45))
    pen.box(-0.4, 0.22, 0.8, 0.2, Fade(lighter(cloth, 0.25), darker(cloth, 0.15)), 0.08)
    for side in (-1, 1):
        pen.blob(
            [
                (side * 0.3, 0.22),
                (side * 0.32, 0.5),
                (side * 0.42, 0.58),
                (side * 0.5, 0.5),
                (side * 0.47, 0.22),
            ],
            Fade(lighter(cloth, 0.2), darker(cloth, 0.32)),
        )


def guitar(pen: Pen, ink: Ink) -> None:
    wood = ink.main("#c9823a")
    dark = rgb("#3a2419")
    pen.line([(0, 0.4), (0, 0.9)], 0.06, dark)
    pen.box(-0.05, 0.88, 0.1, 0.12, darker(wood, 0.3), 0.02)
    for y in (0.9, 0.94, 0.98):
        for side in (-1, 1):
            pen.circle(side * 0.065, y, 0.014, rgb("#e6dcc6"))
    pen.blob(
        [
            (0, 0.0),
            (-0.2, 0.03),
            (-0.25, 0.17),
            (-0.16, 0.31),
            (-0.19, 0.43),
            (-0.09, 0.53),
            (0.09, 0.53),
            (0.19, 0.43),
            (0.16, 0.31),
            (0.25, 0.17),
            (0.2, 0.03),
        ],
        Fade(lighter(wood, 0.25), darker(wood, 0.3)),
    )
    pen.circle(0, 0.33, 0.075, dark)
    pen.ring(0, 0.33, 0.085, 0.012, rgb("#f2e3c4"))
    pen.box(-0.08, 0.12, 0.16, 0.03, dark)
    for i in range(6):
        pen.line([(-0.025 + i * 0.01, 0.135), (-0.02 + i * 0.008, 0.9)], 0.003, rgb("#f4efe4"))
    for y in np.linspace(0.56, 0.86, 7):
        pen.line([(-0.03, y), (0.03, y)], 0.004, rgb("#c9c2b4"))


def umbrella(pen: Pen, ink: Ink) -> None:
    cloth = ink.main("#d2353f")
    pen.line([(0, 0.95), (0, 0.1), (0.05, 0.03), (0.12, 0.06), (0.12, 0.12)], 0.026, rgb("#5b3d2a"))
    dome = [*arc(0, 0.5, 0.56, 0.46, 180, 0)]
    scallop: list[tuple[float, float]] = []
    for i in range(4):
        centre = 0.42 - i * 0.28
        scallop.extend((float(x), float(y)) for x, y in arc(centre, 0.5, 0.14, 0.07, 0, 180))
    pen.polygon(np.array([*dome, *scallop]), Fade(lighter(cloth, 0.2), darker(cloth, 0.25)))
    for a, b in ((-0.28, 0.0), (0.28, 0.56)):
        pen.polygon(
            [
                (0, 0.96),
                *[(a + (b - a) * t / 8, 0.5 + 0.07 * np.sin(np.pi * t / 8)) for t in range(9)],
            ],
            lighter(cloth, 0.3),
            0.45,
        )
    pen.line([(0, 0.94), (0, 1.0)], 0.02, rgb("#5b3d2a"))


def shoe(pen: Pen, ink: Ink) -> None:
    cloth = ink.main("#d8503f")
    pen.blob(
        [
            (-0.8, 0.12),
            (-0.82, 0.5),
            (-0.72, 0.92),
            (-0.5, 0.86),
            (-0.28, 0.84),
            (0.0, 0.6),
            (0.4, 0.46),
            (0.8, 0.36),
            (0.92, 0.14),
            (0, 0.08),
        ],
        Fade(lighter(cloth, 0.14), darker(cloth, 0.25)),
    )
    pen.blob([(0.5, 0.42), (0.8, 0.36), (0.94, 0.16), (0.55, 0.14)], rgb("#f7f2e8"))
    pen.box(-0.88, 0, 1.84, 0.16, Fade(rgb("#ffffff"), rgb("#cfc8bc")), 0.07)
    pen.line([(-0.86, 0.09), (0.94, 0.09)], 0.02, cloth)
    for i in range(4):
        x, y = -0.22 + i * 0.16, 0.72 - i * 0.08
        pen.line([(x - 0.06, y - 0.08), (x + 0.1, y + 0.05)], 0.034, rgb("#ffffff"))
    pen.blob([(-0.6, 0.3), (-0.3, 0.24), (0.1, 0.4), (-0.2, 0.38)], ink.contrast("#ffffff"))
    pen.blob([(-0.72, 0.9), (-0.5, 0.84), (-0.28, 0.83), (-0.5, 0.78)], darker(cloth, 0.5))


def shirt(pen: Pen, ink: Ink) -> None:
    cloth = ink.main("#3f8fb0")
    outline = [
        (-0.14, 0.94),
        (-0.3, 0.88),
        (-0.56, 0.62),
        (-0.4, 0.48),
        (-0.28, 0.58),
        (-0.28, 0.02),
        (0.28, 0.02),
        (0.28, 0.58),
        (0.4, 0.48),
        (0.56, 0.62),
        (0.3, 0.88),
        (0.14, 0.94),
    ]
    neck = arc(0, 0.96, 0.15, 0.12, 350, 190)
    pen.polygon(
        np.concatenate([np.array(outline), neck[::-1]]),
        Fade(lighter(cloth, 0.16), darker(cloth, 0.16)),
    )
    for x, y in ((-0.18, 0.1), (0.1, 0.06), (0.2, 0.3), (-0.12, 0.4)):
        pen.line(
            [(x, y), (x + 0.03, y + 0.16), (x, y + 0.34)],
            0.012,
            darker(cloth, 0.28),
            end=0.004,
            smooth=True,
            opacity=0.5,
        )
    pen.line(arc(0, 0.95, 0.155, 0.125, 350, 190), 0.026, darker(cloth, 0.2))
    pen.line([(-0.55, 0.6), (-0.4, 0.49)], 0.014, darker(cloth, 0.35))
    pen.line([(0.55, 0.6), (0.4, 0.49)], 0.014, darker(cloth, 0.35))


def ball(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#e0663a")
    pen.circle(0, 0.5, 0.5, _ball(skin))
    for tilt in (20.0, 110.0):
        pen.line(arc(0, 0.5, 0.49, 0.16, 0, 180, tilt=tilt), 0.018, darker(skin, 0.55), opacity=0.6)
    pen.ellipse(-0.18, 0.72, 0.1, 0.06, rgb("#ffffff"), 0.45, tilt=35)


def clock(pen: Pen, ink: Ink) -> None:
    case = ink.main("#c0503a")
    for side in (-1, 1):
        pen.line([(side * 0.2, 0.14), (side * 0.3, 0.01)], 0.06, darker(case, 0.35))
        pen.polygon(arc(side * 0.24, 0.88, 0.13, 0.12, 0, 360), _glaze(rgb("#d9a93f")))
    pen.line([(0, 0.9), (0, 1.0)], 0.04, rgb("#8f6f2f"))
    pen.circle(0, 0.48, 0.43, _ball(case))
    pen.circle(0, 0.48, 0.34, Orb(rgb("#fffdf6"), rgb("#f9f2e2"), rgb("#d9ccb0")))
    for i in range(12):
        a = np.pi * i / 6
        inner = 0.27 if i % 3 else 0.24
        pen.line(
            [
                (np.cos(a) * inner, 0.48 + np.sin(a) * inner),
                (np.cos(a) * 0.31, 0.48 + np.sin(a) * 0.31),
            ],
            0.02,
            rgb("#3a3335"),
        )
    pen.line([(0, 0.48), (-0.13, 0.6)], 0.034, rgb("#2c2628"))
    pen.line([(0, 0.48), (0.12, 0.7)], 0.024, rgb("#2c2628"))
    pen.circle(0, 0.48, 0.03, case)


def camera(pen: Pen, ink: Ink) -> None:
    shell, metal = ink.main("#3d3a40"), rgb("#c9ccd0")
    pen.box(-0.7, 0, 1.4, 0.72, Fade(metal, darker(metal, 0.3)), 0.1)
    pen.box(-0.7, 0.12, 1.4, 0.4, Fade(lighter(shell, 0.1), darker(shell, 0.3)))
    pen.box(-0.26, 0.7, 0.52, 0.2, Fade(metal, darker(metal, 0.2)), 0.06)
    pen.box(-0.58, 0.72, 0.18, 0.08, darker(metal, 0.3), 0.03)
    pen.box(0.36, 0.72, 0.2, 0.1, metal, 0.03)
    pen.box(0.4, 0.55, 0.2, 0.1, rgb("#dfeaf2"), 0.02)
    for r, paint in ((0.36, rgb("#8f939a")), (0.32, rgb("#25242a")), (0.24, rgb("#4b4a55"))):
        pen.circle(0, 0.34, r, paint)
    pen.circle(0, 0.34, 0.2, Orb(rgb("#b9d6ff"), rgb("#3a4f8a"), rgb("#11142b")))
    pen.ellipse(-0.07, 0.43, 0.05, 0.035, rgb("#ffffff"), 0.8, tilt=30)


def gift(pen: Pen, ink: Ink) -> None:
    paper = ink.main("#3f8f7a")
    ribbon = ink.contrast("#e0433f")
    pen.box(-0.42, 0, 0.84, 0.56, Fade(lighter(paper, 0.12), darker(paper, 0.25)))
    pen.box(-0.47, 0.52, 0.94, 0.17, Fade(lighter(paper, 0.3), paper), 0.02)
    pen.box(-0.08, 0, 0.16, 0.69, Fade(lighter(ribbon, 0.15), darker(ribbon, 0.2)))
    for side in (-1, 1):
        pen.blob(
            [(0, 0.7), (side * 0.16, 0.9), (side * 0.36, 0.92), (side * 0.34, 0.74)],
            Fade(lighter(ribbon, 0.2), darker(ribbon, 0.2)),
        )
        pen.ellipse(side * 0.23, 0.82, 0.07, 0.035, darker(ribbon, 0.4), 0.6, tilt=side * 25.0)
    pen.circle(0, 0.72, 0.07, lighter(ribbon, 0.1))


def starfish(pen: Pen, ink: Ink) -> None:
    skin = ink.main("#f0b43a")
    points = []
    for i in range(10):
        a = np.pi / 2 + np.pi * i / 5
        r = 0.5 if i % 2 == 0 else 0.22
        points.append((np.cos(a) * r, 0.5 + np.sin(a) * r))
    pen.polygon(points, Orb(lighter(skin, 0.5), skin, darker(skin, 0.4)))


def curio(pen: Pen, ink: Ink) -> None:
    """Something that has no name: stones in balance."""
    tones = (*ink.petals, rgb("#8f8a86"))
    y = 0.0
    for i, (rx, ry) in enumerate(((0.42, 0.15), (0.33, 0.13), (0.24, 0.11), (0.16, 0.08))):
        tone = mix(
            tones[i % len(tones)] if ink.colour is None else ink.colour, rgb("#b5aca4"), 0.45
        )
        pen.ellipse(
            0.03 * (-1) ** i, y + ry, rx, ry, Orb(lighter(tone, 0.5), tone, darker(tone, 0.6))
        )
        y += ry * 1.94
