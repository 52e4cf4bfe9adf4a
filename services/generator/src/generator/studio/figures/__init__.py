"""Everything the painter can put into a scene, by the name that the lexicon gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from generator.studio.canvas import Pen
from generator.studio.figures import (
    animals,
    buildings,
    food,
    hooves,
    people,
    plants,
    things,
    vehicles,
    wings,
)
from generator.studio.figures.ink import Ink

Place = Literal["ground", "water", "sky", "deep", "space", "table"]

__all__ = ["FIGURES", "Figure", "Ink", "Place"]


@dataclass(frozen=True, slots=True)
class Figure:
    """How to draw a kind of thing, how large, and where it likes to be.

    ``size`` is its height as a share of the picture when it is the only subject; ``width`` its
    extent from the middle to either side, in heights. ``home`` is the setting that suits it when
    the prompt names none.
    """

    draw: Callable[[Pen, Ink], None]
    size: float
    width: float
    place: Place = "ground"
    home: str = "fields"
    shy: bool = False
    """Better with others around: several are drawn where the prompt asks for one kind."""


FIGURES: dict[str, Figure] = {
    "bicycle": Figure(vehicles.bicycle, 0.44, 0.9),
    "car": Figure(vehicles.car, 0.28, 1.2, home="city"),
    "bus": Figure(vehicles.bus, 0.38, 1.05, home="city"),
    "train": Figure(vehicles.train, 0.36, 1.4),
    "boat": Figure(vehicles.boat, 0.42, 0.62, "water", "sea"),
    "balloon": Figure(vehicles.balloon, 0.5, 0.42, "sky", "mountains"),
    "plane": Figure(vehicles.plane, 0.26, 1.15, "sky", "mountains"),
    "rocket": Figure(vehicles.rocket, 0.62, 0.38, "space", "space"),
    "planet": Figure(vehicles.planet, 0.52, 0.9, "space", "space"),
    "house": Figure(buildings.house, 0.4, 0.72),
    "castle": Figure(buildings.castle, 0.54, 0.7, home="mountains"),
    "lighthouse": Figure(buildings.lighthouse, 0.6, 0.4, home="sea"),
    "windmill": Figure(buildings.windmill, 0.56, 0.48),
    "tower": Figure(buildings.tower, 0.6, 0.2),
    "temple": Figure(buildings.temple, 0.56, 0.56, home="mountains"),
    "bridge": Figure(buildings.bridge, 0.3, 1.3, home="lake"),
    "tent": Figure(buildings.tent, 0.28, 1.0, home="mountains"),
    "tree": Figure(plants.tree, 0.58, 0.45),
    "blossom": Figure(plants.blossom, 0.58, 0.55, home="lake"),
    "pine": Figure(plants.pine, 0.58, 0.32, home="mountains"),
    "palm": Figure(plants.palm, 0.6, 0.5, home="sea"),
    "flower": Figure(plants.flower, 0.5, 0.28, shy=True),
    "tulip": Figure(plants.tulip, 0.46, 0.24, shy=True),
    "sunflower": Figure(plants.sunflower, 0.54, 0.28, shy=True),
    "mushroom": Figure(plants.mushroom, 0.42, 0.48, home="forest"),
    "cactus": Figure(plants.cactus, 0.46, 0.36, home="desert"),
    "cat": Figure(animals.cat, 0.46, 0.5),
    "dog": Figure(animals.dog, 0.42, 0.62),
    "fox": Figure(animals.fox, 0.42, 0.68, home="forest"),
    "rabbit": Figure(animals.rabbit, 0.4, 0.36),
    "horse": Figure(hooves.horse, 0.5, 0.64),
    "deer": Figure(hooves.deer, 0.5, 0.54, home="forest"),
    "elephant": Figure(hooves.elephant, 0.46, 0.74, home="fields"),
    "bear": Figure(animals.bear, 0.46, 0.42, home="forest"),
    "sheep": Figure(hooves.sheep, 0.34, 0.64),
    "owl": Figure(animals.owl, 0.44, 0.38, home="forest"),
    "bird": Figure(wings.bird, 0.28, 0.78, "sky", "mountains"),
    "duck": Figure(wings.duck, 0.28, 0.66, "water", "lake"),
    "penguin": Figure(wings.penguin, 0.42, 0.4, home="ice"),
    "fish": Figure(wings.fish, 0.3, 0.95, "deep", "underwater"),
    "whale": Figure(wings.whale, 0.4, 1.1, "deep", "underwater"),
    "turtle": Figure(wings.turtle, 0.3, 0.86, "deep", "underwater"),
    "octopus": Figure(wings.octopus, 0.46, 0.56, "deep", "underwater"),
    "butterfly": Figure(wings.butterfly, 0.34, 0.6, "sky", "fields"),
    "dragon": Figure(wings.dragon, 0.5, 1.0, home="mountains"),
    "person": Figure(people.person, 0.42, 0.24, home="mountains"),
    "woman": Figure(people.woman, 0.46, 0.3),
    "portrait": Figure(people.portrait, 0.82, 0.6, "table", "room"),
    "astronaut": Figure(people.astronaut, 0.5, 0.38, "ground", "space"),
    "robot": Figure(people.robot, 0.5, 0.42, home="city"),
    "snowman": Figure(people.snowman, 0.46, 0.42, home="ice"),
    "heart": Figure(people.heart, 0.42, 0.5, "sky", "fields"),
    "apple": Figure(food.apple, 0.36, 0.46, "table", "table"),
    "fruit": Figure(food.fruit, 0.38, 0.64, "table", "table"),
    "cake": Figure(food.cake, 0.46, 0.64, "table", "table"),
    "cup": Figure(food.cup, 0.4, 0.66, "table", "table"),
    "bottle": Figure(food.bottle, 0.54, 0.22, "table", "table"),
    "vase": Figure(things.vase, 0.54, 0.36, "table", "table"),
    "book": Figure(things.book, 0.36, 0.68, "table", "table"),
    "lamp": Figure(things.lamp, 0.48, 0.3, "table", "table"),
    "chair": Figure(things.chair, 0.5, 0.54, "table", "room"),
    "guitar": Figure(things.guitar, 0.68, 0.27, "table", "room"),
    "umbrella": Figure(things.umbrella, 0.46, 0.58, home="city"),
    "shoe": Figure(things.shoe, 0.3, 0.98, "table", "table"),
    "shirt": Figure(things.shirt, 0.52, 0.6, "table", "table"),
    "ball": Figure(things.ball, 0.34, 0.52),
    "clock": Figure(things.clock, 0.42, 0.46, "table", "table"),
    "camera": Figure(things.camera, 0.34, 0.72, "table", "table"),
    "gift": Figure(things.gift, 0.4, 0.5, "table", "table"),
    "star": Figure(things.starfish, 0.36, 0.5, home="sea"),
    "curio": Figure(things.curio, 0.4, 0.46, home="sea"),
}
