"""``python -m gateway`` as an operator meets it: real processes, real sockets, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from contracts.ids import uuid8
from darkroom.stack.ports import free_port
from integration.gateway.house import ANN, CREATE, KEYS, House
from servers import eventually


@dataclass
class Gateway:
    process: asyncio.subprocess.Process
    http: httpx2.AsyncClient
    port: int

    async def answers(self) -> bool:
        try:
            return (await self.http.get("/healthz")).status_code == 200
        except httpx2.TransportError:
            return False


@asynccontextmanager
async def running(house: House, **settings: str) -> AsyncIterator[Gateway]:
    """A gateway process that answers; killed at the end if it still runs."""
    port = free_port()
    told = {
        "NATS_URL": house.nats_url,
        "PORT": str(port),
        "DATA_DIR": str(house.directory),
        "AUTH": "keys",
        "API_KEYS": KEYS,
    }
    process = await start(told | settings)
    base_url = f"http://127.0.0.1:{port}"
    async with httpx2.AsyncClient(base_url=base_url, headers=ANN, timeout=70) as http:
        gateway = Gateway(process, http, port)
        try:
            await eventually(gateway.answers, 30)
            yield gateway
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


async def start(settings: dict[str, str]) -> asyncio.subprocess.Process:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DARKROOM_")}
    environment |= {f"DARKROOM_{name}": value for name, value in settings.items()}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway",
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def submitted(gateway: Gateway, **headers: str) -> httpx2.Response:
    """The answer to a submit, once the provider is known there."""

    async def taken() -> httpx2.Response | None:
        answer = await gateway.http.post("/tasks", json=CREATE, headers=headers)
        return answer if answer.status_code in (200, 202) else None

    answer: httpx2.Response = await eventually(taken)
    return answer


async def test_rival_processes_make_one_task_of_one_key(house: House) -> None:
    async with running(house) as one, running(house) as other:
        await asyncio.gather(submitted(one), submitted(other))
        for number in range(5):
            key = {"Idempotency-Key": f"race-{number}"}
            before = await house.last_sequence()
            answers = await asyncio.gather(
                *(each.http.post("/tasks", json=CREATE, headers=key) for each in (one, other) * 5)
            )
            ids = {each.json().get("task_id") for each in answers}

            # A loser whose task-store is silent too is told so, and never makes a second task.
            assert ids <= {str(uuid8("ann", f"race-{number}")), None}
            assert [each.status_code for each in answers].count(202) == 1
            assert await house.last_sequence() == before + 1


async def test_a_key_outlives_the_process_that_took_it(task_store: House) -> None:
    house = task_store
    async with running(house) as one:
        first = await submitted(one, **{"Idempotency-Key": "k"})
        one.process.kill()
    async with running(house) as another:
        again = await submitted(another, **{"Idempotency-Key": "k"})

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["task_id"] == first.json()["task_id"]


async def test_sigterm_answers_what_is_in_flight_and_ends(house: House) -> None:
    async with running(house) as gateway:
        await submitted(gateway)
        before = await house.last_sequence()
        waiting = asyncio.create_task(
            gateway.http.post("/tasks", json=CREATE, headers={"Prefer": "wait=60"})
        )

        async def taken() -> bool:
            return await house.last_sequence() > before

        await eventually(taken)
        gateway.process.send_signal(signal.SIGTERM)
        answer = await asyncio.wait_for(waiting, 8)
        await asyncio.wait_for(gateway.process.wait(), 8)

    assert answer.status_code == 202


async def test_sigterm_ends_streams_first_and_says_when_to_come_back(house: House) -> None:
    async with running(house) as gateway:
        task_id = (await submitted(gateway)).json()["task_id"]
        accept = {"Accept": "text/event-stream"}
        path = f"/tasks/{task_id}/events"
        async with gateway.http.stream("GET", path, headers=accept) as stream:
            lines = stream.aiter_lines()
            while not (await anext(lines)).startswith("data:"):
                pass
            gateway.process.send_signal(signal.SIGTERM)
            rest = [line async for line in lines]
        await asyncio.wait_for(gateway.process.wait(), 8)

    assert [line.partition(":")[0] for line in rest if line][-1] == "retry"
    assert not any(line.startswith("data:") for line in rest)
    assert gateway.process.returncode == 0


async def test_a_gateway_stays_up_without_a_log(house: House) -> None:
    async with running(house, NATS_URL=f"nats://127.0.0.1:{free_port()}") as gateway:
        ready = await gateway.http.get("/readyz")
        refused = await gateway.http.post("/tasks", json=CREATE)
        gateway.process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(gateway.process.wait(), 8)

    assert (ready.status_code, refused.status_code) == (503, 503)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"HOST": "0.0.0.0"}, "DARKROOM_TRUSTED_NETWORK=1"),
        ({"AUTH": "jwt"}, "DARKROOM_AUTH=jwt"),
        ({"AUTH": "keys"}, "DARKROOM_API_KEYS"),
        ({"ARTIFACTS_URL": "ftp://x"}, "ARTIFACTS_URL"),
    ],
)
async def test_unusable_settings_end_it_with_one_clear_line(
    settings: dict[str, str], told: str
) -> None:
    process = await start(settings)
    _, written = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert len(written.decode().splitlines()) == 1
    assert told in written.decode()


async def test_a_large_body_is_refused_over_a_real_socket(house: House) -> None:
    async with running(house) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(
            b"POST /tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann-key\r\n"
            b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        for _ in range(20):
            writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()
        status = await asyncio.wait_for(reader.readline(), 10)
        writer.close()

    assert status.startswith(b"HTTP/1.1 413")


async def spoken(port: int, *parts: bytes) -> tuple[bytes, dict[str, Any]]:
    """The status line and the problem that the socket is answered with, and then closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 10)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return head.split(b"\r\n")[0], json.loads(body)


async def test_what_is_no_http_is_a_problem_too(house: House) -> None:
    get = b"GET /tasks HTTP/1.1\r\nHost: x\r\n"
    async with running(house) as gateway:
        for sent in (
            b"FOO / HTTP/1.1\r\n\r\n",
            b"GET /\xff HTTP/1.1\r\n\r\n",
            get + b"X: a\0b\r\n\r\n",
            get + b"Content-Length: -1\r\n\r\n",
            get + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
            get + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ):
            line, problem = await spoken(gateway.port, sent)

            assert (line, problem["code"]) == (b"HTTP/1.1 400 Bad Request", "invalid_http")


async def test_headers_without_an_end_are_not_read_on(house: House) -> None:
    async with running(house) as gateway:
        for endless in (b"X: " + b"a" * 100_000, b"X: a\r\n" * 20_000):
            sent = b"GET /tasks HTTP/1.1\r\nHost: x\r\n" + endless
            line, problem = await spoken(gateway.port, sent)

            assert line == b"HTTP/1.1 431 Request Header Fields Too Large"
            assert problem["code"] == "headers_too_large"
        assert await gateway.answers()


async def test_trailers_without_an_end_are_not_read_on(house: House) -> None:
    head = (
        b"POST /tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ann-key\r\n"
        b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    )
    async with running(house) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(head)

        async def closed() -> bool:
            try:
                writer.write(b"X: a\r\n" * 100)
                await writer.drain()
            except ConnectionError:
                return True
            return reader.at_eof()

        await eventually(closed, 30)
        writer.close()
