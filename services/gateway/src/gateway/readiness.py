"""What must be so for the gateway to be ready."""

from __future__ import annotations

from gateway.parts import Parts
from telemetry.health import Check, Checks


def checks(parts: Parts) -> Checks:
    """The log answers, the task-store follows it, and some provider was announced."""

    async def log() -> Check:
        state = await parts.bus.link.log.state()
        if parts.pressure.is_full:
            return Check(ok=False, detail="almost full: it takes no new tasks")
        return Check(ok=True, detail=f"at {state.last_sequence}, {state.bytes} bytes")

    async def task_store() -> Check:
        status = await parts.tasks.status()
        if status.get("halted"):
            return Check(ok=False, detail=str(status["halted"]))
        sequence = (status.get("checkpoint") or {}).get("sequence", 0)
        last = (await parts.bus.link.log.state()).last_sequence
        return Check(ok=True, detail=f"{max(0, last - sequence)} events behind")

    async def providers() -> Check:
        lanes = sorted({offer.lane for offer in parts.catalogue.offers})
        return Check(ok=bool(lanes), detail=", ".join(lanes) or "none was ever announced")

    return {"log": log, "task_store": task_store, "providers": providers}
