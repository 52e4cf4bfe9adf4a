"""What every code of a problem means, and what its caller does about it. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_SOON = "Ask again after `Retry-After`."
_PICTURE = "Send another file: PNG, JPEG or WebP, whole and not animated."

EXPLANATIONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "invalid_http": (
            "What came on the connection is no HTTP/1.1 request.",
            "Use a client that speaks it; is the address one of HTTPS, or the port another one's?",
        ),
        "unauthorized": (
            "No key came, or one that this server does not know.",
            "Send `Authorization: Bearer KEY`.",
        ),
        "cross_site": (
            (
                "A page of another site sent this with a cookie, or to a server that asks for no "
                "key; or it came to such a server under a name that is none of its own."
            ),
            (
                "Send the key as a header, or have the site allowed (`DARKROOM_CORS_ORIGINS`), or "
                "the server told its name (`DARKROOM_PUBLIC_URL`)."
            ),
        ),
        "admin_only": (
            "This concerns the tasks of all owners.",
            "Ask with the key of an owner whom `DARKROOM_ADMINS` names.",
        ),
        "not_found": ("There is nothing at this address.", "See `/docs` for what there is."),
        "task_not_found": (
            "There is no such task, or it is another owner's.",
            "Check the id and the key. A task is found from its 202 on, always.",
        ),
        "upload_not_found": (
            "There is no such upload, it has expired, or it is another owner's.",
            "Upload the file again.",
        ),
        "artifact_not_found": (
            "There is no such artifact, it was erased, or it is another owner's.",
            "Take the address from the task as it is now.",
        ),
        "dead_letter_not_found": (
            "No event is put aside at this sequence: it was tried again or dropped by now.",
            "`GET /dead-letters` lists what is.",
        ),
        "method_not_allowed": ("The address takes other methods.", "`Allow` names them."),
        "upload_too_slow": (
            "The file did not arrive in time.",
            "Send it over a better connection, or a smaller one.",
        ),
        "already_finished": (
            "The task has ended: it can't be cancelled, and takes no photo.",
            "Nothing is to be done; `task_status` says how it ended.",
        ),
        "task_is_live": (
            "Only a task that has ended is retried.",
            "Wait for its end, or cancel it first.",
        ),
        "photo_not_awaited": (
            "This task takes no photo, or has one.",
            "Give pictures as `reference_images`, or submit a new task.",
        ),
        "body_too_large": ("The body is over 1 MiB.", "Send less; files go to `POST /uploads`."),
        "upload_too_large": (
            "The file is larger than this server takes.",
            "Make it smaller, or have `DARKROOM_UPLOAD_MAX_BYTES` raised.",
        ),
        "unsupported_media_type": (
            "The body is not of a content type that this address takes.",
            "`detail` names the one to send.",
        ),
        "range_not_satisfiable": (
            "The file has no such part.",
            "`Content-Range` says how long it is.",
        ),
        "headers_too_large": (
            "Request line and headers are too long.",
            "Send fewer cookies, or a shorter address.",
        ),
        "invalid_json": ("The body is not JSON in UTF-8.", "`detail` says where it breaks off."),
        "invalid_request": (
            "A field is missing, unknown, or of the wrong kind.",
            "`errors` names each place.",
        ),
        "invalid_multipart": (
            "The form can't be read.",
            "Send `multipart/form-data` with one part `file`.",
        ),
        "invalid_cursor": ("This server made no such cursor.", "Begin again without one."),
        "invalid_message": (
            "A message on the WebSocket was not understood.",
            "`detail` says what can be said. Ten of these close the connection.",
        ),
        "unknown_type": (
            "There is no such generation type here.",
            "`GET /generation-types` lists them.",
        ),
        "not_supported": ("This field has no effect yet.", "Leave it out."),
        "no_provider": (
            "No provider of that name serves this type here.",
            "`GET /generation-types` lists who does; is a generator running, is it configured?",
        ),
        "request_too_large": (
            "Each field is within its limit, all together are not.",
            "Shorten prompt, metadata or provider_params; upload pictures instead of long URLs.",
        ),
        "idempotency_key_invalid": (
            "The key is empty, too long, or has other than visible ASCII characters.",
            "Use a UUID.",
        ),
        "idempotency_key_reused": (
            "This key came before with another request.",
            "Use a new key for a new request, the same one only to repeat.",
        ),
        "reference_not_found": (
            "A reference image is not there, or another owner's.",
            "Upload the file, and use the URL of the answer.",
        ),
        "reference_unsupported": (
            "A reference is neither an own upload or artifact nor a public URL.",
            "Upload the file, and use the URL of the answer.",
        ),
        "reference_not_public": (
            "A reference points into a private network.",
            "Upload the file instead.",
        ),
        "reference_unreachable": (
            "The host of a reference can't be found or does not answer.",
            "Check the address, or upload the file.",
        ),
        "reference_too_large": (
            "The address of a reference, or what is there, is too large.",
            "Upload a smaller file.",
        ),
        "reference_scheme": (
            "A reference is no http(s) address.",
            "Upload the file, and use the URL of the answer.",
        ),
        "upload_expired": (
            "A reference was uploaded too long ago.",
            "Upload the file again, and use the new URL.",
        ),
        "empty_upload": ("The file has no bytes.", "Send the file itself."),
        "unsupported_media": (
            "The content is neither a picture nor a video that is known here.",
            "Send PNG, JPEG or WebP, or MP4, WebM or MOV; the name of a file does not matter.",
        ),
        "photo_unusable": (
            "The photo of the task can't be used; the task has failed (`upload_failed`).",
            "Submit a new task with another photo; `reason` says what was wrong.",
        ),
        "image_truncated": ("The picture is damaged or breaks off.", _PICTURE),
        "image_too_large": ("The picture has too many pixels.", "Send a smaller one."),
        "image_animated": ("The picture is animated.", _PICTURE),
        "image_zero_size": ("The picture has no area.", _PICTURE),
        "queue_full": ("Too many tasks of this type wait already.", _SOON),
        "owner_queue_full": (
            "You have as many tasks waiting as one owner may have.",
            "Wait for some to begin, or cancel some; then ask again.",
        ),
        "slow_reader": (
            "A connection took its messages too slowly, and was ended.",
            "Connect again with `Last-Event-ID`: nothing is missed.",
        ),
        "too_many_subscriptions": (
            "One connection follows too many things.",
            "Unsubscribe from some, or follow all tasks at once.",
        ),
        "internal": (
            "Something went wrong in the gateway that should not have.",
            "Try once more with the same `Idempotency-Key`; its log has the reason.",
        ),
        "log_unreachable": ("The log can't be reached; nothing was read or sent.", _SOON),
        "log_full": (
            "The log is almost full, and takes no new tasks.",
            "Ask later; its operator makes room (`DARKROOM_STREAM_MAX_BYTES`).",
        ),
        "outcome_unknown": (
            "It was sent to the log, which did not confirm it in time: it may have happened.",
            "Ask for the `task_id`, or repeat the request with the same `Idempotency-Key`.",
        ),
        "task_store_unavailable": ("The task store does not answer. Tasks go on.", _SOON),
        "not_caught_up": (
            "The newest tasks are not in the task store yet, and half a list would be wrong.",
            _SOON,
        ),
        "too_many_streams": ("Too many connections follow tasks here.", "Poll, or ask later."),
        "projection_busy": (
            "A rebuild or a verification of the rows is at work, or no task store writes just now.",
            "Nothing was changed. Ask again when it has ended.",
        ),
        "shutting_down": ("This gateway is going down.", "Connect again: another one answers."),
        "uploads_busy": ("Too much is being uploaded at this moment.", _SOON),
        "store_unavailable": ("The object store does not answer.", _SOON),
    }
)
"""By code: what it means, and what to do."""
