"""Health for machines: is the process alive, and is it ready to take people."""

from __future__ import annotations

from datetime import timedelta

import anyio
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from models.database import pending_migrations, transaction
from models.outbox import Heartbeat
from web.wiring import Wiring

JOBS_SILENT_AFTER = timedelta(seconds=90)


def routes(wiring: Wiring) -> list[BaseRoute]:
    """`/healthz` (alive) and `/readyz` (database, migrations, the jobs' last heartbeat)."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def readyz(_request: Request) -> Response:
        parts = await anyio.to_thread.run_sync(lambda: readiness(wiring))
        return JSONResponse(parts, status_code=200 if all(word == "ok" for word in parts.values()) else 503)

    return [Route("/healthz", healthz), Route("/readyz", readyz)]


def readiness(wiring: Wiring) -> dict[str, str]:
    """``ok`` or what is wrong, by part."""
    try:
        with transaction(wiring.engine, readonly=True) as session:
            session.execute(text("SELECT 1"))
        if pending_migrations(wiring.engine):
            return {"database": "ok", "migrations": "pending: run `jtickets migrate`"}
        with transaction(wiring.engine, readonly=True) as session:
            beat = session.scalar(select(func.max(Heartbeat.at)).where(Heartbeat.kind == "jobs"))
    except SQLAlchemyError as fault:
        return {"database": f"does not answer ({type(fault).__name__})"}
    alive = beat is not None and wiring.clock() - beat <= JOBS_SILENT_AFTER
    return {"database": "ok", "migrations": "ok", "jobs": "ok" if alive else "no heartbeat: start `jtickets jobs`"}
