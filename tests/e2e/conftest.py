"""A real Chromium on the whole system; a machine without one fails, and is told how to get it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from gateway.studio import BUILT
from servers import eventually
from system import System, running_system

PATIENCE_MS = 45_000
SCREENSHOTS = Path(__file__).parent / "screenshots"
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    # Models are drawn without a graphics card, too.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    """One task at a time, and silence is noticed soon."""
    if not (BUILT / "index.html").is_file():
        pytest.fail("The page is not built: make web")
    async with running_system(
        tmp_path_factory.mktemp("system"),
        GENERATOR_CONCURRENCY="1",
        TASK_TIMEOUT_S="12",
        REAPER_INTERVAL_S="0.5",
    ) as made:
        yield made


@asynccontextmanager
async def opened_browser(*more: str) -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.fail("There is no Chromium. Debian: apt-get install chromium")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=path, args=[*_ARGUMENTS, *more])
        yield opened
        await opened.close()


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with opened_browser() as opened:
        yield opened


@pytest.fixture
async def context(browser: Browser, system: System) -> AsyncIterator[BrowserContext]:
    """A browser profile that speaks English; it fails the test that breaks the page's own rules."""
    opened = await browser.new_context(
        base_url=f"http://127.0.0.1:{system.port}", locale="en-GB", color_scheme="light"
    )
    opened.set_default_timeout(PATIENCE_MS)
    broken: list[str] = []
    opened.on("weberror", lambda error: broken.append(str(error.error)))
    opened.on(
        "console",
        lambda message: (
            broken.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    yield opened
    await opened.close()
    assert broken == []


@pytest.fixture
async def page(context: BrowserContext, quiet: None) -> Page:
    return await context.new_page()


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Something red on green."""
    path = tmp_path / "cup.png"
    picture = Image.new("RGB", (320, 240), (90, 140, 90))
    picture.paste((200, 40, 40), (110, 60, 210, 180))
    picture.save(path)
    return path


@pytest.fixture
async def quiet(system: System) -> AsyncIterator[None]:
    """Nothing waits or runs, before the test and after it."""
    yield
    answer = await system.http.get("/tasks/processing")
    for task in answer.json()["tasks"]:
        await system.http.post(f"/tasks/{task['task_id']}/cancel")

    async def is_quiet() -> bool:
        return (await system.http.get("/tasks/processing")).json() == {"tasks": []}

    await eventually(is_quiet, 30, "tasks go on after they were cancelled")
