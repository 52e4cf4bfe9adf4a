"""A system with toy services for each test of the supervisor."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from integration.stack.toy_stack import ToyStack, toy_stack


@pytest.fixture(scope="session")
async def first_start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the first start on an empty directory has made; made once, as it takes a second."""
    data_dir = tmp_path_factory.mktemp("stack") / "data"
    async with toy_stack(data_dir) as stack:
        await stack.start()
    return data_dir


@pytest.fixture
def data_dir(first_start: Path, tmp_path: Path) -> Path:
    """A directory with a database cluster and nothing else."""
    copy = tmp_path / "data"
    shutil.copytree(first_start / "postgres", copy / "postgres")
    shutil.copytree(first_start / "run", copy / "run", ignore=shutil.ignore_patterns("*.port"))
    return copy


@pytest.fixture
async def stack(data_dir: Path) -> AsyncIterator[ToyStack]:
    """Not yet started."""
    async with toy_stack(data_dir) as made:
        yield made


@pytest.fixture
async def running(stack: ToyStack) -> ToyStack:
    """Started and ready."""
    await stack.start()
    return stack
