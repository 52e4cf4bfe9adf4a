"""The harness of `make bench` runs, and says what it promises to say. What it says is not judged:
a test that looks at time fails on the next busy machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
RUN = REPOSITORY / "bench" / "run.py"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
"""Without one the page is not measured."""
PAGE = ["page"] if any(map(shutil.which, BROWSERS)) else []
PARTS = [
    "idle",
    "end to end",
    "remote",
    *PAGE,
    "live",
    "submit",
    "projection",
    "rebuild",
    "replay",
    "poll",
    "archive",
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one run of every part, in tiny sizes, has kept."""
    directory = tmp_path_factory.mktemp("bench")
    file = directory / "figures.json"
    command = [sys.executable, str(RUN), "--quick", "--directory", str(directory)]
    done = subprocess.run(
        [*command, "--json", "--keep", str(file)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [each.name for each in directory.iterdir()] == [file.name]
    assert done.stdout == file.read_text()
    kept: dict[str, Any] = json.loads(done.stdout)
    return kept


def test_every_part_has_figures_with_targets(kept: dict[str, Any]) -> None:
    figures = kept["figures"]
    assert list(dict.fromkeys(each["part"] for each in figures)) == PARTS
    for part in PARTS:
        assert any(each["target"] for each in figures if each["part"] == part)
    for each in figures:
        assert each["value"] >= 0
        assert (each["met"] is None) == (each["target"] is None)


def test_floors_are_of_the_same_run(kept: dict[str, Any]) -> None:
    compared = [each for each in kept["figures"] if each["floor"] is not None]
    assert {each["part"] for each in compared} == {
        "submit",
        "projection",
        "rebuild",
        "replay",
        "poll",
        "archive",
    }
    for each in compared:
        assert each["ratio"] == pytest.approx(each["value"] / each["floor"])


def test_the_machine_is_described(kept: dict[str, Any]) -> None:
    assert kept["machine"].keys() == {"taken_at", "cores", "load", "fsync_us", "python", "kernel"}


def test_cpu_is_told_by_process(kept: dict[str, Any]) -> None:
    split = next(each for each in kept["figures"] if each["name"] == "CPU")["details"]
    parts = {"supervisor", "nats", "postgres", "gateway", "generator", "task-store", "reaper"}
    assert split.keys() == {f"{part} %" for part in parts}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "everything"], "there are idle, end-to-end"),
        (["--directory", "/no/such/place"], "there is no directory '/no/such/place'"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, str(RUN), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert said in done.stderr
