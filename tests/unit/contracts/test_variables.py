"""A variable that can't be used is named as the user has set it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

from contracts.generation_types import GENERATION_TYPES
from contracts.variables import TypesFile, unusable


class Settings(BaseModel):
    queue_limit: int


class Typed(BaseModel):
    types_file: TypesFile = None


def test_the_variable_and_what_is_wrong_with_it_are_in_one_line() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"queue_limit": "many"})

    assert unusable(caught.value) == (
        "DARKROOM_QUEUE_LIMIT is not usable: Input should be a valid integer, "
        "unable to parse string as an integer."
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "can't be read: [Errno 2]"),
        (b"\xff", "can't be read: 'utf-8' codec"),
        (b"[POSTER]", ": POSTER.title: Field required."),
    ],
)
def test_a_file_of_types_that_cannot_be_used_is_named(
    tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "types.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValidationError) as caught:
        Typed.model_validate({"types_file": path})

    said = unusable(caught.value)
    assert said.startswith(f"DARKROOM_TYPES_FILE is not usable: Value error, {path}")
    assert says in said


def test_who_names_no_file_of_types_has_the_built_in_ones() -> None:
    assert Typed.model_validate({"types_file": None}).types_file is None


@pytest.mark.usefixtures("no_trace")
def test_the_types_of_a_file_are_known_from_then_on(tmp_path: Path) -> None:
    path = tmp_path / "types.toml"
    path.write_text('[POSTER]\ntitle = "Poster"\nprovider = "posters"\nstages = ["a", "b"]\n')

    assert Typed.model_validate({"types_file": path}).types_file == path
    assert GENERATION_TYPES["POSTER"].stages == ("a", "b")
