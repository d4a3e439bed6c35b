"""What every command begins with: the settings, and a database with this version's tables."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from settings import Settings


def settings_or_exit(*, code: int = 1) -> Settings:
    """The settings of the environment; wrong ones are named, a line each, and end the command with `code`."""
    from settings import SettingsFault, read_settings

    try:
        return read_settings()
    except SettingsFault as fault:
        for sentence in fault.faults:
            print(sentence, file=sys.stderr)
        raise SystemExit(code) from fault


def settings_of_a_process(*, code: int = 1) -> Settings:
    """`settings_or_exit` for what runs on: the folders that it will write into are made and tried as well, and named where they cannot be used."""
    settings = settings_or_exit(code=code)
    folders = {"JTICKETS_STATE_DIR": settings.state_dir}
    if settings.attachments_url.startswith("file:"):
        folders["JTICKETS_ATTACHMENTS_URL"] = Path(unquote(urlsplit(settings.attachments_url).path))
    faults = [f"{name}: フォルダー「{folder}」に書き込めません（{why}）" for name, folder in folders.items() if (why := _unusable(folder))]
    for sentence in faults:
        print(sentence, file=sys.stderr)
    if faults:
        raise SystemExit(code)
    return settings


def _unusable(folder: Path) -> str:
    """Why nothing can be written into `folder`, which is made when it lacks; "" when all is well."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        return fault.strerror or str(fault)
    return "" if os.access(folder, os.W_OK | os.X_OK) else "Permission denied"


def open_database(settings: Settings, *, code: int = 1) -> Engine:
    """The database with this version's tables.

    The embedded one is brought up to date here; a served one by its operator, once for all processes: the command ends with `code` until then.
    """
    from sqlalchemy.exc import SQLAlchemyError

    from models.database import is_embedded, make_engine
    from models.schema_version import pending_migrations

    try:
        engine = make_engine(settings.database_url)
        if not pending_migrations(engine):
            return engine
        if is_embedded(engine):
            bring_up_to_date(engine)
            return engine
    except (SQLAlchemyError, OSError) as fault:  # the latter of a folder that cannot be made
        print(f"JTICKETS_DATABASE_URL: データベースに接続できません（{one_line(fault)}）。", file=sys.stderr)
        raise SystemExit(code) from fault
    print("データベースの更新が必要です。先に `jtickets migrate` を実行してください。", file=sys.stderr)
    raise SystemExit(code)


@contextmanager
def opened_database(settings: Settings, *, code: int = 1) -> Iterator[Engine]:
    """`open_database` for the length of a block; its connections are closed behind it."""
    engine = open_database(settings, code=code)
    try:
        yield engine
    finally:
        engine.dispose()


def bring_up_to_date(engine: Engine) -> None:
    """Run the migrations that lack."""
    from models.migrations import migrate  # Alembic takes half a second to load, and is needed once in a version's life

    migrate(engine)


def one_line(fault: Exception) -> str:
    """What a library says of a fault, in one line of bounded length."""
    return " ".join(str(fault).split())[:300]
