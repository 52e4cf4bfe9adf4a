"""What models of hosts are given, and which files there are in what they answer."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.testing import a_job
from generator.provider import Rejected
from generator.vendors.hosted import (
    Link,
    data_of,
    data_url,
    fitting,
    input_of,
    is_passing,
    links_in,
    media_type,
    percent_in,
)


@pytest.mark.parametrize(
    ("params", "links", "told"),
    [
        ({}, [], {"prompt": "a cat"}),
        ({"input": {"prompt": "a dog"}}, [], {"prompt": "a dog"}),
        ({"num_images": 3}, [], {"prompt": "a cat", "n": 3}),
        ({"num_images": 3, "input": {"n": 4}}, [], {"prompt": "a cat", "n": 4}),
        ({}, ["a"], {"prompt": "a cat", "image": "a"}),
        ({}, ["a", "b"], {"prompt": "a cat", "image": ["a", "b"]}),
        ({"references_in": "images"}, ["a"], {"prompt": "a cat", "images": ["a"]}),
        ({"input": {"image": "mine"}}, ["a"], {"prompt": "a cat", "image": "mine"}),
    ],
)
def test_a_models_input_is_what_was_told_completed_by_the_task(
    params: dict[str, Any], links: list[str], told: dict[str, Any]
) -> None:
    job = a_job("IMAGE", prompt="a cat", params=params)
    assert input_of(job, links, references_in="image", count_in="n") == told


@pytest.mark.parametrize(
    ("logs", "percent"),
    [
        ("", 0),
        ("loading 50% of it", 0),
        (" 40%|████      | 4/10", 40),
        ("  0%|   | 0/4\n 25%|█  | 1/4\n 50%|██ | 2/4", 50),
        ("100%|██████████| 4/4", 99),
        ("12.5%|", 0),
    ],
)
def test_progress_is_the_last_bar_that_was_printed(logs: str, percent: int) -> None:
    assert percent_in(logs) == percent


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (None, []),
        ("a text", []),
        ("https://host/a.png", [Link("https://host/a.png")]),
        (["https://host/a.png", "https://host/a.png"], [Link("https://host/a.png")]),
        (
            {"seed": 1, "video": {"url": "https://host/v", "content_type": "video/mp4"}},
            [Link("https://host/v", "video/mp4")],
        ),
        ({"a": {"b": ["data:text/plain,x"]}}, [Link("data:text/plain,x")]),
    ],
)
def test_files_are_found_wherever_they_are(told: object, found: list[Link]) -> None:
    assert links_in(told) == found


def test_an_address_in_a_prompt_is_no_file_where_files_are_objects() -> None:
    told = {"prompt": "https://host/page", "image": {"url": "https://host/a.png"}}
    assert links_in(told, in_objects_only=True) == [Link("https://host/a.png")]


@pytest.mark.parametrize(
    ("kind", "chosen"),
    [("IMAGE", ["https://host/a.PNG?x=1"]), ("VIDEO", ["v"]), ("PHOTO_TO_3D", ["m.glb"])],
)
def test_only_files_of_the_kind_that_was_asked_for_are_taken(kind: str, chosen: list[str]) -> None:
    links = [Link("https://host/a.PNG?x=1"), Link("v", "video/mp4"), Link("m.glb")]
    assert [each.url for each in fitting(kind, links)] == chosen


def test_where_no_file_tells_its_kind_all_are_taken() -> None:
    links = [Link("https://host/1"), Link("https://host/2")]
    assert fitting("IMAGE", links) == links


def test_a_file_in_a_url_comes_out_as_it_went_in() -> None:
    assert data_of(data_url(b"\x00\xff", "image/png")) == (b"\x00\xff", "image/png")
    assert data_of("data:,a%20text") == (b"a text", None)


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:image/png;base64,a"])
def test_a_file_that_can_not_be_read_is_told(url: str) -> None:
    with pytest.raises(Rejected):
        data_of(url)


@pytest.mark.parametrize(
    "error",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "Prediction interrupted; please retry (code: PA)",
        "The service is temporarily unavailable",
        "Request timed out",
    ],
)
def test_an_error_by_chance_may_not_come_again(error: str) -> None:
    assert is_passing(error)


@pytest.mark.parametrize(
    "error",
    [
        "",
        "prompt is too long",
        "NSFW content detected. Try running it again, or try a different prompt.",
        "The output was flagged as sensitive. Please try again with different inputs. (E005)",
    ],
)
def test_moderation_is_not_paid_for_again_whatever_it_advises(error: str) -> None:
    assert not is_passing(error)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"\0\0\0\x18ftypmp42", "video/mp4"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"text", "application/octet-stream"),
    ],
)
def test_a_reference_is_named_by_what_it_is(content: bytes, told: str) -> None:
    assert media_type(content) == told
