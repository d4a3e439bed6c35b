"""Health for machines: is the process alive, may it take people, do the jobs keep their times, and the numbers to watch."""

from __future__ import annotations

import hmac
import ipaddress
import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import anyio
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from models.database import embedded_file, transaction
from models.schema_version import pending_migrations
from web.wiring import Wiring

JOBS_SILENT_AFTER = timedelta(seconds=90)


class Unpunctual(Protocol):
    """A job that is late or stuck (`actions.lateness`, which this room does not see)."""

    @property
    def name(self) -> str:
        """The job's name in the timetable."""
        ...

    @property
    def since(self) -> datetime:
        """Since when."""
        ...

    @property
    def stuck(self) -> bool:
        """Whether a run has begun and does not end."""
        ...


Lateness = Callable[[Session, datetime], Sequence[Unpunctual]]
"""Which jobs are late at a moment."""


def routes(wiring: Wiring, late_jobs: Lateness) -> list[BaseRoute]:
    """`/healthz` (alive), `/readyz` (database, migrations, the jobs' last heartbeat), `/healthz/jobs` (no job late or stuck), `/metrics`."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        return await _told(lambda: readiness(wiring))

    async def jobs(_request: Request) -> Response:
        return await _told(lambda: punctuality(wiring, late_jobs))

    async def metrics(request: Request) -> Response:
        if not may_measure(request, wiring.settings.metrics_token):
            return PlainTextResponse("not found", status_code=404)
        from web.metrics import CONTENT_TYPE, exposition  # its library is loaded where somebody measures

        try:
            body = await anyio.to_thread.run_sync(lambda: exposition(wiring, late_jobs))
        except SQLAlchemyError as fault:
            return PlainTextResponse(f"the database does not answer ({type(fault).__name__})", status_code=503)
        return Response(body, media_type=CONTENT_TYPE)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/healthz/jobs", jobs), Route("/metrics", metrics)]


def readiness(wiring: Wiring) -> dict[str, str]:
    """``ok`` or what is wrong, by part."""
    try:
        with transaction(wiring.engine, readonly=True) as session:
            session.execute(text("SELECT 1"))
        if pending_migrations(wiring.engine):
            return {"database": "ok", "migrations": "pending: run `jtickets migrate`"}
        return {"database": "ok", "migrations": "ok", "jobs": _heartbeat(wiring), **_narrow_disks(wiring)}
    except SQLAlchemyError as fault:
        return {"database": f"does not answer ({type(fault).__name__})"}


def _narrow_disks(wiring: Wiring) -> dict[str, str]:
    """The folders of this process where little can be written any more; that of a database server, or of a bucket, is not seen from here."""
    file, store = embedded_file(wiring.engine), urlsplit(wiring.settings.attachments)
    folders = [Path(tempfile.gettempdir()), *([file.parent] if file else []), *([Path(unquote(store.path))] if store.scheme == "file" else [])]
    narrow = [str(folder) for folder in folders if folder.is_dir() and shutil.disk_usage(folder).free < wiring.limits.free_disk_bytes]
    return {"disk": f"nearly full: {', '.join(narrow)}"} if narrow else {}


def punctuality(wiring: Wiring, late_jobs: Lateness) -> dict[str, str]:
    """``ok``, or which jobs are late or stuck and since when; and whether any jobs process lives."""
    try:
        with transaction(wiring.engine, readonly=True) as session:
            late = late_jobs(session, wiring.clock())
        return {"jobs": _heartbeat(wiring), **{one.name: f"{'stuck' if one.stuck else 'late'} since {one.since.isoformat()}" for one in late}}
    except SQLAlchemyError as fault:
        return {"database": f"does not answer ({type(fault).__name__})"}


def may_measure(request: Request, token: str) -> bool:
    """Whether the numbers are for this client: one that knows the token, without a token one on this host that no proxy passed on."""
    if token:
        return hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token}".encode())
    host = request.client.host if request.client else ""
    try:
        return ipaddress.ip_address(host).is_loopback and "x-forwarded-for" not in request.headers and "forwarded" not in request.headers
    except ValueError:
        return False


def _heartbeat(wiring: Wiring) -> str:
    from models.job_runs import Heartbeat  # not every worker is asked for its health

    with transaction(wiring.engine, readonly=True) as session:
        beat = session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.kind == "jobs"))
    alive = beat is not None and wiring.clock() - beat <= JOBS_SILENT_AFTER
    return "ok" if alive else "no heartbeat: start `jtickets jobs`"


async def _told(ask: Callable[[], dict[str, str]]) -> Response:
    parts = await anyio.to_thread.run_sync(ask)
    return JSONResponse(parts, status_code=200 if all(word == "ok" for word in parts.values()) else 503)
