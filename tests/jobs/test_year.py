"""A simulated year of desk life on a moved clock: what the jobs reminded of equals what was due, each once, on both databases."""

from __future__ import annotations

import heapq
import os
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from actions import tickets
from actions.exception_requests import answer_request
from actions.openings import Opening
from actions.reminder_switches import switch
from jobs.parts import Parts
from jobs.runner import Process
from jobs.schedule import JOBS
from models.actors import Customer, StaffMember
from models.admission import PendingRegistration
from models.contracts import Certificate, ContractLine
from models.database import transaction
from models.email_changes import EmailChange
from models.masters import CompanyDay
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import RateCount
from models.radar import AccountFinding
from models.reminders import Reminder
from models.requests import ExceptionRequest
from models.tickets import Attachment, Message, MessageKind
from rules.calendar import BusinessCalendar
from rules.email_changes import ChangeState
from rules.limits import Limits
from rules.radar import Finding
from rules.reminders import Kind, Outcome
from rules.requests import RequestState
from rules.rights import Role
from rules.tickets import Priority, State
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.jobs.year import MOST_BYTES, MOST_STORED, MOST_TICKETS, Almanac, Reckoning
from tests.people import MAINTENANCE, add_account, add_certificate, add_email_change, add_renewal, add_request, add_staff, family_id

WATCHED = {
    "first_answer_near", "first_answer_overdue", "next_answer_near", "next_answer_overdue", "silent_reminder", "silent_notice", "silent_closed",
    "contract_ending", "contract_ending_account", "registration_ending", "digest", "calendar_ending", "mails_failed", "quota",
    "email_change_tomorrow", "email_change_due", "email_change_overdue", "exception_waiting", "accounts_found",
}  # fmt: skip
_JOBS = {"remind_answers", "remind_silent", "remind_contracts", "remind_center", "remind_links", "remind_staff", "write_digests"}
BEGINNING = datetime(2026, 9, 10, tzinfo=UTC)
STEP = timedelta(hours=int(os.environ.get("YEAR_STEP_HOURS", "1")))
"""How often the jobs look at the simulated desk; every hour when nobody says otherwise."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


class Life:
    """Customers and staff who write at random moments, through the product's own actions; the reckoning is told of each."""

    def __init__(self, parts: Parts, clock: Clock, seed: int, until: datetime) -> None:
        self.parts, self.clock, self.until = parts, clock, until
        self.chance, self.marks = random.Random(seed), count(1)
        self.reckoning = Reckoning(Almanac(range(BEGINNING.year, until.year + 1)))
        self.events: list[tuple[datetime, int, Callable[[Session], None]]] = []
        with transaction(parts.engine) as session:
            self._people(session)
        self.plan(BEGINNING + HOUR, self.open)
        self.plan(BEGINNING + 2 * HOUR, self.apply)
        self.plan(BEGINNING + 3 * HOUR, self.ask_change)
        self.plan(BEGINNING + 3 * HOUR, self.ask_exception)
        self.plan(BEGINNING + 4 * HOUR, self.find)
        self.plan(BEGINNING + 5 * HOUR, self.fail)
        self.plan(BEGINNING + 6 * HOUR, self.copy)
        self.plan(BEGINNING + 7 * HOUR, self.attach)
        self.plan(BEGINNING + 8 * HOUR, self.renew)
        self.plan(datetime(2027, 1, 15, 3, tzinfo=UTC), self.close_next_year)

    def plan(self, at: datetime, does: Callable[[Session], None]) -> None:
        """Let something happen at a whole minute that is no tick's."""
        at = at.replace(second=0, microsecond=0)
        heapq.heappush(self.events, (at + MINUTE if at.minute == 0 else at, next(self.marks), does))

    def live(self, until: datetime) -> None:
        while self.events and self.events[0][0] <= until:
            at, _, does = heapq.heappop(self.events)
            self.clock.set(at)
            with transaction(self.parts.engine) as session:
                does(session)

    def later(self, hours: float) -> datetime:
        return self.clock() + timedelta(minutes=int(self.chance.expovariate(1 / hours) * 60) + 1)

    def open(self, session: Session) -> None:
        """A customer opens a ticket; staff set its priority."""
        opening = Opening(family_id=family_id(session, "juniper-srx"), category_id=1, subject="件名", contract_text="不明", serial_text="不明", body="本文")
        ticket = tickets.open_ticket(
            session, opening, submission=f"o{next(self.marks)}", by=self.customer, calendar=self.calendar, now=self.clock(), **self.shared
        )
        priority = self.chance.choice(list(Priority))
        tickets.change_priority(session, ticket, priority, by=self.member, calendar=self.calendar, now=self.clock())
        self.reckoning.wrote(ticket.id, self.clock(), priority.value)
        self.plan(self.later(14), lambda session: self.answer(session, ticket.id))
        self.plan(self.later(20), self.open)

    def answer(self, session: Session, number: int) -> None:
        ticket = tickets.ticket_for_staff(session, number, change=True)
        if ticket.state is State.CLOSED:
            return
        state = self.chance.choice([State.WAITING_CUSTOMER, State.WAITING_CUSTOMER, State.OPEN, State.RESOLVED])
        seen = session.scalar(select(func.max(Message.id)).where(Message.ticket_id == number)) or 0
        mark = f"a{next(self.marks)}"
        tickets.answer(session, ticket, "回答", next_state=state, last_seen=seen, submission=mark, by=self.member, now=self.clock(), **self.shared)
        self.reckoning.answered(number, self.clock(), ticket.state.value)
        if self.chance.random() < 0.6:
            self.plan(self.later(24 * 8), lambda session: self.reply(session, number))

    def reply(self, session: Session, number: int) -> None:
        ticket = tickets.ticket_for_staff(session, number, change=True)
        if ticket.state is State.CLOSED:
            return
        tickets.reply(session, ticket, "返信", submission=f"r{next(self.marks)}", by=self.customer, calendar=self.calendar, now=self.clock(), **self.shared)
        self.reckoning.wrote(number, self.clock())
        self.plan(self.later(14), lambda session: self.answer(session, number))

    def apply(self, session: Session) -> None:
        """Somebody registers, and uses the link or forgets it."""
        token, now = f"token-{next(self.marks)}", self.clock()
        pending = PendingRegistration(
            token_hash=token, user_id=token, user_id_key=token, password_hash="x", company_name="社", person_name="人", email=f"{token}@tozai.example",
            email_key=f"{token}@tozai.example", maintenance_email=MAINTENANCE, contract_key="X", privacy_version=1, created_at=now, expires_at=now + DAY,
        )  # fmt: skip
        session.add(pending)
        self.reckoning.links[token] = (now, now + DAY)
        if self.chance.random() < 0.5:
            self.plan(self.later(12), lambda session: self.complete(session, token))
        self.plan(self.later(40), self.apply)

    def complete(self, session: Session, token: str) -> None:
        pending = session.scalars(select(PendingRegistration).where(PendingRegistration.token_hash == token)).one_or_none()
        if pending is not None and pending.expires_at > self.clock():
            pending.completed_at = self.clock()
            self.reckoning.links.pop(token)

    def ask_change(self, session: Session) -> None:
        """Somebody asks for another maintenance e-mail; the center does it sooner or later."""
        today = (self.clock() + timedelta(hours=9)).date()
        change = add_email_change(session, old=f"old{next(self.marks)}@tozai.example")
        change.received_on, change.due_on = today, self.calendar.add_business_days(today, 2).day
        self.reckoning.changes[change.id] = change.due_on
        self.plan(self.later(24 * 3), lambda session: self.apply_change(session, change.id))
        self.plan(self.later(70), self.ask_change)

    def apply_change(self, session: Session, number: int) -> None:
        change = session.get_one(EmailChange, number)
        change.state, change.pending = ChangeState.NOTIFIED, False
        self.reckoning.changes.pop(number)

    def ask_exception(self, session: Session) -> None:
        """Somebody asks for an exception; the desk decides, or asks and gets an answer."""
        request = add_request(session, email=f"ex{next(self.marks)}@tokyo.tozai.example", now=self.clock())
        self.reckoning.exceptions[request.id] = self.clock()
        self.plan(self.later(30), lambda session: self.decide(session, request.id))
        self.plan(self.later(60), self.ask_exception)

    def decide(self, session: Session, number: int) -> None:
        asks = self.chance.random() < 0.3
        session.get_one(ExceptionRequest, number).state = RequestState.ASKED if asks else RequestState.DECLINED
        self.reckoning.exceptions.pop(number)
        if asks:
            self.plan(self.later(40), lambda session: self.explain(session, number))

    def explain(self, session: Session, number: int) -> None:
        answer_request(session, session.get_one(ExceptionRequest, number), "回答", limits=self.parts.limits, now=self.clock())
        self.reckoning.exceptions[number] = self.clock()
        self.plan(self.later(30), lambda session: self.decide(session, number))

    def find(self, session: Session) -> None:
        """The nightly check finds something about an account."""
        now, mark = self.clock(), next(self.marks)
        account = add_account(session, f"found{mark}", email=f"found{mark}@tozai.example")
        session.add(AccountFinding(account_id=account.id, kind=Finding.FAILS_EDIT, found_at=now, checked_at=now))
        self.reckoning.findings.append(now)
        self.reckoning.holders.append(account.id)
        self.plan(self.later(24 * 6), self.find)

    def fail(self, session: Session) -> None:
        """A letter is given up; sometimes one that failed before and was sent again."""
        letters = session.scalars(select(Letter).where(Letter.kind != "staff_mails_failed").order_by(Letter.id).limit(200)).all()
        if letters:
            letter = self.chance.choice(letters)
            letter.state, letter.fault, letter.fence = LetterState.PARKED, "550 no such user", letter.fence + 1
            open_ones = (Recipient.letter_id == letter.id, Recipient.state.not_in([RecipientState.ACCEPTED, RecipientState.SUPPRESSED]))
            unreached = len(session.scalars(select(Recipient.id).where(*open_ones)).all())
            name = f"{letter.id}:{letter.fence}" + (f":{unreached}" if unreached > 1 else "")
            self.reckoning.failed = [other for other in self.reckoning.failed if other.partition(":")[0] != str(letter.id)] + [name]
        self.plan(self.later(24 * 4), self.fail)

    def copy(self, session: Session) -> None:
        """An account uses up most of its outside CC mails of the day."""
        account, day = self.chance.choice(self.reckoning.holders), (self.clock() + timedelta(hours=9)).date()
        if (account, day) not in self.reckoning.crowded:
            session.add(RateCount(bucket="outside_cc", key=str(account), began_at=datetime(day.year, day.month, day.day, tzinfo=UTC), count=80))
            self.reckoning.crowded.add((account, day))
        self.plan(self.later(24 * 5), self.copy)

    def attach(self, session: Session) -> None:
        """The customer sends a file."""
        message = session.scalar(select(func.max(Message.id)).where(Message.account_id == self.customer.id))
        if message is not None:
            name = f"file-{next(self.marks)}"
            size = self.chance.randrange(1, 8_000)
            session.add(Attachment(token=name, message_id=message, name=name, size=size, sha256="", storage_key=name, created_at=self.clock()))
            self.reckoning.filled += size
        self.plan(self.later(24 * 4), self.attach)

    def renew(self, session: Session) -> None:
        """A device gets another year: by a later line of its own, or by one that an import was told carries it on."""
        contract, ends_on = self.chance.choice([*self.reckoning.ends.items()])
        old = session.scalars(select(Certificate).where(Certificate.contract_key == contract)).one()
        line = session.scalars(select(ContractLine).where(ContractLine.certificate_id == old.id)).one()
        mark, later = next(self.marks), ends_on + timedelta(days=365)
        same = self.chance.random() < 0.5
        renewed = add_certificate(session, f"JSC{mark:08}B", ends_on=later, lines=[{"serial": line.serial if same else f"N{mark}"}])
        if not same:
            add_renewal(session, old, renewed)
        self.reckoning.ends.pop(contract)
        self.reckoning.ends[renewed.contract_key] = later
        self.plan(self.later(24 * 12), self.renew)

    def close_next_year(self, session: Session) -> None:
        """An administrator enters the days on which the desk is closed next year."""
        session.add(CompanyDay(day=date(2027, 12, 29), name="年末"))
        self.reckoning.last_company_day = date(2027, 12, 29)

    def _people(self, session: Session) -> None:
        account, member = add_account(session), add_staff(session)
        lead = add_staff(session, "honda", name="本田", roles=(Role.LEAD, Role.ADMIN, Role.DESK))
        self.customer = Customer(id=account.id, name=account.person_name)
        self.member = StaffMember(id=member.id, name=member.name, roles=frozenset({Role.SUPPORT}))
        self.reckoning.staff = [member.id, lead.id]
        self.reckoning.owner, self.reckoning.holders = account.id, [account.id]
        switch(session, Kind.CONTRACT_ENDING_ACCOUNT, active=True, by=self.member, now=self.clock())
        # Days that are free anyway: they say only how far the calendar reaches.
        session.add(CompanyDay(day=date(2026, 12, 29), name="年末"))
        self.reckoning.last_company_day = date(2026, 12, 29)
        self.calendar = BusinessCalendar()
        self.shared: dict[str, Any] = {"desk": self.parts.desk, "limits": Limits()}
        for number in range(40):
            ends_on = date(2026, 9, 20) + timedelta(days=self.chance.randrange(440))
            certificate = add_certificate(session, f"JSC{number:08}A", ends_on=ends_on, lines=[{"serial": f"S{number}"}])
            self.reckoning.ends[certificate.contract_key] = ends_on


def simulate(
    engine: Engine, folder: Path, *, days: int, step: timedelta, sleeps: int, seed: int, off: frozenset[str] = frozenset()
) -> tuple[dict[str, datetime], dict[str, datetime]]:
    """(what was due, what was reminded of) by cause and moment; `sleeps` times the jobs are down for some days."""
    clock, until = Clock(BEGINNING), BEGINNING + timedelta(days=days)
    parts = parts_for(engine, clock, folder)
    parts = replace(parts, limits=replace(parts.limits, account_tickets_per_day=MOST_TICKETS, account_bytes=MOST_BYTES, storage_bytes=MOST_STORED))
    life = Life(parts, clock, seed, until)
    life.reckoning.off = off
    with transaction(engine) as session:
        for kind in off:
            switch(session, Kind(kind), active=False, by=life.member, now=clock())
    process, now = Process(parts, threading.Event()), BEGINNING
    nights = sorted(life.chance.randrange(days) for _ in range(sleeps))
    watched = [job for job in JOBS if job.line.name in _JOBS]
    while now < until:
        if nights and now >= BEGINNING + timedelta(days=nights[0]):
            now += timedelta(days=3, hours=life.chance.randrange(20))
            nights.pop(0)
        now += step
        life.live(now)
        clock.set(now)
        for job in watched:
            process.tick(job)
        life.reckoning.tick(now)
    return life.reckoning.due, _given(engine)


def _given(engine: Engine) -> dict[str, datetime]:
    """Reminders by the reckoning's causes: a silence is named by its number, not by the post it follows."""
    with transaction(engine, readonly=True) as session:
        rows = session.execute(
            select(Reminder.kind, Reminder.cause, Reminder.at).where(
                Reminder.outcome != Outcome.DROPPED, (Reminder.outcome != Outcome.EMPTY) | (Reminder.kind == Kind.DIGEST.value)
            )
        ).all()
        posts: dict[int, list[int]] = {}
        for row in session.execute(select(Message.id, Message.ticket_id).where(Message.kind == MessageKind.ANSWER).order_by(Message.id)):
            posts.setdefault(row.ticket_id, []).append(row.id)
        told = session.scalar(select(func.count()).select_from(Letter).where(Letter.kind.like("silent%")))
    given: dict[str, datetime] = {}
    for row in rows:
        cause = row.cause
        if row.kind.startswith("silent"):
            kind, ticket, message = cause.split(":")
            cause = f"{kind}:{ticket}:{posts[int(ticket)].index(int(message)) + 1}"
        given[cause] = row.at
    assert told == sum(row.kind.startswith("silent") for row in rows)
    return given


def compare(due: dict[str, datetime], given: dict[str, datetime]) -> None:
    assert {cause: at for cause, at in given.items() if cause.partition(":")[0] in WATCHED} == due


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_some_weeks_with_a_silver_week_and_a_sleep(engine: Engine, tmp_path: Path) -> None:
    due, given = simulate(engine, tmp_path, days=16, step=4 * HOUR, sleeps=1, seed=1)

    compare(due, given)
    seen = {cause.partition(":")[0] for cause in due}
    assert {"first_answer_overdue", "next_answer_overdue", "silent_reminder", "contract_ending", "digest", "mails_failed", "calendar_ending"} <= seen


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_what_is_switched_off_is_not_told(engine: Engine, tmp_path: Path) -> None:
    on = {"first_answer_overdue", "email_change_due"}

    due, given = simulate(engine, tmp_path, days=8, step=4 * HOUR, sleeps=0, seed=2, off=frozenset(WATCHED - on))

    compare(due, given)
    assert {cause.partition(":")[0] for cause in given} == on


@pytest.mark.proof
def test_a_year(engine: Engine, tmp_path: Path) -> None:
    due, given = simulate(engine, tmp_path, days=366, step=STEP, sleeps=6, seed=20261201)

    compare(due, given)
    assert {cause.partition(":")[0] for cause in due} == WATCHED
