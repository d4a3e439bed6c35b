"""Whether bytes and rows agree: what the database names lies in the storage, whole, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine, and_, delete, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.database import transaction
from models.handed_back import HandedBack
from models.imports import ImportBatch
from models.tickets import Attachment
from storage.store import Store

FOLDERS = ("attachments", "imports", "handed-back")
YOUNG = timedelta(hours=1)
"""Bytes this young may belong to an upload whose row is still to be written."""
_HELD = (Attachment.message_id.is_(None), Attachment.holder != "")
_AT_ONCE = 500
_Table = Attachment | ImportBatch | HandedBack
_TABLES: tuple[type[_Table], ...] = (Attachment, ImportBatch, HandedBack)


@dataclass(frozen=True)
class Named:
    """Bytes that a row of the database names: an attachment, a workbook, or one that is handed back."""

    key: str
    size: int
    sha256: str
    name: str
    held: bool = False
    """Held for a form that nobody has posted yet."""


@dataclass(frozen=True)
class Findings:
    """What does not agree: rows whose bytes are gone, rows whose bytes are others, keys that no row names."""

    checked: int
    lost: tuple[Named, ...]
    altered: tuple[Named, ...]
    orphans: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether everything agrees."""
        return not (self.lost or self.altered or self.orphans)


def named_files(engine: Engine) -> Iterator[Named]:
    """Everything the database names, a page and a short transaction at a time."""

    def page(table: type[_Table], last: int) -> Sequence[AnyRow]:
        with transaction(engine, readonly=True) as session:
            return _page(session, table, last)

    return _named(page)


def named_in(session: Session) -> Iterator[Named]:
    """Everything the database names, as `session` sees it."""
    return _named(partial(_page, session))


def is_named(engine: Engine, key: str) -> bool:
    """Whether a row names `key` now."""
    with transaction(engine, readonly=True) as session:
        return any(session.scalar(select(table.id).where(table.storage_key == key)) is not None for table in _TABLES)


def _named(page: Callable[[type[_Table], int], Sequence[AnyRow]]) -> Iterator[Named]:
    for table in _TABLES:
        last = 0
        while True:
            rows = page(table, last)
            for row in rows:
                yield Named(row.storage_key, row.size, row.sha256, row.name, row.held)
            if len(rows) < _AT_ONCE:
                break
            last = rows[-1].id


def check_files(engine: Engine, store: Store, *, deep: bool, now: datetime) -> Findings:
    """Compare rows and bytes; `deep` reads every byte and compares it with its SHA-256, else the sizes say enough."""
    lost: list[Named] = []
    altered: list[Named] = []
    known: set[str] = set()
    for named in named_files(engine):
        known.add(named.key)
        size = store.size(named.key)
        if size is None:
            lost.append(named)
        elif size != named.size or (deep and store.digest(named.key).sha256 != named.sha256):
            altered.append(named)
    old = [key for folder in FOLDERS for key, changed_at in store.listing(folder) if changed_at < now - YOUNG]
    # Asked again: its row may have been written while the others were compared.
    orphans = [key for key in old if key not in known and not is_named(engine, key)]
    return Findings(len(known), tuple(lost), tuple(altered), tuple(orphans))


def repair(engine: Engine, store: Store, findings: Findings) -> tuple[int, int]:
    """Delete what nobody needs: bytes without a row, and rows of unposted files whose bytes are gone; how many of each.

    What a post or a request names and the storage has lost stays named: only a backup brings it back.
    """
    for key in findings.orphans:
        store.delete(key)
    gone = [named.key for named in findings.lost if named.held]
    with transaction(engine) as session:
        rows = session.scalars(select(Attachment).where(Attachment.storage_key.in_(gone), *_HELD)).all()
        for row in rows:
            session.delete(row)
    return len(findings.orphans), len(rows)


def forget_swept(session: Session, keys: Sequence[str]) -> None:
    """Drop the rows of bytes that the jobs swept: what was handed back, and files that nobody posted."""
    for first in range(0, len(keys), _AT_ONCE):
        some = keys[first : first + _AT_ONCE]
        session.execute(delete(HandedBack).where(HandedBack.storage_key.in_(some)))
        session.execute(delete(Attachment).where(Attachment.storage_key.in_(some), *_HELD))


def _page(session: Session, table: type[_Table], last: int) -> Sequence[AnyRow]:
    name = Attachment.name if table is Attachment else ImportBatch.file_name if table is ImportBatch else HandedBack.storage_key
    # A file without post and without holder is evidence of a change of a maintenance e-mail.
    held = and_(*_HELD) if table is Attachment else table.id.is_(None)
    statement = select(table.id, table.storage_key, table.size, table.sha256, name.label("name"), held.label("held"))
    return session.execute(statement.where(table.id > last, table.storage_key.is_not(None)).order_by(table.id).limit(_AT_ONCE)).all()
