"""What a service's answers mean to a task, on a real socket."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO

import httpx2
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from darkroom.stack.ports import free_port
from fakes.serving import LostAnswer, served
from generator.provider import Busy, Rejected, Unavailable
from generator.vendors import http
from generator.vendors.http import Service, Unanswered

SECRET = "sk-very-secret"
Answer = Callable[[Request], Awaitable[Response]]


class Desk:
    """Gives the prepared answers in order, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[Response | Answer] = []
        self.calls: list[tuple[str, str, str | None]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        await request.body()
        key = request.headers.get("authorization")
        self.calls.append((request.method, request.url.path, key))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        response = answer if isinstance(answer, Response) else await answer(request)
        await response(scope, receive, send)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def url(desk: Desk) -> AsyncIterator[str]:
    async with served(desk) as address:
        yield address


def _words(response: httpx2.Response) -> str | None:
    try:
        words = response.json()["error"]
    except (ValueError, KeyError):
        return None
    return str(words)


def _service(url: str, **options: float) -> Service:
    headers = {"Authorization": f"Bearer {SECRET}"}
    return Service("Paintery", url, headers=headers, words=_words, **options)


@pytest.fixture
async def service(url: str) -> AsyncIterator[Service]:
    opened = _service(url)
    yield opened
    await opened.aclose()


def _error(status: int, words: str = "no", **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JSONResponse({"error": words}, status, named)


@pytest.mark.parametrize("status", [425, 503, 521, 523, 525, 526])
async def test_a_submit_that_the_service_could_not_take_is_certainly_not_taken(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [_error(status)]
    with pytest.raises(Unavailable, match=f"Paintery failed \\({status}\\)"):
        await service.submit("POST", "/jobs", json={})
    assert len(desk.calls) == 1


@pytest.mark.parametrize("status", [302, 303, 408, 500, 501, 502, 504, 520, 522, 524, 529])
async def test_a_submit_that_broke_at_the_service_may_have_been_taken(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [_error(status)]
    with pytest.raises(Unanswered, match=f"answered {status}"):
        await service.submit("POST", "/jobs", json={})
    assert len(desk.calls) == 1


@pytest.mark.parametrize("status", [301, 307, 308])
async def test_a_submit_that_was_sent_elsewhere_was_not_taken(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [RedirectResponse("/elsewhere", status)]
    with pytest.raises(Unavailable, match="redirect"):
        await service.submit("POST", "/jobs", json={})
    assert len(desk.calls) == 1


async def test_a_submit_whose_answer_is_lost_may_have_been_taken(
    desk: Desk, service: Service
) -> None:
    desk.answers = [LostAnswer()]
    with pytest.raises(Unanswered):
        await service.submit("POST", "/jobs", json={})


async def test_a_submit_whose_answer_takes_too_long_may_have_been_taken(
    desk: Desk, url: str
) -> None:
    answered = asyncio.Event()

    async def late(_: Request) -> Response:
        await answered.wait()
        return JSONResponse({})

    desk.answers = [late]
    service = _service(url, timeout_s=0.05)
    try:
        with pytest.raises(Unanswered, match="ReadTimeout"):
            await service.submit("POST", "/jobs", json={})
    finally:
        answered.set()
        await service.aclose()
    assert len(desk.calls) == 1


async def test_a_submit_to_nobody_was_not_taken() -> None:
    service = _service(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="can't be reached"):
        await service.submit("POST", "/jobs", json={})
    await service.aclose()


@pytest.mark.parametrize("status", [500, 502, 503, 504, 524, 408])
async def test_a_question_that_fails_may_be_asked_again(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [_error(status, Retry_After="3")]
    with pytest.raises(Unavailable) as trouble:
        await service.ask("GET", "/jobs/1")
    assert not isinstance(trouble.value, Busy)
    assert trouble.value.retry_after_s == 3


async def test_a_question_whose_answer_is_lost_may_be_asked_again(
    desk: Desk, service: Service
) -> None:
    desk.answers = [LostAnswer()]
    with pytest.raises(Unavailable, match="RemoteProtocolError"):
        await service.ask("GET", "/jobs/1")


@pytest.mark.parametrize("status", [400, 404, 409, 413, 422])
async def test_a_request_that_is_refused_is_rejected_in_the_words_of_the_service(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [_error(status, "No   cats,\nplease.")]
    with pytest.raises(Rejected) as refusal:
        await service.submit("POST", "/jobs", json={})
    told = f"Paintery refused this task ({status}). It says: No cats, please."
    assert refusal.value.message == told
    assert refusal.value.code == "provider_rejected"
    assert refusal.value.params == {"status": status}


async def test_many_words_are_made_few(desk: Desk, service: Service) -> None:
    desk.answers = [_error(400, "no " * 1000)]
    with pytest.raises(Rejected) as refusal:
        await service.ask("GET", "/jobs/1")
    assert len(refusal.value.message) < 600
    assert refusal.value.message.endswith("…")


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_an_account_that_is_not_accepted_is_the_operators_matter(
    desk: Desk, service: Service, status: int
) -> None:
    desk.answers = [_error(status, "who are you")]
    with pytest.raises(Rejected, match="operator has to look") as refusal:
        await service.submit("POST", "/jobs", json={})
    assert SECRET not in refusal.value.message


async def test_a_service_that_is_busy_tells_for_how_many_seconds(
    desk: Desk, service: Service
) -> None:
    desk.answers = [_error(429, Retry_After="7.5")]
    with pytest.raises(Busy) as trouble:
        await service.submit("POST", "/jobs", json={})
    assert trouble.value.retry_after_s == 7.5


async def test_a_service_that_is_busy_tells_until_when(desk: Desk, service: Service) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    desk.answers = [_error(429, Retry_After=format_datetime(at, usegmt=True))]
    with pytest.raises(Busy) as trouble:
        await service.submit("POST", "/jobs", json={})
    told = trouble.value.retry_after_s
    assert told is not None
    assert 3000 < told <= 3600


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("-5", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0.0),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("", None),
    ],
)
def test_a_retry_after_that_makes_no_sense_is_none(header: str, seconds: float | None) -> None:
    assert http.retry_after(httpx2.Response(429, headers={"retry-after": header})) == seconds


def test_no_retry_after_is_none() -> None:
    assert http.retry_after(httpx2.Response(429)) is None


async def test_neither_key_nor_query_is_told_by_errors_or_logs(
    desk: Desk, service: Service, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # as every service does
    told = []
    nobody = _service(f"http://127.0.0.1:{free_port()}")
    for answer in (_error(401), _error(400), _error(500), LostAnswer()):
        desk.answers = [answer]
        for call in (service.ask, service.submit, nobody.ask, nobody.submit):
            with pytest.raises((Rejected, Unavailable, Unanswered)) as trouble:
                await call("POST", f"/jobs?token={SECRET}", json={})
            told += [str(trouble.value), repr(trouble.value), repr(trouble.value.__cause__)]
        with pytest.raises((Rejected, Unavailable)) as trouble:
            await service.download(f"{url}/result?signature={SECRET}")
        told += [str(trouble.value), repr(trouble.value), repr(trouble.value.__cause__)]
    await nobody.aclose()
    ours = [each for each in caplog.records if not each.name.startswith("uvicorn")]
    assert SECRET not in "\n".join([*told, *(each.getMessage() for each in ours)])


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_DOWNLOAD_PAUSE_S", 0.0)


def _picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (3, 2)).save(file, "PNG")
    return file.getvalue()


async def test_a_result_comes_with_its_type_and_size(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [Response(_picture(), media_type="image/png; q=1")]
    output = await service.download(f"{url}/a.png")
    assert output.content == _picture()
    assert (output.content_type, output.width, output.height) == ("image/png", 3, 2)


async def test_a_picture_that_is_called_something_else_is_a_picture(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [Response(_picture(), media_type="binary/octet-stream")]
    output = await service.download(f"{url}/a")
    assert (output.content_type, output.width, output.height) == ("image/png", 3, 2)


async def test_a_result_that_is_no_picture_keeps_the_type_it_was_sent_with(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [Response(b"film", media_type="video/mp4")]
    output = await service.download(f"{url}/a")
    assert (output.content_type, output.width, output.height) == ("video/mp4", None, None)
    told = await service.download(f"{url}/a", content_type="video/webm")
    assert told.content_type == "video/webm"


async def test_no_key_goes_to_where_results_are(desk: Desk, service: Service, url: str) -> None:
    desk.answers = [Response(b"a"), JSONResponse({})]
    await service.download(f"{url}/a")
    await service.ask("GET", "/jobs/1")
    assert desk.calls == [("GET", "/a", None), ("GET", "/jobs/1", f"Bearer {SECRET}")]


async def test_a_file_behind_the_services_door_is_fetched_with_the_key(
    desk: Desk, service: Service
) -> None:
    desk.answers = [Response(b"a")]
    await service.download("/files/a", through=service.client)
    assert desk.calls == [("GET", "/files/a", f"Bearer {SECRET}")]


async def test_a_file_behind_the_door_that_was_moved_is_fetched_there_without_the_key(
    desk: Desk, service: Service
) -> None:
    desk.answers = [RedirectResponse("/b", 302), Response(b"b")]
    assert (await service.download("/files/a", through=service.client)).content == b"b"
    assert desk.calls == [("GET", "/files/a", f"Bearer {SECRET}"), ("GET", "/b", None)]


async def test_a_result_that_can_not_be_had_is_tried_again(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [_error(503), LostAnswer(), Response(b"a")]
    assert (await service.download(f"{url}/a")).content == b"a"
    assert len(desk.calls) == 3


async def test_a_result_that_can_never_be_had_is_not_tried_for_ever(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [_error(500)]
    with pytest.raises(Unavailable, match="can't be fetched from Paintery"):
        await service.download(f"{url}/a")
    assert len(desk.calls) == 3


async def test_a_result_is_followed_to_where_it_was_moved(
    desk: Desk, service: Service, url: str
) -> None:
    desk.answers = [RedirectResponse("/b"), Response(b"b")]
    assert (await service.download(f"{url}/a")).content == b"b"
    assert [path for _, path, _ in desk.calls] == ["/a", "/b"]


@pytest.mark.parametrize("status", [403, 404, 410])
async def test_a_result_that_is_gone_is_not_asked_for_again(
    desk: Desk, service: Service, url: str, status: int
) -> None:
    desk.answers = [_error(status)]
    with pytest.raises(Rejected, match="no longer there"):
        await service.download(f"{url}/a")
    assert len(desk.calls) == 1


async def test_a_result_is_held_in_memory_up_to_a_bound(
    desk: Desk, service: Service, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_RESULT_BYTES", 10)
    desk.answers = [Response(b"0123456789"), Response(b"0123456789a")]
    assert len((await service.download(f"{url}/a")).content) == 10
    with pytest.raises(Rejected, match="over 10 bytes"):
        await service.download(f"{url}/a")


@pytest.mark.parametrize("link", ["", "not a link", "ftp://127.0.0.1/a", "http://[::1", "\x00"])
async def test_a_link_that_is_none_is_the_services_fault(service: Service, link: str) -> None:
    with pytest.raises(Unavailable, match="can't be fetched"):
        await service.download(link)


@pytest.fixture
async def inside() -> AsyncIterator[tuple[int, list[object]]]:
    """Something else on this machine: its port, and who connected to it."""
    heard: list[object] = []

    async def hear(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(writer.get_extra_info("peername"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], heard
    server.close()


REFUSED = "Paintery made a result, but its link does not lead to a public address"


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "nats", "2130706433"],
)
async def test_a_result_is_not_fetched_from_inside(
    service: Service, inside: tuple[int, list[object]], host: str
) -> None:
    port, heard = inside
    with pytest.raises(Rejected, match=REFUSED) as refusal:
        await service.download(f"http://{host}:{port}/varz")
    assert (refusal.value.code, heard) == ("provider_rejected", [])
    assert str(port) not in refusal.value.message


@pytest.mark.parametrize("key", [None, f"Bearer {SECRET}"])
async def test_no_result_is_followed_inside(
    desk: Desk, service: Service, url: str, inside: tuple[int, list[object]], key: str | None
) -> None:
    port, heard = inside
    desk.answers = [RedirectResponse("/b"), RedirectResponse(f"http://127.0.0.1:{port}/varz")]
    with pytest.raises(Rejected, match=REFUSED):
        await service.download(f"{url}/a", through=service.client if key else None)
    assert desk.calls[0] == ("GET", "/a", key)
    assert [path for _, path, _ in desk.calls] == ["/a", "/b"]
    assert heard == []


async def test_a_name_does_not_lead_a_result_inside(
    url: str, inside: tuple[int, list[object]]
) -> None:
    port, heard = inside

    async def resolver(_: str) -> list[str]:
        return ["127.0.0.1"]

    service = Service("Paintery", url, resolver=resolver)
    with pytest.raises(Rejected, match=REFUSED):
        await service.download(f"http://pictures.example:{port}/varz")
    await service.aclose()
    assert heard == []


async def test_a_result_at_a_name_that_is_not_known_may_be_there_later(url: str) -> None:
    asked = []

    async def resolver(host: str) -> list[str]:
        asked.append(host)
        raise OSError(host)

    service = Service("Paintery", url, resolver=resolver)
    with pytest.raises(Unavailable, match=r"can't be fetched from Paintery \(ConnectError\)"):
        await service.download("http://pictures.example/a.png")
    await service.aclose()
    assert asked == ["pictures.example"] * 3


async def test_the_service_is_where_it_was_configured_and_by_the_same_scheme(
    desk: Desk, service: Service, url: str
) -> None:
    for link in (url.replace("http:", "https:"), url.replace("127.0.0.1", "127.0.0.2")):
        with pytest.raises(Rejected, match=REFUSED):
            await service.download(f"{link}/a")
    assert desk.calls == []
