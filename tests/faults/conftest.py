"""One system for the tests of a module; short leases, so that crashes are noticed soon."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from system import System, ends_by_task, fold_of_log, running_system

__all__ = ["System", "ends_by_task", "fold_of_log"]


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    async with running_system(
        tmp_path_factory.mktemp("system"),
        LEASE_S="2",
        RETRY_BASE_S="0.1",
        PROVIDER_ATTEMPTS="5",
    ) as made:
        yield made
