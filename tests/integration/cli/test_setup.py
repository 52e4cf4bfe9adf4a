"""``darkroom setup`` on servers that have nothing, or something else."""

from __future__ import annotations

from typing import Any

import asyncpg
import nats
import pytest

from contracts.subjects import STREAM
from integration.cli.conftest import Shell
from servers import Server, eventually


async def test_setup_creates_what_is_missing_and_then_has_nothing_to_do(bare: Shell) -> None:
    missing = await bare("setup", "--check")
    created = await bare("setup")
    again = await bare("setup")
    checked = await bare("setup", "--check")

    assert missing.exit_code == 1
    assert f"stream {STREAM} does not exist" in missing.stdout
    assert "darkroom setup" in missing.stderr
    assert created.exit_code == 0, created.stderr
    assert created.stdout.splitlines()[0] == f"created stream {STREAM}"
    assert "created consumer generator-create-studio" in created.stdout
    assert "database schema: applied step 1" in created.stdout
    assert (again.exit_code, again.stdout) == (
        0,
        "Streams, consumers and schema are as they should be.\n",
    )
    assert checked.exit_code == 0


async def test_a_schema_that_went_further_is_fine_until_it_is_contracted(
    bare: Shell, database_url: str
) -> None:
    """What the version before finds when a deployment is taken back."""
    await bare("setup")
    connection = await asyncpg.connect(database_url)
    await connection.execute("INSERT INTO public.darkroom_migrations (step) VALUES (98)")

    expanded = await bare("setup")
    contracted = await bare("setup", "--contract")
    await connection.execute(
        "INSERT INTO public.darkroom_migrations (step, least, version) VALUES (99, 98, '9.1.0')"
    )
    told = [
        await bare(*words) for words in (("setup",), ("setup", "--check"), ("erase", "x", "--yes"))
    ]
    await connection.close()

    assert (expanded.exit_code, contracted.exit_code) == (0, 0), expanded.stderr
    assert {ran.exit_code for ran in told} == {1}
    for ran in told:
        assert "it knows schema step" in ran.stderr
        assert "Run version 9.1.0 or newer, or restore a backup." in ran.stderr


async def test_contracting_is_of_the_schema_alone(bare: Shell) -> None:
    ran = await bare("setup", "--contract", "--subscribers")

    assert ran.exit_code == 2
    assert "--contract is for the schema" in ran.stderr


async def test_check_changes_nothing(bare: Shell, nats_server: Server) -> None:
    await bare("setup", "--check")

    client = await nats.connect(nats_server.url)
    assert await client.jetstream().streams_info() == []
    await client.close()


async def test_drift_is_found_told_and_mended(bare: Shell) -> None:
    await bare("setup")
    other = bare.having(STREAM_MAX_AGE_S="86400", LEASE_S="12")

    checked = await other("setup", "--check", "--json")
    mended = await other("setup")

    assert checked.exit_code == 1
    assert any("max_age is 2592000.0, should be 86400.0" in each["what"] for each in checked.json)
    assert f"stream {STREAM}: changed max_age from 2592000.0 to 86400.0" in mended.stdout
    assert "consumer generator-create-studio: changed ack_wait" in mended.stdout
    assert (await other("setup", "--check")).exit_code == 0


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"STREAM_MAX_BYTES": str(2**60)}, "DARKROOM_STREAM_MAX_BYTES"),
        ({"STREAM_REPLICAS": "3"}, "replicas"),
    ],
)
async def test_what_the_server_cannot_do_is_one_line(
    bare: Shell, settings: dict[str, str], told: str
) -> None:
    ran = await bare.having(**settings)("setup")

    assert ran.exit_code == 1
    assert told in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("missing", ["NATS_URL", "DATABASE_URL"])
async def test_a_server_that_does_not_answer_exits_3(bare: Shell, missing: str) -> None:
    scheme = "nats" if missing == "NATS_URL" else "postgresql"

    ran = await bare.having(**{missing: f"{scheme}://me:secret@127.0.0.1:1/x"})("setup")

    assert ran.exit_code == 3
    assert f"DARKROOM_{missing}" in ran.stderr
    assert "secret" not in ran.stderr
    assert len(ran.stderr.splitlines()) == 1


async def test_a_single_service_runs_on_its_own(bare: Shell) -> None:
    await bare("setup")
    process = await bare.start("task-store")

    async def projects() -> bool:
        status = await bare("projection", "status", "--json")
        return status.exit_code == 0 and status.json["projector"] == "active"

    try:
        await eventually(projects, 60)
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_subscriber_is_made_listed_and_removed(bare: Shell) -> None:
    before = await bare("setup", "--subscriber", "billing")
    await bare("setup")
    missing = await bare("setup", "--subscriber", "billing", "--check")
    words = ("--filter", "generation.finished.>", "--filter", "generation.progress.>")
    made = await bare("setup", "--subscriber", "billing", *words, "--max-deliver", "7")
    again = await bare("setup", "--subscriber", "billing", *words, "--max-deliver", "7")
    checked = await bare("setup", "--check")
    listed = await bare("setup", "--subscribers", "--json")
    table = await bare("setup", "--subscribers")
    unasked = await bare("setup", "--remove", "billing")
    removed = await bare("setup", "--remove", "billing", "--yes")
    gone = await bare("setup", "--remove", "billing", "--yes")
    none = await bare("setup", "--subscribers")

    assert (before.exit_code, missing.exit_code) == (1, 1)
    assert "Run `darkroom setup` first" in before.stderr
    assert missing.stdout == "subscriber billing does not exist\n"
    assert (made.exit_code, made.stdout) == (0, "created subscriber billing\n"), made.stderr
    assert again.stdout == "Subscriber billing is as it should be.\n"
    assert checked.exit_code == 0
    assert listed.json[0]["filters"] == ["generation.finished.>", "generation.progress.>"]
    assert listed.json[0]["max_deliver"] == 7
    assert "billing" in table.stdout
    assert (unasked.exit_code, removed.exit_code, gone.exit_code) == (1, 0, 1)
    assert "Remove billing? It loses its place" in unasked.stderr
    assert removed.stdout == "removed subscriber billing\n"
    assert "There is no subscriber billing" in gone.stderr
    assert none.stdout.startswith("No subscribers.")


async def test_a_subscribers_drift_is_told_mended_or_refused(bare: Shell) -> None:
    await bare("setup")
    await bare("setup", "--subscriber", "billing", "--from", "all")
    other = ("setup", "--subscriber", "billing", "--ack-wait", "90")

    checked = await bare(*other, "--check")
    mended = await bare(*other)
    elsewhere = await bare("setup", "--subscriber", "billing", "--from", "7")
    overlapping = ("--filter", "generation.>", "--filter", "generation.finished.>")
    refused = await bare("setup", "--subscriber", "billing", *overlapping)

    assert (checked.exit_code, mended.exit_code) == (1, 0)
    assert checked.stdout == "subscriber billing: ack_wait is 30.0, should be 90.0\n"
    assert mended.stdout == "subscriber billing: changed ack_wait from 30.0 to 90.0\n"
    assert (elsewhere.exit_code, refused.exit_code) == (1, 1)
    assert "it began elsewhere in the log" in elsewhere.stderr
    assert "darkroom setup --remove billing" in elsewhere.stderr
    assert "overlap" in refused.stderr


async def test_a_subscriber_begins_at_the_end_of_the_log_at_the_latest(
    bare: Shell, nats_server: Server
) -> None:
    await bare("setup")
    client = await nats.connect(nats_server.url)
    for number in range(2):
        await client.jetstream().publish(f"generation.progress.create.t-{number}", b"{}")
    await client.close()

    async def begun(name: str, sequence: str, *words: str) -> Any:
        return await bare("setup", "--subscriber", name, "--from", sequence, *words)

    beyond = [await begun("billing", "4", *words) for words in ((), ("--check",))]
    none = await bare("setup", "--subscribers")
    from_now_on = await begun("billing", "3")

    for ran in beyond:
        assert (ran.exit_code, ran.stdout) == (1, "")
        assert "the log ends at 2. From now on is --from new, or 3." in ran.stderr
    assert none.stdout.startswith("No subscribers.")
    assert (from_now_on.exit_code, from_now_on.stdout) == (0, "created subscriber billing\n")


@pytest.mark.parametrize(
    "words",
    [
        ("--filter", "generation.>"),
        ("--subscriber", "generator-create-studio"),
        ("--subscriber", "a.b"),
        ("--subscriber", "a", "--filter", "live.>"),
        ("--subscriber", "a", "--from", "yesterday"),
        ("--subscriber", "a", "--from", "2999-01-01"),
        ("--subscriber", "a", "--max-deliver", "0"),
        ("--subscriber", "a", "--remove", "b"),
        ("--remove", "generator-create-studio", "--yes"),
    ],
)
async def test_a_subscriber_that_makes_no_sense_is_wrong_usage(
    bare: Shell, words: tuple[str, ...]
) -> None:
    ran = await bare("setup", *words)

    assert ran.exit_code == 2
    assert "Error:" in ran.stderr


async def test_doctor_tells_of_a_subscriber_whose_events_left_the_log(
    bare: Shell, nats_server: Server
) -> None:
    await bare("setup")
    await bare("setup", "--subscriber", "billing", "--from", "all")
    client = await nats.connect(nats_server.url)
    js = client.jetstream()
    for number in range(3):
        await js.publish(f"generation.progress.create.t-{number}", b"{}")
    near = await bare("doctor", "--json")
    config = (await js.stream_info(STREAM)).config
    await js.update_stream(config.evolve(max_age=1, duplicate_window=1))

    async def aged_out() -> bool:
        return (await js.stream_info(STREAM)).state.first_seq == 4

    await eventually(aged_out, 30)
    missed = await bare("doctor", "--json")
    await client.close()

    def told(ran: Any) -> tuple[bool | None, str]:
        (found,) = [each for each in ran.json if each["name"] == "subscribers"]
        return found["ok"], found["detail"]

    assert told(near) == (True, "1, at most 3 events behind")
    assert told(missed) == (
        False,
        "events left the log unread by billing (at 0); the log begins at 4",
    )
