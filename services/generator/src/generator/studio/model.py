"""A closed, textured 3D model as GLB from a cut-out and its depth map."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
import trimesh
from PIL import Image as Pillow
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial

from generator.provider import Rejected
from generator.studio.colour import Image, smoothstep
from generator.studio.easel import Step
from generator.studio.relief import MOST_TRIANGLES, Cutout, continued, outline

MOST_BYTES = 4 * 1024 * 1024

_BACK = 0.75
"""How deep the back is, of the front."""
_SEAM_M = 0.0006
"""Front and back have texture of their own, and meet in a strip as narrow as this."""
_NEAREST = 0.12
"""How near to a corner of the grid the outline may cross its side: no splinters."""

_SMOOTHING = (0.6, -0.62) * 6
"""Steps of Taubin's smoothing, of the way to the neighbours' middle."""

Numbers = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A flat shape in triangles.

    ``points`` (n, 2) are columns and rows of the grid; ``faces`` (m, 3) turn as the eye in front
    sees them, against the clock; ``rim`` (k, 2) are its edges, each with the shape on its left.
    ``depth`` (n,) in cells is 0 on the rim.
    """

    points: Numbers
    depth: Numbers
    faces: Indices
    rim: Indices


def sheet_of(shape: Image, depth: Image) -> Sheet:
    """The part of the grid where ``shape`` exceeds 0.5, its outline drawn between the points."""
    rows, columns = shape.shape
    inside = shape > 0.5
    node = np.arange(rows * columns).reshape(rows, columns)
    across = rows * columns + np.arange(rows * (columns - 1)).reshape(rows, columns - 1)
    downwards = across.size + rows * columns + np.arange((rows - 1) * columns)
    down = downwards.reshape(rows - 1, columns)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    points = np.concatenate(
        [
            np.stack([x.ravel(), y.ravel()], axis=1),
            np.stack([(x[:, :-1] + _crossing(shape[:, :-1], shape[:, 1:])), y[:, :-1]], 2).reshape(
                -1, 2
            ),
            np.stack([x[:-1], (y[:-1] + _crossing(shape[:-1], shape[1:]))], 2).reshape(-1, 2),
        ]
    )
    heights = np.zeros(len(points))
    heights[: rows * columns] = depth.ravel()
    # Around a cell with the clock: its corners, and its sides, each after the corner it starts at.
    corners = (node[:-1, :-1], node[:-1, 1:], node[1:, 1:], node[1:, :-1])
    sides = (across[:-1], down[:, 1:], across[1:], down[:, :-1])
    held = (inside[:-1, :-1], inside[:-1, 1:], inside[1:, 1:], inside[1:, :-1])
    kind = np.sum([each.astype(np.int64) << turn for turn, each in enumerate(held)], axis=0)
    faces: list[Indices] = []
    rim: list[Indices] = []
    for case in range(1, 16):
        cells = kind == case
        if not cells.any():
            continue
        walk: list[Indices] = []
        leaving: list[tuple[int, bool]] = []
        for turn in range(4):
            here, there = bool(case >> turn & 1), bool(case >> (turn + 1) % 4 & 1)
            if here:
                walk.append(corners[turn][cells])
            if here != there:
                leaving.append((len(walk), here))
                walk.append(sides[turn][cells])
        faces += [
            np.stack([walk[0], after, before], axis=1) for before, after in pairwise(walk[1:])
        ]
        for at, goes_out in leaving:
            if goes_out:
                rim.append(np.stack([walk[(at + 1) % len(walk)], walk[at]], axis=1))
    if not faces:
        raise Rejected("There is too little of the subject to make a model of.")
    every, edges = np.concatenate(faces), np.concatenate(rim)
    used, packed = np.unique(every, return_inverse=True)
    return Sheet(
        points[used],
        heights[used],
        packed.reshape(-1, 3).astype(np.int64),
        np.searchsorted(used, edges).astype(np.int64),
    )


def _crossing(start: Image, end: Image) -> Numbers:
    """Where between two neighbours the shape's edge runs, as a share of the way."""
    rise = (end - start).astype(np.float64)
    at = (0.5 - start) / np.where(np.abs(rise) < 1e-6, 1.0, rise)
    return np.clip(at, _NEAREST, 1 - _NEAREST)


def build(cutout: Cutout, depth: Image, step: Step) -> bytes:
    """The model as GLB: one metre on its longer side, upright, centred, its front towards +Z.

    Raises `Rejected` when what came out isn't a sound model.
    """
    shape = outline(cutout)
    sheet = sheet_of(shape, depth)
    step(30)
    mesh = _closed(sheet, _texture(cutout, step), shape.shape)
    step(70)
    content = mesh.export(file_type="glb", include_normals=True)
    assert isinstance(content, bytes)
    step(85)
    check(content)
    return content


def _closed(sheet: Sheet, texture: Pillow.Image, grid: tuple[int, ...]) -> trimesh.Trimesh:
    count = len(sheet.points)
    on_rim = np.zeros(count, bool)
    on_rim[sheet.rim.ravel()] = True
    flat = sheet.points * (1, -1)
    # One skin, in which front and back share the rim, for what goes over the seam.
    own = np.arange(count)
    skin = np.concatenate([sheet.faces, np.where(on_rim, own, own + count)[sheet.faces][:, ::-1]])
    front = np.column_stack([flat, sheet.depth])
    back = np.column_stack([flat, -_BACK * sheet.depth])
    points = _smoothed(np.concatenate([front, back]), skin)
    points[count:][on_rim] = points[:count][on_rim]
    normals = _normals(points, skin)
    normals[count:][on_rim] = normals[:count][on_rim]
    low, high = points.min(axis=0), points.max(axis=0)
    middle = [*(low + high)[:2] / 2, 0]
    points = (points - middle) / float((high - low)[:2].max())
    points[:count, 2] += _SEAM_M / 2
    points[count:, 2] -= _SEAM_M / 2
    start, end = sheet.rim[:, 0], sheet.rim[:, 1]
    strip = np.concatenate(
        [
            np.stack([end, start, start + count], axis=1),
            np.stack([end, start + count, end + count], axis=1),
        ]
    )
    return trimesh.Trimesh(
        vertices=points,
        faces=np.concatenate([sheet.faces, sheet.faces[:, ::-1] + count, strip]),
        vertex_normals=normals,
        visual=TextureVisuals(  # type: ignore[no-untyped-call]
            uv=_places(sheet, grid),
            material=PBRMaterial(  # type: ignore[no-untyped-call]
                name="photo",
                baseColorTexture=texture,
                metallicFactor=0.0,
                roughnessFactor=0.8,
            ),
        ),
        process=False,
    )


def _smoothed(points: Numbers, faces: Indices) -> Numbers:
    """Taubin's smoothing: a step towards the neighbours' middle, one back, so that nothing shrinks.

    Takes away the steps that the grid leaves along the rim.
    """
    start, end = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    neighbours = np.bincount(start, minlength=len(points))[:, None]
    for step in _SMOOTHING:
        total = np.stack(
            [np.bincount(start, points[end, i], minlength=len(points)) for i in range(3)], axis=1
        )
        points = points + step * np.where(
            neighbours > 0, total / np.maximum(neighbours, 1) - points, 0
        )
    return points


def _normals(points: Numbers, faces: Indices) -> Numbers:
    """Smooth normals: a triangle counts by its area."""
    a, b, c = (points[faces[:, i]] for i in range(3))
    across = np.cross(b - a, c - a)
    total = np.stack(
        [
            np.bincount(faces.ravel(), np.repeat(across[:, i], 3), minlength=len(points))
            for i in range(3)
        ],
        axis=1,
    )
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.asarray(total / np.maximum(length, 1e-12), np.float64)


def _places(sheet: Sheet, grid: tuple[int, ...]) -> Numbers:
    """Where on the texture each corner lies: the front in its left half, the back in its right.

    The grid has three rows and columns around the cut-out, and its points are middles of pixels.
    """
    inner = np.array([grid[1] - 6, grid[0] - 6], np.float64)
    share = np.clip((sheet.points - 2.5) / inner, 0, 1)
    u, v = share[:, 0] / 2, 1 - share[:, 1]
    return np.concatenate([np.stack([u, v], axis=1), np.stack([u + 0.5, v], axis=1)])


def _texture(cutout: Cutout, step: Step) -> Pillow.Image:
    """The front from the photo; the back from what the photo shows along the subject's edge."""
    colour = cutout[..., :3].astype(np.float32)
    solid = (cutout[..., 3] > 245).astype(np.uint8)
    to_edge = np.asarray(cv2.distanceTransform(solid, cv2.DIST_L2, 5), np.float32)
    side = max(cutout.shape)
    # A pixel at the rim is drawn out over the whole flank: without its grain.
    calm = cv2.GaussianBlur(colour, (0, 0), 0.012 * side)
    rough = smoothstep(0.002 * side, 0.022 * side, to_edge)[..., None]
    colour = np.asarray(calm + (colour - calm) * rough, np.float32)
    band = 0.045 * side
    rim = (to_edge > 1.5) & (to_edge < band)
    behind = continued(colour, rim if rim.any() else solid > 0)
    behind = np.asarray(cv2.GaussianBlur(behind, (0, 0), band * 0.2), np.float32)
    # Cloth and fur go on behind; what is larger, such as a face, does not.
    behind = behind + np.clip(colour - cv2.GaussianBlur(colour, (0, 0), band * 0.07), -7, 7)
    inward = smoothstep(band * 0.3, band, to_edge)[..., None]
    behind = (colour + (behind - colour) * inward) * (1 - 0.08 * inward)
    step(50)
    whole = np.clip(np.hstack([colour, behind]) + 0.5, 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Pillow.fromarray(whole).save(file, "JPEG", quality=92)
    # Opened from a file, the exporter keeps it a JPEG.
    return Pillow.open(file)


def check(content: bytes) -> None:
    """Raises `Rejected` unless the file is one closed, textured model within its bounds."""
    try:
        mesh = trimesh.load(io.BytesIO(content), file_type="glb", force="mesh", process=False)
    except Exception as fault:
        raise _unsound("it can't be read back") from fault
    if not isinstance(mesh, trimesh.Trimesh):
        raise _unsound("it is no surface")
    if len(content) > MOST_BYTES or len(mesh.faces) > MOST_TRIANGLES:
        raise _unsound("it is too large")
    if not mesh.is_watertight:
        raise _unsound("its surface isn't closed")
    if not mesh.is_winding_consistent or mesh.volume <= 0:
        raise _unsound("its surface is inside out")
    material = getattr(mesh.visual, "material", None)
    if getattr(mesh.visual, "uv", None) is None or not getattr(material, "baseColorTexture", None):
        raise _unsound("it has no texture")


def _unsound(what: str) -> Rejected:
    return Rejected(f"No sound 3D model came out of this photo: {what}. Please try another one.")
