"""What a command says of a database that fails under it."""

from __future__ import annotations

import pytest

from darkroom.cli import servers
from darkroom.cli.failures import Unreachable
from task_store import store


class Session:
    def terminate(self) -> None:
        pass


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (TimeoutError(), "did not answer in time"),
        (ConnectionResetError(104, "reset"), "went away"),
    ],
)
async def test_what_was_too_slow_is_told_from_what_is_gone(
    monkeypatch: pytest.MonkeyPatch, fault: Exception, told: str
) -> None:
    async def opens(_: str) -> Session:
        return Session()

    monkeypatch.setattr(store, "open_connection", opens)

    with pytest.raises(Unreachable, match=told):
        async with servers.database_connection("postgresql://ops:pw@db/darkroom"):
            raise fault
