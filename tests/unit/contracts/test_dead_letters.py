"""Which dead letters are meant is named in exactly one way."""

import pytest
from pydantic import ValidationError

from contracts.api import DropDeadLetter, RetryDeadLetters


@pytest.mark.parametrize(
    "body",
    ['{"sequences": [7]}', '{"task_id": "t"}', '{"reason": "undecodable"}', '{"all": true}'],
)
def test_one_way_will_do(body: str) -> None:
    assert RetryDeadLetters.model_validate_json(body).after == 0


@pytest.mark.parametrize(
    "body",
    ["{}", '{"after": 3}', '{"all": true, "reason": "x"}', '{"all": false}', '{"sequences": []}'],
)
def test_no_way_or_two_is_nothing_to_go_by(body: str) -> None:
    with pytest.raises(ValidationError):
        RetryDeadLetters.model_validate_json(body)


def test_a_note_of_blanks_is_none() -> None:
    with pytest.raises(ValidationError):
        DropDeadLetter(note="  ")
    assert DropDeadLetter(note=" a stray publish ").note == "a stray publish"
