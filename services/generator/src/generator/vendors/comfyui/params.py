"""``provider_params`` of ComfyUI, and the graph and values that they stand for. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from generator.provider import Job, Offer, Rejected
from generator.vendors.comfyui.graphs import Graph, Value, Wanting, asked, filled

_TEXT_TO_IMAGE, _IMAGE_TO_IMAGE, _VIDEO = "txt2img", "img2img", "video"
_OWN_WORDS = ("service", "template", "graph", "input")
_IMAGE = re.compile(r"image(_\d+)?")
_INVALID = "invalid_input"


def _number(kind: str, least: float, most: float, text: str) -> Mapping[str, Any]:
    return {"type": kind, "minimum": least, "maximum": most, "description": text}


def _text(text: str) -> Mapping[str, Any]:
    return {"type": "string", "maxLength": 4000, "description": text}


_VALUES: Mapping[str, Any] = {
    "model": _text("The checkpoint, as the server lists it; its first one if none is named."),
    "negative_prompt": _text("What the picture should not show."),
    "seed": _number("integer", 0, 2**53 - 1, "The same graph and seed give the same picture."),
    "steps": _number("integer", 1, 200, "Steps of the sampler."),
    "width": _number("integer", 16, 4096, "Pixels."),
    "height": _number("integer", 16, 4096, "Pixels."),
    "cfg_scale": _number("number", 0, 100, "How closely the prompt is kept to."),
    "sampler_name": _text("The sampler, as the server lists it."),
    "scheduler": _text("The scheduler, as the server lists it."),
    "denoising_strength": _number("number", 0, 1, "How much of a reference picture is changed."),
    "num_images": _number("integer", 1, 16, "How many pictures to make."),
}


def _schema(templates: Mapping[str, Graph], default: str) -> Mapping[str, Any]:
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "service": {"type": "string", "description": "The provider that shall serve the task."},
            "template": {
                "type": "string",
                "enum": sorted(templates),
                "description": "A graph that the deployment keeps, by its name.",
            },
            "graph": {
                "type": "object",
                "minProperties": 1,
                "description": "A graph of your own in ComfyUI's API format, with {{prompt}} and "
                "other values in their places.",
                "additionalProperties": {
                    "type": "object",
                    "required": ["class_type", "inputs"],
                    "properties": {
                        "class_type": {"type": "string"},
                        "inputs": {"type": "object"},
                        "_meta": {"type": "object"},
                    },
                    "additionalProperties": False,
                },
            },
            "input": {
                "type": "object",
                "description": "More values for the places of the graph, by name.",
                "propertyNames": {"pattern": "^[a-z][a-z0-9_]*$"},
                "additionalProperties": {"type": ["string", "number", "boolean"]},
            },
            **_VALUES,
        },
        "not": {"required": ["graph", "template"]},
    }
    if default not in templates:
        schema["anyOf"] = [{"required": ["graph"]}, {"required": ["template"]}]
    return schema


def offers(templates: Mapping[str, Graph]) -> Mapping[str, Offer]:
    """What can be asked for with these templates. A video takes a graph that makes one."""
    pictures = _schema(templates, _TEXT_TO_IMAGE)
    return {
        "CREATE": Offer(pictures, "A picture by a graph of ComfyUI"),
        "IMAGE": Offer(pictures, "Pictures by a graph of ComfyUI"),
        "VIDEO": Offer(_schema(templates, _VIDEO), "A video by a graph of ComfyUI"),
    }


def graph_of(job: Job, templates: Mapping[str, Graph]) -> Graph:
    """The graph of a task, its places open. Raises `Rejected`."""
    own = job.params.get("graph")
    if own is not None:
        return dict(own)
    usual = _IMAGE_TO_IMAGE if job.reference_images else _TEXT_TO_IMAGE
    name = job.params.get("template") or (_VIDEO if job.type == "VIDEO" else usual)
    if name not in templates:
        raise Rejected(f"ComfyUI has no graph {name!r} here.", code=_INVALID)
    return templates[name]


def values_of(job: Job) -> dict[str, Value]:
    """What a task gives to the places of its graph, but for its pictures."""
    values: dict[str, Value] = {
        name: value for name, value in job.params.items() if name not in _OWN_WORDS
    }
    values |= job.params.get("input", {})
    if job.prompt is not None:
        values.setdefault("prompt", job.prompt)
    return values


def check(job: Job, graph: Graph) -> None:
    """Raises `Rejected` for what was given and has no place, or has one and wasn't given."""
    places = asked(graph)
    names = {*(name for name in job.params if name not in _OWN_WORDS), *job.params.get("input", {})}
    if unknown := sorted(names - places):
        raise Rejected(f"This graph has no place for {unknown[0]}.", code=_INVALID)
    pictures = [name for name in places if _IMAGE.fullmatch(name)]
    if len(job.reference_images) > len(pictures):
        raise Rejected(
            f"This graph takes {len(pictures)} reference pictures, not "
            f"{len(job.reference_images)}.",
            code=_INVALID,
        )


def completed(job: Job, graph: Graph, values: Mapping[str, Value]) -> dict[str, Any]:
    """The graph to run. The seed follows from the task: a job done again makes the same picture.

    It has 32 bits: many nodes take no more.
    """
    seed = int.from_bytes(hashlib.sha256(job.task_id.encode()).digest()[:4])
    try:
        return filled(graph, {"seed": seed, **values})
    except Wanting as wanting:
        what = "a reference picture" if _IMAGE.fullmatch(wanting.name) else wanting.name
        raise Rejected(f"This graph asks for {what}.", code=_INVALID) from None


def picture_places(count: int) -> list[str]:
    """The names under which a graph takes so many reference pictures."""
    return ["image", *(f"image_{number}" for number in range(2, count + 1))][:count]
