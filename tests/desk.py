"""The whole application over a test's database and clock, wired as in production but for cheap passwords."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from starlette.types import ASGIApp

from asgi import application
from settings import Settings
from tests.client import BASE_URL
from tests.clock import Clock
from web.wiring import Wiring, wire


def wiring_of(engine: Engine, clock: Clock, folder: Path, **settings: Any) -> Wiring:
    """The parts of a process: `settings` are fields of `settings.Settings` that the test chooses."""
    chosen = {
        "base_url": BASE_URL,
        "secret_key": "a-secret-only-the-tests-know-0123456789",
        "state_dir": folder,
        "staff_totp": "optional",
        "argon2_memory_kib": 8,
        "argon2_time": 1,
        **settings,
    }
    return wire(Settings(**chosen), clock=clock, engine=engine)


def desk(engine: Engine, clock: Clock, folder: Path, **settings: Any) -> ASGIApp:
    """The portal and the console of `wiring_of`."""
    return application(wiring_of(engine, clock, folder, **settings))
