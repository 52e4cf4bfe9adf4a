"""A variable that can't be used is named as the user has set it."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from contracts.variables import unusable


class Settings(BaseModel):
    queue_limit: int


def test_the_variable_and_what_is_wrong_with_it_are_in_one_line() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"queue_limit": "many"})

    assert unusable(caught.value) == (
        "DARKROOM_QUEUE_LIMIT is not usable: Input should be a valid integer, "
        "unable to parse string as an integer."
    )
