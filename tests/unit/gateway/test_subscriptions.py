"""What a client may say over a WebSocket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.refusals import Refusal
from gateway.subscriptions import Key, Said, read_message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"subscribe": {}}', Said("subscribe")),
        (
            '{"subscribe": {"type": "CREATE", "after": 7}}',
            Said("subscribe", Key(None, "CREATE"), 7),
        ),
        ('{"subscribe": {"task_id": "t", "after": 0}}', Said("subscribe", Key("t", None), 0)),
        ('{"unsubscribe": {"task_id": "t"}}', Said("unsubscribe", Key("t", None))),
        ('{"ping": null}', Said("ping", echo=b"null")),
        ('{"ping": [1]}', Said("ping", echo=b"[1]")),
    ],
)
def test_what_is_understood(text: str, said: Said) -> None:
    assert read_message(text) == said


@pytest.mark.parametrize("text", ["", "hello", "[]", '{"subscribe": {"after": -1}}'])
def test_what_is_not_understood_is_told_what_may_be_said(text: str) -> None:
    with pytest.raises(Refusal, match="invalid_message") as refused:
        read_message(text)
    assert refused.value.detail.startswith('Say {"subscribe"')


@pytest.mark.parametrize(
    "echo", ["123456789012345678901234567890", '{"a": [-9e99999, -1, 1' + "0" * 20 + "]}"]
)
def test_a_ping_that_cannot_be_answered_is_refused(echo: str) -> None:
    with pytest.raises(Refusal, match="invalid_message"):
        read_message(f'{{"ping": {echo}}}')


@given(st.text(max_size=200))
def test_anything_else_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_message(text)
    assert refused.value.code == "invalid_message"


def test_a_type_must_be_known_and_a_task_has_only_one() -> None:
    with pytest.raises(Refusal, match="unknown_type"):
        read_message('{"subscribe": {"type": "POEM"}}')
    with pytest.raises(Refusal, match="invalid_message"):
        read_message('{"unsubscribe": {"type": "CREATE", "task_id": "t"}}')
