"""The pages: complete without a network, and open to nothing but this gateway."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx2
import pytest

HERE = "http://darkroom.test"


class _Addresses(HTMLParser):
    """Whatever a page would load, send to or lead to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href", "action", "data", "srcset", "poster")
        self.found += [value or "" for name, value in attrs if name in names]


def addresses(page: str, html: str) -> list[str]:
    parser = _Addresses()
    parser.feed(html)
    return [urljoin(f"{HERE}{page}", each) for each in parser.found]


@pytest.mark.parametrize("page", ["/", "/docs", "/docs/errors"])
async def test_a_page_refers_to_no_other_host(door: httpx2.AsyncClient, page: str) -> None:
    answer = await door.get(page, headers={"Authorization": ""})
    found = addresses(page, answer.text)
    answers = [await door.get(each) for each in found]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert found
    assert {urlsplit(each).netloc for each in found} == {urlsplit(HERE).netloc}
    assert {each.status_code for each in answers} <= {200, 503}
    assert not re.search(r"(?:https?:)?//(?!www\.w3\.org)[a-z0-9-]+\.[a-z]", answer.text)


@pytest.mark.parametrize("page", ["/", "/docs", "/docs/errors"])
async def test_a_page_could_not_reach_another_host_either(
    door: httpx2.AsyncClient, page: str
) -> None:
    policy = (await door.get(page)).headers["content-security-policy"]
    directives = dict(each.split(maxsplit=1) for each in policy.split("; "))
    sources = {source for allowed in directives.values() for source in allowed.split()}

    assert directives["default-src"] == "'none'"
    assert {each for each in sources if not each.startswith("'sha256-")} <= {
        "'none'",
        "'self'",
        "'unsafe-inline'",
        "data:",
    }
    assert "'unsafe-inline'" not in directives.get("script-src", "")


async def test_the_files_of_the_api_page_load_nothing_either(door: httpx2.AsyncClient) -> None:
    style = await door.get("/docs/swagger-ui.css")
    script = await door.get("/docs/swagger-ui-bundle.js", headers={"Authorization": ""})

    assert style.headers["content-type"].startswith("text/css")
    assert "@import" not in style.text
    assert not re.search(r"url\(['\"]?(?:https?:)?//", style.text)
    assert re.match(r"(text|application)/javascript", script.headers["content-type"])
    assert "SwaggerUIBundle" in script.text


@pytest.mark.parametrize("name", ["__init__.py", "..%2fmain.py", "swagger-ui.css.map", "%00"])
async def test_nothing_else_is_to_be_had_there(door: httpx2.AsyncClient, name: str) -> None:
    answer = await door.get(f"/docs/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_the_type_of_a_problem_leads_to_its_explanation(door: httpx2.AsyncClient) -> None:
    problem = (await door.get("/tasks/nothing", headers={"Authorization": ""})).json()
    address, _, anchor = problem["type"].partition("#")
    page = await door.get(address, headers={"Authorization": ""})

    assert page.status_code == 200
    assert anchor == problem["code"]
    assert f'id="{anchor}"' in page.text
