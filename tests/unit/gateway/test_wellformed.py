"""What JSON from outside may be."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import wellformed
from gateway.refusals import Refusal


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"end": 1}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def refusal_of(value: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as raised:
        wellformed.check_json(value, ("metadata",))
    return raised.value


def test_what_is_small_and_shallow_passes() -> None:
    wellformed.check_json({}, ("metadata",))
    wellformed.check_json({"a": [1, 2.5, None, True, "x", {"b": []}]}, ("metadata",))
    wellformed.check_json(nested(32), ("metadata",))
    wellformed.check_json({"a": "x" * (16 * 1024 - 8)}, ("metadata",))


def test_depth_and_size_are_bounded() -> None:
    assert refusal_of(nested(33)).errors == ((("metadata",), "nested more than 32 deep"),)
    assert "16385 bytes" in refusal_of({"a": "x" * (16 * 1024 - 7)}).detail


@pytest.mark.parametrize("number", [float("inf"), float("nan"), 2**63, -(2**63), 10**400])
def test_numbers_are_ones_that_every_reader_has(number: float) -> None:
    assert "finite" in refusal_of({"a": [number]}).detail


def test_a_patch_is_an_object() -> None:
    assert wellformed.read_patch(b'{"a": null}') == {"a": None}
    for body in (b"[]", b'"a"', b"null", b"3"):
        with pytest.raises(Refusal, match="invalid_request"):
            wellformed.read_patch(body)
    with pytest.raises(Refusal, match="invalid_json"):
        wellformed.read_patch(b"{")
    with pytest.raises(Refusal, match="NUL"):
        wellformed.read_patch(b'{"a": "\\u0000"}')
    assert wellformed.read_patch(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}


def test_the_place_of_a_nul_is_told() -> None:
    with pytest.raises(Refusal) as raised:
        wellformed.refuse_nul({"a": [1, {"b": "x\0"}]})
    assert raised.value.errors == ((("a", 1, "b"), "NUL characters are not allowed"),)


def test_an_answer_does_not_grow_with_the_nonsense_that_was_sent() -> None:
    refusal = wellformed.invalid([((f"x{n}",), "unknown") for n in range(1000)])

    assert len(refusal.errors or []) == 20
    assert "(999 more)" in refusal.detail
