"""What those who follow all of an owner's tasks were not told yet."""

from __future__ import annotations

from gateway.line import Line, Place


def at(number: int) -> Place:
    return Place("CREATE", number, None)


def test_who_leaves_is_told_no_place_and_a_stranger_changes_nothing() -> None:
    line = Line()
    for name, number in (("a", 1), ("b", 2)):
        line.put(name, at(number))
        line.tell(name)
    line.leave("a")
    line.leave("nobody")

    assert line.places == {"b": at(2)}
    assert (line.is_untold("a"), line.is_untold("b")) == (False, True)
    assert (line.take(10), line.has_untold) == (["b"], False)


def test_all_are_walked_by_id_while_places_move() -> None:
    line = Line()
    for name, number in (("b", 1), ("a", 2), ("c", 3)):
        line.put(name, at(number))

    first = line.after("", 2)
    assert line.after("", 2) == first
    line.put("c", at(2))
    line.put("aa", at(4))

    assert (first, line.after(first[-1], 2)) == (["a", "b"], ["c"])
