"""A stand-in for the gateway: answers what the test scripted, and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    """What is sent back; a body that isn't bytes is sent as JSON."""

    body: Any
    status: int = 200
    content_type: str = "application/json"


def problem(status: int, code: str, detail: str, **members: Any) -> Answer:
    body = {"type": f"urn:{code}", "title": code, "status": status, "detail": detail, "code": code}
    return Answer({**body, **members}, status, PROBLEM)


@dataclass
class StandIn:
    """Answers in the order of ``script``; the last one again and again."""

    script: list[Answer | Callable[[Asked], Answer]]
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return step(asked) if callable(step) else step


@contextmanager
def standing_in(*script: Answer | Callable[[Asked], Answer]) -> Iterator[StandIn]:
    stand_in = StandIn(list(script))

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            answer = stand_in.answer(asked)
            raw = answer.body
            content = raw if isinstance(raw, bytes) else json.dumps(raw).encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do  # noqa: N815 - the library's names

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


TASK_ID = "0199f0c2-7e4a-7000-8000-000000000001"


def task(status: str = "processing", **changes: Any) -> dict[str, Any]:
    """A task as the gateway shows it."""
    return {
        "task_id": TASK_ID,
        "type": "CREATE",
        "prompt_id": None,
        "status": status,
        "stage": "queued",
        "progress": 100 if status == "completed" else 0,
        "queue_position": 0,
        "eta_seconds": None,
        "attempt": 0,
        "prompt": "a red bicycle",
        "reference_images": [],
        "provider_params": {},
        "provider": None,
        "external_task_id": None,
        "image_url": None,
        "artifacts": [],
        "error": None,
        "error_msg": None,
        "metadata": {},
        "created_at": "2026-11-21T10:00:00.123Z",
        "started_at": None,
        "updated_at": "2026-11-21T10:00:00.123Z",
        "finished_at": None,
        "sequence": 1,
        **changes,
    }


def artifact(url: str, content_type: str = "image/png") -> dict[str, Any]:
    return {
        "url": url,
        "content_type": content_type,
        "bytes": 4,
        "sha256": "a" * 64,
        "width": 1,
        "height": 1,
    }
