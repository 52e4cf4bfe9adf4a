"""Reference pictures for providers: from the store, or from the public internet."""

from __future__ import annotations

from artifacts.fetch import Fetcher, Refused
from artifacts.intake import Unusable
from artifacts.keys import belongs_to, kind
from artifacts.store import ArtifactStore, NotFound, StoreUnavailable
from generator.provider import Rejected, Unavailable

_GONE = "A reference picture of this task is no longer there. Upload it again."
_NOT_YOURS = "A reference is neither one of your uploads or artifacts nor a public http(s) address."
_UNREADABLE = "The reference pictures can't be read right now. Please try again."
_INVALID = "invalid_input"


class Inputs:
    """What `Job.fetch` does, for every task of this process."""

    def __init__(self, store: ArtifactStore, fetcher: Fetcher) -> None:
        self._store = store
        self._fetcher = fetcher

    async def fetch(self, owner: str, reference: str) -> bytes:
        """The bytes of a reference of ``owner``'s. Raises `Rejected` or `Unavailable`."""
        if reference.startswith(("http://", "https://")):
            return await self._download(reference)
        if kind(reference) not in ("upload", "artifact") or not belongs_to(reference, owner):
            raise Rejected(_NOT_YOURS, code=_INVALID)
        try:
            return await self._store.get(reference)
        except NotFound as missing:
            raise Rejected(_GONE, code=_INVALID) from missing
        except StoreUnavailable as fault:
            raise Unavailable(_UNREADABLE) from fault

    async def _download(self, url: str) -> bytes:
        try:
            return (await self._fetcher.fetch(url)).content
        except (Refused, Unusable) as refusal:
            raise Rejected(
                refusal.message, code=_INVALID, params={"reason": refusal.code}
            ) from refusal
