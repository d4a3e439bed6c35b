"""What the jobs are made of: built once from the settings and passed along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine

from mail.desk import Desk
from models.database import make_engine
from rules.limits import Limits
from settings import Settings
from storage.store import Store, open_store

Clock = Callable[[], datetime]
_POOL = 7
"""Connections of a jobs process that stay open: a few runs at once, the mail worker and the heartbeat. As many again are there for every thread at once."""


@dataclass(frozen=True)
class Parts:
    """The parts every job uses."""

    settings: Settings
    engine: Engine
    clock: Clock
    limits: Limits
    store: Store
    desk: Desk


def utc_now() -> datetime:
    """The moment, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the jobs' one clock, replaced in tests


def parts_of(settings: Settings, *, clock: Clock = utc_now, engine: Engine | None = None) -> Parts:
    """The parts that `settings` describe."""
    return Parts(
        settings=settings,
        engine=engine or make_engine(settings.database_url, pool_size=_POOL),
        clock=clock,
        limits=settings.limits,
        store=open_store(settings.attachments),
        desk=Desk(settings.base_url, settings.mail_from, settings.desk_address, settings.center_address, settings.key),
    )
