"""操作履歴: who did what; those who may see only their own acts find nothing else here."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from console.contract_search import day_of
from console.frame import frame
from console.paging import address, number, pager, place_of
from models.actors import StaffMember
from models.base import AnyRow
from models.journal_lists import Sought, journal_list
from rules.calendar import TOKYO
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get
from wording import acts, labels
from wording.catalog import N_

_PATH = "/console/journal"
_CONDITIONS = {
    "actor": N_("操作した人：{text}"),
    "act": N_("操作：{text}"),
    "subject": N_("対象：{text}"),
    "id": N_("番号：{text}"),
    "since": N_("{text} から"),
    "until": N_("{text} まで"),
}
_NAMES = tuple(_CONDITIONS)
_DAYS = ("since", "until")


def index(call: Call) -> Response:
    """The list."""
    typed = {name: call.query(name).strip()[:200] for name in _NAMES}
    own = not call.staff.may("journal", "r")
    sheet = journal_list(call.session, _sought(call, typed, own=own), place=place_of(call), limit=call.limits.page_rows)
    language = call.basis.language
    return call.page(
        "console/journal/index.html",
        **frame(call),
        rows=[_told(row, call.staff, language) for row in sheet.rows],
        page=pager(_PATH, typed, sheet),
        typed=typed,
        own=own,
        acts=acts.act_choices(language),
        subjects=acts.subject_choices(language),
        misread=any(typed[name] and day_of(typed[name]) is None for name in _DAYS),
        conditions=_conditions(call, typed),
    )


def _sought(call: Call, typed: dict[str, str], *, own: bool) -> Sought:
    until = day_of(typed["until"])
    return Sought(
        own_id=call.staff.id if own else None,
        actor=typed["actor"],
        act=typed["act"],
        subject_kind=typed["subject"],
        subject_id=number(typed["id"].removeprefix("#")),
        since=_midnight(day_of(typed["since"])),
        until=_midnight(until + timedelta(days=1)) if until and until < date.max else None,
    )


_AREAS = {
    "ticket": Area.TICKETS,
    "import_batch": Area.IMPORTS,
    "certificate": Area.CONTRACTS,
    "account": Area.ACCOUNTS,
    "letter": Area.DELIVERY,
    "returned_mail": Area.DELIVERY,
    "job": Area.DELIVERY,
    "staff": Area.MASTERS,
    "canned": Area.BULK,
}


def _may_open(reader: StaffMember, kind: str) -> bool:
    """Whether the page of a subject exists for this reader; subjects without an area of their own are masters."""
    return reader.may(_AREAS.get(kind, Area.MASTERS), Right.READ)


def _told(row: AnyRow, reader: StaffMember, language: str) -> dict[str, Any]:
    return {
        "at": row.at,
        "actor": labels.actor(row.actor_name, language),
        "kind": row.actor_kind,
        "client": row.client,
        "sentence": acts.sentence(row.act, language),
        "subject": acts.subject(row.subject_kind, row.subject_id, row.subject_name, language),
        "link": acts.link(row.subject_kind, row.subject_id) if _may_open(reader, row.subject_kind) else None,
        "facts": acts.facts(row.facts, language),
    }


def _conditions(call: Call, typed: dict[str, str]) -> list[tuple[str, str]]:
    language = call.basis.language
    words = typed | {"act": acts.sentence(typed["act"], language), "subject": acts.subject_kind(typed["subject"], language)}
    return [
        (call.say(_CONDITIONS[name], text=words[name]), address(_PATH, typed | {name: ""}))
        for name in _NAMES
        if typed[name] and (name not in _DAYS or day_of(typed[name]))
    ]


def _midnight(day: date | None) -> datetime | None:
    # The first and the last years have no moment in UTC on either side.
    return datetime.combine(day, time(), TOKYO) if day and 1900 <= day.year <= 9000 else None


PAGES = [get(_PATH, index, staff(Area.JOURNAL, Right.OWN))]
