"""The web process: `uvicorn --factory asgi:create`, or `jtickets serve`."""

from __future__ import annotations

import ctypes
import gc
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from settings import read_settings
from web import health
from web.app import build
from web.logs import configure
from web.nouns import Noun
from web.wiring import Wiring, wire

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

FACES = ("both", "portal", "console")
_ARENA_MAX = -8
"""M_ARENA_MAX of <malloc.h>."""
_GARBAGE = 10_000
"""Objects after which garbage is looked for: a page makes some thousand and leaves none, and by default each was interrupted several times."""


def create() -> ASGIApp:
    """The application of this process's environment; JTICKETS_FACE picks portal, console or both."""
    _share_one_heap()
    tempfile.gettempdir()  # found by writing there: on a disk that is full later, it would not be found
    settings = read_settings()
    configure(settings.log_level)
    made = application(wire(settings), face=os.environ.get("JTICKETS_FACE", "both"))
    _give_back_memory()
    gc.freeze()  # what is loaded now stays: no later collection needs to walk it
    gc.set_threshold(_GARBAGE)
    gc.enable()
    return made


def application(wiring: Wiring, *, face: str = "both") -> ASGIApp:
    """The application of `wiring` with the pages of `face`."""
    return build(wiring, (), health.routes(wiring, _late_jobs), nouns=_nouns(face))


def _late_jobs(session: Session, now: datetime) -> Sequence[health.Unpunctual]:
    from actions.lateness import late_jobs  # a worker whose health nobody asks for needs neither the timetable nor the tables of jobs

    return late_jobs(session, now=now)


def _share_one_heap() -> None:
    """Let all threads allocate from one heap: by default glibc gives each its own, 5 MB a worker for threads that take turns anyway."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def _give_back_memory() -> None:
    """Return to the system what loading took and freed: half a megabyte that the heap would keep."""
    with suppress(AttributeError, OSError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def _nouns(face: str) -> list[Noun]:
    """The pages of `face`; a process that serves one of the two never loads the other."""
    if face not in FACES:
        raise ValueError(f"JTICKETS_FACE: {face}")
    nouns: list[Noun] = []
    if face != "console":
        import customer_portal.routes

        nouns += customer_portal.routes.NOUNS
    if face != "portal":
        import console.routes

        nouns += console.routes.NOUNS
    return nouns
