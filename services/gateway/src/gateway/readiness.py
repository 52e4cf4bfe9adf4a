"""What must be so for the gateway to be ready."""

from __future__ import annotations

import asyncio
import time

from delivery.durability import durability
from gateway.parts import Parts
from telemetry.health import Check, Checks

STUCK_S = 30.0


class Progress:
    """Whether the projection follows the log: it is at its end, or it moved not long ago."""

    def __init__(self, now: float) -> None:
        self._sequence = -1
        self._moved_at = now

    def moves(self, sequence: int, behind: int, now: float) -> bool:
        """``now`` in monotonic seconds; False once it stood still for `STUCK_S` while behind."""
        if behind == 0 or sequence != self._sequence:
            self._sequence = sequence
            self._moved_at = now
        return now - self._moved_at < STUCK_S


def checks(parts: Parts) -> Checks:
    """The log answers, the task-store follows it, and some provider was announced."""
    progress = Progress(time.monotonic())

    async def log() -> Check:
        state, kept = await asyncio.gather(
            parts.bus.link.log.state(), durability(parts.settings.nats_monitor_url)
        )
        if parts.pressure.is_full:
            return Check(ok=False, detail="almost full: it takes no new tasks")
        return Check(
            ok=True, detail=f"at {state.last_sequence}, {state.bytes} bytes, {kept.detail}"
        )

    async def task_store() -> Check:
        status = await parts.tasks.status()
        if status.get("halted"):
            return Check(ok=False, detail=str(status["halted"]))
        sequence = (status.get("checkpoint") or {}).get("sequence", 0)
        last = (await parts.bus.link.log.state()).last_sequence
        behind = max(0, last - sequence)
        moves = progress.moves(sequence, behind, time.monotonic())
        return Check(ok=moves, detail=f"{behind} events behind" + ("" if moves else ", not moving"))

    async def providers() -> Check:
        lanes = sorted({offer.lane for offer in parts.catalogue.offers})
        return Check(ok=bool(lanes), detail=", ".join(lanes) or "none was ever announced")

    return {"log": log, "task_store": task_store, "providers": providers}
