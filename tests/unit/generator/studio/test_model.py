"""3D models from photos: closed, textured, true to the silhouette."""

import io

import cv2
import numpy as np
import pytest
import trimesh

from generator.provider import Rejected
from generator.studio import model
from generator.studio.orders import Order
from generator.studio.relief import (
    Cutout,
    cut_out,
    cutout_from,
    depth_from,
    depth_map_of,
    depth_of,
    outline,
    png_of,
)
from generator.studio.render import render
from unit.generator.studio.photos import ball_photo, file_of, person_photo


def silent(percent: int) -> None:
    """Nobody asks how far it is."""


def painted(mask: np.ndarray, colour: tuple[int, int, int] = (200, 60, 40)) -> Cutout:
    """A cut-out of one colour, its upper half lighter."""
    rgba = np.zeros((*mask.shape, 4), np.uint8)
    rgba[..., :3] = colour
    rgba[: len(mask) // 2, :, :3] = (240, 220, 90)
    rgba[..., 3] = mask
    return rgba


def ring(side: int = 200) -> Cutout:
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side * 2 // 5, 255, side // 6, cv2.LINE_AA)
    return painted(mask)


def disc(side: int = 200) -> Cutout:
    mask = np.zeros((side, side), np.uint8)
    cv2.circle(mask, (side // 2, side // 2), side * 2 // 5, 255, -1, cv2.LINE_AA)
    return painted(mask)


def built(cutout: Cutout) -> bytes:
    return model.build(cutout, depth_of(outline(cutout)), silent)


def opened(content: bytes) -> trimesh.Trimesh:
    return trimesh.load(io.BytesIO(content), file_type="glb", force="mesh", process=False)


@pytest.mark.parametrize("cutout", [disc(), ring(), cut_out(person_photo(), silent)])
def test_a_model_is_closed_textured_and_within_its_bounds(cutout: Cutout) -> None:
    content = built(cutout)
    mesh = opened(content)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume > 0
    assert len(mesh.faces) <= model.MOST_TRIANGLES
    assert len(content) <= model.MOST_BYTES
    material = mesh.visual.material
    assert material.baseColorTexture.size == (2 * cutout.shape[1], cutout.shape[0])
    assert (material.metallicFactor, material.roughnessFactor) == (0.0, 0.8)
    assert b'"NORMAL"' in content


def test_a_model_stands_upright_in_the_middle_and_is_a_metre_long() -> None:
    mesh = opened(built(disc()))
    low, high = mesh.bounds
    assert (high - low)[:2].max() == pytest.approx(1)
    assert (high + low)[:2] == pytest.approx((0, 0), abs=1e-6)
    assert 0.1 < high[2] < 0.5
    assert -0.5 < low[2] < 0 < high[2]


def test_the_front_faces_the_viewer_and_the_photo_is_the_right_way_up() -> None:
    mesh = opened(built(disc()))
    texture = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"), np.float64)
    normals = mesh.face_normals
    middles = mesh.triangles_center
    assert (normals[middles[:, 2] > 0.05][:, 2] > 0).all()
    assert (normals[middles[:, 2] < -0.05][:, 2] < 0).all()
    place = np.clip((mesh.visual.uv * (1, -1) + (0, 1)), 0, 0.999)
    rows, columns = texture.shape[:2]
    colour = texture[(place[:, 1] * rows).astype(int), (place[:, 0] * columns).astype(int)]
    front = mesh.vertices[:, 2] > 0.05
    upper, lower = front & (mesh.vertices[:, 1] > 0.1), front & (mesh.vertices[:, 1] < -0.1)
    assert np.abs(colour[upper].mean(axis=0) - (240, 220, 90)).max() < 12
    assert np.abs(colour[lower].mean(axis=0) - (200, 60, 40)).max() < 12


def test_a_hole_in_the_silhouette_is_a_hole_in_the_model() -> None:
    assert opened(built(disc())).euler_number == 2
    whole = opened(built(ring()))
    assert whole.euler_number == 0
    assert np.hypot(*whole.vertices[:, :2].T).min() > 0.3


def test_what_is_wide_bulges_more_than_what_is_thin_and_nothing_at_the_edge() -> None:
    wide, thin = depth_of(outline(disc())), depth_of(outline(ring()))
    assert wide.max() > 1.5 * thin.max() > 0
    shape = outline(disc())
    assert (depth_of(shape)[shape <= 0.5] == 0).all()


def test_a_sieve_is_modelled_less_finely() -> None:
    mask = np.zeros((512, 512), np.uint8)
    mask[10:-10, 10:-10] = 255
    for x in range(20, 492, 11):
        for y in range(20, 492, 11):
            cv2.circle(mask, (x, y), 4, 0, -1)
    assert len(opened(built(painted(mask))).faces) <= model.MOST_TRIANGLES


def test_crumbs_are_left_out() -> None:
    crumbs = disc()
    crumbs[4:8, 4:8, 3] = 255
    assert opened(built(crumbs)).euler_number == opened(built(disc())).euler_number


def test_the_same_photo_gives_the_same_model() -> None:
    photo = file_of(person_photo())

    def whole() -> bytes:
        cutout = render(Order("CUT_OUT", "", (photo,)), silent).content
        depth = render(Order("DEPTH_MAP", "", (cutout,)), silent).content
        made = render(Order("MODEL", "", (cutout, depth)), silent)
        assert made.content_type == "model/gltf-binary"
        return made.content

    assert whole() == whole()


def test_a_depth_map_and_a_cut_out_survive_their_files() -> None:
    cutout = cut_out(ball_photo(), silent)
    assert np.array_equal(cutout_from(png_of(cutout)), cutout)
    depth = depth_of(outline(cutout))
    assert np.abs(depth_from(depth_map_of(depth)) - depth).max() < 0.02


def test_an_open_surface_is_refused_with_words() -> None:
    half = opened(built(disc()))
    half.update_faces(np.arange(len(half.faces)) % 7 > 0)
    with pytest.raises(Rejected, match="closed") as refusal:
        model.check(half.export(file_type="glb"))
    assert "another" in refusal.value.message


def test_a_model_inside_out_without_texture_or_broken_is_refused() -> None:
    inverted = opened(built(disc()))
    inverted.invert()
    with pytest.raises(Rejected, match="inside out"):
        model.check(inverted.export(file_type="glb"))
    with pytest.raises(Rejected, match="texture"):
        model.check(trimesh.creation.icosphere().export(file_type="glb"))
    with pytest.raises(Rejected, match="read back"):
        model.check(b"glTF")


def test_an_empty_cut_out_is_refused() -> None:
    nothing = painted(np.zeros((64, 64), np.uint8))
    with pytest.raises(Rejected, match="too little"):
        built(nothing)
