"""Real links to the next and the previous page of a list that is paged by key."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from models.paging import Place, Sheet
from web.call import Call

_HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class Pager:
    """What `ui.pager` asks for; None: no such page."""

    previous_url: str | None
    next_url: str | None


def place_of(call: Call) -> Place:
    """Where the wanted page begins; a number that is none begins at the newest."""
    return Place(number(call.query("before")), number(call.query("after")))


def pager(path: str, kept: dict[str, str], sheet: Sheet) -> Pager:
    """The links around `sheet`; `kept` are the conditions in force."""
    if not sheet.rows:
        return Pager(None, None)
    newest, oldest = sheet.rows[0].id, sheet.rows[-1].id
    return Pager(
        address(path, kept | {"after": str(newest)}) if sheet.newer else None,
        address(path, kept | {"before": str(oldest)}) if sheet.older else None,
    )


def address(path: str, conditions: dict[str, str]) -> str:
    """`path` with those conditions that say something."""
    query = urlencode({name: value for name, value in conditions.items() if value})
    return f"{path}?{query}" if query else path


def number(typed: str) -> int | None:
    """A row's number out of a link, None for anything else."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 20 and int(typed) <= _HIGHEST else None
