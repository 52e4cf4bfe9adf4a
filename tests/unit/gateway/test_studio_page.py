"""The built page is served at its own addresses, kept as long as it may be, and shadows nothing."""

import json
from pathlib import Path

import httpx2
import pytest
from starlette.routing import Route

from gateway import studio
from gateway.app import create_app
from gateway.settings import Settings

SCRIPT = b"console.log(1);" * 100


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Darkroom</title>")
    (tmp_path / "pages.json").write_text(json.dumps(["/", "/history"]))
    (tmp_path / "theme.js").write_text("dark()")
    (tmp_path / "assets/index-1a2b.js").write_bytes(SCRIPT)
    (tmp_path / "assets/index-1a2b.js.br").write_bytes(b"brotli")
    (tmp_path / "assets/index-1a2b.js.gz").write_bytes(b"gzip")
    return tmp_path


def client_of(page: Path) -> httpx2.AsyncClient:
    # Without its lifespan: nothing here needs the log.
    transport = httpx2.ASGITransport(create_app(Settings(), page=page), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://darkroom.test")


@pytest.fixture
def page(built: Path) -> httpx2.AsyncClient:
    return client_of(built)


@pytest.mark.parametrize("path", ["/", "/history"])
async def test_the_page_is_at_its_addresses_and_asked_for_anew_each_time(
    page: httpx2.AsyncClient, path: str
) -> None:
    answer = await page.get(path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "<title>Darkroom</title>" in answer.text


async def test_the_page_runs_its_own_scripts_and_no_others(page: httpx2.AsyncClient) -> None:
    policy = (await page.get("/")).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


async def test_what_has_a_hash_in_its_name_is_kept_forever(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/assets/index-1a2b.js", headers={"Accept-Encoding": "identity"})

    assert answer.content == SCRIPT
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


async def test_what_has_none_is_asked_for_again(page: httpx2.AsyncClient) -> None:
    answer = await page.get("/theme.js")

    assert answer.text == "dark()"
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("br, gzip", "br"),
        ("gzip, deflate, br;q=0", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("deflate", None),
        ("", None),
    ],
)
async def test_the_compressed_file_goes_to_who_takes_it(
    page: httpx2.AsyncClient, accepted: str, sent: str | None
) -> None:
    headers = {"Accept-Encoding": accepted}
    async with page.stream("GET", "/assets/index-1a2b.js", headers=headers) as answer:
        assert answer.headers.get("content-encoding") == sent
        assert answer.headers["vary"] == "Accept-Encoding"


async def test_who_has_it_already_gets_no_bytes(page: httpx2.AsyncClient) -> None:
    etag = (await page.get("/")).headers["etag"]

    answer = await page.get("/", headers={"If-None-Match": etag})

    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == etag


async def test_each_encoding_has_a_tag_of_its_own(page: httpx2.AsyncClient) -> None:
    tags = set()
    for accepted in ("br", "gzip", "identity"):
        headers = {"Accept-Encoding": accepted}
        async with page.stream("GET", "/assets/index-1a2b.js", headers=headers) as answer:
            tags.add(answer.headers["etag"])

    assert len(tags) == 3


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/history/further", "/assets/other.js", "/pages.json"],
)
async def test_an_address_that_is_neither_page_nor_file_stays_a_404(
    page: httpx2.AsyncClient, path: str
) -> None:
    answer = await page.get(path, headers={"Accept": "text/html"})

    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_no_page_comes_before_the_api(built: Path) -> None:
    (built / "pages.json").write_text(json.dumps(["/", "/tasks", "/healthz", "/docs"]))
    app = create_app(Settings(), page=built)
    paths = [route.path for route in app.router.routes if isinstance(route, Route)]

    for path in ("/tasks", "/healthz"):
        first = next(r for r in app.router.routes if isinstance(r, Route) and r.path == path)
        assert first.endpoint.__module__ != studio.__name__
    assert paths.index("/tasks") < paths.index("/")


async def test_without_a_build_the_first_page_says_how_to_get_it(tmp_path: Path) -> None:
    page = client_of(tmp_path / "nothing")

    answer = await page.get("/")

    assert "make setup" in answer.text
    assert "<script" not in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
