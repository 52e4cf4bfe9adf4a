"""A server that asks for a key is given it once; pictures and updates come with the session."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from e2e.axe import found_by_axe
from e2e.conftest import SCREENSHOTS
from e2e.steps import ask, card, shows_picture
from system import System, running_system

KEY = "a-key-for-ann"


@pytest.fixture
async def locked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[System]:
    directory = tmp_path_factory.mktemp("locked")
    async with running_system(directory, AUTH="keys", API_KEYS=f"ann:{KEY}") as made:
        yield made


async def test_a_key_is_asked_for_once(browser: Browser, locked: System) -> None:
    context = await browser.new_context(base_url=f"http://127.0.0.1:{locked.port}", locale="en-GB")
    page = await context.new_page()
    await page.goto("/")
    key = page.get_by_label("Key")
    await expect(key).to_be_visible()
    assert await found_by_axe(page) == []
    await key.fill("not-the-key")
    await page.get_by_role("button", name="Continue").click()
    await expect(page.get_by_text("This key was not accepted.")).to_be_visible()
    SCREENSHOTS.mkdir(exist_ok=True)
    await page.screenshot(path=SCREENSHOTS / "key-desktop-light.png")
    assert await found_by_axe(page) == []
    await key.fill(KEY)
    await page.get_by_role("button", name="Continue").click()

    prompt = "a lighthouse behind a lock"
    await ask(page, prompt)
    await shows_picture(card(page, prompt))
    await page.reload()
    await shows_picture(card(page, prompt))
    kept = await page.evaluate("JSON.stringify([localStorage, sessionStorage, document.cookie])")
    assert KEY not in kept
    await context.close()
