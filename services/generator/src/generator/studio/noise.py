"""Fractal noise: the same shapes at every resolution, from a seeded generator."""

from __future__ import annotations

import cv2
import numpy as np

from generator.studio.colour import Image

Generator = np.random.Generator


def field(
    rng: Generator, shape: tuple[int, int], cells: tuple[float, float], octaves: int
) -> Image:
    """Fractal noise of ``shape`` (height, width), roughly 0..1 with mean 0.5.

    ``cells`` (rows, columns) is how many bumps the coarsest octave has over the picture.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    reach = 0.0
    for octave in range(octaves):
        rows = max(2, round(cells[0] * 2**octave))
        columns = max(2, round(cells[1] * 2**octave))
        weight = 0.5**octave
        grid = rng.random((rows + 3, columns + 3), np.float32)
        if rows < height * 1.5 or columns < width * 1.5:
            large = cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
            total += np.float32(weight) * large
            reach += weight
    total /= np.float32(max(reach, 1e-6))
    return np.asarray((total - 0.5) * 1.35 + 0.5, np.float32)


def line(rng: Generator, length: int, cells: float, octaves: int, roughness: float = 0.5) -> Image:
    """One-dimensional fractal noise, (length,), roughly -1..1."""
    total = np.zeros(length, np.float32)
    for octave in range(octaves):
        knots = max(3, round(cells * 2**octave)) + 3
        values = rng.uniform(-1, 1, knots).astype(np.float32)
        at = np.linspace(1, knots - 2, length, dtype=np.float32)
        left = np.clip(at.astype(np.int32), 1, knots - 3)
        t = at - left
        smooth = t * t * (3 - 2 * t)
        total += (values[left] * (1 - smooth) + values[left + 1] * smooth) * roughness**octave
    return total


def peaks(rng: Generator, length: int, cells: float, octaves: int = 7) -> Image:
    """A mountain range's outline, (length,), 0 (valley) .. 1 (summit), with sharp tops."""
    total = np.zeros(length, np.float32)
    weight = 1.0
    for octave in range(octaves):
        knots = max(2, round(cells * 1.9**octave)) * 2 + 1
        heights = rng.random(knots).astype(np.float32)
        heights[::2] *= 0.45
        heights[1::2] = 0.4 + 0.6 * heights[1::2]
        where = np.linspace(0, 1, knots) + rng.uniform(-0.28, 0.28, knots) / knots
        total += weight * np.interp(np.linspace(0, 1, length), where, heights).astype(np.float32)
        weight *= 0.4
    total -= total.min()
    return np.asarray((total / max(float(total.max()), 1e-6)) ** 1.25, np.float32)


def speckle(rng: Generator, shape: tuple[int, int]) -> Image:
    """White noise, mean 0 and deviation 1, made from a tile so that it costs little."""
    height, width = shape
    tile = rng.standard_normal((min(height, 512), min(width, 512)), np.float32)
    repeats = (-(-height // tile.shape[0]), -(-width // tile.shape[1]))
    return np.asarray(np.tile(tile, repeats)[:height, :width], np.float32)
