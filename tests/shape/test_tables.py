"""A process maps the tables that it imports, and with them those that their keys name."""

from __future__ import annotations

import ast
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest
from sqlalchemy import String, inspect
from sqlalchemy.orm import Mapped

import models
from models import TABLES, load
from models.base import Base, mapped_column
from tests.shape.tree import ROOT


def classes() -> dict[str, type[Base]]:
    """Every mapped class by the name of its table."""
    load(*TABLES)
    return {one.__tablename__: one for one in Base.__subclasses__() if one.__module__.startswith("models.")}


def loaded_by(module: str) -> set[str]:
    """The modules of tables that are there once `module` is, by what it imports and loads at its top."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        for node in ast.parse((ROOT / "models" / f"{name}.py").read_text()).body:
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("models."):
                waiting.append((node.module or "").removeprefix("models."))
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "load":
                waiting += [ast.literal_eval(argument) for argument in node.value.args]
    return found


def test_every_module_of_tables_is_listed() -> None:
    for found in pkgutil.iter_modules(models.__path__):
        import_module(f"models.{found.name}")

    assert {one.__module__ for one in classes().values()} == {f"models.{module}" for module in TABLES}


def test_whoever_loads_a_table_has_those_that_its_keys_name() -> None:
    named = classes()
    lacking = {
        (one.__module__, key.column.table.name)
        for one in named.values()
        for key in one.__table__.foreign_keys
        if named[key.column.table.name].__module__.removeprefix("models.") not in loaded_by(one.__module__.removeprefix("models."))
    }

    assert lacking == set()


def test_the_queue_brings_no_tables_that_only_rare_pages_read() -> None:
    told = subprocess.run([sys.executable, "-c", "import console.queue, sys; print(*sys.modules)"], cwd=ROOT, capture_output=True, text=True, check=True)

    loaded = set(told.stdout.split())
    assert {"models.masters", "models.people", "models.tickets"} <= loaded
    assert loaded & {f"models.{name}" for name in ("admission", "contracts", "imports", "job_runs", "outbox")} == set()


def test_a_column_is_what_its_annotation_says() -> None:
    class Written(Base):
        __tablename__ = "written_for_a_test"
        id: Mapped[int] = mapped_column(primary_key=True)
        name: Mapped[str] = mapped_column(String(7), default="x", index=True)
        count: Mapped[int | None]

    columns = Written.__table__.columns
    try:
        assert [(one.name, str(one.type), one.nullable) for one in columns] == [
            ("id", "INTEGER", False),
            ("name", "VARCHAR(7)", False),
            ("count", "INTEGER", True),
        ]
        assert [index.name for index in Written.__table__.indexes] == ["ix_written_for_a_test_name"]
        assert Written(name="y").name == "y"
        with pytest.raises(TypeError, match="no 'nome'"):
            Written(nome="y")
    finally:
        Base.metadata.remove(Written.__table__)
        inspect(Written).registry.dispose()


def test_a_type_that_no_column_has_is_refused() -> None:
    with pytest.raises(KeyError, match="complex"):

        class Wrong(Base):  # pyright: ignore[reportUnusedClass]
            __tablename__ = "wrong_for_a_test"
            id: Mapped[int] = mapped_column(primary_key=True)
            of: Mapped[complex]
