"""The generation types are data, and the data is right."""

import pytest

from contracts.generation_types import (
    GENERATION_TYPES,
    BadTypes,
    GenerationType,
    declare,
    read_types,
    subject_token,
)

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


@pytest.mark.parametrize(
    ("before", "failure", "passed"),
    [
        ("uploaded", "bgr_removal_failed", ()),
        ("uploaded", "model_saving_failed", ("bgr_removed", "job_created", "model_generated")),
        ("job_created", "bgr_removal_failed", ()),
        ("job_created", "exploded", ()),
    ],
)
def test_who_fails_further_on_has_passed_what_lies_before(
    before: str, failure: str, passed: tuple[str, ...]
) -> None:
    assert GENERATION_TYPES["PHOTO_TO_3D"].steps_to_failure(before, failure) == passed


@pytest.mark.parametrize(
    ("before", "after", "passed"),
    [
        ("pending", "bgr_removed", ("uploaded", "bgr_removed")),
        ("bgr_removed", "bgr_removed", ()),
        ("model_saved", "uploaded", ()),
        ("pending", "exploded", ()),
        ("exploded", "uploaded", ()),
    ],
)
def test_who_has_reached_a_stage_has_passed_those_before_it(
    before: str, after: str, passed: tuple[str, ...]
) -> None:
    assert GENERATION_TYPES["PHOTO_TO_3D"].steps_to(before, after) == passed


# A deployment's own

POSTER = """
[POSTER]
title = "Poster"
provider = "posters"
stages = ["queued", "reduced", "poster_saved"]
"""


def test_a_type_needs_no_more_than_a_title_a_provider_and_its_stages() -> None:
    assert read_types(POSTER) == [
        GenerationType(
            name="POSTER",
            title="Poster",
            pending_stage="queued",
            waiting_stage="queued",
            working_stages=("reduced", "poster_saved"),
            prompt_required=True,
            references=(0, 16),
            default_provider="posters",
        )
    ]


def test_a_type_can_be_a_pipeline_with_all_that_the_built_in_one_has() -> None:
    [kind] = read_types(
        """
        [FIGURE]
        title = "Figure from a photo"
        provider = "figures"
        pending_stage = "pending"
        stages = ["uploaded", "cut_out", "figure_saved"]
        failure_stages = {pending = "no_photo", uploaded = "no_subject", cut_out = "no_figure"}
        prompt_required = false
        references = [0, 1]
        waits_for_photo = true
        fallbacks = ["studio"]
        timeout_s = 60
        deadline_s = 600.5
        """
    )

    assert kind.stages == (
        *("pending", "uploaded", "cut_out", "figure_saved"),
        *("no_photo", "no_subject", "no_figure"),
    )
    assert kind.is_pipeline
    assert kind.allows("uploaded", "no_photo")
    assert not kind.allows("cut_out", "uploaded")
    assert (kind.fallbacks, kind.timeout_s, kind.deadline_s) == (("studio",), 60, 600.5)


@pytest.mark.parametrize(
    ("added", "says"),
    [
        ("failure_stages = [", "it is not TOML: "),
        ("colour = 'red'", "POSTER.colour: Extra inputs are not permitted"),
        ("prompt_required = 'no'", "POSTER.prompt_required: Input should be a valid boolean"),
        ("references = [3, 1]", "POSTER.references: the fewest come first"),
        ("references = [0, 17]", "POSTER.references.1: Input should be less than or equal to 16"),
        (
            "prompt_required = false\nreferences = [0, 0]",
            "POSTER: a task needs a prompt or a reference image",
        ),
        ("waits_for_photo = true", "POSTER: waiting for a photo takes a pending_stage"),
        (
            "waits_for_photo = true\npending_stage = 'pending'\nreferences = [0, 0]",
            "POSTER: waiting for a photo takes a pending_stage and a reference",
        ),
        (
            "failure_stages = {queued = 'failed', reduced = 'failed'}",
            "POSTER: each stage has a name of its own",
        ),
        (
            "failure_stages = {queued = 'reduction_failed'}",
            "POSTER.failure_stages: one for each of queued, reduced, or none",
        ),
        ("timeout_s = 0", "POSTER.timeout_s: Input should be greater than 0"),
        ("[poster]\ntitle = 'x'", "poster: String should match pattern"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_wrong(added: str, says: str) -> None:
    with pytest.raises(BadTypes) as caught:
        read_types(POSTER + added)

    assert str(caught.value).startswith(says)


@pytest.mark.usefixtures("no_trace")
def test_a_declared_type_is_known_beside_the_built_in_ones() -> None:
    declare(read_types(POSTER))

    assert list(GENERATION_TYPES)[-2:] == ["VIDEO", "POSTER"]
    assert GENERATION_TYPES["POSTER"].title == "Poster"


@pytest.mark.usefixtures("no_trace")
def test_a_built_in_type_is_not_replaced() -> None:
    with pytest.raises(BadTypes, match="CREATE is a built-in type: give yours another name"):
        declare(read_types(POSTER.replace("POSTER", "CREATE")))

    assert GENERATION_TYPES["CREATE"].default_provider == "studio"
