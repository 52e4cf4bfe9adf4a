"""The page's origin is told over a socket: its own policy lets it, and the server answers."""

from __future__ import annotations

import asyncio
from typing import Any

from playwright.async_api import Page, expect

from e2e.steps import card
from system import System

_ASK_AND_FOLLOW = """(body) => new Promise((resolve, reject) => {
  const socket = new WebSocket("/ws");
  const told = [];
  socket.onopen = () => socket.send(JSON.stringify({ subscribe: { type: body.type } }));
  socket.onclose = ({ code }) => reject(new Error(`the socket was closed: ${code}`));
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.event === "ready") {
      const headers = { "Content-Type": "application/json" };
      fetch("/tasks", { method: "POST", headers, body: JSON.stringify(body) });
    }
    if (frame.event !== "task" || frame.data.prompt !== body.prompt) return;
    told.push(frame.data);
    if (!["completed", "failed", "cancelled"].includes(frame.data.status)) return;
    resolve(told);
    socket.close();
  };
})"""


async def test_a_socket_in_the_browser_tells_of_a_task_until_it_times_out(
    page: Page, system: System
) -> None:
    await page.goto("/")
    prompt = "a lighthouse that goes dark"
    body = {"type": "CREATE", "prompt": prompt, "provider_params": {"simulate": {"hang": True}}}

    async with asyncio.timeout(60):
        told: list[dict[str, Any]] = await page.evaluate(_ASK_AND_FOLLOW, body)

    assert (told[0]["status"], told[0]["stage"]) == ("processing", "queued")
    assert [task["status"] for task in told].count("failed") == 1
    assert told[-1]["error"]["code"] == "timeout"
    assert told[-1]["error_msg"] == (
        "Nothing was heard of this task for 12 s, so it was stopped. Please try again."
    )
    assert told[-1] == await system.ended(told[-1]["task_id"])
    await expect(card(page, prompt).get_by_text("Stopped: it took too long")).to_be_visible()
