"""White background: a photo's subject, cut out, on white, with a shadow where it stands."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from generator.studio.colour import Image
from generator.studio.easel import Step
from generator.studio.heads import Face, body_area, faces_in, person_area
from generator.studio.pictures import Pixels
from generator.studio.salience import standing_out

_ROUGH_SIDE = 240
"""The subject is found at this many pixels on the long side …"""

_WORK_SIDE = 440
"""… and its edge at this many; the edge is refined at full size."""


def on_white(photo: Pixels, step: Step) -> Pixels:
    """The subject on pure white; (height, width, 3) in and out."""
    alpha = subject_of(photo, step)
    step(84)
    colour = _without_spill(photo, alpha)
    ground = _contact_shadow(alpha)
    backdrop = np.float32(255) * (1 - ground)[..., None]
    soft = alpha[..., None]
    whole = colour * soft + backdrop * (1 - soft)
    step(93)
    return np.clip(whole + 0.5, 0, 255).astype(np.uint8)


def subject_of(photo: Pixels, step: Step) -> Image:
    """How much each pixel belongs to the subject, (height, width) in 0..1."""
    small = _reduced(photo, _WORK_SIDE)
    step(12)
    guess = standing_out(small)
    faces = faces_in(small)
    step(24)
    mask = _rough_cut(small, guess, faces, step)
    step(54)
    mask = _edge_cut(small, _tidy(mask, guess))
    step(66)
    mask = _tidy(mask, guess)
    if not 0.004 < float(mask.mean()) < 0.97:
        mask = _central((small.shape[1], small.shape[0]))
    step(72)
    return _refined(photo, mask)


def _reduced(photo: Pixels, side: int) -> Pixels:
    """At most ``side`` pixels long, at least 8 wide and high."""
    height, width = photo.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def _rough_cut(small: Pixels, guess: Image, faces: list[Face], step: Step) -> Image:
    """GrabCut from the guess, at a size at which it takes little time; (h, w) of 0 and 1."""
    h, w = guess.shape
    rough = _reduced(small, _ROUGH_SIDE)
    size = (rough.shape[1], rough.shape[0])
    likely = np.asarray(cv2.resize(guess, size, interpolation=cv2.INTER_AREA), np.float32)
    labels = labels_of(likely, [face.scaled(size[0] / w) for face in faces])
    if not labelled(labels):
        return np.zeros((h, w), np.float32)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    bgr = cv2.cvtColor(rough, cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(7)
    for turn in range(3):
        mode = cv2.GC_INIT_WITH_MASK if turn == 0 else cv2.GC_EVAL
        try:
            cv2.grabCut(bgr, labels, (0, 0, *size), background, foreground, 1, mode)
        except cv2.error:
            break
        step(24 + 10 * (turn + 1))
    cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    return np.asarray(cv2.resize(cut, (w, h), interpolation=cv2.INTER_LINEAR) > 0.5, np.float32)


def labels_of(guess: Image, faces: list[Face]) -> Pixels:
    """GrabCut's labels for the guess, with what the faces make sure or likely."""
    h, w = guess.shape
    top = float(np.percentile(guess, 98)) + 1e-6
    grey = (np.clip(guess / top, 0, 1) * 255).astype(np.uint8)
    level = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] / 255 * top
    labels = np.full((h, w), cv2.GC_PR_BGD, np.uint8)
    labels[guess > level * 0.8] = cv2.GC_PR_FGD
    labels[guess > level + (top - level) * 0.6] = cv2.GC_FGD
    labels[guess < level * 0.3] = cv2.GC_BGD
    for face in faces:
        body = body_area((h, w), face)
        labels[body & (labels != cv2.GC_FGD)] = cv2.GC_PR_FGD
    for face in faces:
        labels[person_area((h, w), face)] = cv2.GC_FGD
    return labels


def labelled(labels: Pixels) -> bool:
    """Whether there is enough of both sides for GrabCut to learn from."""
    sure = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    return bool(sure.mean() > 0.003 and (~sure).any())


def _edge_cut(small: Pixels, mask: Image) -> Image:
    """GrabCut once more, of a narrow band along the mask's edge; (h, w) of 0 and 1."""
    h, w = mask.shape
    reach = max(1, min(h, w) // 60)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    solid = mask.astype(np.uint8)
    core, halo = cv2.erode(solid, kernel), cv2.dilate(solid, kernel)
    labels = np.where(solid > 0, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[core > 0] = cv2.GC_FGD
    labels[halo == 0] = cv2.GC_BGD
    if not labelled(labels):
        return mask
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    cv2.setRNGSeed(7)
    try:
        cv2.grabCut(
            bgr,
            labels,
            (0, 0, w, h),
            np.zeros((1, 65)),
            np.zeros((1, 65)),
            1,
            cv2.GC_INIT_WITH_MASK,
        )
    except cv2.error:
        return mask
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)


def _tidy(mask: Image, guess: Image) -> Image:
    """Without specks and pinholes: the main piece, and others that are large or close to it."""
    h, w = mask.shape
    size = max(3, min(h, w) // 64 | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    solid = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    solid = np.asarray(cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel), np.uint8)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(solid)
    if count > 1:
        areas = stats[1:, cv2.CC_STAT_AREA].astype(np.float64)
        off = (centres[1:] / (w, h) - 0.5) * 2
        weight = areas * np.exp(-(off**2).sum(axis=1))
        main = 1 + int(weight.argmax())
        reach = cv2.dilate((labels == main).astype(np.uint8), kernel, iterations=6)
        near = np.unique(labels[reach > 0])
        keep = [
            i
            for i in range(1, count)
            if i == main
            or weight[i - 1] > 0.4 * weight.max()
            or (i in near and areas[i - 1] > 0.01 * areas[main - 1])
        ]
        solid = np.isin(labels, keep).astype(np.uint8)
    solid = _without_strands(np.asarray(solid, np.uint8), guess)
    holes, inside, sizes, _ = cv2.connectedComponentsWithStats(1 - solid, connectivity=4)
    for hole in range(1, holes):
        if sizes[hole, cv2.CC_STAT_AREA] < 0.0012 * h * w:
            solid[inside == hole] = 1
    return solid.astype(np.float32)


def _without_strands(solid: npt.NDArray[np.uint8], guess: Image) -> npt.NDArray[np.uint8]:
    """Thin lines that run far away from a thick body are the scene's, not the subject's: unless
    they stand out as much as the body, as legs do."""
    side = min(solid.shape)
    thick = max(3, side // 14) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (thick, thick))
    body = cv2.morphologyEx(solid, cv2.MORPH_OPEN, kernel)
    if not body.any() or body.sum() < 0.7 * solid.sum():
        return solid
    reach = np.asarray(cv2.dilate(body, kernel, iterations=1), np.uint8)
    clear = guess > 0.7 * float(np.median(guess[body > 0]))
    return np.asarray(solid & (reach | clear), np.uint8)


def _central(size: tuple[int, int]) -> Image:
    """What remains when nothing stands out: a soft oval around the middle."""
    w, h = size
    y = np.linspace(-1, 1, h, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, w, dtype=np.float32)[None, :]
    return np.asarray((x * x + y * y < 0.72).astype(np.float32))


def _refined(photo: Pixels, mask: Image) -> Image:
    """The mask at full size, its edge drawn to the photo's edges by a guided filter."""
    height, width = photo.shape[:2]
    whole = cv2.resize(mask, (width, height), interpolation=cv2.INTER_CUBIC)
    blurred = cv2.GaussianBlur(whole, (0, 0), max(0.8, max(height, width) / _WORK_SIDE * 0.9))
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    guide = np.asarray(grey, np.float32) / np.float32(255)
    radius = max(2, round(max(height, width) / 220))
    snapped = guided(guide, np.clip(blurred, 0, 1).astype(np.float32), radius, 2e-4)
    certain = cv2.GaussianBlur(whole, (0, 0), radius * 1.5)
    snapped = np.where(certain > 0.985, 1, np.where(certain < 0.015, 0, snapped))
    t = np.clip((snapped - 0.22) / 0.56, 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def guided(guide: Image, source: Image, radius: int, eps: float) -> Image:
    """The guided filter of He, Sun and Tang, for a grey guide; all (h, w)."""
    box = (2 * radius + 1, 2 * radius + 1)
    mean_g, mean_s = cv2.blur(guide, box), cv2.blur(source, box)
    covariance = cv2.blur(guide * source, box) - mean_g * mean_s
    variance = cv2.blur(guide * guide, box) - mean_g * mean_g
    slope = covariance / (variance + eps)
    offset = mean_s - slope * mean_g
    return np.asarray(cv2.blur(slope, box) * guide + cv2.blur(offset, box), np.float32)


def _without_spill(photo: Pixels, alpha: Image) -> Image:
    """Edge pixels take the colour of the subject inside, not of the old background."""
    colour = photo.astype(np.float32)
    core = (alpha > 0.97).astype(np.float32)
    sigma = max(1.0, max(alpha.shape) / 260)
    near = cv2.GaussianBlur(core, (0, 0), sigma)
    inner = (
        cv2.GaussianBlur(colour * core[..., None], (0, 0), sigma)
        / np.maximum(near, 1e-3)[..., None]
    )
    edge = ((alpha > 0) & (alpha < 0.97) & (near > 0.02)).astype(np.float32) * 0.75
    return np.asarray(colour + (inner - colour) * edge[..., None], np.float32)


def _contact_shadow(alpha: Image) -> Image:
    """Darkness on the ground, (height, width): nothing near the picture's corners."""
    height, width = alpha.shape
    rows = np.flatnonzero(alpha.max(axis=1) > 0.5)
    if rows.size == 0:
        return np.zeros_like(alpha)
    foot, tall = int(rows[-1]), int(rows[-1] - rows[0]) + 1
    band = alpha[max(0, foot - max(2, tall // 12)) : foot + 1].max(axis=0)
    spread = max(1.0, tall * 0.02)
    outline = cv2.GaussianBlur(band[None, :], (0, 0), spread * 1.4)[0]
    y = (np.arange(height, dtype=np.float32) - foot + tall * 0.006) / (tall * 0.028 + 1)
    shadow = np.exp(-(y**2))[:, None] * outline[None, :] * np.float32(0.42)
    wide = cv2.GaussianBlur(band[None, :], (0, 0), spread * 4)[0]
    shadow += np.exp(-((y / 2.6) ** 2))[:, None] * wide[None, :] * np.float32(0.14)
    margin = max(2, min(height, width) // 24)
    inset = np.minimum.outer(_inset(height, margin), _inset(width, margin))
    return np.asarray(np.where(shadow > 0.004, shadow, 0) * inset, np.float32)


def _inset(length: int, margin: int) -> Image:
    """0 at both ends, 1 from ``2 * margin`` on."""
    at = np.arange(length, dtype=np.float32)
    return np.clip((np.minimum(at, length - 1 - at) - margin) / margin, 0, 1).astype(np.float32)
