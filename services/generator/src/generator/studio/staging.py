"""Puts figures into a scene: how many, how large, where, in which light, with what shadow."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from generator.studio.canvas import Layer, Pen
from generator.studio.colour import Image, lighter, mix, named, rgb
from generator.studio.easel import Easel, Motion
from generator.studio.figures import FIGURES, Figure, Ink
from generator.studio.noise import field
from generator.studio.scenes import Stage
from generator.studio.words import Subject

_BACKGROUND = {
    "house",
    "castle",
    "lighthouse",
    "windmill",
    "tower",
    "temple",
    "bridge",
    "tree",
    "blossom",
    "pine",
    "palm",
    "train",
    "tent",
}
_STANDS_IN_SKY = {"balloon", "plane", "bird", "butterfly", "rocket", "planet", "heart", "dragon"}


@dataclass(frozen=True, slots=True)
class Spot:
    """One figure's place: feet at (x, y) in pixels, ``tall`` pixels high."""

    figure: Figure
    kind: str
    colour: str | None
    x: float
    y: float
    tall: float
    mirrored: bool
    on: str
    """``ground``, ``water`` or ``air``."""


def arrange(easel: Easel, stage: Stage, subjects: tuple[Subject, ...]) -> list[Spot]:
    """Where each subject goes, from the back to the front."""
    rng = easel.rng("arrangement")
    standing = [s for s in subjects if _surface(s.kind, stage) != "air"]
    flying = [s for s in subjects if s not in standing]
    standing.sort(key=lambda s: (s.kind not in _BACKGROUND, -FIGURES[s.kind].size))
    spots: list[Spot] = []
    for group in (flying, standing):
        slots = _slots(len(group), float(rng.random()), easel.sun_x)
        for order, (subject, slot) in enumerate(zip(group, slots, strict=True)):
            spots += _row(
                easel, stage, subject, slot, order / max(1, len(group) - 1), len(group), rng
            )
    return spots


def _surface(kind: str, stage: Stage) -> str:
    place = FIGURES[kind].place
    if stage.deep or place == "sky" or (place == "space" and kind in _STANDS_IN_SKY):
        return "air"
    if place in {"water", "deep"} and stage.water is not None:
        return "water"
    return "ground"


def _slots(count: int, chance: float, sun_x: float) -> list[float]:
    if count == 0:
        return []
    if count == 1:
        return [0.44 if sun_x > 0.5 else 0.56] if chance < 0.75 else [0.5]
    places = [0.2 + 0.6 * i / (count - 1) for i in range(count)]
    return places if chance < 0.5 else places[::-1]


def _row(
    easel: Easel,
    stage: Stage,
    subject: Subject,
    slot: float,
    order: float,
    kinds: int,
    rng: np.random.Generator,
) -> list[Spot]:
    figure = FIGURES[subject.kind]
    surface = _surface(subject.kind, stage)
    several = figure.shy and kinds == 1
    many = max(subject.count, 5 if several else 1)
    share = figure.size * {1: 1.0, 2: 0.8, 3: 0.7}.get(kinds, 0.6)
    share *= 1.0 if many == 1 else max(0.36, (1.75 if several else 1.05) / many**0.5)
    room_px = easel.width * (0.86 if many == 1 else 1.5 / many) / (1 if kinds == 1 else 1.5)
    tall = min(share * easel.unit, room_px / (2 * figure.width))
    spread = min(0.8, 0.3 * many) if kinds == 1 else min(0.4, 0.12 * many)
    spots = []
    for i in range(many):
        along = 0.0 if many == 1 else (i / (many - 1) - 0.5) * spread
        edge = min(0.5, max(0.08, 0.85 * figure.width * tall / easel.width))
        x = np.clip(slot + along, edge, 1 - edge) * easel.width
        size = tall * (1.0 if many == 1 else float(rng.uniform(0.72, 1.05)))
        y = _feet(
            easel,
            stage,
            surface,
            size,
            order if kinds > 1 else float(i % 3) / 2 * (many > 1),
            rng,
            bottom=subject.kind == "portrait",
        )
        mirrored = (x > easel.width / 2) if surface != "air" else bool(rng.random() < 0.4)
        spots.append(
            Spot(figure, subject.kind, subject.colour, float(x), y, size, bool(mirrored), surface)
        )
    return sorted(spots, key=lambda spot: spot.y)


def _feet(
    easel: Easel,
    stage: Stage,
    surface: str,
    tall: float,
    order: float,
    rng: np.random.Generator,
    *,
    bottom: bool,
) -> float:
    if surface == "water" and stage.water is not None:
        return float((stage.water + 0.03 * order) * easel.height)
    if bottom:
        return float(easel.height)
    if surface == "air":
        middle = 0.47 if stage.deep else stage.sky
        jitter = float(rng.uniform(-0.1, 0.1))
        low = 0.98 if stage.deep else 0.9
        y = (middle + jitter * (0.3 + order)) * easel.height + tall / 2
        return float(np.clip(y, tall * 1.06, low * easel.height))
    return float((stage.ground + 0.035 * (order - 0.3)) * easel.height)


def place(easel: Easel, stage: Stage, spot: Spot) -> None:
    """Draw one figure with its shadow or its reflection, in the scene's light."""
    easel.recede(0.0, _motion(spot, spot.x / easel.width))
    palette = easel.palette
    colour = None if spot.colour is None else named(spot.colour)
    ink = Ink(
        easel.rng("figure " + spot.kind),
        colour,
        palette.leaves,
        palette.petals,
        dark=palette.dark,
        snowy=easel.season == "winter",
    )
    sharp = 2 if spot.tall < 600 else 1
    half, above, beneath = (
        int(spot.tall * share * sharp) + 4 for share in (spot.figure.width + 0.3, 1.3, 0.24)
    )
    layer = Layer(above + beneath, half * 2)
    spot.figure.draw(Pen(layer, half, above, spot.tall * sharp, mirrored=spot.mirrored), ink)
    size = (layer.width // sharp, layer.height // sharp)
    small = Layer(size[1], size[0])
    small.colour = np.asarray(
        cv2.resize(layer.colour, size, interpolation=cv2.INTER_AREA), np.float32
    )
    small.cover = np.asarray(
        cv2.resize(layer.cover, size, interpolation=cv2.INTER_AREA), np.float32
    )
    left, top = round(spot.x - half / sharp), round(spot.y - above / sharp)
    foot = above // sharp
    _light(easel, small, spot)
    if spot.on == "ground":
        _cast_shadow(easel, small, left, top, foot, stage.shadow)
    elif spot.on == "water":
        _reflect(easel, small, left, top, foot)
    _paste(easel, small.colour, small.cover, left, top)


def _motion(spot: Spot, phase: float) -> Motion | None:
    """In a film what flies hovers and glides, what swims rocks, and what stands stands."""
    if spot.on == "ground":
        return None
    swing, glide = (0.014, 0.008) if spot.on == "air" else (0.006, 0.005)
    way = -1.0 if spot.mirrored else 1.0

    def motion(seconds: float) -> tuple[float, float]:
        turn = 2 * np.pi * (seconds / 3.4 + phase)
        return way * glide * seconds, swing * float(np.sin(turn) - np.sin(2 * np.pi * phase))

    return motion


def _light(easel: Easel, layer: Layer, spot: Spot) -> None:
    """Tint by the scene's light, model the body from the sun's side, add a rim and grain."""
    palette = easel.palette
    strength = 0.45 if spot.colour is not None else 0.7
    layer.colour *= mix(rgb("#ffffff"), palette.light, strength)
    soft = cv2.GaussianBlur(layer.cover, (0, 0), max(0.6, spot.tall * 0.035))
    shift = spot.tall * 0.03 * (1 if easel.sun_x * easel.width > spot.x else -1)
    move = np.array([[1, 0, -shift], [0, 1, abs(shift) * 0.8]], np.float32)
    moved = cv2.warpAffine(soft, move, (layer.width, layer.height))
    facing = np.clip((soft - moved) * 1.7, -1, 1)
    layer.colour *= (1 + 0.42 * np.minimum(facing, 0) + 0.1 * np.maximum(facing, 0))[..., None]
    rim = np.clip(facing, 0, 1) ** 1.5 * layer.cover * np.float32(0.4)
    layer.colour += (lighter(palette.glow, 0.1) * layer.cover[..., None] - layer.colour) * rim[
        ..., None
    ]
    grain = field(easel.rng("grain"), layer.cover.shape, (46, 46), 3)
    layer.colour *= (0.965 + 0.07 * grain)[..., None]


def _cast_shadow(
    easel: Easel, layer: Layer, left: int, top: int, foot: int, strength: float
) -> None:
    """The figure's outline laid flat on the ground, away from the light."""
    height = max(8, int(foot * 0.34))
    lean = -0.9 if easel.sun_x * easel.width > left + layer.width / 2 else 0.9
    pad = int(foot * 0.55)
    squash = height / max(foot, 1)
    # Row v of the shadow shows the figure's row (foot - v / squash), pushed sideways by v * lean.
    warp = np.array([[1, lean / squash * squash, -pad], [0, -1 / squash, foot]], np.float32)
    warp[0, 1] = -lean
    size = (layer.width + 2 * pad, height)
    shadow = cv2.warpAffine(layer.cover, warp, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    fade = np.linspace(1, 0.12, height, dtype=np.float32)[:, None]
    shadow = cv2.GaussianBlur(shadow * fade, (0, 0), max(0.8, foot * 0.012))
    dark = mix(easel.palette.near, rgb("#10121f"), 0.4) * 0.7
    _paste(easel, None, shadow * np.float32(strength), left - pad, top + foot - 1, dark)
    touch = cv2.GaussianBlur(
        layer.cover[max(0, foot - max(2, foot // 14)) : foot].max(axis=0)[None, :],
        (0, 0),
        max(0.8, foot * 0.02),
    )[0]
    rows = max(3, int(foot * 0.05))
    y = np.linspace(-1, 1, rows * 2, dtype=np.float32)[:, None]
    contact = np.exp(-((y * 2.0) ** 2)) * touch[None, :]
    _paste(
        easel,
        None,
        (contact * np.float32(strength * 1.2)).astype(np.float32),
        left,
        top + foot - rows,
        dark,
    )


def _reflect(easel: Easel, layer: Layer, left: int, top: int, foot: int) -> None:
    rows = max(4, int(foot * 0.75))
    at = np.clip(foot - np.arange(rows, dtype=np.float32) / 0.75, 0, layer.height - 1)[:, None]
    wave = np.sin(np.arange(rows, dtype=np.float32) * 120 / max(foot, 1)) * foot * 0.012
    wave = wave * np.linspace(0.3, 1.6, rows, dtype=np.float32)
    columns = np.arange(layer.width, dtype=np.float32)[None, :] + wave[:, None]
    rows_map = np.broadcast_to(at, columns.shape).astype(np.float32)
    fade = np.linspace(0.62, 0.05, rows, dtype=np.float32)[:, None]
    colour = (
        cv2.remap(layer.colour, columns.astype(np.float32), rows_map, cv2.INTER_LINEAR)
        * fade[..., None]
    )
    cover = cv2.remap(layer.cover, columns.astype(np.float32), rows_map, cv2.INTER_LINEAR) * fade
    _paste(easel, colour * easel.palette.light * 0.85, cover, left, top + foot)


def _paste(
    easel: Easel, colour: Image | None, cover: Image, left: int, top: int, flat: Image | None = None
) -> None:
    """Lay premultiplied ``colour`` (or a ``flat`` colour) on the picture, cropped to it."""
    height, width = cover.shape
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(easel.width, left + width), min(easel.height, top + height)
    if x0 >= x1 or y0 >= y1:
        return
    box = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    part = easel.picture.colour[y0:y1, x0:x1]
    soft = np.clip(cover[box], 0, 1)[..., None]
    covered = easel.picture.cover[y0:y1, x0:x1]
    covered += (1 - covered) * soft[..., 0]
    if colour is not None:
        part *= 1 - soft
        part += colour[box]
    elif flat is not None:
        part += (flat - part) * soft
