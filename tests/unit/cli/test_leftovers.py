"""Which schemas of rebuilds and verifications may go."""

from __future__ import annotations

import pytest

from darkroom.cli.leftovers import Left


@pytest.mark.parametrize(
    ("left", "ok", "useless"),
    [
        (Left((), None), True, ()),
        (Left(("rebuild_2",), "rebuild_2"), None, ()),
        (Left(("rebuild_2", "verify_1"), "rebuild_2"), False, ("verify_1",)),
        (Left(("rebuild_2",), None), False, ("rebuild_2",)),
    ],
)
def test_a_rebuild_that_can_be_gone_on_with_is_kept(
    left: Left, ok: bool | None, useless: tuple[str, ...]
) -> None:
    assert (left.judge().ok, left.useless) == (ok, useless)
