"""From a scene to a picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from generator.studio import finish, staging
from generator.studio.easel import Easel, Part, Step
from generator.studio.figures import FIGURES
from generator.studio.palette import palette_of
from generator.studio.scenes import SCENES
from generator.studio.words import Scene, Subject, read

_COLD = {"penguin", "snowman"}


def paint(
    prompt: str, width: int, height: int, seed: int | None, step: Step
) -> npt.NDArray[np.uint8]:
    """Paint a prompt: (height, width, 3) RGB. The same arguments give the same picture."""
    return paint_scene(read(prompt, seed), width, height, step)


def paint_scene(scene: Scene, width: int, height: int, step: Step) -> npt.NDArray[np.uint8]:
    easel = easel_for(scene, width, height, step)
    compose(easel)
    finish.weather(easel)
    finish.bloom(easel)
    step(82)
    finish.brush(easel)
    step(88)
    picture = finish.grade(easel)
    step(94)
    return picture


def easel_for(
    scene: Scene, width: int, height: int, step: Step, parts: list[Part] | None = None
) -> Easel:
    """An empty easel for a scene, with what the scene leaves open decided."""
    rng = np.random.default_rng([scene.seed, 1])
    setting = _setting(scene, rng)
    time = scene.time or _time(scene, setting, rng)
    season = scene.season or _season(scene, setting, rng)
    scene = _furnished(replace(scene, setting=setting), setting)
    palette = palette_of(scene, time, season, rng)
    side = float(rng.uniform(0.18, 0.36))
    return Easel(
        scene,
        palette,
        width,
        height,
        time,
        season,
        step,
        sun_x=side if rng.random() < 0.5 else 1 - side,
        parts=parts,
    )


def compose(easel: Easel) -> None:
    """Paint everything but what lies in the air before the scene."""
    easel.step(3)
    assert easel.scene.setting is not None
    stage = SCENES[easel.scene.setting](easel)
    easel.step(48)
    spots = staging.arrange(easel, stage, easel.scene.subjects)
    for done, spot in enumerate(spots, 1):
        staging.place(easel, stage, spot)
        easel.step(48 + 22 * done // len(spots))
    stage.front(easel)
    easel.step(74)


def _setting(scene: Scene, rng: np.random.Generator) -> str:
    if scene.setting is not None:
        indoors = scene.setting in {"table", "room"}
        return (
            scene.setting
            if not (indoors and scene.season == "winter" and not scene.subjects)
            else "room"
        )
    if scene.subjects:
        homes = [FIGURES[subject.kind].home for subject in scene.subjects]
        return max(homes, key=homes.count)
    if scene.season == "winter" or scene.weather == "snow":
        return "ice"
    if scene.features & {"aurora", "moon", "crescent", "stars"}:
        return str(rng.choice(["lake", "mountains"]))
    if scene.features & {"fireworks"}:
        return "city"
    if scene.time or scene.weather or scene.season or scene.features:
        return str(rng.choice(["mountains", "lake", "sea", "fields"]))
    return "abstract"


def _time(scene: Scene, setting: str, rng: np.random.Generator) -> str:
    if setting == "space" or scene.features & {"aurora", "moon", "crescent", "stars", "fireworks"}:
        return "night"
    if (
        scene.weather
        or scene.features & {"rainbow", "sun"}
        or setting in {"table", "room", "underwater"}
    ):
        return "day"
    if scene.mood == "dark":
        return "dusk"
    return str(rng.choice(["day", "dawn", "sunset", "dusk"], p=[0.45, 0.22, 0.26, 0.07]))


def _season(scene: Scene, setting: str, rng: np.random.Generator) -> str:
    if scene.weather == "snow" or setting == "ice" or any(s.kind in _COLD for s in scene.subjects):
        return "winter"
    if any(subject.kind in {"blossom", "tulip"} for subject in scene.subjects):
        return "spring"
    return str(rng.choice(["spring", "summer", "autumn"], p=[0.35, 0.45, 0.2]))


def _furnished(scene: Scene, setting: str) -> Scene:
    """Colours with nothing to belong to still need something to show them."""
    if scene.subjects or setting not in {"table", "room"}:
        return scene
    return replace(scene, subjects=(Subject("vase"),))
