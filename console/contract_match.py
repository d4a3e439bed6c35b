"""契約の照合: near misses and candidates of a ticket's contract, one press or a typed key to set it, and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from actions.contract_matches import match_contract, withdraw_match
from actions.verdicts import facts_of, load_certificates
from console.frame import frame
from console.replies import change_of
from console.ticket import PATH, coverage_of, judge_row
from models.candidates import customers_texts, logs_of, possible_lines
from models.contracts import Certificate
from models.ticket_masters import Masters, ticket_masters
from models.ticket_page import ticket_row
from models.tickets import Ticket
from rules.calendar import tokyo_date
from rules.candidates import Candidate, Clue, Evidence, rank, slips, tokens_of
from rules.contracts import Verdict, judge_match, lookup_contract, lookup_serials
from rules.logs import Fact
from rules.logs import facts_of as facts_in
from rules.near import near_keys
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.text import fold_key
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import or_not_found
from wording import contracts
from wording.catalog import N_

_TEMPLATE = "console/tickets/match.html"

_NEAR_SERIALS, _MOST_SERIALS = 5, 200
"""Of those that a ticket names: each has some three thousand near ones, and a statement takes some thirty thousand values."""


@dataclass(frozen=True)
class Choice:
    """A candidate as the page offers it."""

    candidate: Candidate
    verdict: Verdict
    """What the ticket would be judged to be."""
    reason: str
    """What the journal keeps when it is chosen with one press."""
    typed_contract: str
    typed_serial: str
    """The typed keys it is a slip away from, "" for none."""


def show(call: Call) -> Response:
    """The candidates, on a page of their own or within the ticket's."""
    return _page(call)


def match(call: Call) -> Response:
    """Set the contract by hand; a candidate brings its reason along."""
    ticket = change_of(call)
    form = call.form
    try:
        match_contract(call.session, ticket, form.value("contract"), form.value("serial"), reason=form.value("reason"), by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, status=422)
    undo = {"action": f"/console/tickets/{ticket.id}/match/withdrawal", "label": call.say(N_("取り消す"))}
    return call.redirect(f"/console/tickets/{ticket.id}#verdict", flash=N_("契約を照合しました。"), kind="undo", **undo)


def withdraw(call: Call) -> Response:
    """Judge by the typed values again."""
    ticket = change_of(call)
    try:
        withdraw_match(call.session, ticket, by=call.staff, now=call.now)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, status=422)
    return call.redirect(f"/console/tickets/{ticket.id}#verdict", flash=N_("契約の照合を取り消しました。お客様の入力で判定しています。"))


def _page(call: Call, *, status: int = 200) -> Response:
    row = or_not_found(ticket_row(call.session, call.param("number")))
    masters = ticket_masters(call.session)
    calendar = masters.calendar
    behind, judgement = judge_row(call, row, masters)
    context: dict[str, Any] = {} if call.basis.is_htmx else frame(call, calendar=calendar)
    return call.page(
        _TEMPLATE,
        block="candidates",
        status=status,
        ticket=row,
        behind=behind,
        judgement=judgement,
        coverage=coverage_of(behind, judgement, calendar, call),
        today=tokyo_date(call.now),
        choices=_choices(call, row, masters),
        may_write=call.staff.may("tickets", "w"),
        **context,
    )


def _choices(call: Call, row: Row[Any], masters: Masters) -> list[Choice]:
    """The likeliest contracts, each with the verdict it would bring."""
    contract, serials = lookup_contract(row.contract_text) or "", lookup_serials(row.serial_text)
    family_id = call.session.get_one(Ticket, row.id).family_id
    logged = facts_in(logs_of(call.session, row.id), family_id).get(Fact.SERIAL, [])
    evidence = Evidence(
        contract=contract,
        serials=serials,
        model=row.model,
        family_id=family_id,
        written=tokens_of([row.subject, *customers_texts(call.session, row.id)]),
        today=tokyo_date(call.now),
        logged=frozenset(fold_key(serial) for serial in logged),
    )
    looked_up = {*serials[:_MOST_SERIALS], *(key for typed in serials[:_NEAR_SERIALS] for key in near_keys(typed))} | evidence.written | evidence.logged
    lines = possible_lines(call.session, maintenance_key=row.maintenance_email_key or "", contracts={contract, *near_keys(contract)} - {""}, serials=looked_up)
    ranked = [one for one in rank(lines, evidence) if (one.line.contract_key, one.line.serial) != (row.matched_contract, row.matched_serial)]
    return _judged(call, row, masters, ranked, contract, serials)


def _judged(call: Call, row: Row[Any], masters: Masters, ranked: Sequence[Candidate], contract: str, serials: Sequence[str]) -> list[Choice]:
    certificates = load_certificates(call.session, Certificate.id.in_({one.line.certificate_id for one in ranked})) if ranked else []
    known = {found.key: found for found in certificates}
    return [
        Choice(
            one,
            judge_match(
                one.line.contract_key,
                one.line.serial,
                certificate=known.get(one.line.contract_key),
                account=facts_of(row) if row.account_id else None,
                mailboxes=masters.mailboxes,
                shared_domains=masters.shared_domains,
                today=tokyo_date(call.now),
            ).verdict,
            call.say(N_("候補から：{clues}"), clues=call.say(N_("、")).join(contracts.clue(clue, call.basis.language) for clue in one.clues)),
            contract if Clue.CONTRACT_NEAR in one.clues else "",
            slips(serials, one.line.serial) if Clue.SERIAL_NEAR in one.clues else "",
        )
        for one in ranked
    ]


_WRITE = staff(Area.TICKETS, Right.WRITE)
PAGES: list[Page] = [
    get(f"{PATH}/match", show, staff(Area.TICKETS, Right.READ)),
    post(f"{PATH}/match", match, _WRITE),
    post(f"{PATH}/match/withdrawal", withdraw, _WRITE),
]
