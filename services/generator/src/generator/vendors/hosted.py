"""Models that others wrote and somebody hosts: what they are given, and what they answer. Pure.

fal, Replicate and Cog pass a model's own fields on: nothing here knows any model.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from artifacts.media_headers import Format, format_of
from generator.provider import Job, Rejected

MOST_PICTURES = 16
_STEP = re.compile(r"(?<![\d.])(\d{1,3})%\|")
"""A bar of tqdm: `` 40%|████      | 4/10``."""
_PASSING = re.compile(
    r"retry|try again|interrupted|out of memory|timed? ?out|unavailable|overloaded", re.IGNORECASE
)
_MODERATED = re.compile(
    r"nsfw|flagged|sensitive|safety|policy|moderat|prohibited|different (prompt|input|image)",
    re.IGNORECASE,
)
"""Whoever is told so may well be asked to try again: not with the same."""
_MEDIA_TYPES: Mapping[Format | None, str] = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "iso-media": "video/mp4",
    "ebml": "video/webm",
}
_ENDINGS = {
    "image": ("png", "jpg", "jpeg", "webp", "gif", "avif"),
    "video": ("mp4", "webm", "mov", "gif"),
    "model": ("glb",),
}


@dataclass(frozen=True, slots=True)
class Link:
    """A file in an answer: an address, or the file itself in a ``data:`` URL."""

    url: str
    content_type: str | None = None

    def is_a(self, family: str) -> bool:
        """Whether it is an ``image``, a ``video`` or a ``model``, as far as its name tells."""
        if (self.content_type or "").startswith(f"{family}/"):
            return True
        if self.url.startswith("data:"):
            return self.url.startswith(f"data:{family}/")
        return urlsplit(self.url).path.lower().rpartition(".")[2] in _ENDINGS[family]


def params_schema(
    *, model: Mapping[str, Any] | None, references_in: str, is_required: bool = True
) -> dict[str, Any]:
    """The JSON Schema of ``provider_params``; ``model`` is that of its name, None if there is one.

    ``references_in`` is the field of a model that takes the reference images, if none is told.
    """
    named = {} if model is None else {"model": dict(model)}
    required = {"required": ["model"]} if model is not None and is_required else {}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "service": {
                "type": "string",
                "description": "The provider that shall serve the task.",
            },
            **named,
            "input": {
                "type": "object",
                "description": "The model's own fields, passed on as they are. `prompt` is the "
                "task's prompt, unless it is told here.",
            },
            "num_images": {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_PICTURES,
                "description": "How many pictures, of a model that makes several.",
            },
            "references_in": {
                "type": "string",
                "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
                "default": references_in,
                "description": "The field of `input` that takes the task's reference images; a "
                "list where it ends in s, or where there are several.",
            },
        },
        **required,
        "additionalProperties": False,
    }


def input_of(
    job: Job, links: Sequence[str], *, references_in: str, count_in: str
) -> dict[str, Any]:
    """The model's input: what the task told, completed by its prompt, number and references."""
    told = dict(job.params.get("input", {}))
    if job.prompt:
        told.setdefault("prompt", job.prompt)
    if "num_images" in job.params:
        told.setdefault(count_in, job.params["num_images"])
    if links:
        name = job.params.get("references_in", references_in)
        several = len(links) > 1 or name.endswith("s")
        told.setdefault(name, list(links) if several else links[0])
    return told


def percent_in(logs: str) -> int:
    """The percent of the last bar in what a model printed; 0 where it prints none."""
    steps = [int(each) for each in _STEP.findall(logs)]
    return min(steps[-1], 99) if steps else 0


def is_passing(error: str) -> bool:
    """Whether a model's error, which is free text, says nothing against the request."""
    return _PASSING.search(error) is not None and _MODERATED.search(error) is None


def links_in(told: Any, *, in_objects_only: bool = False) -> list[Link]:
    """The files in an answer, each once, in order.

    ``in_objects_only``: a file is an object with its ``url``; other addresses are just texts.
    """
    found: dict[str, Link] = {}
    for link in _links(told, in_objects_only):
        found.setdefault(link.url, link)
    return list(found.values())


def fitting(kind: str, links: Sequence[Link]) -> list[Link]:
    """Those that a task of this type is about; all, where none says that it is."""
    family = {"VIDEO": "video", "PHOTO_TO_3D": "model"}.get(kind, "image")
    return [each for each in links if each.is_a(family)] or list(links)


def _links(told: Any, in_objects_only: bool) -> Iterator[Link]:
    if isinstance(told, dict):
        url = told.get("url")
        if isinstance(url, str) and _is_address(url):
            content_type = told.get("content_type")
            yield Link(url, content_type if isinstance(content_type, str) else None)
            return
        for each in told.values():
            yield from _links(each, in_objects_only)
    elif isinstance(told, list):
        for each in told:
            yield from _links(each, in_objects_only)
    elif isinstance(told, str) and not in_objects_only and _is_address(told):
        yield Link(told)


def _is_address(text: str) -> bool:
    return text.startswith(("https://", "http://", "data:"))


def data_url(content: bytes, content_type: str) -> str:
    """A file as a text."""
    return f"data:{content_type};base64,{base64.b64encode(content).decode()}"


def data_of(url: str) -> tuple[bytes, str | None]:
    """The file in a ``data:`` URL (RFC 2397), and its media type. Raises `Rejected`."""
    head, comma, text = url.removeprefix("data:").partition(",")
    content_type, _, rest = head.partition(";")
    try:
        if not comma:
            raise ValueError(head)
        encoded = unquote_to_bytes(text)
        content = base64.b64decode(encoded) if rest.endswith("base64") else encoded
    except (ValueError, binascii.Error):
        raise Rejected("The model's answer has a file that can't be read.") from None
    return content, content_type.strip().lower() or None


def media_type(content: bytes) -> str:
    """What a reference is; that it may be one was checked when it was uploaded."""
    return _MEDIA_TYPES.get(format_of(content), "application/octet-stream")


def glb_or(content: bytes, content_type: str) -> str:
    """Hosts call 3D models all sorts of names; this one begins with its own."""
    return "model/gltf-binary" if content.startswith(b"glTF") else content_type
