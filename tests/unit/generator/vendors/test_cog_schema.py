"""What a model in a container of Cog is given: what it takes, and nothing that it would drop."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.testing import a_job
from generator.provider import Rejected
from generator.vendors.cog_schema import fields_of, model_input, streams_by


def schema(*fields: str, post: object = None) -> dict[str, Any]:
    model = {"type": "object", "properties": {each: {} for each in fields}}
    return {
        "paths": {"/predictions": {"post": post}},
        "components": {"schemas": {"Input": model}},
    }


@pytest.mark.parametrize(
    ("fields", "params", "told"),
    [
        (["prompt"], {}, {"prompt": "a cat"}),
        (["image"], {}, {}),
        (["prompt"], {"num_images": 1}, {"prompt": "a cat"}),
        (["num_images"], {"num_images": 2}, {"num_images": 2}),
        (["num_outputs", "num_images"], {"num_images": 2}, {"num_outputs": 2}),
        (["text"], {"input": {"text": "a dog"}}, {"text": "a dog"}),
    ],
)
async def test_a_model_is_given_what_it_takes(
    fields: list[str], params: dict[str, Any], told: dict[str, Any]
) -> None:
    job = a_job("IMAGE", prompt="a cat", params=params)
    assert await model_input(job, schema(*fields)) == told


@pytest.mark.parametrize(
    ("params", "references"),
    [
        ({"num_images": 2}, {}),
        ({"input": {"prompt": "a dog"}}, {}),
        ({"references_in": "photo"}, {"photo": b"\xff\xd8"}),
        ({}, {"photo": b"\xff\xd8"}),
    ],
)
async def test_what_a_model_would_drop_in_silence_is_refused(
    params: dict[str, Any], references: dict[str, bytes]
) -> None:
    job = a_job("IMAGE", prompt="a cat", params=params, references=references)
    with pytest.raises(Rejected, match="It takes: text"):
        await model_input(job, schema("text"))


def test_a_schema_tells_whether_predictions_can_be_listened_to() -> None:
    assert streams_by(schema(post={"x-cog-streaming": True}))
    assert not streams_by(schema(post={}))
    assert not streams_by({})
    assert fields_of({"components": None}) == {}
