"""openapi.json is checked in, current, and complete."""

import json
from pathlib import Path

import pytest

from contracts.generation_types import GENERATION_TYPES
from gateway import generate
from gateway.refusals import REFUSALS

ROOT = Path(__file__).parents[3]


def test_the_checked_in_document_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().err == ""


def test_a_stale_document_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert generate.main(["--check", "--root", str(tmp_path)]) == 1
    assert "openapi.json is stale" in capsys.readouterr().err


def test_writing_makes_it_current(tmp_path: Path) -> None:
    assert generate.main(["--root", str(tmp_path)]) == 0
    for name in ("openapi.json", "docs/errors.md"):
        assert (tmp_path / name).read_text() == (ROOT / name).read_text()
    assert generate.main(["--check", "--root", str(tmp_path)]) == 0


def test_it_is_openapi_3_1_with_every_call_of_the_gateway() -> None:
    made = json.loads((ROOT / "openapi.json").read_text())

    assert made["openapi"].startswith("3.1")
    assert set(made["paths"]) >= {
        "/tasks",
        "/tasks/processing",
        "/tasks/{task_id}",
        "/tasks/{task_id}/cancel",
        "/tasks/{task_id}/retry",
        "/tasks/{task_id}/metadata",
        "/tasks/{task_id}/events",
        "/api/generation/tasks",
        "/uploads",
        "/uploads/{upload_id}",
        "/artifacts/{key}",
        "/generation-types",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    for kind in GENERATION_TYPES.values():
        for stage in kind.stages:
            assert f"`{stage}`" in made["info"]["description"]


@pytest.mark.parametrize("path", ["/uploads/{upload_id}", "/artifacts/{key}"])
def test_a_file_is_told_to_be_had_in_parts_and_only_when_it_is_new(path: str) -> None:
    told = json.loads((ROOT / "openapi.json").read_text())["paths"][path]["get"]

    headers = {each["name"] for each in told["parameters"] if each["in"] == "header"}
    assert headers == {"Range", "If-Range", "If-None-Match", "If-Modified-Since"}
    assert set(told["responses"]) == {"200", "206", "304", "401", "404", "416", "422", "503"}
    assert set(told["responses"]["206"]["headers"]) == {"ETag", "Content-Range"}
    assert set(told["responses"]["503"]["headers"]) == {"Retry-After"}


def test_a_retry_takes_what_a_submit_takes() -> None:
    paths = json.loads((ROOT / "openapi.json").read_text())["paths"]

    def headers(path: str) -> set[str]:
        told = paths[path]["post"]["parameters"]
        return {each["name"].lower() for each in told if each["in"] == "header"}

    assert headers("/tasks/{task_id}/retry") == headers("/tasks")


def test_every_code_of_a_problem_is_told_with_its_status() -> None:
    made = json.loads((ROOT / "openapi.json").read_text())

    told = {code: (each["status"], each["title"]) for code, each in made["x-problems"].items()}

    assert told == dict(REFUSALS)


def test_every_reference_in_it_leads_somewhere() -> None:
    made = json.loads((ROOT / "openapi.json").read_text())

    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [r for value in node.values() for r in references(value)]
        if isinstance(node, list):
            return [r for value in node for r in references(value)]
        return []

    names = {reference.rpartition("/")[2] for reference in references(made)}

    assert names <= made["components"]["schemas"].keys()
