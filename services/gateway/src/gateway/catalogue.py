"""What the providers offer, as generators announce it in a bucket on the bus.

The bucket keeps it while no generator runs, and this process keeps what it has read while the bus
is down. No provider is imported here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from jsonschema.exceptions import SchemaError  # type: ignore[import-untyped]
from nats.aio.msg import Msg
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable

from contracts.subjects import PROVIDER_BUCKET
from delivery.bucket import read_bucket
from delivery.log import LogUnavailable
from delivery.publisher import LogUnreachable
from gateway.bus import Bus
from gateway.refusals import FieldProblem, Refusal
from gateway.wellformed import invalid
from telemetry.logs import get_logger

_log = get_logger(__name__)

RELOAD_S = 30.0
FIRST_RELOAD_S = 0.5
_KEYS = f"$KV.{PROVIDER_BUCKET}."
_MOST_ERRORS = 20


class OfferAnnounced(BaseModel):
    """One type that a provider serves."""

    model_config = ConfigDict(extra="ignore")

    title: str = ""
    params_schema: dict[str, Any] = {}


class Announcement(BaseModel):
    """A provider, as its generator tells of it; ``name`` is its lane."""

    model_config = ConfigDict(extra="ignore")

    name: str
    execution: Literal["local", "remote", "inline"] = "local"
    offers: dict[str, OfferAnnounced]
    announced_at: AwareDatetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """What ``lane`` offers for one type, with its parameters' schema compiled."""

    lane: str
    type: str
    title: str
    execution: str
    params_schema: Mapping[str, Any]
    validator: Draft202012Validator
    takes_none: bool
    """Whether no parameters at all are fine, which is what most requests have."""

    def check(self, provider_params: Mapping[str, Any]) -> None:
        """Raises `Refusal` with the place of each problem. ``service`` is not the provider's."""
        params = {key: value for key, value in provider_params.items() if key != "service"}
        if not params and self.takes_none:
            return
        errors: list[FieldProblem] = []
        for error in self.validator.iter_errors(params):
            errors.append((("provider_params", *error.absolute_path), error.message[:300]))
            if len(errors) == _MOST_ERRORS:
                break
        if errors:
            raise invalid(errors)


class Catalogue:
    """The offers, by type and lane; read again on start, change, reconnect and every 30 s."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._offers: dict[tuple[str, str], Offer] = {}
        self._seen: dict[str, bytes] = {}
        self._again = asyncio.Event()
        self.announced = asyncio.Event()
        bus.on_reconnect(self._on_change)

    @property
    def offers(self) -> list[Offer]:
        return list(self._offers.values())

    def offer(self, type_name: str, lane: str) -> Offer:
        """Raises `Refusal` ``no_provider``."""
        offer = self._offers.get((type_name, lane))
        if offer is None:
            serving = sorted(each.lane.upper() for each in self.offers if each.type == type_name)
            known = f"These do: {', '.join(serving)}." if serving else "None does at present."
            raise Refusal(
                "no_provider",
                f"{lane.upper()} does not serve {type_name} here. {known}",
                errors=[(("provider_params", "service"), "not a provider of this type")],
            )
        return offer

    async def run(self) -> None:
        """Keep up with the bucket until cancelled."""
        await self._bus.connected.wait()
        await self._bus.any_link.client.subscribe(f"{_KEYS}>", cb=self._on_message)
        while True:
            self._again.clear()
            try:
                self._take(await read_bucket(self._bus.link.requests, PROVIDER_BUCKET))
            except (LogUnavailable, LogUnreachable) as problem:
                _log.warning("announcements could not be read", reason=str(problem))
            pause = RELOAD_S if self.announced.is_set() else FIRST_RELOAD_S
            try:
                async with asyncio.timeout(pause):
                    await self._again.wait()
            except TimeoutError:
                continue

    def _take(self, announcements: Mapping[str, bytes]) -> None:
        # Nobody takes an announcement back: where there is none, the broker has lost them all.
        if not announcements or announcements == self._seen:
            return
        self._seen = dict(announcements)
        self._offers = {
            (offer.type, offer.lane): offer
            for lane, value in announcements.items()
            for offer in read_offers(lane, value)
        }
        if self._offers:
            self.announced.set()

    async def _on_message(self, _: Msg) -> None:
        self._again.set()

    async def _on_change(self) -> None:
        self._again.set()


def read_offers(lane: str, value: bytes) -> list[Offer]:
    """The offers of one announcement; one that can't be used is left out, and said so."""
    try:
        announced = Announcement.model_validate_json(value)
    except ValidationError as error:
        _log.error("announcement not understood", lane=lane, reason=str(error)[:500])
        return []
    offers = []
    for type_name, told in announced.offers.items():
        try:
            Draft202012Validator.check_schema(told.params_schema)
            # An empty registry: a schema's references are never fetched from anywhere.
            validator = Draft202012Validator(told.params_schema, registry=Registry())
            takes_none = not list(validator.iter_errors({}))
        except (SchemaError, Unresolvable) as error:
            _log.error("schema not usable", lane=lane, type=type_name, reason=str(error)[:500])
            continue
        offers.append(
            Offer(
                lane=lane,
                type=type_name,
                title=told.title,
                execution=announced.execution,
                params_schema=told.params_schema,
                validator=validator,
                takes_none=takes_none,
            )
        )
    return offers
