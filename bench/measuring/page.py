"""The page in a real browser: what its first load takes, and how soon it shows what happened.

The first load is that of Lighthouse's mobile profile: slow 4G, a processor four times slower.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from statistics import median
from typing import Any

from playwright.async_api import Browser, Page, async_playwright

from contracts.events import Event, Progressed, ProgressedData
from measuring import absent
from measuring.client import Order, percentiles
from measuring.context import Context, task_body
from measuring.figures import Figure, at_most
from measuring.telling import attributes, started, tell

_PART = "page"
_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ARGUMENTS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run")
_SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_638_400 / 8,
    "uploadThroughput": 675_000 / 8,
}
_SLOWDOWN = 4
_LOADS = 5
_MOST_STEPS = 99
_PAUSE_S = 0.05
_PATIENCE_S = 20.0

_WATCH_LOAD = """
window.load = { paint_ms: 0, blocked_ms: 0, shift: 0 };
const watch = (type, tell) => new PerformanceObserver((list) => list.getEntries().forEach(tell))
  .observe({ type, buffered: true });
watch("largest-contentful-paint", (each) => { load.paint_ms = each.startTime; });
watch("longtask", (each) => { load.blocked_ms += each.duration - 50; });
watch("layout-shift", (each) => { if (!each.hadRecentInput) load.shift += each.value; });
"""
_WATCH_PROGRESS = """() => {
  window.seen = {};
  const look = () => {
    const percent = document.querySelector("[role=progressbar]")?.getAttribute("aria-valuenow");
    if (percent) window.seen[percent] ??= Date.now();
  };
  const what = { subtree: true, childList: true, attributeFilter: ["aria-valuenow"] };
  new MutationObserver(look).observe(document.body, what);
}"""


def measure(run: Context) -> list[Figure]:
    """Nothing where there is no Chromium."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        run.say("left out: there is no Chromium (Debian: apt-get install chromium)")
        return []
    absent.announce(run.system.nats_url)
    submit = Order("repeat", run.system.port, 1, 60, 1, task_body(absent.NAME), keep=1)
    task_id = json.loads(run.load(run.system.tree, submit).seen["kept"][0])["task_id"]
    loads, bytes_of, delays_s = asyncio.run(_look(run, path, task_id))
    paint, blocked, shift = (
        median(load[name] for load in loads) for name in ("paint_ms", "blocked_ms", "shift")
    )
    delays = percentiles(delays_s)
    return [
        Figure(
            _PART,
            "scripts of the first load",
            bytes_of["Script"] / 1e3,
            "kB",
            target=at_most(200),
            details={f"{kind} kB": size / 1e3 for kind, size in sorted(bytes_of.items())},
        ),
        Figure(_PART, "largest contentful paint", paint / 1e3, "s", target=at_most(2.5)),
        Figure(_PART, "total blocking time", blocked, "ms", target=at_most(200)),
        Figure(_PART, "cumulative layout shift", shift, "", target=at_most(0.1)),
        Figure(
            _PART,
            "event → seen on the page, p50",
            delays["p50"],
            "ms",
            target=at_most(50),
            details={f"{name} ms": each for name, each in delays.items()},
        ),
    ]


async def _look(
    run: Context, path: str, task_id: str
) -> tuple[list[dict[str, float]], Counter[str], list[float]]:
    url = f"http://127.0.0.1:{run.system.port}/"
    loads = 1 if run.sizes.seconds < 1 else _LOADS
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)
        try:
            told = [await _first_load(browser, url, run.sizes.warm_up_s) for _ in range(loads)]
            steps = min(_MOST_STEPS, run.sizes.one_at_a_time)
            delays_s = await _delays(browser, url, run.system.nats_url, task_id, steps)
        finally:
            await browser.close()
    return [load for load, _ in told], told[0][1], delays_s


async def _first_load(
    browser: Browser, url: str, settle_s: float
) -> tuple[dict[str, float], Counter[str]]:
    """What the browser saw of it, and the bytes that came over the wire, by kind."""
    context = await browser.new_context(viewport={"width": 412, "height": 823})
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    kinds: dict[str, str] = {}
    bytes_of: Counter[str] = Counter()

    def finished(told: dict[str, Any]) -> None:
        bytes_of[kinds.get(told["requestId"], "Other")] += int(told["encodedDataLength"])

    session.on(
        "Network.responseReceived", lambda told: kinds.update({told["requestId"]: told["type"]})
    )
    session.on("Network.loadingFinished", finished)
    await session.send("Network.enable")
    await session.send("Network.emulateNetworkConditions", _SLOW_4G)
    await session.send("Emulation.setCPUThrottlingRate", {"rate": _SLOWDOWN})
    await page.add_init_script(_WATCH_LOAD)
    await page.goto(url)
    await page.get_by_role("article").first.wait_for()
    await asyncio.sleep(settle_s)
    load: dict[str, float] = await page.evaluate("window.load")
    await context.close()
    return load, bytes_of


async def _delays(
    browser: Browser, url: str, nats_url: str, task_id: str, steps: int
) -> list[float]:
    """From an event that is made to its progress, or a later one, in the document, in seconds."""
    page = await browser.new_page()
    await tell(nats_url, iter([started(task_id)]), 0)
    await page.goto(url)
    await page.get_by_role("progressbar").first.wait_for()
    await asyncio.sleep(1)
    await page.evaluate(_WATCH_PROGRESS)
    made: dict[int, float] = {}
    await tell(nats_url, _progress(task_id, steps, made), _PAUSE_S)
    seen = await _seen(page, steps)
    return [min(seen[each] for each in seen if each >= step) - at for step, at in made.items()]


def _progress(task_id: str, steps: int, made: dict[int, float]) -> Iterator[Event]:
    for percent in range(1, steps + 1):
        made[percent] = time.time()
        data = ProgressedData(attempt=1, progress=percent)
        yield Progressed(**attributes(task_id, percent), data=data)


async def _seen(page: Page, last: int) -> dict[int, float]:
    """When each percentage was in the document first, once the last one is."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        seen: dict[str, int] = await page.evaluate("window.seen")
        if str(last) in seen:
            return {int(percent): at / 1e3 for percent, at in seen.items()}
        if time.monotonic() > deadline:
            raise RuntimeError(f"{last} % were told, and {max(map(int, seen), default=0)} % shown")
        await asyncio.sleep(0.1)
