"""Metadata changes by JSON Merge Patch (RFC 7396): a deep merge in which null removes."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.merge_patch import merge_patch

names = st.text("abcé", max_size=2)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=4)


def without_nulls(value: Any) -> Any:
    """The value as a document: nulls of objects are what a patch can't say."""
    if not isinstance(value, dict):
        return value
    return {name: without_nulls(each) for name, each in value.items() if each is not None}


documents = objects.map(without_nulls)


@pytest.mark.parametrize(
    ("original", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_rfc_7396_appendix_a(original: Any, patch: Any, result: Any) -> None:
    assert merge_patch(original, patch) == result


# The five cases of the deep merge that the product's plan asks for (phase 1, task 1.4).


def test_deep_merge_preserves_existing_fields() -> None:
    assert merge_patch({"status": "queued", "progress": 0}, {"progress": 10}) == {
        "status": "queued",
        "progress": 10,
    }


def test_new_fields_are_added_without_overwriting() -> None:
    assert merge_patch({"image_url": "/a.png"}, {"width": 512}) == {
        "image_url": "/a.png",
        "width": 512,
    }


def test_concurrent_updates_lose_no_data() -> None:
    before = {"status": "queued", "page": {"tab": 1}}
    one, other = {"starred": True, "page": {"zoom": 2}}, {"note": "nice", "page": {"tab": 3}}
    both = {"status": "queued", "starred": True, "note": "nice", "page": {"tab": 3, "zoom": 2}}

    assert merge_patch(merge_patch(before, one), other) == both
    assert merge_patch(merge_patch(before, other), one) == both


def test_nested_metadata_merges() -> None:
    before = {"page": {"tab": 1, "filter": {"colour": "red", "size": "l"}}}

    assert merge_patch(before, {"page": {"filter": {"size": "m"}}}) == {
        "page": {"tab": 1, "filter": {"colour": "red", "size": "m"}}
    }


@pytest.mark.parametrize(
    ("before", "patch", "result"),
    [
        ({}, {}, {}),
        ({}, {"a": 1}, {"a": 1}),
        ({"a": 1}, {}, {"a": 1}),
        (None, {"a": 1}, {"a": 1}),
        ({"a": 1}, {"a": None}, {}),
        ({"a": 1}, {"b": None}, {"a": 1}),
    ],
)
def test_null_and_empty_metadata_are_handled(before: Any, patch: Any, result: Any) -> None:
    assert merge_patch(before, patch) == result


# Laws


@given(values, values)
def test_a_patch_told_twice_counts_once(target: Any, patch: Any) -> None:
    once = merge_patch(target, patch)

    assert merge_patch(once, patch) == once


@given(objects)
def test_an_empty_patch_changes_nothing(target: dict[str, Any]) -> None:
    assert merge_patch(target, {}) == target


@given(documents)
def test_a_document_patched_into_nothing_is_itself(document: dict[str, Any]) -> None:
    assert merge_patch({}, document) == document


@given(objects, objects)
def test_null_removes_and_nothing_else_does(target: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge_patch(target, patch)

    removed = {name for name, value in patch.items() if value is None}
    assert merged.keys() == (target.keys() | patch.keys()) - removed


@given(objects, objects, objects)
def test_patches_of_different_keys_commute_and_both_survive(
    target: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    one = {f"1{name}": value for name, value in one.items()}
    other = {f"2{name}": value for name, value in other.items()}

    merged = merge_patch(merge_patch(target, one), other)

    assert merged == merge_patch(merge_patch(target, other), one)
    assert {name: merged[name] for name in without_nulls(one)} == merge_patch({}, one)
    assert {name: merged[name] for name in without_nulls(other)} == merge_patch({}, other)


@given(documents, objects)
def test_a_merged_document_holds_no_nulls(target: dict[str, Any], patch: dict[str, Any]) -> None:
    merged = merge_patch(target, patch)

    assert merged == without_nulls(merged)


@given(values, values)
def test_neither_argument_is_changed(target: Any, patch: Any) -> None:
    before = copy.deepcopy((target, patch))

    merge_patch(target, patch)

    assert (target, patch) == before
