"""Kie, whose jobs are looked at once, and then when Kie calls back. DARKROOM_EXTRA_PROVIDERS."""

from __future__ import annotations

from generator.vendors.kie import KieProvider

NEVER_S = 3600.0
"""Between two polls: longer than any test."""


class PatientKie(KieProvider):
    def __init__(self) -> None:
        super().__init__(poll_s=(NEVER_S, NEVER_S))
