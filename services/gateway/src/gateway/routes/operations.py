"""For operators and newcomers: health, metrics, and what can be asked for."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, Response

from contracts.api import GenerationTypes, SystemFigures
from contracts.generation_types import GENERATION_TYPES
from gateway import api_page, errors_page
from gateway.figures import figures
from gateway.parts import Admin, InParts, Owner
from gateway.readiness import checks
from gateway.views import json_response
from telemetry.health import metrics_response, run_checks

router = APIRouter()


@router.get("/generation-types", tags=["tasks"], response_model=GenerationTypes)
async def list_generation_types(parts: InParts, owner: Owner) -> Response:
    """What can be asked for: types with their stages, inputs, providers, and who is there."""
    providers = await parts.providers.by_type()
    types = [
        {
            "type": kind.name,
            "title": kind.title,
            "stages": kind.stages,
            "prompt_required": kind.prompt_required,
            "min_references": kind.references[0],
            "max_references": kind.references[1],
            "default_provider": kind.default_provider.upper(),
            "fallbacks": [name.upper() for name in kind.fallbacks],
            "providers": providers.get(kind.name, []),
        }
        for kind in GENERATION_TYPES.values()
    ]
    return json_response({"types": types})


@router.get("/system", tags=["operations"], response_model=SystemFigures)
async def show_system(parts: InParts, admin: Admin) -> Response:
    """How far the rows are behind the log, and how long every line is; for admins."""
    status, lanes = await asyncio.gather(parts.tasks.status(), parts.tasks.queues())
    return json_response(figures(await parts.bus.link.log.state(), status, lanes))


@router.get("/healthz", tags=["operations"])
async def healthz() -> Response:
    """Whether the process is alive."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", tags=["operations"])
async def readyz(parts: InParts) -> Response:
    """Whether it can do its work: the log, the task store behind it, a provider announced."""
    ready, report = await run_checks(checks(parts))
    body = {"status": "ready" if ready else "not ready", "checks": report}
    return JSONResponse(body, status_code=200 if ready else 503)


@router.get("/metrics", tags=["operations"], response_class=Response)
async def metrics(owner: Owner) -> Response:
    """Prometheus."""
    return metrics_response()


@router.get("/docs", include_in_schema=False)
async def show_api_page() -> Response:
    return _page(api_page.API_PAGE, api_page.CONTENT_SECURITY_POLICY)


@router.get(errors_page.PATH, include_in_schema=False)
async def show_errors_page() -> Response:
    return _page(errors_page.html(), errors_page.CONTENT_SECURITY_POLICY)


@router.get("/docs/{name}", include_in_schema=False)
async def show_file_of_api_page(name: str) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return FileResponse(api_page.file_of_page(name), headers=headers)


def _page(html: str, content_security_policy: str) -> Response:
    return HTMLResponse(
        html,
        headers={
            "Content-Security-Policy": content_security_policy,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        },
    )
