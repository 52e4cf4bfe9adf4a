"""The servers that other tests rely on are real, separate, and can be ended and brought back."""

import asyncpg
import nats
import pytest

from servers import Server


async def test_a_nats_server_keeps_its_stream_through_a_kill(nats_server: Server) -> None:
    client = await nats.connect(nats_server.url)
    await client.jetstream().add_stream(name="S", subjects=["s.>"])
    await client.jetstream().publish("s.1", b"kept")
    await client.close()

    await nats_server.kill()
    await nats_server.restart()

    client = await nats.connect(nats_server.url)
    assert (await client.jetstream().stream_info("S")).state.messages == 1
    await client.close()


async def test_each_test_gets_a_nats_server_without_streams(nats_server: Server) -> None:
    client = await nats.connect(nats_server.url)
    assert await client.jetstream().streams_info() == []
    await client.close()


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_gets_a_database_of_its_own(database_url: str, turn: int) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE only_mine (turn int)")
    await connection.close()


async def test_a_database_survives_the_kill_of_its_server(
    postgres: Server, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    await connection.close()

    await postgres.kill()
    await postgres.restart()

    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("SELECT number FROM kept") == 7
    await connection.close()


def test_a_test_that_is_no_coroutine_can_ask_for_servers_too(
    nats_server: Server, database_url: str
) -> None:
    assert nats_server.url.startswith("nats://")
    assert database_url.startswith("postgresql://")
