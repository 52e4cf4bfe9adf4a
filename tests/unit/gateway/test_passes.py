"""Sessions and tokens: signed with a key, good for a while, for what they were made for."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions import Key, Kind, cookie, issue, read

ANN = Key(hashlib.sha256(b"ann-key").digest(), "ann")
BOB = Key(hashlib.sha256(b"bob-key").digest(), "bob")


def test_a_pass_stands_for_its_key_until_it_ends() -> None:
    made = issue(Kind.SESSION, ANN, "", 1000)

    assert read(made, Kind.SESSION, [BOB, ANN], "", 999.9) == ANN
    assert read(made, Kind.SESSION, [BOB, ANN], "", 1000) is None
    assert read(made, Kind.TOKEN, [BOB, ANN], "", 0) is None
    assert read(made, Kind.SESSION, [BOB], "", 0) is None
    assert read(made, Kind.SESSION, [ANN], "secret", 0) is None
    assert read(made, Kind.SESSION, [ANN._replace(owner="eve")], "", 0) is None


def test_nothing_of_the_key_is_in_it() -> None:
    made = issue(Kind.TOKEN, ANN, "", 1000)

    assert ANN.digest.hex()[:16] not in made
    assert "ann" not in made


@given(st.integers(0, 80), st.characters(codec="ascii"))
def test_one_character_changed_and_it_is_no_pass(at: int, other: str) -> None:
    made = issue(Kind.SESSION, ANN, "", 1000)
    at %= len(made)
    changed = made[:at] + other + made[at + 1 :]

    assert (read(changed, Kind.SESSION, [ANN], "", 0) == ANN) == (changed == made)


@pytest.mark.parametrize("text", ["", "s", "s.1.2.3", "s.1000." + "0" * 16 + "." + "A" * 43, "é"])
def test_what_is_no_pass_is_none(text: str) -> None:
    assert read(text, Kind.SESSION, [ANN], "", 0) is None


def test_a_cookie_is_found_among_others() -> None:
    header = "a=1; darkroom_session=s.1.2.3; b=x=y"

    assert cookie(header, "darkroom_session") == "s.1.2.3"
    assert cookie(header, "b") == "x=y"
    assert cookie(header, "session") == cookie("", "a") == ""
