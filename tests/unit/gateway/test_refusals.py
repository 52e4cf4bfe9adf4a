"""Every refusal has a status and a title."""

from __future__ import annotations

from gateway.refusals import REFUSALS, Refusal


def test_a_refusal_is_told_by_its_code() -> None:
    refusal = Refusal("queue_full", "Later.", retry_after_s=3, task_id="t")

    assert (refusal.status, refusal.title, str(refusal)) == (
        429,
        "Queue full",
        "queue_full: Later.",
    )
    assert refusal.members == {"task_id": "t"}


def test_every_code_is_an_error_with_words() -> None:
    assert all(400 <= status < 600 and title for status, title in REFUSALS.values())
