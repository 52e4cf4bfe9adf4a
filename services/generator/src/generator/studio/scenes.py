"""Compositions: which parts make up which place, and where figures may stand in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from generator.studio import city, cosmos, deep, indoors, land, water, woods
from generator.studio.colour import Colour, darker, mix, rgb
from generator.studio.easel import Easel
from generator.studio.sky import paint_sky


def nothing(easel: Easel) -> None:
    """No foreground."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where things go, as shares of the height from the top."""

    ground: float
    """Feet stand here."""
    water: float | None = None
    """Hulls float here."""
    sky: float = 0.3
    """Wings spread around here."""
    deep: bool = False
    """No up and down: everything floats."""
    front: Callable[[Easel], None] = nothing
    """Painted over the figures' feet."""
    shadow: float = 0.4


def _snowy(easel: Easel, colour: Colour) -> Colour:
    return mix(colour, rgb("#eef4fb"), 0.88) if easel.season == "winter" else colour


def _lawn(easel: Easel) -> Colour:
    return _snowy(easel, easel.palette.grass)


def _meadow_front(easel: Easel) -> None:
    bloom = {"spring": 1.0, "summer": 0.7, "autumn": 0.2}.get(easel.season, 0.0)
    land.grass(easel, 0.1, _lawn(easel), "front grass", flowers=bloom)


def mountains(easel: Easel) -> Stage:
    easel.horizon = 0.64
    paint_sky(easel)
    for i, (distance, base, rise) in enumerate(
        ((1.0, 0.68, 0.47), (0.68, 0.7, 0.31), (0.35, 0.72, 0.17))
    ):
        land.range_of_mountains(easel, base, rise, distance, f"range {i}")
        easel.step(20 + 7 * i)
    tone = mix(easel.palette.leaves[2], easel.palette.near, 0.35)
    crest = land.hills(
        easel, 0.76, 0.1, mix(_lawn(easel), easel.palette.far, 0.3), 0.35, "foothill"
    )
    land.wood(
        easel,
        crest,
        mix(_snowy(easel, tone), easel.palette.haze, 0.3),
        0.06,
        1.0,
        "far wood",
        conifers=True,
    )
    crest = land.hills(easel, 0.86, 0.08, _lawn(easel), 0.05, "meadow")
    land.wood(
        easel,
        crest + easel.height * 0.004,
        _snowy(easel, tone),
        0.12,
        0.34,
        "near wood",
        conifers=True,
    )
    if easel.season != "winter":
        land.meadow_flowers(easel, crest, 0.35, "alpine flowers")
    return Stage(0.91, sky=0.3, front=_meadow_front)


def lake(easel: Easel) -> Stage:
    easel.horizon = 0.56
    paint_sky(easel)
    for i, (distance, rise) in enumerate(((1.0, 0.4), (0.66, 0.24), (0.35, 0.12))):
        land.range_of_mountains(easel, 0.575, rise, distance, f"range {i}")
        easel.step(20 + 6 * i)
    tone = mix(easel.palette.leaves[2], easel.palette.near, 0.35)
    crest = land.hills(
        easel, 0.57, 0.035, mix(_lawn(easel), easel.palette.far, 0.4), 0.3, "far bank"
    )
    land.wood(
        easel,
        crest,
        mix(_snowy(easel, tone), easel.palette.haze, 0.16),
        0.075,
        1.5,
        "bank wood",
        conifers=easel.season in {"winter", "summer"},
    )
    water.paint_water(easel, calm=0.85)
    easel.step(44)
    bank = land.hills(easel, 0.93, 0.05, _lawn(easel), 0.0, "near bank")
    if easel.season != "winter":
        land.meadow_flowers(easel, bank, 0.3, "bank flowers")
    return Stage(0.935, water=0.74, sky=0.26, front=_meadow_front)


def sea(easel: Easel) -> Stage:
    easel.horizon = 0.55
    paint_sky(easel)
    rng = easel.rng("islands")
    if rng.random() < 0.75:
        land.range_of_mountains(easel, 0.556, 0.09, 1.0, "far islands")
    if rng.random() < 0.4:
        land.range_of_mountains(easel, 0.556, 0.05, 0.6, "islands")
    easel.step(28)
    rough = easel.scene.weather in {"storm", "rain"}
    water.paint_water(easel, calm=0.2 if rough else 0.55)
    easel.step(40)
    water.shore(easel, 0.85, rgb("#ecd5a6"))
    return Stage(0.9, water=0.67, sky=0.25)


def forest(easel: Easel) -> Stage:
    easel.horizon = 0.74
    woods.forest(easel, 0.76)
    return Stage(0.86, sky=0.42, front=lambda e: land.grass(e, 0.07, _lawn(e), "forest grass"))


def fields(easel: Easel) -> Stage:
    easel.horizon = 0.58
    paint_sky(easel)
    palette = easel.palette
    land.range_of_mountains(easel, 0.6, 0.12, 1.0, "blue hills")
    for i, (distance, base) in enumerate(((0.7, 0.61), (0.42, 0.65))):
        crest = land.hills(
            easel,
            base,
            0.07,
            mix(_lawn(easel), palette.far, 0.25 * distance),
            distance,
            f"hill {i}",
        )
        tone = mix(palette.leaves[i % 3], palette.near, 0.22)
        land.wood(
            easel,
            crest,
            mix(_snowy(easel, tone), palette.haze, 0.45 * distance),
            0.05 + 0.03 * i,
            0.5,
            f"hedge {i}",
            conifers=False,
        )
        easel.step(22 + 8 * i)
    crest = land.hills(easel, 0.73, 0.06, _lawn(easel), 0.14, "field")
    if easel.season != "winter" and easel.rng("crop").random() < 0.55:
        land.crop_rows(
            easel, crest, palette.petals[0] if easel.season == "summer" else palette.grass, 0.62
        )
    easel.step(42)
    crest = land.hills(
        easel, 0.84, 0.05, mix(_lawn(easel), darker(_lawn(easel), 0.3), 0.25), 0.0, "meadow"
    )
    if easel.season != "winter":
        land.meadow_flowers(easel, crest, 0.8, "flowers")
    if "road" in easel.scene.features:
        _road(easel)
    return Stage(0.895, sky=0.28, front=_meadow_front)


def _road(easel: Easel) -> None:
    earth = rgb("#c9ad84") * easel.palette.light
    w, h = easel.width, easel.height
    left = [(0.55, 0.73), (0.52, 0.78), (0.42, 0.85), (0.28, 1.02)]
    right = [(0.72, 1.02), (0.56, 0.86), (0.56, 0.78), (0.565, 0.73)]
    from_points = [(x * w, y * h) for x, y in [*left, *right]]
    easel.picture.fill([from_points], earth, 0.85)


def desert(easel: Easel) -> Stage:
    easel.horizon = 0.56
    paint_sky(easel)
    sand = mix(rgb("#e0a463"), easel.palette.glow, 0.12)
    if easel.scene.tint("ground") is not None:
        sand = easel.palette.grass
    land.range_of_mountains(easel, 0.575, 0.09, 1.0, "mesas")
    for i, (distance, base, rise) in enumerate(
        ((0.75, 0.62, 0.1), (0.45, 0.71, 0.14), (0.18, 0.83, 0.17), (0.0, 0.97, 0.16))
    ):
        land.dunes(
            easel, base, rise, mix(sand, easel.palette.far, 0.25 * distance), distance, f"dune {i}"
        )
        easel.step(22 + 7 * i)
    return Stage(0.89, sky=0.28)


def skyline(easel: Easel) -> Stage:
    easel.horizon = 0.76
    paint_sky(easel)
    for i, (distance, tall) in enumerate(((1.0, 0.56), (0.6, 0.46), (0.15, 0.34))):
        city.skyline(easel, 0.79, tall, distance, f"towers {i}")
        easel.step(22 + 7 * i)
    if easel.palette.dark:
        city.bokeh(easel, 0.78)
    city.street(easel, 0.785)
    city.lamps(easel, 0.8)
    return Stage(0.895, sky=0.24)


def ice(easel: Easel) -> Stage:
    easel.horizon = 0.6
    paint_sky(easel)
    for i, (distance, rise) in enumerate(((1.0, 0.16), (0.6, 0.2))):
        land.range_of_mountains(easel, 0.63, rise, distance, f"ice {i}")
    crest = land.hills(easel, 0.68, 0.05, rgb("#dfeaf6"), 0.3, "snowfield")
    land.wood(
        easel,
        crest,
        mix(rgb("#4d6b74"), easel.palette.haze, 0.4),
        0.07,
        0.6,
        "snow wood",
        conifers=True,
    )
    easel.step(38)
    land.hills(easel, 0.82, 0.06, rgb("#f4f8fd"), 0.0, "snow")
    return Stage(0.89, sky=0.26, shadow=0.3)


def underwater(easel: Easel) -> Stage:
    deep.deep_sea(easel, 0.84)
    return Stage(0.88, sky=0.3, deep=True)


def space(easel: Easel) -> Stage:
    standing = {"astronaut", "robot", "person", "woman", "cat", "dog", "house", "car", "tent"}
    walks = any(subject.kind in standing for subject in easel.scene.subjects)
    cosmos.space(easel, ground=0.8 if walks else None)
    return Stage(0.88, sky=0.45, deep=not walks, shadow=0.55)


def table(easel: Easel) -> Stage:
    indoors.interior(easel, 0.7, wooden=True)
    return Stage(0.8, sky=0.3, shadow=0.5)


def room(easel: Easel) -> Stage:
    indoors.interior(easel, 0.78, wooden=True)
    return Stage(0.86, sky=0.3, shadow=0.5)


def abstract(easel: Easel) -> Stage:
    indoors.paper_cut(easel)
    return Stage(0.86, sky=0.35, shadow=0.5)


SCENES: dict[str, Callable[[Easel], Stage]] = {
    "mountains": mountains,
    "lake": lake,
    "sea": sea,
    "forest": forest,
    "fields": fields,
    "desert": desert,
    "city": skyline,
    "ice": ice,
    "underwater": underwater,
    "space": space,
    "table": table,
    "room": room,
    "abstract": abstract,
}
