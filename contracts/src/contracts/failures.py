"""Why tasks fail, as data: the codes of a task's ``error``, and the failure stages of pipelines.

docs/errors.md and the gateway's page of it are made from this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Explanation:
    """What it ``means``, and what to ``do``; ``retryable``: whether trying again may help."""

    means: str
    retryable: str
    do: str


TASK_ERRORS: Mapping[str, Explanation] = MappingProxyType(
    {
        "timeout": Explanation(
            "Nothing was heard of a running task for `TASK_TIMEOUT_S`, it ran for longer than "
            "`TASK_DEADLINE_S` in all, or it waited for that long in a line that nobody serves.",
            "yes",
            "Retry the task. If it comes again: are generators alive (`darkroom doctor`), is the "
            "time too short for the provider? A result that comes later is kept with the task.",
        ),
        "provider_timeout": Explanation(
            "The provider did not answer within `PROVIDER_TIMEOUT_S`, in every attempt.",
            "yes",
            "Retry the task. If it comes again, allow the provider more time, or look there. A "
            "result that comes later is kept with the task.",
        ),
        "provider_error": Explanation(
            "The provider failed in every attempt, no longer knows the job, or nobody can tell "
            "whether it took the job (`SUBMIT_UNKNOWN=fail`).",
            "mostly",
            "`retryable` says whether. Where it is false the provider may have taken the job: look "
            "there before you pay for a second one.",
        ),
        "provider_rejected": Explanation(
            "The provider refused the task: its parameters, its content, or the account.",
            "no",
            "Change what the message names. What speaks of key or credit is the operator's to "
            "mend.",
        ),
        "invalid_input": Explanation(
            "A reference or the photo can't be used, or did not come in time.",
            "no",
            "Submit a new task with another picture.",
        ),
        "circuit_open": Explanation(
            "The provider's breaker is open, and this deployment lets no tasks wait for it "
            "(`BREAKER_POLICY=reject`).",
            "yes",
            "Retry after `params.seconds`, or name another provider in `provider_params.service`.",
        ),
        "cancelled": Explanation(
            "Its owner ended the task.", "yes", "Nothing. `POST /tasks/{id}/retry` starts it anew."
        ),
        "internal": Explanation(
            "A fault of Darkroom or of a provider's code, or the task's workers died in every "
            "attempt.",
            "yes",
            "Retry the task. If it comes again, the log of the generator has the reason.",
        ),
    }
)
"""Every code that Darkroom itself gives a task's ``error``. A plug-in may have others."""

FAILURE_STAGES: Mapping[str, Explanation] = MappingProxyType(
    {
        "upload_failed": Explanation(
            "The photo is no usable picture, or none came within the life of an upload.",
            "no",
            "Submit a new task with another photo: PNG, JPEG or WebP, whole, not animated.",
        ),
        "bgr_removal_failed": Explanation(
            "The subject could not be told from what is behind it.",
            "as `error` says",
            "Take a photo whose subject stands apart from its background.",
        ),
        "job_creation_failed": Explanation(
            "The provider did not take the job.",
            "as `error` says",
            "Look at `error`: the provider is away, or refuses the photo or the account.",
        ),
        "model_generation_failed": Explanation(
            "The provider took the job, and made no model of it.",
            "as `error` says",
            "Retry if `error` allows it, else try another photo or provider.",
        ),
        "model_saving_failed": Explanation(
            "The model was made, and could not be fetched, was not whole, or could not be kept.",
            "as `error` says",
            "Retry. If it comes again: does the object store take files (`darkroom doctor`)?",
        ),
    }
)
"""Every failure stage of the built-in types."""
