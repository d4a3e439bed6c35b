"""The first real values of a sheet, for a person who says which column holds what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from importers.cells import shown
from importers.headings import Layout
from importers.marks import column_letters
from importers.raw import Cell, RawRows, RawSheet

HEAD_ROWS = 12
"""Rows shown of a sheet's head."""
MOST_COLUMNS = 60
MOST_CHARACTERS = 40
VALUES = 3
"""Different values shown of a column."""
_LOOKED_AT = 200


def head_of(sheet: RawSheet, head: RawRows) -> list[dict[str, Any]]:
    """The first rows that hold anything: ``{"row", "cells"}``."""
    found: list[dict[str, Any]] = []
    for index, row in enumerate(head[:_LOOKED_AT]):
        cells = [_text(cell) for cell in row[:MOST_COLUMNS]]
        if any(cells):
            found.append({"row": sheet.first_row + index, "cells": cells})
        if len(found) == HEAD_ROWS:
            break
    return found


def columns_of(sheet: RawSheet, layout: Layout, head: RawRows) -> list[dict[str, Any]]:
    """The columns that have a heading or values below it: ``{"column", "heading", "values"}``."""
    below = head[max(0, layout.last_row + 1 - sheet.first_row) :][:_LOOKED_AT]
    found: list[dict[str, Any]] = []
    for index, heading in enumerate(layout.headings[:MOST_COLUMNS]):
        values = _values(below, index)
        if heading or values:
            found.append({"column": column_letters(sheet.first_column + index), "heading": heading[:MOST_CHARACTERS], "values": values})
    return found


def _values(rows: Sequence[Sequence[Cell]], index: int) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        text = _text(row[index]) if index < len(row) else ""
        if text:
            found[text] = None
        if len(found) == VALUES:
            break
    return list(found)


def _text(cell: Cell) -> str:
    return " ".join(shown(cell)[: MOST_CHARACTERS * 2].split())[:MOST_CHARACTERS]
