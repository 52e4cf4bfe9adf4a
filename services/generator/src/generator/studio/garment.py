"""Clothing change: another colour or cloth for a person, with the light and folds kept."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Colour, Image, named, rgb
from generator.studio.cutout import guided, subject_of
from generator.studio.easel import Step
from generator.studio.pictures import Pixels
from generator.studio.words import Scene

_WORK_SIDE = 420

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Face:
    """A head's middle and half-width, in pixels."""

    x: float
    y: float
    half: float


def change(photo: Pixels, cloth: Pixels | None, scene: Scene, step: Step) -> Pixels:
    """``photo`` with its garment in ``cloth``, or in the scene's first colour without one."""
    subject = subject_of(photo, lambda percent: step(percent * 55 // 100))
    step(44)
    region = garment_region(photo, subject)
    step(58)
    if cloth is not None:
        pattern = _tiled(_swatch(cloth), photo.shape[0], photo.shape[1], region)
    else:
        pattern = np.broadcast_to(_wished(scene), photo.shape).astype(np.float32)
    step(70)
    dressed = _transfer(photo, region, pattern)
    step(92)
    return dressed


def _wished(scene: Scene) -> Colour:
    names = (
        [s.colour for s in scene.subjects if s.colour]
        + list(scene.colours)
        + [c for _, c in scene.tints]
    )
    return named(names[0]) if names else rgb("#2f6fa8")


def skin_of(photo: Pixels) -> Image:
    """Where the picture has the colour of skin, (height, width) of 0 and 1."""
    ycc = cv2.cvtColor(photo, cv2.COLOR_RGB2YCrCb)
    hsv = cv2.cvtColor(photo, cv2.COLOR_RGB2HSV)
    y, cr, cb = (ycc[..., i].astype(np.int32) for i in range(3))
    hue, saturation = hsv[..., 0].astype(np.int32), hsv[..., 1].astype(np.int32)
    skin = (cr > 134) & (cr < 176) & (cb > 78) & (cb < 129) & (y > 45)
    skin &= ((hue < 24) | (hue > 170)) & (saturation > 28) & (saturation < 176)
    return skin.astype(np.float32)


def find_face(photo: Pixels, subject: Image) -> Face | None:
    """The likeliest face: a compact patch of skin in the upper half of the subject."""
    height, width = subject.shape
    scale = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    body = cv2.resize(subject, size, interpolation=cv2.INTER_AREA) > 0.4
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    skin = cv2.morphologyEx((skin_of(small) * body).astype(np.uint8), cv2.MORPH_OPEN, kernel)
    skin = cv2.morphologyEx(skin, cv2.MORPH_CLOSE, kernel, iterations=2)
    rows = np.flatnonzero(body.any(axis=1))
    if rows.size == 0:
        return None
    top, tall = int(rows[0]), int(rows[-1] - rows[0]) + 1
    count, _, stats, centres = cv2.connectedComponentsWithStats(skin)
    best, best_score = None, 0.0
    for i in range(1, count):
        _, y, w, h, area = (int(part) for part in stats[i])
        cx, cy = centres[i]
        filled, aspect = area / (w * h), h / w
        depth = (cy - top) / tall
        if (
            area < 0.0012 * size[0] * size[1]
            or filled < 0.45
            or not 0.65 < aspect < 2.6
            or depth > 0.5
        ):
            continue
        score = area * filled * (1 - depth)
        if score > best_score:
            best_score = score
            half = w / 2 * min(1.0, 1.5 / aspect * 1.1)
            best = Face(float(cx) / scale, (y + min(h, w * 1.4) / 2) / scale, half / scale)
    return best or _by_outline(body, skin > 0, scale)


def _by_outline(
    body: npt.NDArray[np.bool_], skin: npt.NDArray[np.bool_], scale: float
) -> Face | None:
    """A head on top of an upright outline, where some skin shows; (h, w) masks at ``scale``."""
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    top, tall = int(rows[0]), int(rows[-1] - rows[0]) + 1
    wide = int(columns[-1] - columns[0]) + 1
    head = slice(top, top + max(2, tall // 5))
    if tall < 1.15 * wide or not body[head].any() or skin[head].sum() < 0.2 * body[head].sum():
        return None
    xs = np.nonzero(skin[head] & body[head])[1]
    return Face(float(np.median(xs)) / scale, (top + tall * 0.085) / scale, tall * 0.06 / scale)


def garment_region(photo: Pixels, subject: Image) -> Image:
    """What to dress, (height, width) in 0..1: the torso without skin, or the whole subject."""
    face = find_face(photo, subject)
    if face is None:
        return subject
    height, width = subject.shape
    y = np.arange(height, dtype=np.float32)[:, None]
    x = np.arange(width, dtype=np.float32)[None, :]
    neck, hem = face.y + face.half * 1.25, face.y + face.half * 7.6
    torso = np.clip((y - neck) / (face.half * 0.35 + 1), 0, 1) * np.clip(
        (hem - y) / (face.half * 0.4 + 1), 0, 1
    )
    torso = torso * (np.abs(x - face.x) < face.half * 4.6)
    skin = cv2.GaussianBlur(skin_of(photo), (0, 0), max(0.8, face.half / 18))
    rough = subject * torso * np.clip(1.5 - 2.2 * skin, 0, 1)
    if float((rough > 0.5).mean()) < 0.004:
        rough = subject * torso
    rough = _same_cloth(photo, rough.astype(np.float32), face)
    if float((rough > 0.5).mean()) < 0.004:
        return subject
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    guide = np.asarray(grey, np.float32) / np.float32(255)
    radius = max(2, round(max(height, width) / 260))
    return np.clip(guided(guide, rough, radius, 5e-4), 0, 1) * (subject > 0.02)


def _same_cloth(photo: Pixels, rough: Image, face: Face) -> Image:
    """Of the torso, what has the colours of the chest: trousers and hair stay as they are."""
    lab = cv2.cvtColor(
        cv2.GaussianBlur(photo, (0, 0), max(0.8, face.half / 14)), cv2.COLOR_RGB2LAB
    ).astype(np.float32)
    height, width = rough.shape
    top, bottom = int(face.y + face.half * 2.2), int(face.y + face.half * 5)
    left, right = int(face.x - face.half * 1.6), int(face.x + face.half * 1.6)
    box = (
        slice(max(0, top), max(1, min(height, bottom))),
        slice(max(0, left), max(1, min(width, right))),
    )
    chest = lab[box][rough[box] > 0.5]
    if len(chest) < 40:
        return rough
    sample = np.ascontiguousarray(chest[:: max(1, len(chest) // 2500)])
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 1.0)
    cv2.setRNGSeed(7)
    clusters = min(4, len(sample))
    _, labels, centres = cv2.kmeans(
        sample, clusters, np.empty((0,), np.int32), criteria, 2, cv2.KMEANS_PP_CENTERS
    )
    shares = np.bincount(labels.ravel(), minlength=clusters) / len(labels)
    weights = np.array([0.38, 1.3, 1.3], np.float32)
    distance = np.full(rough.shape, np.inf, np.float32)
    for centre, share in zip(centres, shares, strict=True):
        if share > 0.06:
            distance = np.minimum(distance, np.sqrt((((lab - centre) * weights) ** 2).sum(axis=2)))
    like = np.clip((34 - distance) / 12, 0, 1)
    size = max(3, int(face.half / 5) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.morphologyEx(rough * like, cv2.MORPH_CLOSE, kernel) * rough, np.float32)


def _swatch(cloth: Pixels) -> Pixels:
    """The piece of the second picture that shows the cloth: the middle of its subject."""
    height, width = cloth.shape[:2]
    subject = subject_of(cloth, lambda _: None)
    share = float((subject > 0.5).mean())
    if share > 0.7 or share < 0.02 or _is_texture(cloth):
        return cloth[height // 8 : height - height // 8, width // 8 : width - width // 8]
    inner = cv2.distanceTransform((subject > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    _, reach, _, (x, y) = cv2.minMaxLoc(inner)
    half = max(6, int(reach * 0.72))
    return cloth[max(0, y - half) : y + half, max(0, x - half) : x + half]


def _is_texture(cloth: Pixels) -> bool:
    """Whether the picture's border has the colours of its middle: then all of it is cloth."""
    lab = cv2.cvtColor(cloth, cv2.COLOR_RGB2LAB)
    height, width = lab.shape[:2]
    rim = np.zeros((height, width), np.uint8)
    rim[: height // 8] = rim[-height // 8 :] = 255
    rim[:, : width // 8] = rim[:, -width // 8 :] = 255
    limits = [0, 256, 0, 256, 0, 256]
    hists = [
        cv2.calcHist([lab], [0, 1, 2], mask, [6, 12, 12], limits)
        for mask in (rim, np.asarray(255 - rim, np.uint8))
    ]
    shares = [hist / max(float(hist.sum()), 1) for hist in hists]
    return float(np.minimum(shares[0], shares[1]).sum()) > 0.6


def _tiled(swatch: Pixels, height: int, width: int, region: Image) -> Image:
    """The swatch mirrored over (height, width) at the garment's scale; RGB in 0..1."""
    columns = np.flatnonzero((region > 0.5).any(axis=0))
    span = int(columns[-1] - columns[0]) + 1 if columns.size else width
    side = max(8, min(max(height, width), round(span * 0.75)))
    ratio = side / max(swatch.shape[:2])
    size = (max(4, round(swatch.shape[1] * ratio)), max(4, round(swatch.shape[0] * ratio)))
    tile = cv2.resize(swatch, size, interpolation=cv2.INTER_AREA if ratio < 1 else cv2.INTER_CUBIC)
    pair = np.concatenate([tile, tile[:, ::-1]], axis=1)
    block = np.concatenate([pair, pair[::-1]], axis=0)
    times = (-(-height // block.shape[0]), -(-width // block.shape[1]), 1)
    return np.asarray(np.tile(block, times)[:height, :width], np.float32) / np.float32(255)


def _transfer(photo: Pixels, region: Image, pattern: Image) -> Pixels:
    """The pattern's colour in Lab, under the photo's light: folds are the garment's own L around
    its mean, and the pattern is drawn along them a little."""
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    weight = region + 1e-6
    mean = float((light * weight).sum() / weight.sum())
    folds = cv2.GaussianBlur(light, (0, 0), max(1.0, max(light.shape) / 300))
    dx = cv2.Sobel(folds, cv2.CV_32F, 1, 0, ksize=5) * 0.02
    dy = cv2.Sobel(folds, cv2.CV_32F, 0, 1, ksize=5) * 0.02
    reach = max(light.shape) / 160
    columns = np.arange(light.shape[1], dtype=np.float32)[None, :] + np.clip(dx, -1, 1) * reach
    rows = np.arange(light.shape[0], dtype=np.float32)[:, None] + np.clip(dy, -1, 1) * reach
    draped = cv2.remap(
        np.ascontiguousarray(pattern, np.float32),
        columns.astype(np.float32),
        rows.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    cloth = cv2.cvtColor(draped, cv2.COLOR_RGB2LAB)
    relief = light / max(mean, 8.0)
    target = np.clip(cloth[..., 0] * (0.25 + 0.75 * relief) + (light - mean) * 0.3, 1, 99)
    fade = np.clip(target / np.maximum(cloth[..., 0], 8), 0.35, 1.15)
    dressed = np.stack([target, cloth[..., 1] * fade, cloth[..., 2] * fade], axis=-1).astype(
        np.float32
    )
    rgb_dressed = np.clip(cv2.cvtColor(dressed, cv2.COLOR_LAB2RGB), 0, 1) * 255
    soft = region[..., None]
    return np.clip(photo * (1 - soft) + rgb_dressed * soft + 0.5, 0, 255).astype(np.uint8)
