"""Contracts: the certificates as they were sent, and what hangs on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.responses import Response

from console.contract_search import PATH, PERIODS, search_of
from console.contract_view import view_of
from console.frame import frame
from console.paging import pager, place_of
from models.base import AnyRow
from models.contract_lists import Period, contract_list, line_groups, parties_of
from models.contracts import Certificate
from models.masters import mailboxes
from rules.contracts import eligible
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get
from wording import labels


@dataclass(frozen=True)
class Summary:
    """One certificate of the list."""

    id: int
    contract_key: str
    issued_on: date
    parties: list[AnyRow]
    families: list[str]
    lines: int
    period: Period
    eligible: bool
    """Whether the desk answers for any line, whatever its period."""
    starts_on: date | None
    ends_on: date | None


def index(call: Call) -> Response:
    """The list: the search narrows it."""
    search = search_of(call, call.query)
    sheet = contract_list(call.session, search.wanted, place_of(call), limit=call.limits.page_rows)
    return call.page(
        "console/contracts/index.html",
        **frame(call),
        rows=_summaries(call, sheet.rows, search.wanted.today),
        page=pager(PATH, search.kept, sheet),
        search=search,
        periods=[(one.value, labels.line_state(one, call.basis.language)) for one in PERIODS],
        conditions=search.conditions(call),
    )


def show(call: Call) -> Response:
    """One certificate, drawn as it was printed; with a day in the address, as it was then."""
    certificate = call.named(Certificate)
    return call.page("console/contracts/show.html", **frame(call), **view_of(call, certificate))


def _summaries(call: Call, rows: Sequence[Any], today: date) -> list[Summary]:
    ids = [row.id for row in rows]
    old_mailboxes = mailboxes(call.session)
    parties, groups = parties_of(call.session, ids), line_groups(call.session, ids, today)
    return [
        _summary(
            row, [party for party in parties if party.certificate_id == row.id], [group for group in groups if group.certificate_id == row.id], old_mailboxes
        )
        for row in rows
    ]


def _summary(row: Any, parties: list[AnyRow], groups: list[AnyRow], old_mailboxes: frozenset[str]) -> Summary:
    return Summary(
        row.id,
        row.contract_key,
        row.issued_on,
        parties,
        list(dict.fromkeys(group.family for group in groups)),
        sum(group.lines for group in groups),
        _period(groups),
        any(eligible(group.sample_start, group.contact, old_mailboxes) for group in groups),
        min((group.starts_on for group in groups), default=None),
        max((group.ends_on for group in groups), default=None),
    )


def _period(groups: list[AnyRow]) -> Period:
    if any(group.active for group in groups):
        return Period.ACTIVE
    return Period.NOT_STARTED if any(group.not_started for group in groups) else Period.ENDED


PAGES = [
    get(PATH, index, staff(Area.CONTRACTS, Right.READ)),
    get(f"{PATH}/{{id:int}}", show, staff(Area.CONTRACTS, Right.READ)),
]
