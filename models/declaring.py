"""How a class becomes a mapped table. Annotations are read as texts and every column is made once: half the work of SQLAlchemy's own base (0034)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, cast

from sqlalchemy import Column, MetaData, Table
from sqlalchemy.orm import registry
from sqlalchemy.schema import SchemaItem
from sqlalchemy.types import TypeEngine

_MAPPED = "Mapped["


class Declared:
    """What a base of tables derives from.

    Its subclasses are mapped as they and what they mix in are written: ``name: Mapped[type]``, with ``= mapped_column(…)`` where there is more to say.
    ``Mapped[… | None]`` may be NULL; the column's type is that of `types`, unless the first argument of `mapped_column` names another.
    """

    metadata: ClassVar[MetaData]
    types: ClassVar[Mapping[str, TypeEngine[Any]]]
    """The columns' types by the text of the annotation."""
    __tablename__: ClassVar[str]
    __table__: ClassVar[Table]

    def __init_subclass__(cls) -> None:
        if "__tablename__" not in vars(cls):
            return
        annotations = {name: text for base in cls.__mro__ for name, text in vars(base).get("__annotations__", {}).items() if text.startswith(_MAPPED)}
        said = {name: getattr(cls, name, _NOTHING) for name in annotations}
        for name in said.keys() & vars(cls).keys():
            delattr(cls, name)  # the mapper puts its own there, and takes what it finds for something else than a column
        columns = [_column(name, annotations[name], what, cls.types) for name, what in said.items() if isinstance(what, _Said)]
        *constraints, options = _arguments(vars(cls).get("__table_args__", ()))
        table = Table(cls.__tablename__, cls.metadata, *columns, *constraints, **options)
        # SQLAlchemy configures a registry when one of its classes is first used: with one for each class, nobody waits for the tables of other pages.
        others = {name: what for name, what in said.items() if not isinstance(what, _Said)}
        registry(metadata=cls.metadata).map_imperatively(cls, table, properties=others)

    def __init__(self, **columns: Any) -> None:
        """A row with these columns; a name that is none of them is a TypeError."""
        for name, value in columns.items():
            if not hasattr(type(self), name):
                raise TypeError(f"{type(self).__name__} has no {name!r}")
            setattr(self, name, value)


def mapped_column(*arguments: Any, **keywords: Any) -> Any:
    """What there is to say of a column besides its annotation: a type, a ForeignKey, and Column's keywords."""
    return _Said(*arguments, **keywords)


class _Said:
    __slots__ = ("arguments", "keywords")

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        self.arguments, self.keywords = arguments, keywords


_NOTHING = _Said()


def _column(name: str, annotation: str, said: _Said, types: Mapping[str, TypeEngine[Any]]) -> Column[Any]:
    kind = annotation.removeprefix(_MAPPED).removesuffix("]")
    wanted = kind.removesuffix(" | None")
    names_type = bool(said.arguments) and not isinstance(said.arguments[0], SchemaItem)
    arguments: tuple[Any, ...] = said.arguments if names_type else (types[wanted], *said.arguments)
    return Column(name, *arguments, nullable=wanted is not kind, **said.keywords)


def _arguments(written: Any) -> tuple[Any, ...]:
    """The constraints and indexes of ``__table_args__``, and behind them its options, if only empty ones."""
    arguments = cast("tuple[Any, ...]", written if isinstance(written, tuple) else (written,))
    return arguments if arguments and isinstance(arguments[-1], Mapping) else (*arguments, {})
