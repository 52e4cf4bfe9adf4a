"""Which request becomes a task, and which event says so."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.keys import artifact_key, upload_key
from builders import NOON, after, folded, requested, task_id
from contracts.api import SubmitTask
from contracts.events import MAX_EVENT_BYTES, Accepted, RequestData, Requested, encode
from contracts.generation_types import GENERATION_TYPES
from contracts.records import to_record
from gateway import admission
from gateway.admission import Circumstances, Wanted, band_for
from gateway.refusals import Refusal

ROOT = "https://darkroom.example"
AT = Circumstances(owner="ann", task_id=task_id(1), submission="s1", now=NOON)
UPLOAD = upload_key("ann", "u1")


def want(**body: Any) -> Wanted:
    told = {"type": "CREATE", "prompt": "a red bicycle"} | body
    return admission.want(admission.read_submission(json.dumps(told).encode()), "ann", ROOT)


def refused(**body: Any) -> Refusal:
    with pytest.raises(Refusal) as raised:
        want(**body)
    return raised.value


def refusal_of(body: bytes) -> Refusal:
    with pytest.raises(Refusal) as raised:
        admission.read_submission(body)
    return raised.value


def test_a_request_for_now_is_put_in_line() -> None:
    wanted = want(metadata={"a": 1}, prompt_id="p")
    event = admission.begin(wanted, AT)

    assert event == Requested(
        id=f"{AT.task_id}:requested",
        source="gateway",
        subject=AT.task_id,
        time=NOON,
        dataschema="urn:darkroom:schema:generation.requested:1",
        owner="ann",
        tasktype="CREATE",
        data=RequestData(
            lane="studio",
            stage="queued",
            prompt="a red bicycle",
            metadata={"a": 1},
            prompt_id="p",
            body_sha256=wanted.body_sha256,
            submission="s1",
        ),
    )


def test_a_request_for_later_is_accepted_to_wait() -> None:
    event = admission.begin(want(run_at=after(60).isoformat()), AT)

    assert isinstance(event, Accepted)
    assert (event.id, event.data.run_at) == (f"{AT.task_id}:accepted", after(60))


@pytest.mark.parametrize("seconds", [0, -1])
def test_a_start_time_that_has_come_means_now(seconds: int) -> None:
    event = admission.begin(want(run_at=after(seconds).isoformat()), AT)

    assert isinstance(event, Requested)


def test_a_3d_task_without_its_photo_waits_for_it() -> None:
    event = admission.begin(want(type="PHOTO_TO_3D", prompt=None), AT)

    assert (type(event), event.data.stage) == (Accepted, "pending")


def test_a_3d_task_with_its_photo_is_in_line() -> None:
    event = admission.begin(
        want(type="PHOTO_TO_3D", prompt=None, reference_images=["/uploads/u1"]), AT
    )

    assert (type(event), event.data.stage) == (Requested, "uploaded")


def test_what_waits_leaves_room_for_the_request_that_puts_it_in_line() -> None:
    large = {"prompt": "\U0001f6b2" * 15_500, "metadata": {"a": "x" * 1000}}
    now = admission.begin(want(**large), AT)
    least = MAX_EVENT_BYTES - admission.ROOM_TO_BE_REQUESTED

    assert least < len(encode(now)) <= MAX_EVENT_BYTES
    with pytest.raises(Refusal) as raised:
        admission.begin(want(**large, run_at=after(60).isoformat()), AT)
    assert raised.value.code == "request_too_large"


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    refusal = refused(type="create")

    assert (refusal.status, refusal.code) == (422, "unknown_type")
    assert all(name in refusal.detail for name in GENERATION_TYPES)


@pytest.mark.parametrize("prompt", [None, " \n\t "])
@pytest.mark.parametrize("name", ["CREATE", "IMAGE", "VIDEO"])
def test_a_type_that_needs_a_prompt_gets_one(name: str, prompt: str | None) -> None:
    refusal = refused(type=name, prompt=prompt)

    assert (refusal.code, refusal.errors) == (
        "invalid_request",
        ((("prompt",), f"{name} needs a prompt"),),
    )


@pytest.mark.parametrize(
    ("name", "count"),
    [("WHITE_BACKGROUND", 0), ("WHITE_BACKGROUND", 2), ("CLOTHING_CHANGE", 3), ("PHOTO_TO_3D", 2)],
)
def test_the_number_of_references_is_the_types(name: str, count: int) -> None:
    refusal = refused(type=name, prompt=None, reference_images=["/uploads/u1"] * count)

    assert refusal.errors[0][0] == ("reference_images",)


@pytest.mark.parametrize(("name", "value"), [("webhook_url", "https://e.example"), ("priority", 0)])
def test_what_is_not_supported_yet_is_refused(name: str, value: Any) -> None:
    refusal = refused(**{name: value})

    assert (refusal.code, refusal.errors[0][0]) == ("not_supported", (name,))


def test_own_addresses_become_keys_and_public_ones_stay() -> None:
    artifact = artifact_key("ann", task_id(2), 1, 0, "a" * 64, "png")
    public = "https://pictures.example/a.png"
    wanted = want(reference_images=["/uploads/u1", f"{ROOT}/uploads/u1", f"/{artifact}", public])

    assert wanted.references == (UPLOAD, UPLOAD, artifact, public)


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("file:///etc/passwd", "reference_unsupported"),
        ("data:image/png;base64,AAAA", "reference_unsupported"),
        ("u1", "reference_unsupported"),
        ("/artifacts/nothing", "reference_not_found"),
        ("/" + artifact_key("bob", task_id(2), 1, 0, "a" * 64, "png"), "reference_not_found"),
    ],
)
def test_other_references_are_refused(reference: str, code: str) -> None:
    refusal = refused(reference_images=["/uploads/u1", reference])

    assert (refusal.code, refusal.errors[0][0]) == (code, ("reference_images", 1))


def test_the_lane_is_the_provider_named_else_the_types_default() -> None:
    assert want().lane == "studio"
    assert want(provider_params={"service": "KIE", "model": "m"}).lane == "kie"


@pytest.mark.parametrize("service", ["kie", "A.B", "", 7, ["KIE"], "a>"])
def test_a_provider_is_named_in_upper_case(service: Any) -> None:
    assert refused(provider_params={"service": service}).errors[0][0] == (
        "provider_params",
        "service",
    )


@pytest.mark.parametrize("run_at", ["9999-12-31T23:59:59-01:00", "2026-11-21T12:00:00", "tomorrow"])
def test_a_start_time_is_an_instant_with_an_offset(run_at: str) -> None:
    assert refused(run_at=run_at).errors[0][0] == ("run_at",)


def test_a_body_that_is_not_json_is_told_apart_from_a_wrong_shape() -> None:
    assert refusal_of(b'{"type": ').code == "invalid_json"
    assert refusal_of(b'{"type": "CREATE", "prompt": "\\ud800"}').code == "invalid_json"
    unknown = refusal_of(b'{"type": "CREATE", "promt": "x", "metadata": 3}')
    assert (unknown.code, {loc for loc, _ in unknown.errors}) == (
        "invalid_request",
        {("promt",), ("metadata",)},
    )
    assert "(1 more)" in unknown.detail


def test_nul_characters_are_refused_wherever_they_are() -> None:
    for body in (
        b'{"type": "CREATE", "prompt": "a\\u0000b"}',
        b'{"type": "CREATE", "prompt": "a", "metadata": {"k\\u0000": 1}}',
        b'{"type": "CREATE", "prompt": "a", "metadata": {"k": ["\\u0000"]}}',
    ):
        assert "NUL" in refusal_of(body).detail


def test_text_that_only_looks_like_an_escaped_nul_is_kept() -> None:
    assert admission.read_submission(b'{"type": "CREATE", "prompt": "\\\\u0000"}') == SubmitTask(
        type="CREATE", prompt="\\u0000"
    )


@pytest.mark.parametrize("key", ["", "a" * 256, "a b", "ключ", "a\n", "\x7f"])
def test_an_idempotency_key_has_1_to_255_visible_characters(key: str) -> None:
    with pytest.raises(Refusal, match="idempotency_key_invalid"):
        admission.check_idempotency_key(key)
    assert admission.check_idempotency_key("~" * 255) == "~" * 255


def test_a_key_may_only_mean_the_same_request() -> None:
    same = want().body_sha256
    admission.check_replay(same, want().body_sha256)
    for stored in (want(prompt="other").body_sha256, ""):
        with pytest.raises(Refusal, match="idempotency_key_reused"):
            admission.check_replay(stored, same)


def test_a_retry_asks_for_the_same_and_names_what_it_repeats() -> None:
    record = to_record(folded(requested(metadata={"a": 1}, prompt_id="p", reference_images=())))
    wanted = admission.want_again(record)

    assert (wanted.prompt, wanted.prompt_id, wanted.lane, wanted.run_at) == (
        record["prompt"],
        "p",
        "studio",
        None,
    )
    assert wanted.metadata == {"a": 1, "retry_of": record["task_id"]}


def test_ids_and_trace_contexts_are_taken_only_in_their_form() -> None:
    assert admission.is_task_id(task_id(1))
    assert not any(map(admission.is_task_id, ("", "x", task_id(1).upper(), task_id(1) + "\n")))
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert admission.usable_traceparent(trace) == trace
    assert admission.usable_traceparent("00-zz") is None
    assert admission.usable_traceparent(None) is None
    own = admission.untraced(bytes(range(24)))
    assert own == "00-000102030405060708090a0b0c0d0e0f-1011121314151617-00"
    assert admission.usable_traceparent(own) == own
    assert admission.begin(want(), AT).traceparent is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5), JSON, max_size=4
)


def reordered(value: Any) -> Any:
    """The same JSON, its keys in the opposite order, whole numbers written as floats."""
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(list(value))}
    if isinstance(value, list):
        return [reordered(each) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value


def hash_of(body: dict[str, Any], *, indent: int | None = None) -> str:
    text = json.dumps(body, indent=indent, ensure_ascii=indent is not None)
    return admission.want(admission.read_submission(text.encode()), "ann", ROOT).body_sha256


@given(metadata=OBJECTS)
def test_the_hash_is_the_requests_not_its_spellings(metadata: dict[str, Any]) -> None:
    body = {"type": "CREATE", "prompt": "x", "metadata": metadata, "run_at": NOON.isoformat()}
    other = {
        "metadata": reordered(metadata),
        "run_at": NOON.astimezone(timezone(timedelta(hours=5))).isoformat(),
        "provider_params": {},
        "prompt": "x",
        "prompt_id": None,
        "type": "CREATE",
    }

    assert hash_of(body) == hash_of(other, indent=2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"a": [1.0, {"b": 2}]}, {"a": [1, {"b": 2.0}]}, True),
        ({"a": [1, 2]}, {"a": [2, 1]}, False),
        ({"a": 1.5}, {"a": 1}, False),
        ({"a": 2.0**60}, {"a": 2**60}, False),
    ],
)
def test_numbers_are_the_same_however_deep_and_lists_keep_their_order(
    one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    def body(metadata: dict[str, Any]) -> dict[str, Any]:
        return {"type": "CREATE", "prompt": "x", "metadata": metadata}

    assert (hash_of(body(one)) == hash_of(body(other))) == same


@given(one=OBJECTS, other=OBJECTS)
def test_other_requests_have_other_hashes(one: dict[str, Any], other: dict[str, Any]) -> None:
    def body(metadata: dict[str, Any]) -> dict[str, Any]:
        return {"type": "CREATE", "prompt": "x", "metadata": metadata}

    same = json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)
    assert (hash_of(body(one)) == hash_of(body(other))) == same


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return int(value)
    return value


def test_the_hash_sees_every_field() -> None:
    changed = [
        want(),
        want(prompt="another"),
        want(type="IMAGE"),
        want(reference_images=["/uploads/u1"]),
        want(provider_params={"seed": 1}),
        want(prompt_id="p"),
        want(metadata={"a": 1}),
        want(run_at=datetime(2030, 1, 1, tzinfo=UTC).isoformat()),
    ]

    assert len({each.body_sha256 for each in changed}) == len(changed)


@pytest.mark.parametrize(
    ("waiting", "band"), [(0, 0), (15, 0), (16, 1), (255, 1), (256, 2), (100_000, 2)]
)
def test_the_more_tasks_an_owner_has_waiting_the_further_back_waits_the_next(
    waiting: int, band: int
) -> None:
    assert band_for(waiting, 16) == band
