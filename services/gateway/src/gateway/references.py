"""Whether the references of a request can be had."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from artifacts.keys import kind, sidecar_key
from artifacts.public_url import Refused, check_public_url, parse_http_url
from artifacts.resolving import resolve_public
from artifacts.store import ArtifactStore
from artifacts.uploads import Uploads
from gateway.admission import reference_not_found
from gateway.refusals import Refusal

RESOLVE_S = 2.0

Resolve = Callable[[str], Awaitable[object]]


class References:
    """Checks references in their canonical form. Raises `Refusal`, `StoreUnavailable`."""

    def __init__(
        self, store: ArtifactStore, uploads: Uploads, resolve: Resolve = resolve_public
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._resolve = resolve

    async def check(self, owner: str, references: Sequence[str], *, expired: bool = False) -> None:
        """All can be used by the owner; ``expired`` uploads as well, if so asked."""
        await asyncio.gather(
            *(
                self._check(owner, reference, ("reference_images", at), expired)
                for at, reference in enumerate(references)
            )
        )

    async def _check(
        self, owner: str, reference: str, loc: tuple[str | int, ...], expired: bool
    ) -> None:
        if "://" in reference:
            await self._check_public(reference, loc)
        elif kind(reference) == "upload" and not expired:
            await self._check_upload(owner, reference, loc)
        elif await self._store.head(reference) is None:
            raise reference_not_found(reference, loc)

    async def _check_upload(self, owner: str, key: str, loc: tuple[str | int, ...]) -> None:
        upload_id = key.rpartition("/")[2]
        if await self._uploads.find(owner, upload_id, datetime.now(UTC)) is not None:
            return
        if await self._store.head(sidecar_key(key)) is None:
            raise reference_not_found(f"/uploads/{upload_id}", loc)
        raise Refusal(
            "upload_expired",
            "This upload has expired. Send the file again and use the URL of the answer.",
            errors=[(loc, "expired")],
        )

    async def _check_public(self, url: str, loc: tuple[str | int, ...]) -> None:
        try:
            check_public_url(url)
            async with asyncio.timeout(RESOLVE_S):
                await self._resolve(parse_http_url(url).raw_host.decode())
        except Refused as refused:
            raise Refusal(refused.code, refused.message, errors=[(loc, refused.code)]) from None
        except TimeoutError:
            raise Refusal(
                "reference_unreachable",
                f"The name of the host in {url[:200]!r} could not be looked up in time. "
                "Check the address, or upload the file.",
                errors=[(loc, "reference_unreachable")],
            ) from None
