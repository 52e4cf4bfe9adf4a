"""Graphs that need no model, so that any ComfyUI can run them."""

from __future__ import annotations

from typing import Any


def picture_graph(**save: Any) -> dict[str, Any]:
    """A graph that needs no model: the real server runs it, too."""
    empty = {"width": 48, "height": 32, "batch_size": "{{num_images|1}}", "color": "{{color|255}}"}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {
            "class_type": "SaveImage",
            "inputs": {"images": ["2", 0], "filename_prefix": "darkroom"},
            **save,
        },
    }


def photo_graph() -> dict[str, Any]:
    load = {"class_type": "LoadImage", "inputs": {"image": "{{image}}"}}
    return {**picture_graph(), "1": load}


def video_graph() -> dict[str, Any]:
    save = {
        "class_type": "SaveAnimatedWEBP",
        "inputs": {
            "images": ["2", 0],
            "filename_prefix": "darkroom",
            "fps": 6,
            "lossless": True,
            "quality": 80,
            "method": "default",
        },
    }
    empty = {"width": 48, "height": 32, "batch_size": 4, "color": "{{color|255}}"}
    return {
        **picture_graph(),
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "3": save,
    }
