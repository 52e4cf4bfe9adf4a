"""The provider port: what a class must do so that Darkroom can generate through it.

A provider is registered under the entry-point group ``darkroom.providers``. It never sees the bus,
the log or the database: it is handed a `Job`, and yields what happens to it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable


class Execution(StrEnum):
    """Where the work is done; it decides which concurrency limit a task counts against."""

    LOCAL = "local"
    """Computed on this machine. Nothing is submitted anywhere; a lost attempt is computed again."""
    REMOTE = "remote"
    """Done by an external service. What `Provider.submit` returned is in the log before anything
    else happens, and a later attempt resumes it instead of submitting again."""
    INLINE = "inline"
    """Done at once in the event loop: as many at a time as remote ones, nothing submitted."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One generation type that a provider serves.

    ``params_schema`` is a JSON Schema (2020-12) of ``provider_params``; the gateway checks a
    submission against it before anything is published. ``stages`` are the stages that the provider
    may report through `Progress`, in order.
    """

    params_schema: Mapping[str, Any]
    title: str = ""
    timeout_s: float | None = None
    """Overrides ``PROVIDER_TIMEOUT_S`` for this type."""
    key_lasts_s: float | None = None
    """For how long a submit may be repeated: the service, asked again with the same key, answers
    with the job that it has already. Less than what the service promises; None if it knows no keys.
    """
    silence_s: float | None = None
    """For how long the provider says nothing at most: it tells progress, or gives up a call that is
    not answered. None if it may be silent for as long as it has time."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most ``jobs`` submits in any ``per_s`` seconds."""

    jobs: int
    per_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What a service takes from one account; None where it doesn't say.

    ``concurrency``: jobs at once, over all generators. What is over it waits in line here, and is
    no failure.
    """

    concurrency: int | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class Callback:
    """What was sent to `Job.callback_url`; header names in lower case.

    Anybody may have sent it. It is a hint to ask the service, unless its signature is good.
    """

    headers: Mapping[str, str]
    body: bytes


async def _kept_nowhere(content: bytes, content_type: str) -> str:
    raise RuntimeError("There is no store to keep an intermediate file in.")


@dataclass(frozen=True, slots=True)
class Job:
    """One attempt at one task, as a provider sees it."""

    task_id: str
    owner: str
    type: str
    prompt: str | None
    reference_images: tuple[str, ...]
    """Keys of own uploads and artifacts, or public http(s) URLs; read them with `fetch`."""
    params: Mapping[str, Any]
    attempt: int
    fetch: Callable[[str], Awaitable[bytes]]
    """Bytes of a reference, checked as an upload is. Raises `Rejected` when it can't be had."""
    called_back: Callable[[float], Awaitable[Callback | None]]
    """Wait so many seconds, or until the service calls back: what to do between two polls."""
    stage: str = ""
    """The last stage of the type's pipeline that earlier attempts have finished."""
    save: Callable[[bytes, str], Awaitable[str]] = _kept_nowhere
    """Keep an intermediate file of this media type; its key goes into a handle, for `fetch`."""
    callback_url: str | None = None
    """Where the service may tell that the job moved; None where it couldn't reach us."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an external service answered to a submit: enough to find the job again after a crash.

    The id is text, or None; the handle is JSON. A job of which anything else is told is lost.
    """

    external_task_id: str | None = None
    handle: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life: ``percent`` in 0..99, and the stage when it moved.

    ``handle`` replaces the one that is on the log: what a later attempt needs to go on from here.
    It is there before the iteration goes on, and comes back in `Submitted.handle`, also for
    `Execution.LOCAL`.
    """

    percent: int
    stage: str | None = None
    handle: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One finished file. A job yields one for each artifact, in order."""

    content: bytes
    content_type: str
    width: int | None = None
    height: int | None = None


class Rejected(Exception):
    """The request itself can't be served; trying again can't help.

    ``message`` is shown to the user. ``stage`` names a failure stage of the type's pipeline, where
    it has them.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "provider_rejected",
        stage: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.stage = stage
        self.params = dict(params or {})


class Unavailable(Exception):
    """The provider failed in a way that another attempt may not meet.

    ``retry_after_s`` is the provider's own wish, when it told one.
    """

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after_s = retry_after_s


class Busy(Unavailable):
    """The service takes no more at present (429): nobody's fault, and no attempt is used up."""


class StillUnknown(Exception):
    """It can't be found out whether the service took a job; see `Finds`."""


class NotConfigured(Exception):
    """Raised by a provider's constructor when a setting that it needs is missing.

    It is then not offered; ``message`` says what to set.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Provider(Protocol):
    """Submit, follow, cancel, resume. One instance serves all tasks of a generator process.

    It is made without arguments, inside the event loop, and may raise `NotConfigured`. It may have
    an attribute ``limits`` (`Limits`), and be one that `Finds` or `Checks`.
    """

    @property
    def name(self) -> str:
        """The lane's name: lower case, ``[a-z0-9_-]+``."""
        ...

    @property
    def execution(self) -> Execution: ...

    @property
    def offers(self) -> Mapping[str, Offer]:
        """The generation types served, by their name in upper case."""
        ...

    async def submit(self, job: Job, key: str) -> Submitted:
        """Hand the job to the external service, under ``key``.

        Called for `Execution.REMOTE` only. Raises `Rejected`, or `Unavailable` when the service
        has certainly not taken the job. Anything else leaves the outcome of a call that may cost
        money unknown. Then it is called again with the same key, by this worker or another, if
        `Offer.key_lasts_s` allows it; or it is looked for, by a provider that `Finds`. Otherwise
        the deployment's policy decides: the task fails, or the job is submitted again.
        """
        ...

    def follow(self, job: Job, submitted: Submitted) -> AsyncIterator[Progress | Output]:
        """Yield progress until the outputs are there, then the outputs.

        Cancelling the iteration stops local work. Raises `Rejected` or `Unavailable`.
        """
        ...

    async def resume(self, job: Job, submitted: Submitted) -> bool:
        """Whether the job can still yield results, so that it can be followed on.

        False for one that the service has forgotten or that failed there. Raises `Unavailable`.
        """
        ...

    async def cancel(self, job: Job, submitted: Submitted) -> None:
        """Stop the job at the external service; a job that has ended is no error."""
        ...

    async def aclose(self) -> None:
        """Release connections and worker processes."""
        ...


@runtime_checkable
class Finds(Protocol):
    """A provider whose service can be asked for a job of which only the key is known."""

    async def find(self, job: Job, key: str) -> Submitted | None:
        """The job that was submitted under ``key``, when nobody heard the answer.

        None if the service certainly has none: it is then submitted again. Raises `Unavailable`
        when the service can't be asked now, `StillUnknown` when its answer tells nothing.
        """
        ...


@runtime_checkable
class Checks(Protocol):
    """A provider whose service can be asked whether it is there, without a job that is paid."""

    async def check(self) -> str:
        """What the service says of itself, in a few words for the operator.

        Raises `Unavailable` or `Rejected`, which say what is wrong.
        """
        ...
