"""What the commands ask of the gateway, and what they make of its answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from darkroom.cli import following
from darkroom.stack.ports import free_port
from unit.cli.conftest import Darkroom
from unit.cli.stand_in import TASK_ID, Answer, artifact, problem, standing_in, task


def test_a_submission_carries_everything_that_was_said(darkroom: Darkroom, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    uploaded = Answer({"upload_id": "u", "url": "http://h/uploads/u"}, 201)
    with standing_in(uploaded, Answer(task(), 202)) as gateway:
        submitted = darkroom(
            *("--url", gateway.url, "submit", "clothing-change", "a green coat"),
            *("--image", str(photo), "--image", "https://example.org/b.png"),
            *("--params", '{"seed": 7, "format": "png"}', "--param", "format=webp"),
            *("--param", "width=64", "--idempotency-key", "k1"),
            *("--run-at", "2026-12-24T18:00+01:00"),
        )

    assert submitted.exit_code == 0, submitted.output
    assert submitted.stdout == f"{TASK_ID}\n"
    assert f"darkroom tasks show {TASK_ID}" in submitted.stderr
    upload, submission = gateway.asked
    assert upload.path == "/uploads"
    assert b"\x89PNG" in upload.body
    assert submission.headers["idempotency-key"] == "k1"
    body = submission.json
    assert body.pop("run_at").startswith("2026-12-24T")
    assert body == {
        "type": "CLOTHING_CHANGE",
        "prompt": "a green coat",
        "provider_params": {"seed": 7, "format": "webp", "width": 64},
        "reference_images": ["http://h/uploads/u", "https://example.org/b.png"],
    }


def test_a_prompt_can_come_from_standard_input(darkroom: Darkroom) -> None:
    with standing_in(Answer(task(), 202)) as gateway:
        darkroom("--url", gateway.url, "submit", "CREATE", "-", stdin="a long\nstory\n")

    assert gateway.asked[0].json == {"type": "CREATE", "prompt": "a long\nstory"}


def test_following_asks_for_what_changed_after_the_last_answer(darkroom: Darkroom) -> None:
    with standing_in(
        Answer(task(queue_position=None), 202),
        Answer(task(queue_position=2, sequence=1)),
        Answer(task(stage="generating", attempt=1, progress=40, sequence=5)),
        Answer(task("completed", stage="saving", attempt=1, sequence=9)),
    ) as gateway:
        done = darkroom("--url", gateway.url, "submit", "CREATE", "x", "--wait")

    assert done.exit_code == 0, done.output
    assert [asked.path for asked in gateway.asked[1:]] == [f"/tasks/{TASK_ID}"] * 3
    assert [asked.query["after"] for asked in gateway.asked[1:]] == ["1", "1", "5"]
    waits = [int(asked.query["wait"]) for asked in gateway.asked[1:]]
    assert waits[0] == waits[1] < waits[2] <= 60
    stages = [line.split()[1] for line in done.stderr.splitlines()]
    assert stages == [TASK_ID, "queued", "generating", "completed"]


def test_a_gateway_that_is_away_for_a_moment_is_waited_for(darkroom: Darkroom) -> None:
    with standing_in(
        Answer(task(), 202),
        problem(503, "task_store_unavailable", "Try again in a moment."),
        Answer(task("completed", sequence=9)),
    ) as gateway:
        done = darkroom("--url", gateway.url, "submit", "CREATE", "x", "--wait")

    assert done.exit_code == 0, done.output


def test_why_it_waits_is_said_once_and_again_for_another_reason(
    darkroom: Darkroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "_PAUSE_S", 0.0)
    away = problem(503, "task_store_unavailable", "The task-store can't be asked.")
    busy = problem(503, "log_unreachable", "The log can't be reached.")
    script = (Answer(task(), 202), away, away, away, busy, busy)
    with standing_in(*script, Answer(task("completed", sequence=9))) as gateway:
        done = darkroom("--url", gateway.url, "submit", "CREATE", "x", "--wait")

    assert done.exit_code == 0, done.output
    assert [line for line in done.stderr.splitlines() if line.startswith("Waiting: ")] == [
        "Waiting: The task-store can't be asked.",
        "Waiting: The log can't be reached.",
    ]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_a_task_without_a_result_exits_1_with_its_reason(darkroom: Darkroom, status: str) -> None:
    ended = task(status, error_msg="The model\x1b[31m is tired.", sequence=4)
    with standing_in(Answer(task(), 202), Answer(ended)) as gateway:
        done = darkroom("--url", gateway.url, "submit", "CREATE", "x", "--wait", "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout)["status"] == status
    assert "is tired. (darkroom tasks retry" in done.stderr
    assert "\x1b" not in done.stderr


def test_the_first_result_is_saved_as_a_file_and_the_key_is_shown_to_its_own_gateway_only(
    darkroom: Darkroom, tmp_path: Path
) -> None:
    made = [artifact("http://elsewhere.example/artifacts/a/1.png"), artifact("http://e/x")]
    with standing_in(
        Answer(task(), 202),
        Answer(task("completed", artifacts=made, sequence=3)),
        Answer(b"\x89PNG", content_type="image/png"),
    ) as gateway:
        done = darkroom(
            *("--url", gateway.url, "--api-key", "k"),
            *("submit", "CREATE", "x", "-o", str(tmp_path / "out.png")),
        )

    assert done.exit_code == 0, done.output
    assert gateway.asked[-1].path == "/artifacts/a/1.png"
    assert gateway.asked[-1].headers["authorization"] == "Bearer k"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"\x89PNG"


def test_every_result_is_saved_into_a_directory(darkroom: Darkroom, tmp_path: Path) -> None:
    made = [
        artifact("http://e/artifacts/a/1.png"),
        artifact("http://e/artifacts/a/2", "image/webp"),
    ]
    with standing_in(
        Answer(task("completed", artifacts=made)), Answer(b"one"), Answer(b"two")
    ) as gateway:
        shown = darkroom("--url", gateway.url, "tasks", "show", TASK_ID, "-o", f"{tmp_path}/new/")

    assert shown.exit_code == 0, shown.output
    saved = {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()}
    assert saved == {f"{TASK_ID}.png": b"one", f"{TASK_ID}-2.webp": b"two"}


def test_a_result_that_cannot_be_had_leaves_the_file_that_was_there(
    darkroom: Darkroom, tmp_path: Path
) -> None:
    (tmp_path / "out.png").write_bytes(b"older")
    made = [artifact("http://e/artifacts/a/1.png")]
    with standing_in(
        Answer(task("completed", artifacts=made)), problem(404, "artifact_not_found", "Gone.")
    ) as gateway:
        shown = darkroom(
            *("--url", gateway.url, "tasks", "show", TASK_ID, "-o", str(tmp_path / "out.png"))
        )

    assert (shown.exit_code, shown.output) == (2, "Error: Gone.\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"older"


def test_a_result_that_cannot_be_saved_is_one_line_with_its_address(
    darkroom: Darkroom, tmp_path: Path
) -> None:
    (tmp_path / ".out.png.part").mkdir()
    made = [artifact("http://e/artifacts/a/1.png")]
    with standing_in(Answer(task("completed", artifacts=made)), Answer(b"one")) as gateway:
        shown = darkroom(
            *("--url", gateway.url, "tasks", "show", TASK_ID, "-o", str(tmp_path / "out.png"))
        )

    assert shown.exit_code == 1
    assert "The result is at http://e/artifacts/a/1.png" in shown.output


@pytest.mark.parametrize(
    ("answer", "exit_code", "line"),
    [
        (problem(404, "task_not_found", "There is no such task."), 2, "There is no such task."),
        (
            problem(401, "unauthorized", "Send a key that this server knows."),
            2,
            "Send a key that this server knows. Here: --api-key KEY, or DARKROOM_API_KEY.",
        ),
        (problem(409, "already_finished", "The task has ended."), 1, "The task has ended."),
        (problem(429, "queue_full", "Try again later."), 3, "Try again later."),
        (
            problem(503, "outcome_unknown", "It may have happened.", task_id=TASK_ID),
            3,
            f"It may have happened. Look with: darkroom tasks show {TASK_ID}",
        ),
        (
            problem(
                422,
                "invalid_request",
                "The request is\nnot valid.",
                errors=[
                    {"loc": ["body", "prompt"], "msg": "too long"},
                    {"loc": ["x"], "msg": "unknown"},
                ],
            ),
            2,
            "The request is not valid. (body.prompt: too long; x: unknown)",
        ),
    ],
    ids=["404", "401", "409", "429", "503", "422"],
)
def test_a_refusal_is_one_line_and_an_exit_code(
    answer: Answer, exit_code: int, line: str, darkroom: Darkroom
) -> None:
    with standing_in(answer) as gateway:
        refused = darkroom("--url", gateway.url, "tasks", "cancel", TASK_ID)

    assert (refused.exit_code, refused.output) == (exit_code, f"Error: {line}\n")


def test_another_server_at_the_address_is_recognised(darkroom: Darkroom) -> None:
    with standing_in(Answer(b"<html>", 404, "text/html; charset=utf-8")) as gateway:
        refused = darkroom("--url", gateway.url, "tasks", "list")

    assert refused.exit_code == 3
    assert f"{gateway.url} answered 404 with text/html: that is no Darkroom gateway" in (
        refused.output
    )


def test_nobody_at_the_address_exits_3_and_says_how_to_start_it(darkroom: Darkroom) -> None:
    refused = darkroom("--url", f"http://127.0.0.1:{free_port()}", "tasks", "list")

    assert refused.exit_code == 3
    assert "darkroom up" in refused.output
    assert "--url" in refused.output


def test_a_list_follows_the_cursor_as_far_as_it_is_asked_to(darkroom: Darkroom) -> None:
    pages = [
        Answer({"tasks": [task()] * 100, "next_cursor": "c1"}),
        Answer({"tasks": [task()] * 50, "next_cursor": None}),
    ]
    with standing_in(*pages) as gateway:
        listed = darkroom("--url", gateway.url, "tasks", "list", "--all", "--json")
    with standing_in(pages[0]) as first:
        limited = darkroom("--url", first.url, "tasks", "list", "--type", "create")

    assert len(json.loads(listed.stdout)) == 150
    assert [asked.query.get("cursor") for asked in gateway.asked] == [None, "c1"]
    assert first.asked[0].query == {"type": "CREATE", "limit": "20"}
    assert "There are more" in limited.stderr


def test_what_users_wrote_cannot_command_the_terminal(darkroom: Darkroom) -> None:
    nasty = task(prompt="red \x1b]0;owned\x07 [bold]bicycle\r\n", metadata={"a": "\x1b[2J"})
    with standing_in(Answer({"tasks": [nasty], "next_cursor": None})) as gateway:
        listed = darkroom("--url", gateway.url, "tasks", "list")
    with standing_in(Answer(nasty)) as gateway:
        shown = darkroom("--url", gateway.url, "tasks", "show", TASK_ID)

    for output in (listed.output, shown.output):
        assert "\x1b" not in output
        assert "[bold]bicycle" in output


def test_the_events_of_a_task_are_shown_one_a_line(darkroom: Darkroom) -> None:
    events = [
        {
            "type": "generation.failed",
            "subject": TASK_ID,
            "sequence": 7,
            "logtime": "2026-11-21T10:00:00Z",
            "data": {"attempt": 2, "error": {"code": "timeout", "message": "Too slow."}},
        }
    ]
    with standing_in(Answer({"events": events})) as gateway:
        shown = darkroom("--url", gateway.url, "events", "show", TASK_ID)
        as_json = darkroom("--url", gateway.url, "events", "show", TASK_ID, "--json")

    assert shown.output.split()[0] == "7"
    assert shown.output.endswith(f"{TASK_ID} failed attempt=2 timeout: Too slow.\n")
    assert json.loads(as_json.stdout) == events
