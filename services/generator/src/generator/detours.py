"""To another provider, while the breaker of the one that should serve a task is open.

The task joins the line of the first of its type's fallbacks that is offered, is not in trouble
itself, and takes what the task asks for. Only a task that no provider may have taken goes: what was
perhaps paid for is never asked for twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]
from nats.aio.client import Client
from nats.errors import Error as NatsError
from referencing import Registry

from contracts.events import Requested
from contracts.generation_types import GenerationType
from contracts.lifecycle import Task
from contracts.subjects import PROVIDER_BUCKET
from delivery.publisher import NOTHING_YET, Publisher, WrongLastSequence
from generator.breakers import Breakers
from generator.cells import Cells
from generator.facts import rerouted
from generator.metrics import REROUTED
from generator.pace import resting_stage
from generator.work import Lane
from telemetry.logs import get_logger

_log = get_logger(__name__)


def fallbacks_of(kind: GenerationType, configured: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Lanes to go to, in order: those of the deployment, else the type's own."""
    return configured.get(kind.name, kind.fallbacks)


def translated(params: Mapping[str, Any], lane: str, schema: Mapping[str, Any]) -> Any:
    """The parameters as another provider takes them; None if it can't do without what it lacks.

    Names that both know mean the same. What only the first one knows is left out.
    """
    known = schema.get("properties", {})
    kept = {name: value for name, value in params.items() if name in known and name != "service"}
    try:
        Draft202012Validator.check_schema(schema)
        # An empty registry: a schema's references are never fetched from anywhere.
        validator = Draft202012Validator(schema, registry=Registry())
        for error in list(validator.iter_errors(kept)):
            if error.absolute_path:
                kept.pop(error.absolute_path[0], None)
        if not validator.is_valid(kept):
            return None
    except SchemaError:
        return None
    return {**kept, "service": lane.upper()} if "service" in params else kept


class Detours:
    """``configured``: fallbacks by type, in place of the types' own."""

    def __init__(
        self,
        client: Client,
        publisher: Publisher,
        breakers: Breakers,
        configured: Mapping[str, Sequence[str]],
    ) -> None:
        self._publisher = publisher
        self._breakers = breakers
        self._configured = configured
        self._offers = Cells(client, PROVIDER_BUCKET, _read, _written)

    def lead_from(self, lane: Lane) -> bool:
        """Whether tasks may go from there to another line."""
        return any(name != lane.name for name in fallbacks_of(lane.kind, self._configured))

    async def reroute(self, lane: Lane, request: Requested, task: Task | None) -> bool:
        """Put the task in another line; whether it is in one now. Raises what publishing raises."""
        if task is None or task.handle is not None:
            return False
        for name in fallbacks_of(lane.kind, self._configured):
            if name == lane.name or name == (request.data.substituted_from or "").lower():
                continue
            schema = await self._schema(lane.kind.name, name)
            if schema is None or await self._breakers.is_in_trouble(name):
                continue
            params = translated(task.request.provider_params, name, schema)
            if params is None:
                continue
            stage = resting_stage(lane.kind, task.stage)
            event = rerouted(request, task, lane=name, params=params, stage=stage)
            try:
                await self._publisher.publish(event, expect=NOTHING_YET)
            except WrongLastSequence:
                # It was there before: this is the second time that it is sent away.
                continue
            REROUTED.labels(lane.name, name).inc()
            _log.info(
                "a task goes to another provider",
                task_id=request.subject,
                provider=lane.name,
                substitute=name,
            )
            return True
        return False

    async def _schema(self, kind: str, provider: str) -> Mapping[str, Any] | None:
        try:
            announced = await self._offers.value(provider)
        except (NatsError, TimeoutError, OSError):
            return None
        offer = announced.get("offers", {}).get(kind)
        return None if offer is None else offer.get("params_schema", {})


def _read(value: bytes | None) -> dict[str, Any]:
    try:
        found = json.loads(value or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _written(announced: dict[str, Any]) -> bytes:
    return json.dumps(announced).encode()
