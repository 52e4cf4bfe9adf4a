"""What a model in a container of Cog takes, by the schema that was built with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generator.provider import Job, Rejected
from generator.vendors.hosted import data_url, input_of, media_type

REFERENCES_IN = "image"
_COUNTS_IN = ("num_outputs", "num_images")


def streams_by(schema: Mapping[str, Any]) -> bool:
    """Whether predictions of the model can be listened to."""
    return bool(_at(schema, "paths", "/predictions", "post").get("x-cog-streaming"))


async def model_input(job: Job, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The model's input. Cog leaves out in silence what a model doesn't take: here it is told."""
    fields = fields_of(schema)
    links = []
    for each in job.reference_images:
        content = await job.fetch(each)
        links.append(data_url(content, media_type(content)))
    count_in = next((each for each in _COUNTS_IN if each in fields), _COUNTS_IN[0])
    told = input_of(job, links, references_in=REFERENCES_IN, count_in=count_in)
    if "prompt" not in fields and "prompt" not in job.params.get("input", {}):
        told.pop("prompt", None)
    if told.get(count_in) == 1 and count_in not in fields:
        del told[count_in]
    unknown = sorted(told.keys() - fields.keys())
    if unknown:
        raise Rejected(
            f"The model at cog takes no {', '.join(unknown)}. It takes: {', '.join(fields)}."
        )
    return told


def fields_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of the model's input; none where the schema doesn't tell."""
    return _at(schema, "components", "schemas", "Input", "properties")


def _at(told: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for each in path:
        inner = told.get(each)
        told = inner if isinstance(inner, dict) else {}
    return told
