"""The floor: an empty FastAPI application, served exactly as the gateway is."""

from __future__ import annotations

import gc
import sys

import uvicorn
from fastapi import FastAPI


def create_app() -> FastAPI:
    app = FastAPI()

    @app.post("/tasks", status_code=202)
    async def accept() -> dict[str, str]:
        return {}

    @app.get("/tasks/{task_id}")
    async def show(task_id: str) -> dict[str, str]:
        return {}

    return app


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 50)


def main(port: int) -> None:
    config = uvicorn.Config(
        create_app(),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        lifespan="on",
    )
    _Server(config).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
