"""What every page of the console's frame shows: the side menu's counts and whether the desk is open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from models.queue import Shelf, queue_menu
from models.unchanged import unchanged
from rules.calendar import TOKYO, BusinessCalendar, tokyo_date
from rules.reminders import near_edges
from web.call import Call


def frame(call: Call, *, calendar: BusinessCalendar | None = None) -> dict[str, Any]:
    """The context of the console's frame: `counts` by view, `shelves` (products and saved views) and `open_now`.

    One statement for the whole menu; a second one for the calendar where the page has not read it already.
    """
    known = calendar or call.calendar()
    counts, shelves = _menu(call, known)
    return {"counts": counts, "shelves": shelves, "open_now": known.is_open(call.now)}


def today_began(now: datetime) -> datetime:
    """The midnight in Japan with which today began."""
    return datetime.combine(tokyo_date(now), time(), TOKYO)


def _menu(call: Call, calendar: BusinessCalendar) -> tuple[Mapping[str, int], tuple[Shelf, ...]]:
    if not call.staff.may("tickets", "own"):
        return {}, ()
    number, now = call.staff.id, call.now.replace(microsecond=0)

    def read() -> tuple[Mapping[str, int], tuple[Shelf, ...]]:
        return queue_menu(call.session, staff_id=number, due_by=near_edges(calendar, now), today_began=today_began(now))

    counts, shelves = unchanged(call.session, ("menu", number, now), read)
    if call.staff.may("tickets", "r"):
        return counts, shelves
    return {name: counts[name] for name in ("waiting_center", "email_changes", "exceptions")}, ()
