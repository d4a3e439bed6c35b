"""What every table shares: naming of constraints, moments in UTC, JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import JSON, Boolean, Date, DateTime, Dialect, Enum, Integer, MetaData, Row, Select, String, types

from models.declaring import Declared, mapped_column

__all__ = ["NEVER", "NEVER_REUSED", "AnyRow", "AnySelect", "Base", "Moment", "mapped_column", "words"]

AnyRow: TypeAlias = Row[*tuple[Any, ...]]
"""A row whose columns the select beside it names."""
AnySelect: TypeAlias = Select[*tuple[Any, ...]]

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
"""Stands for "no moment" in ordered, indexed columns, so that a page can walk them by key without NULLs."""
NEVER_REUSED = MappingProxyType({"info": {"numbers": "never reused"}})
"""The option of a table whose numbers people quote: its migration makes it AUTOINCREMENT for SQLite.

SQLAlchemy's own word for that would load SQLite's dialect in every process, 3 MB that one with PostgreSQL never uses.
"""


class Moment(types.TypeDecorator[datetime]):
    """An aware UTC datetime on both databases (SQLite keeps it without zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        moment = _in_utc(value)
        return moment.replace(tzinfo=None) if moment and dialect.name == "sqlite" else moment

    def bind_processor(self, dialect: Dialect) -> Any:
        """What writes a column, in one step likewise."""
        return _write_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """What reads a column: in one step, for a list has hundreds of moments."""
        return _read_text if dialect.name == "sqlite" else _read_aware


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise ValueError("a moment needs a zone")
    return value.astimezone(UTC)


def _write_text(value: datetime | None) -> str | None:
    moment = _in_utc(value)
    return None if moment is None else moment.replace(tzinfo=None).isoformat(" ", "microseconds")


def _read_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value + "+00:00")


def _read_aware(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


class _Words(Enum):
    """An Enum that reads its words by one look-up."""

    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """The member of a word; a word that no member has is a KeyError."""
        members: dict[Any, Any] = {None: None} | {member.value: member for member in self.enum_class or ()}
        return members.__getitem__


def words(kind: type[StrEnum], length: int) -> Enum:
    """A column of `kind`'s words: plain text in the database (a new word needs no migration), members of the enum in the code."""
    return _Words(kind, native_enum=False, create_constraint=False, length=length, values_callable=_values)


def _values(kind: type[StrEnum]) -> list[str]:
    return [member.value for member in kind]


class Base(Declared):
    """The base of all tables; constraint names are spelled out so that migrations can name them on both databases."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    types = MappingProxyType(
        {
            "int": Integer(),
            "str": String(),
            "bool": Boolean(),
            "date": Date(),
            "datetime": Moment(),
            **dict.fromkeys(("dict[str, Any]", "list[str]", "list[int]", "list[dict[str, Any]]"), JSON()),
        }
    )
