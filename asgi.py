"""The web process: `uvicorn --factory asgi:create`, or `jtickets serve`."""

from __future__ import annotations

import os

from starlette.types import ASGIApp

import console.routes
import customer_portal.routes
from settings import read_settings
from web import health
from web.app import build
from web.endpoint import Page
from web.logs import configure
from web.wiring import Wiring, wire

FACES: dict[str, list[Page]] = {
    "portal": customer_portal.routes.PAGES,
    "console": console.routes.PAGES,
    "both": [*customer_portal.routes.PAGES, *console.routes.PAGES],
}


def create() -> ASGIApp:
    """The application of this process's environment; JTICKETS_FACE picks portal, console or both."""
    settings = read_settings()
    configure(settings.log_level)
    return application(wire(settings), face=os.environ.get("JTICKETS_FACE", "both"))


def application(wiring: Wiring, *, face: str = "both") -> ASGIApp:
    """The application of `wiring` with the pages of `face`."""
    return build(wiring, FACES[face], health.routes(wiring))
