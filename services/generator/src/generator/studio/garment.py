"""Clothing change: another colour or cloth for a person, with the light and folds kept."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Colour, Image, named, rgb
from generator.studio.cutout import guided, subject_of
from generator.studio.easel import Step
from generator.studio.heads import Face, faces_in, patches_of, skin_of, solid_skin
from generator.studio.pictures import Pixels
from generator.studio.words import Scene

_WORK_SIDE = 420

_CLOTH = {"navy": "#1d2a4f", "black": "#1f1f23"}
"""What is darker as cloth than as a painter's colour."""

_SHADES = {
    "deep": (0.62, 0.85),
    "dark": (0.5, 0.75),
    "light": (1.45, 0.65),
    "pale": (1.68, 0.42),
    "pastel": (1.6, 0.55),
    "bright": (1.06, 1.2),
    "muted": (0.95, 0.5),
}
"""How light, of what it was (from 1 on: of the way to white), and how vivid."""


def change(photo: Pixels, cloth: Pixels | None, scene: Scene, step: Step) -> Pixels:
    """``photo`` with its garment in ``cloth``, or in the scene's first colour without one."""
    subject = subject_of(photo, lambda percent: step(percent * 55 // 100))
    step(44)
    region = garment_region(photo, subject)
    step(58)
    if cloth is not None:
        pattern = _tiled(_swatch(cloth), photo.shape[0], photo.shape[1], region)
    else:
        pattern = np.broadcast_to(wished(scene), photo.shape).astype(np.float32)
    step(70)
    dressed = _transfer(photo, region, pattern)
    step(92)
    return dressed


def wished(scene: Scene) -> Colour:
    """The colour of the cloth that the prompt names, in the shade that it names with it."""
    names = (
        [s.colour for s in scene.subjects if s.colour]
        + list(scene.colours)
        + [c for _, c in scene.tints]
    )
    if not names:
        return rgb("#2f6fa8")
    colour = rgb(_CLOTH[names[0]]) if names[0] in _CLOTH else named(names[0])
    return shaded(colour, dict(scene.shades).get(names[0]))


def shaded(colour: Colour, shade: str | None) -> Colour:
    """The colour made lighter or darker, and more or less vivid, as painters name it."""
    if shade is None:
        return colour
    lightness, vividness = _SHADES[shade]
    lab = cv2.cvtColor(colour[None, None], cv2.COLOR_RGB2LAB)[0, 0]
    own = float(lab[0])
    lab[0] = own * lightness if lightness <= 1 else own + (96 - own) * (lightness - 1)
    lab[1:] *= vividness
    return np.asarray(np.clip(cv2.cvtColor(lab[None, None], cv2.COLOR_LAB2RGB)[0, 0], 0, 1))


def find_face(photo: Pixels, subject: Image) -> Face | None:
    """The subject's largest face; where none shows its eyes, what is likeliest a head on top of an
    upright outline."""
    height, width = subject.shape
    scale = min(1.0, _WORK_SIDE / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    body = cv2.resize(subject, size, interpolation=cv2.INTER_AREA) > 0.4
    if not body.any():
        return None
    for face in faces_in(small):
        if body[int(face.y), int(face.x)]:
            return face.scaled(1 / scale)
    rows, columns = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
    top, tall = int(rows[0]), int(rows[-1] - rows[0]) + 1
    wide = int(columns[-1] - columns[0]) + 1
    if tall < 0.9 * wide:
        return None
    skin = solid_skin((skin_of(small) > 0) & body)
    best, best_score = None, 0.0
    for patch in patches_of(skin):
        depth = (patch.middle[1] - top) / tall
        score = patch.area * patch.filled * (1 - depth)
        if patch.facelike and depth <= 0.5 and score > best_score:
            best, best_score = patch.face.scaled(1 / scale), score
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
    neck, hem = face.y + face.half * 1.25, face.y + face.half * 10
    torso = np.clip((y - neck) / (face.half * 0.35 + 1), 0, 1) * np.clip(
        (hem - y) / (face.half * 0.4 + 1), 0, 1
    )
    torso = torso * (np.abs(x - face.x) < face.half * 5.5)
    skin = cv2.GaussianBlur(skin_of(photo), (0, 0), max(0.8, face.half / 18))
    rough = subject * torso * np.clip(1.5 - 2.2 * skin, 0, 1)
    if float((rough > 0.5).mean()) < 0.004:
        rough = subject * torso
    cloth = _same_cloth(photo, rough.astype(np.float32), face)
    rough = _to_outline(cloth, rough.astype(np.float32), subject, face)
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
    top, bottom = int(face.y + face.half * 3), int(face.y + face.half * 6)
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
        if share > 0.12:
            distance = np.minimum(distance, np.sqrt((((lab - centre) * weights) ** 2).sum(axis=2)))
    like = np.clip((34 - distance) / 12, 0, 1)
    size = max(3, int(face.half / 5) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.morphologyEx(rough * like, cv2.MORPH_CLOSE, kernel) * rough, np.float32)


def _to_outline(cloth: Image, rough: Image, subject: Image, face: Face) -> Image:
    """The cloth out to the subject's outline, where the background's colour has mixed in."""
    size = max(3, int(face.half / 4) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    inside = cv2.erode(subject, kernel) > 0.9
    grown = np.minimum(cv2.dilate(cloth, kernel), rough)
    return np.asarray(np.where(inside, cloth, grown), np.float32)


def _swatch(cloth: Pixels) -> Pixels:
    """The piece of the second picture that shows the cloth: the middle of its subject."""
    height, width = cloth.shape[:2]
    middle = cloth[height // 8 : height - height // 8, width // 8 : width - width // 8]
    if _is_texture(cloth):
        return middle
    subject = subject_of(cloth, lambda _: None)
    if not 0.02 <= float((subject > 0.5).mean()) <= 0.7:
        return middle
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
    """The pattern, drawn along the folds a little, under the photo's light."""
    lab = cv2.cvtColor(photo.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = np.asarray(lab[..., 0], np.float32)
    core = light[region > min(0.5, float(region.max()) * 0.9)]
    usual = float(np.median(core)) if core.size else 50.0
    cloth = np.asarray(cv2.cvtColor(_draped(pattern, light), cv2.COLOR_RGB2LAB), np.float32)
    lit = lit_cloth(cloth, light - np.float32(usual), usual)
    dressed = np.clip(cv2.cvtColor(lit, cv2.COLOR_LAB2RGB), 0, 1)
    soft = region[..., None]
    return np.clip(photo * (1 - soft) + dressed * 255 * soft + 0.5, 0, 255).astype(np.uint8)


def _draped(pattern: Image, light: Image) -> Image:
    """The pattern moved aside where the light changes, as cloth is by a fold."""
    long = max(light.shape)
    folds = cv2.GaussianBlur(light, (0, 0), max(1.0, long / 90))
    reach = long / 180
    down, aside = (
        np.tanh(cv2.Sobel(folds, cv2.CV_32F, *axes, ksize=3) * (long / 2400)) * reach
        for axes in ((0, 1), (1, 0))
    )
    rows = np.arange(light.shape[0], dtype=np.float32)[:, None] + down
    columns = np.arange(light.shape[1], dtype=np.float32)[None, :] + aside
    return np.asarray(
        cv2.remap(
            np.ascontiguousarray(pattern, np.float32),
            columns.astype(np.float32),
            rows.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.float32,
    )


def lit_cloth(cloth: Image, relief: Image, usual: float) -> Image:
    """``cloth`` (h, w, 3; Lab) in a garment's light: ``relief`` is how much lighter than ``usual``
    each place is.

    Where the garment has its usual lightness the cloth has its own. Folds are as deep as a cloth of
    that lightness shows them, and never reach black or white; a highlight is paler, not more vivid.
    """
    own = np.clip(cloth[..., 0], 3, 97)
    swing = relief * np.clip(own / max(usual, 12.0), 0.45, 1.15)
    above, below = 99.5 - own, own - 0.5
    up = 1 - np.exp(-np.maximum(swing, 0) / above)
    down = 1 - np.exp(np.minimum(swing, 0) / below)
    vivid = (1 - 0.55 * up) * (1 - 0.75 * down)
    lightness = own + above * up - below * down
    return np.dstack([lightness, cloth[..., 1] * vivid, cloth[..., 2] * vivid]).astype(np.float32)
