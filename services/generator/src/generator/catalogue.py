"""Which providers this generator has, and telling the gateways what they offer."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from importlib.metadata import entry_points

from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts.generation_types import GENERATION_TYPES
from contracts.subjects import PROVIDER_BUCKET
from delivery.provision import ensure_bucket
from generator.facts import now
from generator.provider import NotConfigured, Offer, Provider
from generator.work import Lane
from telemetry.logs import get_logger

_log = get_logger(__name__)

GROUP = "darkroom.providers"
_NAME = re.compile(r"[a-z0-9_-]+")
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0

Maker = Callable[[], Provider]


def makers(names: str = "", extra: str = "") -> list[tuple[str, Callable[[], Maker]]]:
    """Where each provider comes from, and what loads its class: as `load_providers` takes them."""
    wanted = set(_words(names))
    installed: list[tuple[str, Callable[[], Maker]]] = [
        (point.name, point.load)
        for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)
        if not wanted or point.name in wanted
    ]
    return installed + [(path, functools.partial(_imported, path)) for path in _words(extra)]


def load_providers(names: str = "", extra: str = "") -> list[Provider]:
    """The installed providers, or those among them in ``names``, and the ``extra`` ones.

    One that can't be loaded, or isn't configured, is left out and logged: the others serve on.
    """
    providers: dict[str, Provider] = {}
    for source, load in makers(names, extra):
        provider = _made(source, load)
        if provider is None:
            continue
        if not _NAME.fullmatch(provider.name) or provider.name in providers:
            _log.error("a provider's name is unusable or taken", source=source, name=provider.name)
            continue
        providers[provider.name] = provider
    return list(providers.values())


def lanes_of(providers: Iterable[Provider]) -> list[Lane]:
    """A lane for each type that each provider offers."""
    lanes = []
    for provider in providers:
        for name, offer in provider.offers.items():
            kind = GENERATION_TYPES.get(name)
            if kind is None:
                _log.error("an offer of an unknown type", provider=provider.name, type=name)
                continue
            lanes.append(Lane(kind, provider, offer))
    return lanes


def outlasting(
    lanes: Iterable[Lane], *, provider_timeout_s: float, task_timeout_s: float
) -> list[str]:
    """Lanes whose provider may be silent for longer than the reaper waits: ``type/provider``."""
    return [
        f"{lane.kind.name}/{lane.name}"
        for lane in lanes
        if (lane.kind.timeout_s or task_timeout_s) <= _silence_s(lane.offer, provider_timeout_s)
    ]


def _silence_s(offer: Offer, provider_timeout_s: float) -> float:
    limit = offer.timeout_s or provider_timeout_s
    return limit if offer.silence_s is None else min(limit, offer.silence_s)


def announcement(provider: Provider, at: datetime) -> bytes:
    """What the gateways are told of a provider."""
    told = {
        "name": provider.name,
        "execution": provider.execution.value,
        "offers": {
            name: {"title": offer.title, "params_schema": dict(offer.params_schema)}
            for name, offer in provider.offers.items()
            if name in GENERATION_TYPES
        },
        "announced_at": at.isoformat(),
    }
    return json.dumps(told, sort_keys=True).encode()


class Catalogue:
    """Keeps the announcements of this process's providers on the bus."""

    def __init__(self, client: Client, providers: Sequence[Provider]) -> None:
        self.announced = False
        self._client = client
        self._providers = providers
        self._due = asyncio.Event()
        self._due.set()

    def reconnected(self) -> None:
        """Announce again: the broker may be another one, without what was announced."""
        self._due.set()

    async def run(self) -> None:
        """Announce at the start, and whenever it is due, until cancelled."""
        pause = _FIRST_PAUSE_S
        while True:
            await self._due.wait()
            self._due.clear()
            try:
                await self.announce()
                self.announced = True
                pause = _FIRST_PAUSE_S
            except (NatsError, TimeoutError, OSError) as fault:
                _log.warning("the providers can't be announced", reason=repr(fault))
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_S)
                self._due.set()

    async def announce(self) -> None:
        """Put every provider's offers into the bucket."""
        await ensure_bucket(self._client, PROVIDER_BUCKET)
        bucket = await self._client.jetstream().key_value(PROVIDER_BUCKET)
        for provider in self._providers:
            await bucket.put(provider.name, announcement(provider, now()))


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _imported(path: str) -> Maker:
    module, _, name = path.partition(":")
    maker: Maker = getattr(importlib.import_module(module), name)
    return maker


def _made(source: str, load: Callable[[], Maker]) -> Provider | None:
    try:
        return load()()
    except NotConfigured as missing:
        _log.info("a provider is not offered", source=source, reason=missing.message)
    except Exception:  # noqa: BLE001 - whatever a plug-in raises
        _log.exception("a provider can't be loaded", source=source)
    return None
