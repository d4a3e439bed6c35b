"""A ticket's page: the thread, the verdict on its contract, the deadline, the customer; the composer for who may write."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Row
from starlette.responses import Response

from actions.attachments import held_files
from actions.outside_mails import outside_count
from actions.verdicts import facts_of
from console.deadline import deadline_of
from console.frame import frame
from console.log_facts import log_facts
from console.thread import build_thread
from models.questions import questions_of
from models.ticket_behind import Behind, behind_ticket
from models.ticket_masters import Masters, ticket_masters
from models.ticket_page import thread_parts, ticket_row
from rules.addresses import Verdict as DomainVerdict
from rules.addresses import compare_hosts, host_of, is_under, parse_address, registrable
from rules.calendar import BusinessCalendar, tokyo_date
from rules.contracts import Judgement, judge, judge_match, lookup_contract, lookup_serials
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.tickets import MOVES, Priority, State, after_answer, is_outside, takes_posts
from web.access import staff
from web.call import Call
from web.endpoint import Page, get
from web.errors import NotFound, or_not_found
from wording import contracts, labels

PATH = "/console/tickets/{number:int}"
TEMPLATE = "console/tickets/ticket.html"
SHOWN_LINES = 3
"""Lines of the verdict that the page shows; the others are counted."""
_ASKED = "console/tickets/asked_ticket.html"


@dataclass(frozen=True)
class Cc:
    """An address of a ticket's CC."""

    address: str
    outside: bool
    unsent: str = ""
    """Why no copy goes there: ``stopped`` by its reader, ``held`` as today's outside mails are used up, "" where one goes."""


def show(call: Call) -> Response:
    """The ticket; who is only asked about contracts sees the question's facts and nothing of the thread."""
    if not call.staff.may("tickets", "r"):
        return show_asked(call)
    return render(call)


def render(call: Call, *, status: int = 200, writing: str = "", newer: int = 0) -> Response:
    """The ticket's page.

    `writing` names the form whose refused text is shown again ("reply", "note", "" for another form of the page),
    `newer` the message that came before a reply was sent.
    """
    number: int = call.param("number")
    row = or_not_found(ticket_row(call.session, number))
    masters = ticket_masters(call.session)
    calendar = masters.calendar
    parts = thread_parts(call.session, row, staff_id=call.staff.id or 0, used=outside_count(row.account_id or 0, call.now))
    call.expect(sum(len(part.text or "") for part in parts))
    thread = build_thread(parts, staff_id=call.staff.id, language=call.basis.language)
    behind, judgement = judge_row(call, row, masters)
    state, priority, language = State(row.state), Priority(row.priority), call.basis.language
    noting = (writing or call.query("to")) == "note"
    held = call.form.values("held") if writing else [token for token in call.query("held").split(",") if token]
    return call.page(
        TEMPLATE,
        status=status,
        ticket=row,
        row=row,
        thread=thread,
        logs=log_facts(thread.posts, row),
        deadline=deadline_of(row, calendar, call.now, language=language),
        skipped=_skipped(row, calendar, language),
        target=_hours(calendar.of(row.calendar_id).target_seconds(priority, answered=row.first_answer_at is not None)),
        first_answer=_first_answer(row, calendar, call),
        behind=behind,
        judgement=judgement,
        coverage=coverage_of(behind, judgement, calendar, call),
        today=tokyo_date(call.now),
        domain=_domain(row, masters),
        cc=_copies(row, masters, parts, call.limits.outside_cc_mails_per_day),
        staff_names=masters.staff,
        holders=masters.holders,
        moves=_moves(state),
        may_ask=state is State.NEW or State.WAITING_CENTER in MOVES[state],
        priorities=[*Priority],
        next_states=next_states(state),
        takes_posts=takes_posts(state),
        may_write=call.staff.may("tickets", "w"),
        writing=writing,
        newer=next((post for post in thread.posts if post.id == newer), None),
        noting=noting,
        note_open=noting or call.query("note") == "1" or "note" in thread.drafts,
        held=[*held_files(call.session, held, by=call.staff), *call.uploads] if held or call.uploads else [],
        submission=call.form.value("submission") or secrets.token_urlsafe(16),
        **frame(call, calendar=calendar),
    )


@cache
def _moves(state: State) -> tuple[State, ...]:
    """The states that staff may set by hand."""
    return tuple(sorted(MOVES[state] - {State.WAITING_CENTER}, key=list(State).index))


@cache
def next_states(state: State) -> tuple[State, ...]:
    """The states an answer may leave a ticket in, the usual one first. Waiting for the center takes a question of its own."""
    if not takes_posts(state):
        return ()
    staying = after_answer(state)
    others = sorted(MOVES[staying] - {State.CLOSED, State.WAITING_CENTER}, key=list(State).index)
    choices = [staying, *others]
    return tuple(sorted(choices, key=lambda choice: choice is not State.WAITING_CUSTOMER))


def judge_row(call: Call, row: Row[Any], masters: Masters) -> tuple[Behind, Judgement]:
    """The contract behind the ticket and the verdict on it today: by what staff set by hand, else by what the customer typed."""
    contract, serials = (row.matched_contract, (row.matched_serial,)) if row.matched_contract else (lookup_contract(row.contract_text), None)
    behind = behind_ticket(call.session, row, contract_key=contract, serials=lookup_serials(row.serial_text) if serials is None else serials)
    known: dict[str, Any] = {
        "certificate": behind.certificate,
        "account": facts_of(row) if row.account_id else None,
        "mailboxes": masters.mailboxes,
        "shared_domains": masters.shared_domains,
        "today": tokyo_date(call.now),
    }
    if row.matched_contract:
        return behind, judge_match(row.matched_contract, row.matched_serial, **known)
    return behind, judge(row.contract_text, row.serial_text, serial_certificates=behind.by_serial, **known)


def coverage_of(behind: Behind, judgement: Judgement, calendar: BusinessCalendar, call: Call) -> dict[int, str]:
    """What the service types of the lines that the panel shows promise, in words, by line."""
    shown = [behind.lines[number] for number in judgement.line_ids[:SHOWN_LINES] if number in behind.lines]
    return {line.id: contracts.coverage(line.reads_as or line.service, calendar, call.now, call.basis.language) for line in shown}


def _skipped(ticket: Row[Any], calendar: BusinessCalendar, language: str) -> list[tuple[date, str, str]]:
    """The days that the deadline's clock left out: day, the holiday's name, why."""
    if ticket.owed_since is None:
        return []
    mine = calendar.of(ticket.calendar_id)
    target = mine.target_seconds(Priority(ticket.priority), answered=ticket.first_answer_at is not None)
    promise = mine.add_business_seconds(ticket.owed_since, target)
    return [(skip.day, skip.reason.name, labels.closed(skip.reason, language)) for skip in promise.skipped]


def _first_answer(ticket: Row[Any], calendar: BusinessCalendar, call: Call) -> int | None:
    """Business seconds from the opening to the first published answer, None before it."""
    if ticket.first_answer_at is None or ticket.first_answer_at > call.now:
        return None
    return calendar.of(ticket.calendar_id).business_seconds(ticket.created_at, ticket.first_answer_at)


def _hours(seconds: int) -> str:
    """A target as people say it: 4, 1.5."""
    return f"{seconds / 3600:.2f}".rstrip("0").rstrip(".")


def _domain(row: Row[Any], masters: Masters) -> DomainVerdict | None:
    """How the account's two addresses stand to each other, None for a ticket of nobody yet."""
    if not row.email:
        return None
    if row.email_key == row.maintenance_email_key:
        return DomainVerdict.SAME
    return compare_hosts(host_of(row.email), host_of(row.maintenance_email), masters.shared_domains)


def _copies(row: Row[Any], masters: Masters, parts: Sequence[Row[Any]], most_outside: int) -> list[Cc]:
    """The CC as an answer sent now would reach it, in the order `actions.notices` counts."""
    copies: list[Cc] = []
    stops = {part.name for part in parts if part.part == "stopped"} if row.cc else ()
    used = sum(part.size for part in parts if part.part == "outside")
    for address in row.cc:
        outside, stopped = _outside(address, row, masters), address.lower() in stops
        used += outside and not stopped
        copies.append(Cc(address, outside, "stopped" if stopped else "held" if outside and used > most_outside else ""))
    return copies


def _outside(address: str, row: Row[Any], masters: Masters) -> bool:
    """Whether an address of the CC is 社外; one that cannot be read any more is."""
    try:
        parsed = parse_address(address)
        if not row.email:
            return is_under(parsed.host, masters.shared_domains) or registrable(parsed.host) is None
        return is_outside(parsed, parse_address(row.email), parse_address(row.maintenance_email), masters.shared_domains)
    except Refused:
        return True


def show_asked(call: Call, *, status: int = 200) -> Response:
    """The ticket as the center sees it: contract fields and what support asks, nothing of the thread."""
    row = ticket_row(call.session, call.param("number"))
    if row is None or row.state != State.WAITING_CENTER:
        raise NotFound
    masters = ticket_masters(call.session)
    behind, judgement = judge_row(call, row, masters)
    today: date = tokyo_date(call.now)
    calendar = masters.calendar
    questions = questions_of(call.session, row.id)
    facts = {"behind": behind, "judgement": judgement, "today": today, "questions": questions, "coverage": coverage_of(behind, judgement, calendar, call)}
    return call.page(_ASKED, status=status, ticket=row, row=row, **facts, **frame(call, calendar=calendar))


PAGES: list[Page] = [get(PATH, show, staff(Area.TICKETS, Right.OWN), quick=True)]
