"""The generation types are data, and the data is right."""

import pytest

from contracts.generation_types import GENERATION_TYPES, GenerationType, subject_token

KINDS = list(GENERATION_TYPES.values())


def test_the_six_types_are_declared() -> None:
    assert list(GENERATION_TYPES) == [
        "CREATE",
        "WHITE_BACKGROUND",
        "CLOTHING_CHANGE",
        "PHOTO_TO_3D",
        "IMAGE",
        "VIDEO",
    ]


def test_a_photo_goes_through_the_eleven_stages_of_its_pipeline() -> None:
    assert GENERATION_TYPES["PHOTO_TO_3D"].stages == (
        "pending",
        "uploaded",
        "bgr_removed",
        "job_created",
        "model_generated",
        "model_saved",
        "upload_failed",
        "bgr_removal_failed",
        "job_creation_failed",
        "model_generation_failed",
        "model_saving_failed",
    )


@pytest.mark.parametrize("name", [name for name in GENERATION_TYPES if name != "PHOTO_TO_3D"])
def test_all_other_types_go_through_three(name: str) -> None:
    assert GENERATION_TYPES[name].stages == ("queued", "generating", "saving")


@pytest.mark.parametrize(
    ("reached", "shown"),
    [
        ("pending", "upload_failed"),
        ("uploaded", "bgr_removal_failed"),
        ("bgr_removed", "job_creation_failed"),
        ("job_created", "model_generation_failed"),
        ("model_generated", "model_saving_failed"),
        ("model_saving_failed", "model_saving_failed"),
    ],
)
def test_a_pipeline_fails_in_the_stage_after_the_one_it_reached(reached: str, shown: str) -> None:
    assert GENERATION_TYPES["PHOTO_TO_3D"].failure_stage(reached) == shown


def test_an_image_fails_in_the_stage_it_reached() -> None:
    assert GENERATION_TYPES["CREATE"].failure_stage("generating") == "generating"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_type_is_whole(kind: GenerationType) -> None:
    fewest, most = kind.references

    assert GENERATION_TYPES[kind.name] is kind
    assert kind.title
    assert 0 <= fewest <= most <= 16
    assert kind.prompt_required or most > 0
    assert kind.default_provider == "studio"
    assert len(set(kind.stages)) == len(kind.stages)
    assert set(kind.failure_stages) <= set(kind.stages)
    assert kind.waits_for_photo == (kind.pending_stage != kind.waiting_stage)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_type_is_one_token_of_a_subject(kind: GenerationType) -> None:
    token = subject_token(kind.name)

    assert token == kind.name.lower()
    assert not set(token) & set(".*> ")
