"""Trees, flowers and what else grows."""

from __future__ import annotations

import numpy as np

from generator.studio.canvas import Fade, Orb, Pen, arc
from generator.studio.colour import Colour, darker, lighter, mix, rgb
from generator.studio.figures.ink import Ink

_TRUNK = "#6a4a35"


def _branches(pen: Pen, wood: Colour, spread: float) -> None:
    pen.polygon(
        [(-0.055, 0), (-0.03, 0.06), (-0.022, 0.45), (0.022, 0.45), (0.03, 0.06), (0.06, 0)],
        Fade(lighter(wood, 0.14), darker(wood, 0.4), sideways=True),
    )
    for x, y, at in ((-0.2, 0.62, 0.3), (0.22, 0.6, 0.34), (-0.08, 0.72, 0.4), (0.1, 0.74, 0.4)):
        pen.line(
            [(0, at), (x * spread * 0.5, at + 0.14), (x * spread, y)],
            0.03,
            darker(wood, 0.15),
            end=0.008,
            smooth=True,
        )


def _crown(pen: Pen, ink: Ink, tones: tuple[Colour, Colour, Colour]) -> None:
    """Leaf clusters from dark below to light above."""
    shadow, body, light = tones
    places = [
        (0, 0.72, 0.23),
        (-0.2, 0.6, 0.17),
        (0.2, 0.6, 0.18),
        (-0.1, 0.84, 0.15),
        (0.11, 0.84, 0.15),
        (0, 0.56, 0.16),
    ]
    for tone, shift, size in (
        (shadow, (0.03, -0.035), 1.06),
        (body, (0, 0), 1.0),
        (light, (-0.035, 0.035), 0.7),
    ):
        shapes = []
        for x, y, r in places:
            for _ in range(9):
                angle, far = ink.rng.uniform(0, 2 * np.pi), ink.rng.uniform(0.35, 0.95)
                blob = r * ink.rng.uniform(0.28, 0.5) * size
                shapes.append(
                    arc(
                        x * size + shift[0] + np.cos(angle) * r * far * size,
                        0.7 + (y - 0.7) * size + shift[1] + np.sin(angle) * r * far * size,
                        blob,
                        blob * 0.9,
                    )
                )
            if tone is not light:
                shapes.append(arc(x + shift[0], y + shift[1], r * 0.9, r * 0.86))
        pen.polygons(shapes, Fade(lighter(tone, 0.12), darker(tone, 0.12)))
    for i in range(240):
        angle, far = ink.rng.uniform(0, 2 * np.pi), 0.37 * ink.rng.random() ** 0.6
        x, y = np.cos(angle) * far, 0.7 + np.sin(angle) * far * 0.7
        dab = ink.rng.uniform(0.007, 0.02)
        lit = (0.4 - x + (y - 0.7)) + ink.rng.normal(0, 0.25) > 0.4
        tone = lighter(light, ink.rng.uniform(0, 0.3)) if lit else mix(body, shadow, 0.6)
        pen.ellipse(x, y, dab, dab * 0.75, tone, 0.55 if i % 3 else 0.8, ink.rng.uniform(0, 180))


def tree(pen: Pen, ink: Ink) -> None:
    leaf = ink.leaves[0] if ink.colour is None else ink.colour
    other = ink.leaves[1] if ink.colour is None else lighter(ink.colour, 0.2)
    _branches(pen, rgb(_TRUNK), 1.0)
    _crown(pen, ink, (darker(leaf, 0.42), leaf, other))


def blossom(pen: Pen, ink: Ink) -> None:
    petal = ink.main("#f4a6c4")
    _branches(pen, rgb("#4f3438"), 1.2)
    _crown(pen, ink, (darker(petal, 0.24), petal, lighter(petal, 0.45)))
    for _ in range(26):
        pen.ellipse(
            ink.rng.uniform(-0.5, 0.5),
            ink.rng.uniform(-0.01, 0.45),
            0.009,
            0.006,
            lighter(petal, 0.25),
            0.9,
            tilt=ink.rng.uniform(0, 180),
        )


def pine(pen: Pen, ink: Ink) -> None:
    needle = ink.main("#2f6b4c")
    pen.box(-0.025, 0, 0.05, 0.16, Fade(rgb(_TRUNK), darker(rgb(_TRUNK), 0.5), sideways=True))
    tiers = 7
    for tier in range(tiers):
        low, high = 0.1 + 0.115 * tier, 0.36 + 0.107 * tier
        reach = 0.27 * (1 - tier / (tiers + 0.6))
        tone = mix(darker(needle, 0.42), lighter(needle, 0.1), tier / tiers)
        left = [
            (
                -reach + 2 * reach * i / 10,
                low + (0.022 if i % 2 else -0.012) + 0.05 * abs(i / 5 - 1) ** 2 * 0.4,
            )
            for i in range(11)
        ]
        pen.polygon([*left, (0, min(high, 1.0))], Fade(lighter(tone, 0.16), darker(tone, 0.24)))
        if ink.snowy:
            pen.polygon(
                [
                    (-reach * 0.62, low + 0.06),
                    (-reach * 0.3, low + 0.045),
                    (0, low + 0.065),
                    (reach * 0.3, low + 0.04),
                    (reach * 0.55, low + 0.06),
                    (0, min(high, 1.0)),
                ],
                rgb("#f3f7fb"),
                0.92,
            )


def palm(pen: Pen, ink: Ink) -> None:
    frond = ink.main("#3f8f4f")
    trunk = [(-0.1, 0), (-0.07, 0.25), (-0.01, 0.5), (0.08, 0.76)]
    pen.line(
        trunk, 0.06, Fade(rgb("#9a7450"), rgb("#5d4433"), sideways=True), end=0.032, smooth=True
    )
    for at in np.linspace(0.04, 0.7, 16):
        x = -0.1 + 0.06 * at + 0.22 * at**2
        pen.line([(x - 0.024, at), (x + 0.024, at + 0.012)], 0.006, rgb("#4f3929"), opacity=0.6)
    for angle, length in (
        (168, 0.34),
        (142, 0.36),
        (205, 0.3),
        (112, 0.3),
        (40, 0.36),
        (12, 0.34),
        (-25, 0.3),
        (72, 0.3),
        (225, 0.2),
        (-48, 0.2),
    ):
        a = np.radians(angle)
        tip = np.array([np.cos(a) * length, np.sin(a) * length * 0.62 - 0.09])
        bend = np.array([np.cos(a) * length * 0.55, np.sin(a) * length * 0.75 + 0.045])
        root = np.array([0.08, 0.77])
        tone = darker(frond, float(ink.rng.uniform(0, 0.4)))
        outline = [(0, 0), (0, 0.02), (0, 0.015), (0, 0), (0, -0.035), (0, -0.02)]
        along = np.array([0 * tip, bend * 0.6, bend, tip, bend, bend * 0.5])
        pen.blob(
            root + along + np.array(outline),
            Fade(lighter(tone, 0.2), darker(tone, 0.15)),
        )
    for x, y in ((0.06, 0.73), (0.1, 0.725), (0.08, 0.71)):
        pen.circle(x, y, 0.022, Orb(rgb("#a97a4f"), rgb("#7a5335"), rgb("#4a3020")))


def _leafy_stem(pen: Pen, height: float, bend: float = 0.03) -> None:
    stem = rgb("#4d8a45")
    pen.line([(0, 0), (bend, height * 0.5), (0, height)], 0.022, stem, smooth=True)
    for side, at in ((-1, 0.2), (1, 0.32)):
        pen.blob(
            [
                (bend * 0.6, at),
                (side * 0.09, at + 0.09),
                (side * 0.2, at + 0.12),
                (side * 0.12, at + 0.03),
            ],
            Fade(lighter(stem, 0.2), darker(stem, 0.2)),
        )


def flower(pen: Pen, ink: Ink) -> None:
    petal = ink.main("#e9576a") if ink.colour is not None else ink.petals[0]
    _leafy_stem(pen, 0.76)
    for ring, count, reach in ((0, 9, 0.235), (1, 8, 0.16)):
        for i in range(count):
            a = 2 * np.pi * (i + ring * 0.5) / count + 0.2
            tone = lighter(petal, 0.12 + 0.2 * ring) if i % 2 else lighter(petal, 0.3 * ring)
            pen.ellipse(
                np.cos(a) * reach * 0.6,
                0.77 + np.sin(a) * reach * 0.6,
                reach * 0.56,
                reach * 0.3,
                Fade(lighter(tone, 0.12), darker(tone, 0.1)),
                tilt=float(np.degrees(a)),
            )
    pen.circle(0, 0.77, 0.062, Orb(rgb("#ffe9a0"), rgb("#efb52f"), rgb("#a86a1a")))


def tulip(pen: Pen, ink: Ink) -> None:
    petal = ink.main("#e2454f") if ink.colour is not None else ink.petals[0]
    pen.line([(0, 0), (0.015, 0.35), (0, 0.7)], 0.03, rgb("#5a9a4c"), smooth=True)
    for side in (-1, 1):
        pen.blob(
            [(0, 0.0), (side * 0.1, 0.18), (side * 0.19, 0.56), (side * 0.08, 0.34), (0.0, 0.12)],
            Fade(rgb("#78b45c"), rgb("#33703f")),
        )
    for side in (-1, 1):
        pen.blob(
            [
                (0, 0.66),
                (side * 0.14, 0.72),
                (side * 0.15, 0.86),
                (side * 0.11, 1.0),
                (side * 0.02, 0.84),
            ],
            Fade(lighter(petal, 0.15), darker(petal, 0.3)),
        )
    pen.blob(
        [(0, 0.65), (0.09, 0.72), (0.085, 0.86), (0, 0.98), (-0.085, 0.86), (-0.09, 0.72)],
        Fade(lighter(petal, 0.3), petal),
    )


def sunflower(pen: Pen, ink: Ink) -> None:
    petal = ink.main("#f6bf26")
    _leafy_stem(pen, 0.74)
    for ring in (0, 1):
        for i in range(18):
            a = 2 * np.pi * (i + ring * 0.5) / 18
            reach = 0.25 - 0.035 * ring
            c, s = np.cos(a), np.sin(a)
            pen.blob(
                [
                    (c * 0.09, 0.75 + s * 0.09),
                    (c * 0.18 - s * 0.03, 0.75 + s * 0.18 + c * 0.03),
                    (c * reach, 0.75 + s * reach),
                    (c * 0.18 + s * 0.03, 0.75 + s * 0.18 - c * 0.03),
                ],
                lighter(petal, 0.15 * ring) if i % 2 else darker(petal, 0.12 * (1 - ring)),
            )
    pen.circle(0, 0.75, 0.115, Orb(rgb("#8a5a2c"), rgb("#5a3718"), rgb("#2c190b")))
    for i in range(60):
        a, far = i * 2.39996, 0.013 * np.sqrt(i)
        pen.circle(np.cos(a) * far, 0.75 + np.sin(a) * far, 0.005, rgb("#c98f3c"), 0.7)


def mushroom(pen: Pen, ink: Ink) -> None:
    cap = ink.main("#cf3a2f")
    stem = rgb("#f1e6d0")
    pen.blob(
        [(-0.13, 0), (-0.1, 0.25), (-0.09, 0.5), (0.09, 0.5), (0.1, 0.25), (0.14, 0)],
        Fade(stem, darker(stem, 0.35), sideways=True),
    )
    pen.blob([(-0.12, 0.4), (-0.16, 0.33), (0, 0.3), (0.17, 0.33), (0.12, 0.4)], darker(stem, 0.08))
    pen.ellipse(0, 0.52, 0.4, 0.075, Fade(darker(stem, 0.12), darker(stem, 0.45)))
    dome = [
        (-0.44, 0.5),
        (-0.4, 0.66),
        (-0.25, 0.86),
        (0, 0.95),
        (0.25, 0.86),
        (0.4, 0.66),
        (0.44, 0.5),
        (0.22, 0.545),
        (0, 0.555),
        (-0.22, 0.545),
    ]
    pen.blob(dome, Fade(lighter(cap, 0.16), darker(cap, 0.25)))
    for x, y, r in (
        (-0.26, 0.7, 0.05),
        (-0.06, 0.84, 0.055),
        (0.16, 0.72, 0.06),
        (0.3, 0.6, 0.035),
        (-0.1, 0.65, 0.04),
        (-0.36, 0.56, 0.028),
        (0.06, 0.6, 0.03),
    ):
        pen.ellipse(x, y, r, r * 0.8, ink.contrast("#fff6e6"))


def cactus(pen: Pen, ink: Ink) -> None:
    green = ink.main("#4c8f5a")
    flesh = Fade(lighter(green, 0.22), darker(green, 0.42), sideways=True)
    pen.line([(-0.26, 0.62), (-0.26, 0.44), (-0.2, 0.37), (0, 0.36)], 0.12, flesh, smooth=True)
    pen.line([(0.26, 0.76), (0.26, 0.58), (0.2, 0.5), (0, 0.48)], 0.12, flesh, smooth=True)
    pen.line([(0, 0.02), (0, 0.9)], 0.19, flesh)
    for x in (-0.045, 0.0, 0.045):
        pen.line([(x, 0.03), (x, 0.93)], 0.006, darker(green, 0.45), opacity=0.6)
    for x, y in ((0, 1.0), (-0.26, 0.69), (0.26, 0.83)):
        for side in (-1, 0, 1):
            pen.ellipse(x + side * 0.025, y, 0.028, 0.02, ink.petals[0], tilt=90 + side * 40)
