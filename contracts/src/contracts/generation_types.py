"""The generation types, as data: what a task of each type needs, and the stages it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class GenerationType:
    """One kind of task.

    ``working_stages`` are the stages of a running task in order; the last of them stays when the
    task is completed. ``failure_stages`` name the stage in which a task fails, by the stage that
    it had reached; a type without them keeps the stage it was in. ``references`` are the fewest
    and the most reference images. Timeouts in seconds, None for the deployment's default.
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
    timeout_s: float | None = None
    deadline_s: float | None = None

    @property
    def stages(self) -> tuple[str, ...]:
        """Every stage that a task of this type can show, each once, in the order of the chart."""
        happy = (self.pending_stage, self.waiting_stage, *self.working_stages)
        return tuple(dict.fromkeys((*happy, *self.failure_stages.values())))

    def failure_stage(self, reached: str) -> str:
        """The stage shown by a task that failed when it had reached ``reached``."""
        return self.failure_stages.get(reached, reached)


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

GENERATION_TYPES: Mapping[str, GenerationType] = MappingProxyType(
    {kind.name: kind for kind in _BUILT_IN}
)


def subject_token(type_name: str) -> str:
    """The type as a token of a subject: lower case."""
    return type_name.lower()
