"""What a figure is painted with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.studio.colour import Colour, luminance, rgb
from generator.studio.noise import Generator


@dataclass(frozen=True, slots=True)
class Ink:
    """The named colour of a subject, if it has one, and the colours of the scene around it."""

    rng: Generator
    colour: Colour | None
    leaves: tuple[Colour, ...]
    petals: tuple[Colour, ...]
    dark: bool = False
    """Lamps and windows are lit."""
    snowy: bool = False

    def main(self, code: str) -> Colour:
        """The named colour, or this default."""
        return rgb(code) if self.colour is None else self.colour

    def contrast(self, code: str) -> Colour:
        """A second colour that stands out from the named one."""
        second = rgb(code)
        if self.colour is None or float(np.linalg.norm(second - self.colour)) > 0.38:
            return second
        return rgb("#f4efe4") if luminance(self.colour) < 0.55 else rgb("#3a3f4c")

    def glass(self) -> Colour:
        return rgb("#ffd98a") if self.dark else rgb("#a9cfe0")
