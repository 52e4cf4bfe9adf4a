"""Ids: new ones sort by time, those of an idempotency key are found again (RFC 9562)."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import example, given
from hypothesis import strategies as st

from builders import NOON
from contracts.ids import made_at, uuid7, uuid8

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
times = st.timedeltas(timedelta(), timedelta(days=200 * 365)).map(lambda age: EPOCH + age)
randoms = st.binary(min_size=10, max_size=16)


def test_a_new_id_holds_the_milliseconds_then_the_randomness() -> None:
    noon = NOON + timedelta(milliseconds=123)

    assert uuid7(noon, bytes(10)) == "01a1fdfa-467b-7000-8000-000000000000"
    assert uuid7(noon, b"\xff" * 10) == "01a1fdfa-467b-7fff-bfff-ffffffffffff"
    assert uuid7(noon, bytes.fromhex("0123456789abcdef0123")) == (
        "01a1fdfa-467b-7123-8567-89abcdef0123"
    )


@given(times, randoms)
@example(EPOCH + timedelta(days=777, milliseconds=100), bytes(10))  # no float is exact enough
def test_a_new_id_is_a_uuid_of_version_7(now: datetime, random: bytes) -> None:
    text = uuid7(now, random)
    made = UUID(text)

    assert str(made) == text
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == (now - EPOCH) // timedelta(milliseconds=1)


@given(times, times, randoms, randoms)
def test_new_ids_sort_by_time(one: datetime, other: datetime, r1: bytes, r2: bytes) -> None:
    earlier, later = sorted((one, other))

    if later - earlier >= timedelta(milliseconds=1):
        assert uuid7(earlier, r1) < uuid7(later, r2)


@given(st.text(max_size=20), st.text(max_size=20))
def test_the_id_of_a_key_is_a_uuid_of_version_8_and_always_the_same(owner: str, key: str) -> None:
    made = uuid8(owner, key)

    assert (made.version, made.variant) == (8, RFC_4122)
    assert made == uuid8(owner, key)


def test_the_id_of_a_key_never_changes_between_releases() -> None:
    assert uuid8("ann", "order-1") == UUID("fd5fb317-d01a-8141-ac07-6691488222b0")


@given(st.text(max_size=6), st.integers(0, 6), st.integers(0, 6))
def test_owner_and_key_are_kept_apart(text: str, cut: int, other_cut: int) -> None:
    one, other = (text[:cut], text[cut:]), (text[:other_cut], text[other_cut:])

    assert (uuid8(*one) == uuid8(*other)) == (one == other)


def test_a_key_that_looks_like_a_length_is_no_way_around() -> None:
    assert uuid8("a", "1:bc") != uuid8("a1:b", "c")
    assert uuid8("", "1:a") != uuid8("1", ":a")


@given(times, randoms)
def test_a_new_id_tells_when_it_was_made(now: datetime, random: bytes) -> None:
    made = UUID(uuid7(now, random))

    assert made_at(made) == now - (now - EPOCH) % timedelta(milliseconds=1)


def test_other_ids_do_not_tell_when_they_were_made() -> None:
    assert made_at(uuid8("owner", "key")) is None
    assert made_at(UUID("ffffffff-ffff-7fff-bfff-ffffffffffff")) is None
