"""Photographs drawn for tests: a subject of known colour on a known background."""

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

RED = (196, 44, 40)
GREEN_SHIRT = (84, 140, 76)
SKIN = (214, 160, 130)


def ball_photo(width: int = 160, height: int = 120, *, busy: bool = False) -> Pixels:
    """A red ball in the middle of a grey studio, or of a blurred landscape."""
    rng = np.random.default_rng(5)
    rows = np.linspace(0, 1, height)[:, None, None]
    if busy:
        sky, grass = np.array((120.0, 170, 220)), np.array((90.0, 130, 70))
        photo = np.where(rows < 0.55, sky, grass) * np.ones((1, width, 1))
        blotches = cv2.resize(rng.uniform(-22, 22, (6, 8)).astype(np.float32), (width, height))
        photo = photo + blotches[..., None]
    else:
        photo = np.array((206.0, 208, 212)) * (1 - 0.15 * rows) * np.ones((1, width, 1))
    disc = np.zeros((height, width), np.uint8)
    cv2.circle(disc, (width // 2, height // 2), height // 4, 255, -1, cv2.LINE_AA)
    soft = disc[..., None] / 255
    photo = photo * (1 - soft) + np.array(RED) * (1.1 - 0.3 * rows) * soft
    return np.clip(photo + rng.normal(0, 2, photo.shape), 0, 255).astype(np.uint8)


def person_photo(width: int = 180, height: int = 220) -> Pixels:
    """Someone in a green shirt with folds, before a grey wall."""
    rng = np.random.default_rng(9)
    photo = np.full((height, width, 3), (206.0, 210.0, 214.0))
    unit = height / 1100

    def lay(shape: npt.NDArray[np.uint8], colour: tuple[int, int, int], folds: float) -> None:
        nonlocal photo
        soft = cv2.GaussianBlur(shape, (0, 0), 0.7)[..., None] / 255
        waves = 1 + folds * np.sin(np.arange(width) / width * 60)[None, :, None]
        photo = photo * (1 - soft) + np.array(colour) * waves * soft

    def polygon(*points: tuple[int, int]) -> npt.NDArray[np.uint8]:
        shape = np.zeros((height, width), np.uint8)
        cv2.fillPoly(shape, [(np.array(points) * unit).astype(np.int32)], 255)
        return shape

    def oval(x: int, y: int, rx: int, ry: int) -> npt.NDArray[np.uint8]:
        shape = np.zeros((height, width), np.uint8)
        centre = (int(x * unit), int(y * unit))
        cv2.ellipse(shape, centre, (int(rx * unit), int(ry * unit)), 0, 0, 360, 255, -1)
        return shape

    lay(polygon((370, 690), (530, 690), (530, 1099), (370, 1099)), (50, 60, 90), 0.05)
    shirt = polygon(
        (340, 400),
        (560, 400),
        (640, 470),
        (660, 700),
        (580, 700),
        (570, 760),
        (330, 760),
        (320, 700),
        (240, 700),
        (260, 470),
    )
    lay(shirt, GREEN_SHIRT, 0.18)
    lay(
        oval(450, 270, 80, 105) | polygon((420, 340), (480, 340), (480, 420), (420, 420)), SKIN, 0.0
    )
    lay(oval(450, 190, 84, 42), (60, 40, 30), 0.0)
    return np.clip(photo + rng.normal(0, 2, photo.shape), 0, 255).astype(np.uint8)


def sitter_photo(side: int = 400) -> Pixels:
    """Head and shoulders of someone with dark hair in an orange jacket, which the lower side cuts
    off, before a mottled wall with a red curtain on the left."""
    rng = np.random.default_rng(4)
    wall = cv2.resize(rng.uniform(-14, 14, (7, 7)).astype(np.float32), (400, 400))
    photo = np.full((400, 400, 3), (196.0, 190.0, 182.0)) + wall[..., None]
    photo[:, :50] = (150, 30, 44)
    canvas = np.clip(photo, 0, 255).astype(np.uint8)

    def oval(x: int, y: int, rx: int, ry: int, colour: tuple[int, int, int]) -> None:
        cv2.ellipse(canvas, (x, y), (rx, ry), 0, 0, 360, colour, -1, cv2.LINE_AA)

    oval(200, 100, 64, 74, (74, 52, 38))
    cv2.rectangle(canvas, (180, 165), (220, 225), (196, 144, 116), -1)
    oval(200, 120, 46, 62, SKIN)
    for x in (181, 219):
        oval(x, 108, 10, 5, (240, 236, 230))
        oval(x, 108, 5, 5, (50, 36, 30))
        oval(x, 96, 13, 3, (84, 58, 42))
    oval(200, 128, 6, 10, (200, 142, 114))
    oval(200, 153, 18, 5, (170, 80, 78))
    jacket = [(178, 212), (222, 212), (300, 240), (330, 300), (336, 399), (64, 399), (70, 300)]
    cv2.fillPoly(canvas, [np.array([*jacket, (100, 240)])], (216, 96, 40), cv2.LINE_AA)
    noisy = canvas + rng.normal(0, 3, canvas.shape)
    whole = np.clip(noisy, 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def file_of(pixels: Pixels, name: str = "PNG", **options: object) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, name, **options)
    return target.getvalue()


def opened(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def hue_share(pixels: Pixels, low: int, high: int) -> float:
    """Which share of the picture is vivid and has a hue of ``low``..``high`` degrees."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV).astype(np.int32)
    hue, vivid = hsv[..., 0] * 2, (hsv[..., 1] > 110) & (hsv[..., 2] > 70)
    inside = (hue >= low) & (hue <= high) if low <= high else (hue >= low) | (hue <= high)
    return float((inside & vivid).mean())
