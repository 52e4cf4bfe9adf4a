"""What the tests of the contracts share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contracts import generation_types


@pytest.fixture
def no_trace() -> Iterator[None]:
    """Types that a test declares are gone after it."""
    known = generation_types._known  # noqa: SLF001 - nothing else forgets a type
    before = dict(known)
    yield
    known.clear()
    known.update(before)
