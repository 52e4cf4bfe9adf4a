"""Land: ranges in the haze, hills, dunes, woods at a distance, grass and flowers close by."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.canvas import Layer, Pen, Points
from generator.studio.colour import Colour, Image, darker, lighter, mix, rgb, smoothstep
from generator.studio.easel import Easel
from generator.studio.noise import field, line, peaks
from generator.studio.palette import lit


def below(easel: Easel, crest: Image) -> tuple[int, Image, Image]:
    """What lies under a crest line (width,) in pixels.

    Returns the first row, the antialiased mask and the depth under the crest as a share of the
    height, both (rows, width).
    """
    top = int(np.clip(np.floor(crest.min()) - 1, 0, easel.height - 1))
    rows = np.arange(top, easel.height, dtype=np.float32)[:, None]
    under = rows + np.float32(0.5) - crest[None, :].astype(np.float32)
    return top, np.clip(under + 0.5, 0, 1), np.maximum(under / np.float32(easel.height), 0)


def range_of_mountains(easel: Easel, base: float, rise: float, distance: float, name: str) -> None:
    """One range, its feet in mist. ``distance`` 1 is the farthest; ``base`` and ``rise`` are shares
    of the height."""
    easel.recede(distance)
    palette, rng = easel.palette, easel.rng(name)
    cells = (1.5 + 1.5 * (1 - distance)) * easel.width / easel.unit
    outline = peaks(rng, easel.width, cells)
    crest = (base - rise * outline) * easel.height
    top, mask, depth = below(easel, crest)
    rock = mix(mix(palette.near, palette.far, 0.42), palette.far, distance)
    rock = mix(rock, palette.haze, 0.5 * distance**1.5)
    faces = _faces(easel, mask.shape, crest, top, name)
    sunward = mix(rock, palette.glow, 0.44 - 0.2 * distance)
    dim = mix(rock * 0.8, rock, 0.6 * distance)
    shade = dim[None, None] + (sunward - dim) * faces[..., None]
    if distance > 0.3:
        ragged = depth + (faces - 0.5) * 0.045 + 0.02 * line(rng, easel.width, 20, 4)[None, :]
        reach = (0.55 if easel.season == "winter" else 0.3) * rise * outline[None, :] ** 2 + 0.002
        snow = smoothstep(reach, reach * 0.45, ragged) * smoothstep(0.34, 0.62, outline)[None, :]
        white = mix(lighter(palette.horizon, 0.55), palette.glow, 0.25) * (
            0.62 if palette.dark else 1
        )
        blue = mix(white, palette.far, 0.55)
        snowy = blue[None, None] + (white - blue) * smoothstep(0.25, 0.6, faces)[..., None]
        shade += (snowy - shade) * (snow * np.float32(0.92 - 0.25 * distance))[..., None]
    mist = smoothstep(rise * 0.2, rise * 0.95, depth)[..., None] * np.float32(0.6 + 0.3 * distance)
    shade += (palette.haze - shade) * mist
    easel.lay(mask, shade, 0, top)


def _faces(easel: Easel, shape: tuple[int, ...], crest: Image, top: int, name: str) -> Image:
    """How much each face of a range looks at the sun, 0..1: broad flanks with gullies."""
    rng = easel.rng(name + " faces")
    side = 1.0 if easel.sun_x < 0.5 else -1.0
    rows = np.arange(top, top + shape[0], dtype=np.float32)[:, None] - crest[None, :]
    columns = np.arange(easel.width, dtype=np.float32)[None, :]
    rough = (
        field(
            rng,
            (shape[0], easel.width),
            (4.4 * shape[0] / easel.unit, 13 * easel.width / easel.unit),
            5,
        )
        - 0.5
    )
    sideways = columns + (rough * 0.09 * easel.unit + rows * 0.3 * side)
    smooth = cv2.GaussianBlur(crest.astype(np.float32)[None], (0, 0), max(1.0, easel.unit / 75))
    slope = np.gradient(smooth[0]).astype(np.float32)[None]
    flank = cv2.remap(
        slope,
        sideways.astype(np.float32),
        np.zeros_like(sideways, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    gullies = cv2.Sobel(rough, cv2.CV_32F, 1, 0, ksize=3) * easel.unit * 0.009
    return np.asarray(
        np.clip(0.46 + side * (np.tanh(flank * 2.2) * 0.42 + gullies), 0, 1), np.float32
    )


def hills(
    easel: Easel, base: float, rise: float, colour: Colour, distance: float, name: str
) -> Image:
    """A rolling hill with soft light; returns its crest in pixels, (width,)."""
    easel.recede(distance)
    palette, rng = easel.palette, easel.rng(name)
    wave = line(rng, easel.width, 1.6 * max(1.0, easel.width / easel.unit), 3, 0.36)
    crest = (base - rise * (0.5 + 0.5 * wave)) * easel.height
    top, mask, depth = below(easel, crest.astype(np.float32))
    slope = np.gradient(
        cv2.GaussianBlur(crest.astype(np.float32)[None], (0, 0), easel.unit / 40)[0]
    )
    side = 1.0 if easel.sun_x < 0.5 else -1.0
    light = np.clip(0.5 + side * slope * 1.1, 0, 1)[None, :, None]
    grain = field(
        rng,
        (mask.shape[0], mask.shape[1]),
        (10 * mask.shape[0] / easel.unit, 6 * easel.width / easel.unit),
        5,
    )
    body = lit(colour, palette)
    bright, dark = mix(lighter(body, 0.16), palette.glow, 0.18), darker(body, 0.34)
    t = np.clip(light * np.exp(-depth / 0.3)[..., None] + (grain[..., None] - 0.5) * 0.75, 0, 1)
    shade = dark + (bright - dark) * t
    haze = (0.62 * distance + 0.3 * distance * smoothstep(0.0, 0.2, depth))[..., None]
    easel.lay(mask, shade + (palette.haze - shade) * haze, 0, top)
    return np.asarray(crest, np.float32)


def crop_rows(easel: Easel, crest: Image, colour: Colour, vanish: float) -> None:
    """Rows of a crop running from a vanishing point at ``vanish`` (share of the width)."""
    top, mask, depth = below(easel, crest)
    columns = np.arange(easel.width, dtype=np.float32)[None, :] - vanish * easel.width
    spread = columns / (depth * easel.height * 0.9 + easel.unit * 0.035)
    rng = easel.rng("rows")
    jitter = field(rng, (mask.shape[0], mask.shape[1]), (30, 30), 3) - 0.5
    rows = np.cos(spread * 9.0 + jitter * 1.4)
    fine = smoothstep(0.0, 0.06, depth)
    tuft = smoothstep(-0.25, 0.65, rows) * fine * mask
    body = lit(colour, easel.palette)
    easel.lay(
        tuft * np.float32(0.85),
        np.asarray(
            darker(body, 0.2)
            + (lighter(body, 0.3) - darker(body, 0.2))
            * smoothstep(0.1, 1.0, rows + jitter)[..., None],
            np.float32,
        ),
        0,
        top,
    )


def dunes(
    easel: Easel, base: float, rise: float, colour: Colour, distance: float, name: str
) -> None:
    """A dune with a knife-edge crest: the face towards the sun is bright, the other in shadow."""
    easel.recede(distance)
    palette, rng = easel.palette, easel.rng(name)
    wide = max(1.0, easel.width / easel.unit)
    outline = peaks(rng, easel.width, 1.1 * wide, 2)
    outline = cv2.GaussianBlur(outline[None], (0, 0), easel.unit * 0.022)[0]
    crest = ((base - rise * outline) * easel.height).astype(np.float32)
    top, mask, depth = below(easel, crest)
    slope = cv2.GaussianBlur(
        np.gradient(crest).astype(np.float32)[None], (0, 0), easel.unit * 0.006
    )
    side = 1.0 if easel.sun_x < 0.5 else -1.0
    columns = np.arange(easel.width, dtype=np.float32)[None, :]
    wobble = (field(rng, (mask.shape[0], mask.shape[1]), (4, 4), 3) - 0.5) * easel.unit * 0.1
    shear = columns - side * depth * easel.height * 0.75 + wobble
    facing = cv2.remap(
        slope,
        shear.astype(np.float32),
        np.zeros_like(shear, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )
    light = smoothstep(-0.03, 0.05, side * facing)
    body = lit(colour, palette)
    ripple = np.sin((depth * 190 + wobble / easel.unit * 60) / (0.25 + depth * 2.2)) * 0.05
    bright = mix(lighter(body, 0.2), palette.glow, 0.25)
    dark = mix(darker(body, 0.42), palette.far, 0.22)
    light = light + (0.6 - light) * np.clip(depth * 1.7, 0, 0.8) + 0.35 * np.exp(-depth / 0.006)
    shade = dark + (bright - dark) * np.clip(light + ripple * (0.4 + light), 0, 1)[..., None]
    shade += (palette.haze - shade) * np.float32(0.6 * distance)
    easel.lay(mask, shade.astype(np.float32), 0, top)


def wood(
    easel: Easel,
    crest: Image,
    colour: Colour,
    size: float,
    density: float,
    name: str,
    *,
    conifers: bool,
) -> None:
    """A row of trees standing on a crest: silhouettes, lighter on top. ``size`` in shares."""
    rng = easel.rng(name)
    reach = size * easel.unit
    count = int(easel.width / reach * 2.2 * density)
    shapes: list[Points] = []
    for x in np.sort(rng.random(count)) * easel.width:
        foot = float(crest[int(min(x, easel.width - 1))]) + reach * 0.14
        tall = reach * float(rng.uniform(0.5, 1.0))
        shapes.append(_conifer(x, foot, tall) if conifers else _round_tree(rng, x, foot, tall))
    layer = easel.picture
    body = lit(colour, easel.palette)
    for start in range(0, len(shapes), 12):
        tone = mix(body, darker(body, 0.4), float(rng.random()))
        layer.fill(shapes[start : start + 12], tone)


def _conifer(x: float, foot: float, tall: float) -> Points:
    points = [(x, foot - tall)]
    for i in range(1, 6):
        half = tall * 0.2 * i / 5
        y = foot - tall + tall * 0.95 * i / 5
        points += [(x + half, y), (x + half * 0.55, y - tall * 0.02)]
    left = [(2 * x - px, py) for px, py in reversed(points[1:])]
    return [*points, *left]


def _round_tree(rng: np.random.Generator, x: float, foot: float, tall: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 22, endpoint=False)
    radius = tall * 0.38 * (1 + rng.uniform(-0.16, 0.16, 22))
    return np.stack(
        [x + np.cos(angles) * radius, foot - tall * 0.5 + np.sin(angles) * radius * 1.1], axis=1
    )


def grass(
    easel: Easel, bottom_rise: float, colour: Colour, name: str, *, flowers: float = 0.0
) -> None:
    """Blades along the lower edge, dark in front; ``flowers`` is how many heads rise above them."""
    easel.recede(-0.35)
    rng, palette = easel.rng(name), easel.palette
    body = lit(colour, palette)
    for row, share in enumerate((0.55, 0.8, 1.0)):
        tall = bottom_rise * easel.height * share
        blades: list[Points] = []
        for x in (
            rng.random(int(90 * easel.width / easel.unit)) * easel.width * 1.1 - easel.width * 0.05
        ):
            height = tall * float(rng.uniform(0.35, 1.0))
            foot = easel.height + tall * 0.1
            lean = float(rng.normal(0.08, 0.24)) * height
            half = easel.unit * float(rng.uniform(0.0022, 0.0045))
            blades.append(
                [
                    (x - half, foot),
                    (x + lean * 0.35 - half * 0.7, foot - height * 0.6),
                    (x + lean, foot - height),
                    (x + lean * 0.4 + half * 0.7, foot - height * 0.58),
                    (x + half, foot),
                ]
            )
        tone = mix(
            mix(body, palette.glow, 0.1), mix(darker(body, 0.55), palette.near, 0.4), row / 2
        )
        for start in range(0, len(blades), 20):
            easel.picture.fill(blades[start : start + 20], darker(tone, float(rng.uniform(0, 0.3))))
        if flowers > 0 and row < 2:
            _heads(easel, rng, tall, flowers)


def _heads(easel: Easel, rng: np.random.Generator, tall: float, flowers: float) -> None:
    for _ in range(int(26 * flowers * easel.width / easel.unit)):
        petal = lit(
            easel.palette.petals[int(rng.integers(len(easel.palette.petals)))], easel.palette
        )
        petal = mix(petal, easel.palette.glow, 0.1)
        pen = Pen(
            easel.picture,
            rng.random() * easel.width,
            easel.height - tall * float(rng.uniform(0.45, 0.98)),
            easel.unit,
        )
        size = float(rng.uniform(0.006, 0.0125))
        for i in range(5):
            angle = 2 * np.pi * i / 5 + size * 900
            pen.ellipse(
                np.cos(angle) * size * 0.7,
                np.sin(angle) * size * 0.6,
                size * 0.62,
                size * 0.46,
                lighter(petal, 0.1 * (i % 3)),
            )
        pen.circle(0, 0, size * 0.34, rgb("#f7d56a") * easel.palette.light)


def meadow_flowers(easel: Easel, crest: Image, amount: float, name: str) -> None:
    """Specks of bloom over a hill, smaller towards its crest."""
    rng = easel.rng(name)
    layer: Layer = easel.picture
    for tone in easel.palette.petals:
        body = lit(tone, easel.palette)
        dots: list[Points] = []
        for _ in range(int(150 * amount * easel.width / easel.unit)):
            x = rng.random() * easel.width
            far = float(rng.random()) ** 1.6
            y0 = float(crest[int(x)])
            y = y0 + (easel.height - y0) * far
            r = easel.unit * (0.0012 + 0.0052 * far)
            dots.append([(x - r, y), (x, y - r * 0.8), (x + r, y), (x, y + r * 0.8)])
        for start in range(0, len(dots), 30):
            layer.fill(dots[start : start + 30], lighter(body, float(rng.uniform(0, 0.25))), 0.92)
