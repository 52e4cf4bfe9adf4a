"""What a first visit costs: few bytes, nobody else's server, nothing that jumps."""

from __future__ import annotations

from collections import Counter
from urllib.parse import urlsplit

from playwright.async_api import Page, Request, expect

from e2e.steps import begin
from system import System

BUDGET_BYTES = {"script": 200_000, "stylesheet": 40_000, "document": 10_000, "image": 20_000}
"""As they come over the wire, compressed; pictures of tasks aside."""
_WATCH_SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) window.shifted += each.value;
}).observe({ type: "layout-shift", buffered: true });
"""


async def test_the_first_load_stays_within_its_budget(page: Page, system: System) -> None:
    prompt = "a red bicycle that is looked at first"
    await system.ended(await begin(system, prompt))
    requests: list[Request] = []
    page.on("requestfinished", lambda request: requests.append(request))
    await page.add_init_script(_WATCH_SHIFTS)

    await page.goto("/", wait_until="load")
    await expect(page.get_by_role("article", name=prompt, exact=True)).to_be_visible()

    sizes: Counter[str] = Counter()
    for request in requests:
        if not urlsplit(request.url).path.startswith("/artifacts/"):
            sizes[request.resource_type] += (await request.sizes())["responseBodySize"]
    over = {kind: sizes[kind] for kind, most in BUDGET_BYTES.items() if sizes[kind] > most}
    assert (over, sizes["script"] > 0) == ({}, True)
    assert {urlsplit(request.url).netloc for request in requests} == {f"127.0.0.1:{system.port}"}
    assert await page.evaluate("window.shifted") <= 0.1
