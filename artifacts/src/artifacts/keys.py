"""Where bytes live, and what their URLs look like. Pure.

Keys never name an owner in the clear: they start with a digest of the owner, so that a key may
stand in a log or a URL.

    uploads/<owner digest>/<upload_id>                                  what a user sent
    uploads/<owner digest>/<upload_id>.json                             its sidecar: type, expiry
    artifacts/<owner digest>/<task_id>/<attempt>-<index>-<sha8>.<ext>   what a task made
    artifacts/<owner digest>/<task_id>/part-<sha8>.<ext>                what it needs until it ends
    archive/<last sequence>-<token>.jsonl.gz                            events of finished tasks
"""

import hashlib
import re
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

Kind = Literal["upload", "sidecar", "artifact", "segment"]

ARCHIVE: Final = "archive"
"""The folder of all segments."""

KEY_LIMIT: Final = 512
"""Longest key, in characters; S3 allows 1,024 bytes including the bucket prefix."""

_SEGMENT: Final = re.compile(r"[A-Za-z0-9._-]{1,200}")
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_EXT: Final = re.compile(r"[a-z0-9]{1,8}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_DIGEST: Final = r"[0-9a-f]{20}"
_UPLOAD: Final = re.compile(rf"uploads/{_DIGEST}/(?P<upload_id>{_ID.pattern})")
_SIDECAR: Final = re.compile(rf"{_UPLOAD.pattern}\.json")
_ARTIFACT: Final = re.compile(
    rf"artifacts/{_DIGEST}/{_ID.pattern}/"
    rf"(?:(?P<part>part)|[0-9]{{1,9}}-[0-9]{{1,9}})-[0-9a-f]{{8}}\.{_EXT.pattern}"
)
_SEGMENT_KEY: Final = re.compile(r"archive/[0-9]{15,19}-[0-9a-f]{16}\.jsonl\.gz")
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class InvalidKey(ValueError):
    """A key, or a part of one, that can't name anything in the store."""


def check_key(key: str) -> str:
    """The key itself when it is one; anything that could leave the root raises `InvalidKey`."""
    segments = key.split("/")
    if len(key) > KEY_LIMIT or not all(
        _SEGMENT.fullmatch(segment) and segment.strip(".") for segment in segments
    ):
        raise InvalidKey(
            f"{key[:100]!r} is not a key: segments of A-Z a-z 0-9 . _ - joined by /, "
            f"none made of dots only, at most {KEY_LIMIT} characters"
        )
    return key


def owner_digest(owner: str) -> str:
    """20 hex digits that stand for the owner; one way, the same for ever."""
    return hashlib.sha256(f"owner:{owner}".encode()).hexdigest()[:20]


def upload_key(owner: str, upload_id: str) -> str:
    """Where an upload's bytes are. An id with other than letters, digits, _ - is `InvalidKey`."""
    return f"uploads/{owner_digest(owner)}/{_matching(_ID, upload_id, 'upload id')}"


def sidecar_key(upload: str) -> str:
    """Where the description of the upload with this key is."""
    if kind(upload) != "upload":
        raise InvalidKey(f"{upload[:100]!r} is not the key of an upload")
    return f"{upload}.json"


def content_key(sidecar: str) -> str:
    """The upload that this sidecar describes: the inverse of `sidecar_key`."""
    if kind(sidecar) != "sidecar":
        raise InvalidKey(f"{sidecar[:100]!r} is not the key of a sidecar")
    return sidecar.removesuffix(".json")


def task_prefix(owner: str, task_id: str) -> str:
    """The folder of everything a task made, to list or to erase."""
    return f"artifacts/{owner_digest(owner)}/{_matching(_ID, task_id, 'task id')}"


def owner_prefixes(owner: str) -> tuple[str, str]:
    """The folders of everything that an owner has in the store."""
    digest = owner_digest(owner)
    return f"uploads/{digest}", f"artifacts/{digest}"


def artifact_key(owner: str, task_id: str, attempt: int, index: int, sha256: str, ext: str) -> str:
    """Where one result goes. The content is part of the name: another content, another key.

    `attempt` counts from 1, `index` from 0; `ext` without the dot.
    """
    if not 0 <= attempt < 10**9 or not 0 <= index < 10**9:
        raise InvalidKey(f"attempt {attempt} and index {index} must be between 0 and 999999999")
    sha8 = _matching(_SHA256, sha256, "sha256")[:8]
    name = f"{attempt}-{index}-{sha8}.{_matching(_EXT, ext, 'file extension')}"
    return f"{task_prefix(owner, task_id)}/{name}"


def part_key(owner: str, task_id: str, sha256: str, ext: str) -> str:
    """Where an intermediate file of a task goes: the same content, the same key."""
    sha8 = _matching(_SHA256, sha256, "sha256")[:8]
    name = f"part-{sha8}.{_matching(_EXT, ext, 'file extension')}"
    return f"{task_prefix(owner, task_id)}/{name}"


def segment_key(last: int, token: str) -> str:
    """Where a segment of the archive goes that ends at a sequence.

    ``token``, 16 hex digits, is new each time: a database that was lost and its successor never
    write over one another's.
    """
    return _matching(_SEGMENT_KEY, f"{ARCHIVE}/{last:015d}-{token}.jsonl.gz", "key of a segment")


def is_part(key: str) -> bool:
    """Whether the key is that of an intermediate file."""
    artifact = _ARTIFACT.fullmatch(key)
    return artifact is not None and artifact["part"] is not None


def kind(key: str) -> Kind | None:
    """What the key names, or None when this package would not have made it."""
    if _UPLOAD.fullmatch(key):
        return "upload"
    if _SIDECAR.fullmatch(key):
        return "sidecar"
    if _ARTIFACT.fullmatch(key):
        return "artifact"
    if _SEGMENT_KEY.fullmatch(key):
        return "segment"
    return None


def belongs_to(key: str, owner: str) -> bool:
    """Whether the key is one of ours and of this owner."""
    return kind(key) not in (None, "segment") and key.split("/")[1] == owner_digest(owner)


def url_of(key: str, public_url: str) -> str:
    """The address to hand out for an upload or an artifact; a sidecar has none (`InvalidKey`)."""
    root = public_url.rstrip("/")
    if kind(key) == "artifact":
        return f"{root}/{key}"
    if upload := _UPLOAD.fullmatch(key):
        return f"{root}/uploads/{upload['upload_id']}"
    raise InvalidKey(f"{key[:100]!r} has no address: it is neither an upload nor an artifact")


def key_of(url_or_path: str, owner: str, public_url: str) -> str | None:
    """The key behind an address this system handed out to this owner; None for any other text.

    Takes the whole URL or its path, with or without the path of `public_url`; a query and a
    fragment are ignored, and loopback names are one host. Another owner's address is None.
    """
    try:
        address, root = urlsplit(url_or_path), urlsplit(public_url)
        if (address.scheme or address.netloc) and not _same_origin(address, root):
            return None
    except ValueError:  # a port or a bracket that makes no sense
        return None
    prefix = root.path.rstrip("/")
    path = address.path
    if prefix and path.startswith(f"{prefix}/"):
        path = path.removeprefix(prefix)
    elif address.netloc and prefix:
        return None
    key = path.removeprefix("/")
    if key == path:
        return None
    folder, _, rest = key.partition("/")
    if folder == "uploads" and _ID.fullmatch(rest):
        return upload_key(owner, rest)
    return key if kind(key) == "artifact" and belongs_to(key, owner) else None


def _same_origin(one: SplitResult, other: SplitResult) -> bool:
    return _origin(one) == _origin(other) and "@" not in one.netloc


def _origin(url: SplitResult) -> tuple[str, str, int | None]:
    host = url.hostname or ""
    port = url.port if url.port is not None else _DEFAULT_PORTS.get(url.scheme)
    return url.scheme, "loopback" if host in _LOOPBACK else host, port


def _matching(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise InvalidKey(f"{text[:100]!r} is not a usable {what}")
    return text
