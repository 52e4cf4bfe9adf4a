"""What a caller is told when the answer is no: one exception, and what each code means. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

REFUSALS: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "invalid_http": (400, "Not HTTP"),
        "unauthorized": (401, "Credential missing or wrong"),
        "cross_site": (403, "Sent from another site"),
        "admin_only": (403, "For admins only"),
        "not_found": (404, "Not found"),
        "task_not_found": (404, "No such task"),
        "upload_not_found": (404, "No such upload"),
        "artifact_not_found": (404, "No such artifact"),
        "dead_letter_not_found": (404, "Nothing put aside there"),
        "method_not_allowed": (405, "Method not allowed"),
        "upload_too_slow": (408, "Upload too slow"),
        "already_finished": (409, "The task has ended"),
        "task_is_live": (409, "The task has not ended"),
        "photo_not_awaited": (409, "No photo is awaited"),
        "body_too_large": (413, "Body too large"),
        "upload_too_large": (413, "Upload too large"),
        "unsupported_media_type": (415, "Unsupported content type"),
        "range_not_satisfiable": (416, "Range not satisfiable"),
        "headers_too_large": (431, "Headers too large"),
        "invalid_json": (422, "Not JSON"),
        "invalid_request": (422, "Invalid request"),
        "invalid_multipart": (422, "Not a multipart form"),
        "invalid_cursor": (422, "Invalid cursor"),
        "invalid_message": (422, "Message not understood"),
        "unknown_type": (422, "Unknown type"),
        "not_supported": (422, "Not supported yet"),
        "no_provider": (422, "No provider"),
        "request_too_large": (422, "Request too large"),
        "idempotency_key_invalid": (422, "Invalid idempotency key"),
        "idempotency_key_reused": (422, "Idempotency key used before"),
        "reference_not_found": (422, "No such reference"),
        "reference_unsupported": (422, "Unsupported reference"),
        "reference_not_public": (422, "Reference not public"),
        "reference_unreachable": (422, "Reference unreachable"),
        "reference_too_large": (422, "Reference too large"),
        "reference_scheme": (422, "Unsupported reference"),
        "upload_expired": (422, "Upload expired"),
        "empty_upload": (422, "Empty upload"),
        "unsupported_media": (422, "Unsupported media"),
        "photo_unusable": (422, "Photo not usable"),
        "image_truncated": (422, "Damaged picture"),
        "image_too_large": (422, "Picture too large"),
        "image_animated": (422, "Animated picture"),
        "image_zero_size": (422, "Picture without area"),
        "queue_full": (429, "Queue full"),
        "owner_queue_full": (429, "Too many of your tasks wait"),
        "slow_reader": (429, "Read too slowly"),
        "too_many_subscriptions": (429, "Too many subscriptions"),
        "internal": (500, "Internal error"),
        "log_unreachable": (503, "Log unreachable"),
        "log_full": (503, "Log full"),
        "outcome_unknown": (503, "Outcome unknown"),
        "task_store_unavailable": (503, "Task store unavailable"),
        "not_caught_up": (503, "Not caught up"),
        "too_many_streams": (503, "Too many connections"),
        "projection_busy": (503, "Being rebuilt"),
        "shutting_down": (503, "Shutting down"),
        "uploads_busy": (503, "Too many uploads at once"),
        "store_unavailable": (503, "Object store unavailable"),
    }
)
"""Every code of a problem: its HTTP status and its title."""

TOGETHER = (
    "Prompt, references, provider_params and metadata may be 64 KiB together, as JSON in UTF-8 and "
    "with what is added to them"
)

FieldProblem = tuple[Sequence[str | int], str]
"""Where, and what is wrong there."""


class Refusal(Exception):
    """The caller's request can't be done, or not now. ``members`` are added to the problem."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        errors: Sequence[FieldProblem] = (),
        retry_after_s: int | None = None,
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after_s = retry_after_s
        self.headers = dict(headers or {})
        self.members = members

    @property
    def status(self) -> int:
        return REFUSALS[self.code][0]

    @property
    def title(self) -> str:
        return REFUSALS[self.code][1]


def log_unreachable() -> Refusal:
    return Refusal(
        "log_unreachable",
        "The log can't be reached, so nothing was read or sent. Try again in a moment.",
        retry_after_s=1,
    )


def request_too_large() -> Refusal:
    """Each field within its limit, but not all together."""
    return Refusal("request_too_large", f"{TOGETHER}: this request has more. Shorten them.")
