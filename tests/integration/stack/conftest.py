"""A system with toy services for each test of the supervisor."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from integration.stack.toy_stack import ToyStack, toy_stack


@pytest.fixture(scope="session")
async def first_start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """What the first start on an empty directory has made; made once, as it takes a second."""
    data_dir = tmp_path_factory.mktemp("stack") / "data"
    async with toy_stack(data_dir) as stack:
        await stack.start()
    yield data_dir
    shutil.rmtree(data_dir)


@pytest.fixture
def data_dir(first_start: Path, tmp_path: Path) -> Iterator[Path]:
    """A directory with a database cluster and nothing else."""
    copy = tmp_path / "data"
    shutil.copytree(first_start / "postgres", copy / "postgres")
    shutil.copytree(first_start / "run", copy / "run", ignore=shutil.ignore_patterns("*.port"))
    yield copy
    shutil.rmtree(copy / "postgres")  # 40 MB, which pytest would keep for three runs


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
