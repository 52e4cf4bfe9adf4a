"""What JSON from outside may be: well formed, of bounded size and depth, storable. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from contracts.api import MAX_JSON_FIELD_BYTES
from gateway.refusals import FieldProblem, Refusal

MAX_DEPTH = 32
NUL_IN_JSON = b"\\u0000"
_LARGEST_INTEGER = 2**63 - 1
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def read_patch(body: bytes) -> dict[str, Any]:
    """The body of a metadata patch: a JSON object within the limits."""
    try:
        patch = _ANY.validate_json(body)
    except ValidationError as error:
        raise shape_refusal(error) from None
    if not isinstance(patch, dict):
        raise invalid([((), "a merge patch of metadata is a JSON object")])
    if NUL_IN_JSON in body:
        refuse_nul(patch)
    check_json(patch, ())
    return patch


def check_json(value: Mapping[str, Any], loc: tuple[str | int, ...]) -> None:
    """Refuse objects that are too large or too deep, or hold numbers that JSON can't carry."""
    if not value:
        return
    level: Iterable[Any] = value.values()
    for _ in range(MAX_DEPTH):
        deeper: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                deeper += each.values()
            elif isinstance(each, list):
                deeper += each
            elif not _is_portable(each):
                raise invalid([(loc, "numbers must be finite, integers within 64 bits")])
        if not deeper:
            break
        level = deeper
    else:
        raise invalid([(loc, f"nested more than {MAX_DEPTH} deep")])
    size = len(orjson.dumps(value))
    if size > MAX_JSON_FIELD_BYTES:
        raise invalid([(loc, f"{size} bytes as JSON, at most {MAX_JSON_FIELD_BYTES} are allowed")])


def refuse_nul(value: Any) -> None:
    """NUL characters can't be kept: refuse them wherever they are."""
    pending: list[tuple[tuple[str | int, ...], Any]] = [((), value)]
    while pending:
        loc, each = pending.pop()
        if isinstance(each, str):
            if "\0" in each:
                raise invalid([(loc, "NUL characters are not allowed")])
        elif isinstance(each, dict):
            for key, item in each.items():
                pending += [((*loc, "(key)"), key), ((*loc, key.replace("\0", "")), item)]
        elif isinstance(each, list):
            pending += [((*loc, at), item) for at, item in enumerate(each)]


_MOST_ERRORS = 20
"""An answer must not grow with the nonsense that was sent."""


def shape_refusal(error: ValidationError) -> Refusal:
    """The refusal of a body that pydantic did not take."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return Refusal("invalid_json", f"The body is not JSON. {found[0]['msg']}.")
    return invalid([(each["loc"], each["msg"]) for each in found])


def invalid(errors: list[FieldProblem]) -> Refusal:
    """The refusal of named fields, the first of them in full."""
    loc, message = errors[0]
    where = ".".join(map(str, loc))
    detail = f"{where}: {message}" if where else message
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return Refusal("invalid_request", f"{detail[:500]}{more}.", errors=errors[:_MOST_ERRORS])


def _is_portable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= _LARGEST_INTEGER
