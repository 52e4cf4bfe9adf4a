"""What a check says of one thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing is. ``ok`` is None where it can't be known; ``mend`` says what to do."""

    name: str
    ok: bool | None
    detail: str
    mend: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
