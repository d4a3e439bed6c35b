"""When the desk answers: its hours, and out of hours when it opens next."""

from __future__ import annotations

from typing import Any

from rules.calendar import BusinessCalendar
from web.call import Call
from wording.catalog import N_
from wording.hours import opening, opening_hours

_NEXT = N_("いまは受付時間外です。次の受付は {at} からです。")


def reception(call: Call, calendar: BusinessCalendar) -> dict[str, Any]:
    """For a page: `hours` of the calendar, and `opens`, when it opens next, "" while it is open."""
    opens_at = calendar.next_opening(call.now)
    language = call.basis.language
    return {"hours": opening_hours(calendar, language), "opens": opening(opens_at, call.now, language) if opens_at > call.now else ""}


def told_when(call: Call, calendar: BusinessCalendar) -> str:
    """What a receipt adds out of hours, "" while the desk is open."""
    opens = reception(call, calendar)["opens"]
    return call.say(_NEXT, at=opens) if opens else ""
