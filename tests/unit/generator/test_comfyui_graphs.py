"""Graphs with places, and what the messages of a job mean."""

from __future__ import annotations

from typing import Any

import pytest

from generator.provider import Rejected, Unavailable
from generator.vendors.comfyui.graphs import Wanting, asked, filled, is_graph, weights_of
from generator.vendors.comfyui.messages import (
    File,
    GraphProgress,
    files,
    refusal_words,
    succeeded,
)


def graph(**inputs: Any) -> dict[str, Any]:
    return {"1": {"class_type": "Node", "inputs": inputs}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{seed}}", 7),
        ("{{ prompt }}", "a cat"),
        ("seed {{seed}} of {{prompt}}", "seed 7 of a cat"),
        ("{{steps|25}}", 25),
        ("{{cfg_scale|7.5}}", 7.5),
        ("{{sampler_name|euler}}", "euler"),
        ("{{negative_prompt|}}", ""),
        ("{{seed|1}}", 7),
        ("no place", "no place"),
        (3, 3),
        (["{{seed}}", ["{{prompt}}"]], [7, ["a cat"]]),
        ({"of": "{{seed}}"}, {"of": 7}),
    ],
)
def test_a_place_takes_its_value_with_its_type(text: Any, value: Any) -> None:
    values = {"seed": 7, "prompt": "a cat"}

    assert filled(graph(x=text), values)["1"]["inputs"]["x"] == value


def test_places_in_a_value_are_left_alone() -> None:
    told = filled(graph(text="{{prompt}}"), {"prompt": "{{seed}}", "seed": 7})

    assert told == graph(text="{{seed}}")


def test_a_place_without_value_and_default_is_wanting() -> None:
    with pytest.raises(Wanting) as wanting:
        filled(graph(image="{{image}}"), {})

    assert wanting.value.name == "image"
    assert asked(graph(a="{{image}} and {{seed|1}}", b=["{{prompt}}"])) == {
        *("image", "seed", "prompt")
    }


def test_what_the_editor_saves_is_no_graph() -> None:
    assert is_graph(graph())
    for other in ({}, [], {"nodes": [], "links": []}, {"1": {"class_type": "Node"}}):
        assert not is_graph(other)


def progress() -> GraphProgress:
    nodes = {"1": "Load", "2": "KSampler", "3": "Save"}
    parts = {each: {"class_type": kind, "inputs": {}} for each, kind in nodes.items()}
    return GraphProgress("job", weights_of(parts))


def test_states_of_nodes_make_a_percent_and_a_sampler_is_most_of_the_work() -> None:
    told = progress()
    half = {"value": 10, "max": 20, "state": "running"}

    told.hear("progress_state", {"prompt_id": "job", "nodes": {"1": {"state": "finished"}}})
    first = told.percent
    told.hear("progress_state", {"prompt_id": "job", "nodes": {"2": half, "9.0.1": half}})

    assert (first, told.percent) == (8, 50)


def test_older_messages_make_the_same_percent() -> None:
    told = progress()

    told.hear("executing", {"prompt_id": "job", "node": "1"})
    told.hear("executing", {"prompt_id": "job", "node": "2"})
    told.hear("progress", {"prompt_id": "job", "node": "2", "value": 10, "max": 20})
    before = told.percent
    told.hear("executing", {"prompt_id": "job", "node": "3"})
    told.hear("executing", {"node": "1"})

    assert (before, told.percent, told.ended) == (50, 99, False)


def test_cached_nodes_are_done_and_other_jobs_are_not_ours() -> None:
    told = progress()

    told.hear("execution_cached", {"prompt_id": "other", "nodes": ["1", "2"]})
    told.hear("execution_success", {"prompt_id": "other"})
    assert (told.percent, told.ended) == (0, False)

    told.hear("execution_cached", {"prompt_id": "job", "nodes": ["1", "2"]})
    told.hear("executing", {"prompt_id": "job", "node": None})
    assert (told.percent, told.ended) == (91, True)


def test_results_come_in_the_order_of_their_nodes() -> None:
    entry = {
        "outputs": {
            "10": {"images": [{"filename": "c.png", "subfolder": "s", "type": "output"}]},
            "9": {"images": [{"filename": "a.png"}, {"filename": "b.png"}], "text": ["words"]},
            "1": {"images": [{"filename": "shown.png", "type": "temp"}], "animated": [True]},
        },
        "status": {"status_str": "success"},
    }

    assert files(entry) == [
        File("a.png", "", "output"),
        File("b.png", "", "output"),
        File("c.png", "s", "output"),
    ]
    assert succeeded({"outputs": {}, "status": None})


def failed(kind: str, **about: Any) -> dict[str, Any]:
    return {"status": {"status_str": "error", "messages": [["execution_start", {}], [kind, about]]}}


def test_a_failure_is_the_graphs_or_the_servers() -> None:
    words = {"node_type": "KSampler", "exception_message": "a\n\nb", "exception_type": "ValueError"}
    with pytest.raises(Rejected, match=r"KSampler: a b$"):
        files(failed("execution_error", **words))
    with pytest.raises(Rejected, match="A node: it says no more"):
        files(failed("execution_error"))
    with pytest.raises(Unavailable, match="memory"):
        files(failed("execution_error", exception_type="torch.OutOfMemoryError"))
    with pytest.raises(Unavailable, match="interrupted"):
        files(failed("execution_interrupted"))


def test_an_answer_without_words_has_none() -> None:
    assert refusal_words(["a list"]) is None
    assert refusal_words({"error": "no_prompt", "node_errors": []}) == "no_prompt"
    assert refusal_words({"node_errors": {}}) is None
