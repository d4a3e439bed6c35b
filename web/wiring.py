"""What one process is made of: built once from the settings and passed along, never looked up."""

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
from web.passwords import Passwords
from web.render import Renderer
from web.tallies import Tallies

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The moment, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one clock


@dataclass(frozen=True)
class Wiring:
    """The parts every request uses."""

    settings: Settings
    engine: Engine
    clock: Clock
    limits: Limits
    store: Store
    passwords: Passwords
    renderer: Renderer
    desk: Desk
    tallies: Tallies


def wire(settings: Settings, *, clock: Clock = utc_now, engine: Engine | None = None) -> Wiring:
    """Build the parts that `settings` describe."""
    return Wiring(
        settings=settings,
        engine=engine or make_engine(settings.database_url, pool_size=settings.reading_threads + settings.writing_threads + 1),
        clock=clock,
        limits=settings.limits,
        store=open_store(settings.attachments),
        passwords=passwords_of(settings),
        renderer=Renderer(settings.state_dir / "templates", settings.compiled_dir),
        desk=desk_of(settings),
        tallies=Tallies(settings.state_dir / "tallies"),
    )


def desk_of(settings: Settings) -> Desk:
    """What letters say of the desk, by the settings."""
    return Desk(settings.base_url, settings.mail_from, settings.desk_address, settings.center_address, settings.key)


def passwords_of(settings: Settings) -> Passwords:
    """The hasher of passwords with the costs that the settings name."""
    return Passwords(memory_kib=settings.argon2_memory_kib, time_cost=settings.argon2_time, at_once=settings.argon2_at_once)
