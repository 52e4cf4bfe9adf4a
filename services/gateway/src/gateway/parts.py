"""What the routes are given: the parts of this process, put together once in `gateway.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from artifacts.store import ArtifactStore
from artifacts.uploads import Uploads
from gateway.auth import Authenticator
from gateway.backlog import Backlog
from gateway.breakers import Breakers
from gateway.bus import Bus
from gateway.catalogue import Catalogue
from gateway.changes import Changes
from gateway.holds import Holds
from gateway.live import Live
from gateway.photos import Photos
from gateway.places import Places
from gateway.pressure import Pressure
from gateway.providers import Providers
from gateway.reading import Reader
from gateway.refusals import Refusal
from gateway.settings import Settings
from gateway.streams import Streams
from gateway.submissions import Submissions
from gateway.sweep import Sweep
from gateway.tasks import TaskStore
from gateway.views import Views


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    auth: Authenticator
    views: Views
    bus: Bus
    tasks: TaskStore
    reader: Reader
    live: Live
    catalogue: Catalogue
    breakers: Breakers
    providers: Providers
    pressure: Pressure
    submissions: Submissions
    streams: Streams
    places: Places
    holds: Holds
    changes: Changes
    photos: Photos
    store: ArtifactStore
    uploads: Uploads
    backlog: Backlog
    sweep: Sweep


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _parts(request: Request) -> Parts:
    return parts_of(request)


async def _owner(request: Request) -> str:
    return parts_of(request).auth.owner(request.headers, request.scope)


async def _admin(request: Request) -> str:
    owner = await _owner(request)
    if not parts_of(request).settings.is_admin(owner):
        raise Refusal(
            "admin_only",
            "Only the owners that DARKROOM_ADMINS names may do this.",
        )
    return owner


InParts = Annotated[Parts, Depends(_parts)]
Owner = Annotated[str, Depends(_owner)]
Admin = Annotated[str, Depends(_admin)]
