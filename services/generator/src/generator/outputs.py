"""Results into the object store, and out of it again when they came too late."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Iterable, Sequence

from artifacts.keys import artifact_key, is_part, part_key
from artifacts.store import ArtifactStore, StoreUnavailable
from contracts.events import Artifact
from generator.provider import Output, Submitted, Unavailable
from telemetry.logs import get_logger

_log = get_logger(__name__)

_EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "model/gltf-binary": "glb",
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
}
_USABLE = re.compile(r"[a-z0-9]{1,8}")
_HASHED_AT_ONCE = 512 * 1024
"""Bytes: what is larger is hashed in a thread."""
_NOT_KEPT = "An intermediate result could not be kept. Please try again."
_PATIENCE_S = 30.0
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


async def store_outputs(
    store: ArtifactStore,
    outputs: Sequence[Output],
    *,
    owner: str,
    task_id: str,
    attempt: int,
    begun: list[Artifact] | None = None,
) -> tuple[Artifact, ...]:
    """Write the results of an attempt; raises `StoreUnavailable` after half a minute of trying.

    Each is in ``begun`` before it is written: what is in the store if this breaks off is there.
    """
    kept = []
    for index, output in enumerate(outputs):
        sha256 = await _sha256(output.content)
        ext = extension(output.content_type)
        key = artifact_key(owner, task_id, attempt, index, sha256, ext)
        artifact = Artifact(
            key=key,
            content_type=output.content_type,
            bytes=len(output.content),
            sha256=sha256,
            width=output.width,
            height=output.height,
        )
        if begun is not None:
            begun.append(artifact)
        await _put(store, key, output.content, output.content_type)
        kept.append(artifact)
    return tuple(kept)


async def discard(
    store: ArtifactStore, artifacts: Iterable[Artifact], *, kept: Iterable[Artifact] = ()
) -> None:
    """Delete results that no end refers to, but none of those in ``kept``.

    Two workers on one attempt may have written the same bytes under the same key.
    """
    needed = {artifact.key for artifact in kept}
    keys = [artifact.key for artifact in artifacts if artifact.key not in needed]
    try:
        await store.delete(keys)
    except StoreUnavailable as fault:
        _log.warning("results nobody needs stay in the store", keys=keys, reason=str(fault))


async def keep_part(
    store: ArtifactStore, owner: str, task_id: str, content: bytes, content_type: str
) -> str:
    """Write an intermediate file of a task; its key. Raises `Unavailable`."""
    sha256 = await _sha256(content)
    key = part_key(owner, task_id, sha256, extension(content_type))
    try:
        await _put(store, key, content, content_type)
    except StoreUnavailable as fault:
        raise Unavailable(_NOT_KEPT) from fault
    return key


def parts_of(submitted: Submitted | None) -> list[str]:
    """The intermediate files that a handle names."""
    values = () if submitted is None else submitted.handle.values()
    return [each for each in values if isinstance(each, str) and is_part(each)]


async def delete_parts(store: ArtifactStore, keys: Sequence[str]) -> None:
    """Delete intermediate files; one that stays is erased with its task."""
    try:
        await store.delete(keys)
    except StoreUnavailable as fault:
        _log.warning("intermediate files stay in the store", keys=keys, reason=str(fault))


def extension(content_type: str) -> str:
    """The file extension, without a dot, that stands for a media type."""
    plain = content_type.partition(";")[0].strip().lower()
    guessed = _EXTENSIONS.get(plain) or (mimetypes.guess_extension(plain) or "").lstrip(".")
    return guessed if _USABLE.fullmatch(guessed) else "bin"


async def _sha256(content: bytes) -> str:
    if len(content) <= _HASHED_AT_ONCE:
        return hashlib.sha256(content).hexdigest()
    return await asyncio.to_thread(lambda: hashlib.sha256(content).hexdigest())


async def _put(store: ArtifactStore, key: str, content: bytes, content_type: str) -> None:
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    pause = _FIRST_PAUSE_S
    while True:
        try:
            await store.put(key, content, content_type)
        except StoreUnavailable as fault:
            if asyncio.get_running_loop().time() + pause > deadline:
                raise
            _log.warning("the object store doesn't take a result", key=key, reason=str(fault))
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_S)
        else:
            return
