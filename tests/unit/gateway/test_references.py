"""Whether a reference can be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from artifacts.resolving import resolve_public
from artifacts.store import ArtifactStore
from artifacts.uploads import Uploads
from gateway import references
from gateway.refusals import Refusal

Resolver = Callable[[str], Awaitable[list[str]]]


def checking(resolver: Resolver) -> references.References:
    store = ArtifactStore.open("memory://")
    uploads = Uploads(store, timedelta(days=1), lambda: "u1")

    async def resolve(host: str) -> object:
        return await resolve_public(host, resolver=resolver)

    return references.References(store, uploads, resolve)


def answering(*addresses: str) -> Resolver:
    async def resolver(_: str) -> list[str]:
        return list(addresses)

    return resolver


async def refusal(resolver: Resolver, *urls: str) -> Refusal:
    with pytest.raises(Refusal) as raised:
        await checking(resolver).check("ann", urls)
    return raised.value


async def test_a_public_url_may_be_referred_to() -> None:
    await checking(answering("93.184.216.34")).check("ann", ["https://pictures.example.com/a.png"])


async def test_a_name_that_leads_inside_is_refused_with_its_place() -> None:
    told = await refusal(
        answering("93.184.216.34", "10.0.0.1"),
        "https://pictures.example.com/a.png",
    )

    assert (told.code, told.errors[0][0]) == ("reference_not_public", ("reference_images", 0))


async def test_a_name_that_nobody_knows_is_refused() -> None:
    told = await refusal(answering(), "https://pictures.example.com/a.png")

    assert told.code == "reference_unreachable"


async def test_a_name_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(references, "RESOLVE_S", 0.01)
    told = await refusal(never, "https://pictures.example.com/a.png")

    assert told.code == "reference_unreachable"
