"""As whom Postgres runs, and who then owns its files."""

import os
from pathlib import Path

import pytest

from darkroom.stack import identity
from darkroom.stack.errors import StackError
from darkroom.stack.identity import KEEP, NAMESPACE, Identity, give, unprivileged

POSTGRES = Path("postgres")


def on_a_machine(
    monkeypatch: pytest.MonkeyPatch, *, user: int, namespaces: bool, other_users: bool
) -> None:
    def works(who: Identity, *_: str) -> bool:
        return namespaces if who == NAMESPACE else other_users

    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(identity, "_works", works)


def test_an_ordinary_user_stays_as_is(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine(monkeypatch, user=1000, namespaces=True, other_users=True)
    assert unprivileged(POSTGRES) == KEEP


def test_root_enters_a_namespace_where_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine(monkeypatch, user=0, namespaces=True, other_users=True)
    assert unprivileged(POSTGRES) == NAMESPACE


def test_root_becomes_another_user_where_it_must(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine(monkeypatch, user=0, namespaces=False, other_users=True)
    uid, gid = unprivileged(POSTGRES).owner or (0, 0)
    assert uid > 0
    assert unprivileged(POSTGRES).launch == f"{uid}:{gid}"


def test_root_that_can_become_nobody_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_machine(monkeypatch, user=0, namespaces=False, other_users=False)
    with pytest.raises(StackError, match="set DARKROOM_DATABASE_URL"):
        unprivileged(POSTGRES)


def test_only_the_directory_itself_changes_hands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given: list[Path] = []
    monkeypatch.setattr(os, "chown", lambda path, *_, **__: given.append(path))
    cluster = tmp_path / "data" / "postgres"
    (cluster / "base").mkdir(parents=True)
    give(cluster, Identity("7:7", owner=(7, 7)))
    assert set(given) == {cluster, cluster / "base"}
