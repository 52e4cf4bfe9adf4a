"""The object store for one command, and what is said when it can't be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from artifacts.store import ArtifactStore, StoreUnavailable
from darkroom.cli.failures import Unreachable
from darkroom.cli.settings import CommandLineSettings


@contextmanager
def object_store(settings: CommandLineSettings) -> Iterator[ArtifactStore]:
    """Where uploads, artifacts and the archive are."""
    where = settings.artifacts_url or (settings.data_dir.resolve() / "artifacts").as_uri()
    try:
        try:
            files = ArtifactStore.open(where)
        except ValueError as problem:
            raise click.UsageError(f"DARKROOM_ARTIFACTS_URL: {problem}") from None
        yield files
    except StoreUnavailable as problem:
        raise Unreachable(f"The object store can't be reached ({problem}). Try again.") from None
