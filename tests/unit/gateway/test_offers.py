"""What is made of an announcement."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.catalogue import read_offers
from gateway.refusals import Refusal


def announced(schema: Any, *types: str) -> bytes:
    offers = {each: {"title": "", "params_schema": schema} for each in types or ("CREATE",)}
    return json.dumps({"name": "studio", "offers": offers}).encode()


def test_an_offer_checks_the_parameters_it_was_announced_with() -> None:
    schema = {"properties": {"seed": {"type": "integer"}}, "required": ["seed"]}
    (offer,) = read_offers("studio", announced(schema))

    offer.check({"seed": 3, "service": "STUDIO"})
    for params in ({}, {"service": "STUDIO"}, {"seed": "3"}):
        with pytest.raises(Refusal, match="provider_params"):
            offer.check(params)


def test_a_request_without_parameters_passes_where_none_are_needed() -> None:
    (offer,) = read_offers("studio", announced({"type": "object"}))

    offer.check({})


def test_a_long_list_of_problems_is_cut() -> None:
    (offer,) = read_offers("studio", announced({"additionalProperties": {"type": "integer"}}))

    with pytest.raises(Refusal) as raised:
        offer.check({f"p{n}": "x" for n in range(50)})
    assert len(raised.value.errors) == 20


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b'{"name": "studio"}', b'{"name": "s", "offers": {"CREATE": 3}}']
)
def test_what_is_no_announcement_offers_nothing(value: bytes) -> None:
    assert read_offers("studio", value) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nonsense"},
        {"$ref": "https://elsewhere.example/schema.json"},
        {"$ref": "#/$defs/missing"},
        {"$ref": "file:///etc/passwd"},
    ],
)
def test_a_schema_that_can_not_be_used_is_left_out_and_fetched_from_nowhere(
    schema: dict[str, Any],
) -> None:
    assert read_offers("studio", announced(schema)) == []
