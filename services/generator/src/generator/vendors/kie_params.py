"""What can be asked of Kie, and how that is said to it. Pure.

Kie resells models behind three kinds of endpoints, `Family`. Which fields a model takes is said
here for those with a name of their own; ``MARKET`` passes on what any other is given.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generator.provider import Rejected

MOST_PICTURES = 16


@dataclass(frozen=True, slots=True)
class Family:
    """Where jobs are created and asked for."""

    create: str
    record: str


FAMILIES: Mapping[str, Family] = {
    "market": Family("/api/v1/jobs/createTask", "/api/v1/jobs/recordInfo"),
    "veo": Family("/api/v1/veo/generate", "/api/v1/veo/record-info"),
    "mj": Family("/api/v1/mj/generate", "/api/v1/mj/record-info"),
}

_FAMILY_OF = {"VEO3": "veo", "MIDJOURNEY": "mj"}
_REFERENCES_IN = {"VEO3": "imageUrls", "MIDJOURNEY": "fileUrls", "SORA2": "image_urls"}
_MAKE_SEVERAL = frozenset({"google/imagen4-fast"})
"""Models that take ``num_images``; of others a picture is a job."""


@dataclass(frozen=True, slots=True)
class Order:
    """A task in Kie's words: ``jobs`` jobs of the same ``input``."""

    family: str
    model: str
    input: Mapping[str, Any]
    jobs: int
    references_in: str | None

    def body(self, references: Sequence[str], callback_url: str | None) -> dict[str, Any]:
        """What creates one of the jobs; ``references`` are links that Kie can read."""
        told = dict(self.input)
        if references and self.references_in is not None:
            told[self.references_in] = list(references)
        if self.family == "market":
            body: dict[str, Any] = {"model": self.model, "input": told}
        elif self.family == "veo":
            body = {"model": self.model, **told}
        else:
            body = told
        if callback_url is not None:
            body["callBackUrl"] = callback_url
        return body

    def is_of(self, record: Mapping[str, Any], callback_url: str | None) -> bool:
        """Whether the job that Kie tells of was created for this order, and for this task."""
        try:
            told = json.loads(record.get("param") or record.get("paramJson") or "")
        except (TypeError, ValueError):
            return False
        if not isinstance(told, dict) or told.get("callBackUrl", callback_url) != callback_url:
            return False
        fields = told.get("input", told)
        if self.family == "market" and told.get("model") != self.model:
            return False
        return isinstance(fields, dict) and fields.get("prompt") == self.input.get("prompt")


def order_of(kind: str, prompt: str | None, params: Mapping[str, Any], *, references: int) -> Order:
    """The order of a task of this type. Raises `Rejected`."""
    name = params.get("model") or ("VEO3" if kind == "VIDEO" else "IMAGEN4")
    told = {"prompt": prompt} if prompt else {}
    told |= params.get("input", {})
    references_in = _REFERENCES_IN.get(name)
    if name == "MARKET":
        references_in = params.get("references_in", "image_urls")
    if references and references_in is None:
        raise Rejected(
            "This model makes pictures from words alone. Choose another model for pictures.",
            code="invalid_input",
        )
    model = params.get("apiModel") or _default_model(name, references)
    wanted = int(params.get("num_images", 1))
    if name == "IMAGEN4":
        wanted = int(told.pop("num_images", wanted))
        if model in _MAKE_SEVERAL:
            told["num_images"] = str(wanted)
            wanted = 1
    if name == "MIDJOURNEY" and "taskType" not in told:
        still = "mj_img2img" if references else "mj_txt2img"
        told["taskType"] = "mj_video" if kind == "VIDEO" else still
    return Order(_FAMILY_OF.get(name, "market"), model, told, wanted, references_in)


def _default_model(name: str, references: int) -> str:
    if name == "SORA2":
        return "sora-2-image-to-video" if references else "sora-2-text-to-video"
    return {"VEO3": "veo3_fast", "MIDJOURNEY": "midjourney"}.get(name, "google/imagen4-fast")


def _text(description: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "description": description, **more}


def _links(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _fields(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


_PROMPT = _text("What to make. The task's prompt, unless it is told here.")
_NUM_IMAGES = {
    "description": "How many pictures.",
    "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": MOST_PICTURES},
        {"type": "string", "pattern": "^(?:[1-9]|1[0-6])$"},
    ],
}


def _model(name: str, **properties: Any) -> dict[str, Any]:
    return {
        "title": name,
        **_fields(
            service=_text("The provider that shall serve the task."),
            model={"const": name, "description": "The kind of model."},
            **properties,
        ),
    }


_IMAGEN4 = _model(
    "IMAGEN4",
    apiModel={
        "enum": ["google/imagen4-fast", "google/imagen4", "google/imagen4-ultra"],
        "default": "google/imagen4-fast",
        "description": "The model by Kie's name.",
    },
    num_images=_NUM_IMAGES,
    input=_fields(
        prompt=_PROMPT,
        negative_prompt=_text("What must not be seen."),
        aspect_ratio={"enum": ["1:1", "16:9", "9:16", "3:4", "4:3"]},
        num_images=_NUM_IMAGES,
        seed={"type": ["string", "integer"], "description": "The same seed, the same picture."},
    ),
)
_VEO3 = _model(
    "VEO3",
    apiModel={
        "enum": ["veo3", "veo3_fast", "veo3_lite"],
        "default": "veo3_fast",
        "description": "The model by Kie's name.",
    },
    input=_fields(
        prompt=_PROMPT,
        imageUrls=_links("Pictures to start from, beside the task's references."),
        aspect_ratio={"enum": ["16:9", "9:16", "Auto"]},
        generationType={
            "enum": ["TEXT_2_VIDEO", "FIRST_AND_LAST_FRAMES_2_VIDEO", "REFERENCE_2_VIDEO"]
        },
        seeds={"type": "integer", "minimum": 10000, "maximum": 99999},
        watermark=_text("A text to be put on the video."),
        enableTranslation={"type": "boolean"},
    ),
)
_SORA2 = _model(
    "SORA2",
    apiModel={
        "enum": [
            "sora-2-text-to-video",
            "sora-2-image-to-video",
            "sora-2-pro-text-to-video",
            "sora-2-pro-image-to-video",
        ],
        "description": "The model by Kie's name; by default as there are references or not.",
    },
    input=_fields(
        prompt=_PROMPT,
        image_urls=_links("Pictures to start from, beside the task's references."),
        aspect_ratio={"enum": ["landscape", "portrait"]},
        n_frames={"enum": ["10", "15"], "description": "Seconds."},
        size={"enum": ["standard", "high"], "description": "Of the pro models."},
        remove_watermark={"type": "boolean"},
    ),
)


def _midjourney(*task_types: str) -> dict[str, Any]:
    return _model(
        "MIDJOURNEY",
        apiModel={"const": "midjourney", "description": "The model by Kie's name."},
        input=_fields(
            prompt=_PROMPT,
            taskType={"enum": list(task_types), "description": "What to make of what."},
            fileUrls=_links("Pictures to start from, beside the task's references."),
            speed={"enum": ["relaxed", "fast", "turbo"]},
            aspectRatio=_text("Such as 16:9."),
            version=_text("Such as 7."),
            stylization={"type": "integer", "minimum": 0, "maximum": 1000},
            weirdness={"type": "integer", "minimum": 0, "maximum": 3000},
            variety={"type": "integer", "minimum": 0, "maximum": 100},
            ow={"type": "integer", "minimum": 1, "maximum": 1000},
            videoBatchSize={"enum": [1, 2, 4]},
            motion={"enum": ["low", "high"]},
            waterMark=_text("A text to be put on the result."),
            enableTranslation={"type": "boolean"},
        ),
    )


_MARKET = {
    **_model(
        "MARKET",
        apiModel=_text("A model of Kie's market, such as google/nano-banana.", minLength=1),
        input={"type": "object", "description": "The model's own fields, passed on as they are."},
        num_images={
            **_NUM_IMAGES,
            "description": "How many jobs; for models with a field of their own, say it there.",
        },
        references_in=_text(
            "The field of `input` that takes links to the task's references.",
            default="image_urls",
        ),
    ),
    "required": ["apiModel"],
}


def _schema(default: Mapping[str, Any], *others: Mapping[str, Any]) -> dict[str, Any]:
    """One of these by ``model``; not by ``oneOf``, which doesn't say where a mistake is."""
    models = (default, *others)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "model": {"enum": [each["title"] for each in models], "default": default["title"]}
        },
        "allOf": [
            {
                "if": {
                    "properties": {"model": {"const": each["title"]}},
                    "required": [] if each is default else ["model"],
                },
                "then": each,
            }
            for each in models
        ],
    }


IMAGE_PARAMS = _schema(
    _IMAGEN4,
    _midjourney("mj_txt2img", "mj_img2img", "mj_style_reference", "mj_omni_reference"),
    _MARKET,
)
VIDEO_PARAMS = _schema(_VEO3, _SORA2, _midjourney("mj_video", "mj_video_hd"), _MARKET)
