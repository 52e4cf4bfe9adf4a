"""The generation types, as data: what a task of each type needs, and the stages it goes through.

A deployment declares types of its own in a TOML file (``TYPES_FILE``, see docs/pipelines.md); every
service reads it when it starts, and none has to be changed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError


@dataclass(frozen=True)
class GenerationType:
    """One kind of task.

    ``working_stages`` are the stages of a running task in order; the last of them stays when the
    task is completed. ``failure_stages`` name the stage in which a task fails, by the stage that
    it had reached; a type without them keeps the stage it was in. With them it is a pipeline: each
    stage says what is done, and a task never goes back. ``references`` are the fewest and the most
    reference images. ``fallbacks`` are the providers to go to, in order, while the breaker of the
    one that should serve is open. Timeouts in seconds, None for the deployment's default.
    """

    name: str
    title: str
    pending_stage: str
    waiting_stage: str
    working_stages: tuple[str, ...]
    prompt_required: bool
    references: tuple[int, int]
    default_provider: str
    failure_stages: Mapping[str, str] = field(default_factory=dict)
    waits_for_photo: bool = False
    fallbacks: tuple[str, ...] = ()
    timeout_s: float | None = None
    deadline_s: float | None = None

    @property
    def is_pipeline(self) -> bool:
        return bool(self.failure_stages)

    @cached_property
    def happy_stages(self) -> tuple[str, ...]:
        """The stages of a task that meets no trouble, in order."""
        happy = (self.pending_stage, self.waiting_stage, *self.working_stages)
        return tuple(dict.fromkeys(happy))

    @cached_property
    def stages(self) -> tuple[str, ...]:
        """Every stage that a task of this type can show, each once, in the order of the chart."""
        return tuple(dict.fromkeys((*self.happy_stages, *self.failure_stages.values())))

    @cached_property
    def moves(self) -> frozenset[tuple[str, str]]:
        """Every arrow of the type's chart: (stage before, stage after).

        A pipeline goes from each stage to the next, or to its failure; a photo that came may turn
        out to be none. Other types begin again after an attempt that failed or was lost.
        """
        happy = self.happy_stages
        arrows = set(pairwise(happy))
        arrows.update(self.failure_stages.items())
        if self.is_pipeline and self.waits_for_photo:
            arrows.add((self.waiting_stage, self.failure_stages[self.pending_stage]))
        if not self.is_pipeline:
            first = self.working_stages[0]
            arrows.update((working, self.waiting_stage) for working in self.working_stages)
            arrows.update((working, first) for working in self.working_stages[1:])
        return frozenset(arrows)

    def allows(self, before: str, after: str) -> bool:
        """Whether the chart has an arrow from one stage to another."""
        return (before, after) in self.moves

    def failure_stage(self, reached: str) -> str:
        """The stage shown by a task that failed when it had reached ``reached``."""
        return self.failure_stages.get(reached, reached)

    def steps_to_failure(self, before: str, failure: str) -> tuple[str, ...]:
        """The stages that a task in ``before`` has passed when it fails in ``failure``."""
        if self.allows(before, failure):
            return ()
        source = next((at for at, fails in self.failure_stages.items() if fails == failure), before)
        return self.steps_to(before, source)

    def steps_to(self, before: str, after: str) -> tuple[str, ...]:
        """The stages from ``before``, without it, up to ``after``; none if that lies not ahead.

        Who has reached a stage has passed those before it.
        """
        happy = self.happy_stages
        if before not in happy or after not in happy:
            return ()
        return happy[happy.index(before) + 1 : happy.index(after) + 1]


def _image(name: str, title: str, *, prompt: bool, references: tuple[int, int]) -> GenerationType:
    return GenerationType(
        name=name,
        title=title,
        pending_stage="queued",
        waiting_stage="queued",
        working_stages=("generating", "saving"),
        prompt_required=prompt,
        references=references,
        default_provider="studio",
    )


_BUILT_IN = (
    _image("CREATE", "Picture from a prompt", prompt=True, references=(0, 16)),
    _image("WHITE_BACKGROUND", "Photo on white", prompt=False, references=(1, 1)),
    _image("CLOTHING_CHANGE", "Other clothes", prompt=False, references=(1, 2)),
    GenerationType(
        name="PHOTO_TO_3D",
        title="3D model from a photo",
        pending_stage="pending",
        waiting_stage="uploaded",
        working_stages=("bgr_removed", "job_created", "model_generated", "model_saved"),
        prompt_required=False,
        references=(0, 1),
        default_provider="studio",
        failure_stages=MappingProxyType(
            {
                "pending": "upload_failed",
                "uploaded": "bgr_removal_failed",
                "bgr_removed": "job_creation_failed",
                "job_created": "model_generation_failed",
                "model_generated": "model_saving_failed",
            }
        ),
        waits_for_photo=True,
    ),
    _image("IMAGE", "Images by any provider", prompt=True, references=(0, 16)),
    _image("VIDEO", "Video from a prompt", prompt=True, references=(0, 16)),
)

_known = {kind.name: kind for kind in _BUILT_IN}

GENERATION_TYPES: Mapping[str, GenerationType] = MappingProxyType(_known)
"""Every type that this process knows: the built-in ones, and those that were declared."""


class BadTypes(Exception):
    """A file of types can't be used; the message says what to change."""


_Stage = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
_Provider = Annotated[str, Field(pattern=r"^[a-z0-9_-]{1,64}$")]
_Seconds = Annotated[float, Field(gt=0)]


class _Declared(BaseModel):
    """One table of a file of types; its name is the type's."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: Annotated[str, Field(min_length=1, max_length=200)]
    provider: _Provider
    stages: Annotated[list[_Stage], Field(min_length=2, max_length=32)]
    pending_stage: _Stage | None = None
    failure_stages: dict[_Stage, _Stage] = {}
    prompt_required: bool = True
    references: Annotated[list[Annotated[int, Field(ge=0, le=16)]], Field(min_length=2)] = [0, 16]
    waits_for_photo: bool = False
    fallbacks: list[_Provider] = []
    timeout_s: _Seconds | None = None
    deadline_s: _Seconds | None = None


_Name = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")]
_FILE: TypeAdapter[dict[str, _Declared]] = TypeAdapter(dict[_Name, _Declared])


def read_types(text: str) -> list[GenerationType]:
    """The types that a TOML document declares. Raises `BadTypes`."""
    try:
        tables: dict[str, Any] = tomllib.loads(text)
        declared = _FILE.validate_python(tables)
    except tomllib.TOMLDecodeError as error:
        raise BadTypes(f"it is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise BadTypes(f"{place}: {first['msg']}") from None
    return [_declared_type(name, table) for name, table in declared.items()]


def declare(kinds: Iterable[GenerationType]) -> None:
    """Make these types known to the process. Raises `BadTypes` for a built-in one's name."""
    built_in = {kind.name for kind in _BUILT_IN}
    for kind in kinds:
        if kind.name in built_in:
            raise BadTypes(f"{kind.name} is a built-in type: give yours another name")
        _known[kind.name] = kind


def _declared_type(name: str, table: _Declared) -> GenerationType:
    waiting, *working = table.stages
    kind = GenerationType(
        name=name,
        title=table.title,
        pending_stage=table.pending_stage or waiting,
        waiting_stage=waiting,
        working_stages=tuple(working),
        prompt_required=table.prompt_required,
        references=(table.references[0], table.references[-1]),
        default_provider=table.provider,
        failure_stages=MappingProxyType(dict(table.failure_stages)),
        waits_for_photo=table.waits_for_photo,
        fallbacks=tuple(table.fallbacks),
        timeout_s=table.timeout_s,
        deadline_s=table.deadline_s,
    )
    _check(kind)
    return kind


def _check(kind: GenerationType) -> None:
    """What a table can't say by itself. Raises `BadTypes`."""
    happy = kind.happy_stages
    fewest, most = kind.references
    live = happy[:-1]
    named = [*happy, *kind.failure_stages.values()]
    if fewest > most:
        raise BadTypes(f"{kind.name}.references: the fewest come first")
    if not kind.prompt_required and most == 0:
        raise BadTypes(f"{kind.name}: a task needs a prompt or a reference image")
    if kind.waits_for_photo and (kind.pending_stage == kind.waiting_stage or most == 0):
        raise BadTypes(f"{kind.name}: waiting for a photo takes a pending_stage and a reference")
    if len(set(named)) != len(named):
        raise BadTypes(f"{kind.name}: each stage has a name of its own")
    if kind.is_pipeline and set(kind.failure_stages) != set(live):
        raise BadTypes(f"{kind.name}.failure_stages: one for each of {', '.join(live)}, or none")


def subject_token(type_name: str) -> str:
    """The type as a token of a subject: lower case."""
    return type_name.lower()
