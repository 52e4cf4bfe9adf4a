"""What axe finds on a page as it is now."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from playwright.async_api import Page

_AXE = Path(__file__).parents[2] / "frontend/node_modules/axe-core/axe.min.js"
_VIOLATIONS = """async () => {
  await Promise.all(document.getAnimations().map((each) => {
    if (each.effect?.getComputedTiming().iterations !== Infinity) each.finish();
    return each.effect?.getComputedTiming().iterations === Infinity ? null : each.finished;
  }));
  const { violations } = await axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return violations.map(({ id, nodes }) => [id, nodes.map(({ html, any, all, none }) =>
    [html.slice(0, 200), [...any, ...all, ...none].map(({ message }) => message)])]);
}"""


async def found_by_axe(page: Page) -> list[Any]:
    """The rules that are broken, and where; none is as it shall be."""
    # The page's own policy lets no script in but its own; the debugger's does not ask it.
    await page.evaluate(_script())
    found: list[Any] = await page.evaluate(_VIOLATIONS)
    return found


@cache
def _script() -> str:
    return _AXE.read_text(encoding="utf-8")
