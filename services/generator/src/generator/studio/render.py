"""One order from start to end: read the references, do the pixel work, write the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from generator.provider import Rejected
from generator.studio import film, parallax
from generator.studio.cutout import on_white
from generator.studio.garment import change
from generator.studio.orders import Made, Order
from generator.studio.painter import paint_scene
from generator.studio.pictures import Pixels, decode, encode
from generator.studio.relief import (
    cut_out,
    cutout_from,
    depth_from,
    depth_map_of,
    depth_of,
    outline,
    png_of,
)
from generator.studio.words import read

DEFAULT_SIZE = (1024, 768)


class Steps:
    """Turns the work's own steps into 10, 20, … 90: each told once, in order, none left out."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        self._told = 0

    def __call__(self, percent: int) -> None:
        while self._told + 10 <= min(percent, 90):
            self._told += 10
            self._tell(self._told)


def render(order: Order, tell: Callable[[int], None]) -> Made:
    """Make the order's file; ``tell`` is called with each tenth of the way.

    Raises `Rejected` when the order can't be served.
    """
    step = Steps(tell)
    made = _made(order, step)
    step(90)
    return made


def _made(order: Order, step: Steps) -> Made:
    match order.type:
        case "CUT_OUT":
            photo = _reference(order, 0, "a photo to make a model of")
            return Made(png_of(cut_out(photo, step)), "image/png")
        case "DEPTH_MAP":
            depth = depth_of(outline(cutout_from(order.references[0])))
            return Made(depth_map_of(depth), "image/png")
        case "MODEL":
            # It takes a second to import, which a picture needn't wait for.
            from generator.studio.model import build

            cutout, depth_map = order.references
            glb = build(cutout_from(cutout), depth_from(depth_map), step)
            return Made(glb, "model/gltf-binary")
        case "VIDEO":
            return _video(order, step)
        case _:
            pixels = _pixels(order, step)
            step(90)
            content, content_type = encode(pixels, str(order.params.get("format", "png")))
            return Made(content, content_type, int(pixels.shape[1]), int(pixels.shape[0]))


def _video(order: Order, step: Steps) -> Made:
    # Like trimesh, the encoder takes its time to be imported.
    from generator.studio.reel import FPS, mp4, webp

    width, height = int(order.params["width"]), int(order.params["height"])
    size = (width, height)
    count = round(float(order.params["seconds"]) * FPS)
    scene = read(order.prompt, order.params.get("seed"))
    if order.references:
        photos = [decode(each) for each in order.references]
        pictures = parallax.frames(photos, scene, size, count, FPS, step)
    else:
        pictures = film.frames(scene, size, count, FPS, step)
    shown = _counted(pictures, count, step)
    if order.params["format"] == "webp":
        return Made(webp(shown), "image/webp", width, height)
    return Made(mp4(shown, size), "video/mp4", width, height)


def _counted(pictures: Iterator[Pixels], count: int, step: Steps) -> Iterator[Pixels]:
    for number, pixels in enumerate(pictures, 1):
        yield pixels
        step(30 + 60 * number // count)


def _pixels(order: Order, step: Steps) -> Pixels:
    seed = order.params.get("seed")
    match order.type:
        case "CREATE" | "IMAGE":
            width = int(order.params.get("width", DEFAULT_SIZE[0]))
            height = int(order.params.get("height", DEFAULT_SIZE[1]))
            scene = read(order.prompt, seed)
            # Each of several pictures has the seed after the one before.
            own = (scene.seed + int(order.params.get("number", 0))) % 2**63
            return paint_scene(replace(scene, seed=own), width, height, step)
        case "WHITE_BACKGROUND":
            return on_white(_reference(order, 0, "a photo to cut the subject out of"), step)
        case "CLOTHING_CHANGE":
            photo = _reference(order, 0, "a photo of the person to dress")
            cloth = decode(order.references[1]) if len(order.references) > 1 else None
            return change(photo, cloth, read(order.prompt, seed), step)
        case other:
            raise Rejected(f"The studio doesn't serve {other}.", code="invalid_input")


def _reference(order: Order, index: int, what: str) -> Pixels:
    if len(order.references) <= index:
        raise Rejected(f"{order.type} needs {what}.", code="invalid_input")
    return decode(order.references[index])
