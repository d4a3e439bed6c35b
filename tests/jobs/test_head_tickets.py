"""A customer's tickets are found by what the customer is called now: by the profile and the e-mail as they are, not as they were at opening."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import jobs, personal_data
from actions.ticket_heads import head_anew, renamed_accounts, tickets_of_old_words
from jobs.head_tickets import head_tickets
from jobs.index_search import has_waiting, index_posts
from jobs.parts import Parts
from models import search
from models.actors import SYSTEM
from models.database import transaction
from models.journal import JournalEntry
from models.people import Account
from models.search import SearchDocument
from models.search_hits import Sought, find_tickets
from models.tickets import Ticket
from rules.search import terms_of
from tests.client import Client
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.jobs.test_housekeeping import run_of
from tests.people import EMAIL, NOW, PASSWORD, add_account, add_post, add_staff, add_ticket, sign_in_staff
from tests.portal.visit import Visit, visit

NEW_EMAIL = "yamada@osaka.tozai.example"


@dataclass(frozen=True)
class Desk:
    """A customer in the portal with some tickets that the full text knows, and the jobs beside it."""

    portal: Visit
    parts: Parts
    clock: Clock
    tickets: list[int]
    indexing: jobs.Run

    def put_in(self) -> None:
        """The job that puts posts in does its work."""
        index_posts(self.parts, self.indexing)

    def run(self) -> jobs.Counts:
        """The next run of the job."""
        self.clock.advance(minutes=1)
        run = run_of(self.parts, "head_tickets")
        counts = head_tickets(self.parts, run)
        with transaction(self.parts.engine) as session:
            jobs.finish(session, run, counts, now=self.clock())
        return counts

    def found(self, words: str) -> list[int]:
        """The tickets that a search finds."""
        with transaction(self.parts.engine, readonly=True) as session:
            return [hit.ticket_id for hit in find_tickets(session, Sought(terms_of(words)), limit=50)][::-1]

    def rename(self, **fields: Any) -> None:
        """The customer changes fields of the profile that need no proof."""
        self.portal.client.get("/profile/edit")
        self.portal.client.submit("内容を確認する", **fields)
        self.portal.client.submit("プロフィールを変更する")


@pytest.fixture
def desk(engine: Engine, clock: Clock, tmp_path: Path) -> Desk:
    portal, parts = visit(engine, clock, tmp_path), parts_for(engine, clock, tmp_path)
    with transaction(engine) as session:
        account = add_account(session)
        tickets = [add_ticket(session, account, subject=f"件名{number} 東西の装置").id for number in range(3)]
        for ticket in session.scalars(select(Ticket)):
            ticket.search_text += " 090-1234"  # as tickets were headed once
        add_ticket(session, add_account(session, "aozora", email="it@aozora.example", company_name="青空物産", person_name="青木"))
    desk = Desk(portal, parts, clock, tickets, run_of(parts, "index_search"))
    desk.put_in()
    portal.sign_in()
    return desk


def test_tickets_are_found_by_the_present_names_and_no_more_by_the_old_ones(desk: Desk, client: Client) -> None:
    desk.rename(company_name="新生ネットワーク株式会社", person_name="山田 遥")
    assert desk.found("新生") == []

    assert desk.run() == {"accounts": 1}

    assert desk.found("新生ネットワーク 山田") == desk.tickets
    assert desk.found("件名1 新生") == [desk.tickets[1]]
    assert (desk.found("東西ネットワーク"), desk.found("はるか")) == ([], [])
    assert desk.found("東西の装置") == desk.tickets, "what the ticket itself says"
    assert len(desk.found("青空物産")) == 1
    with transaction(desk.parts.engine) as session:
        assert not has_waiting(session, desk.clock()), "nothing was out of the index meanwhile"
        sign_in_staff(client, session, add_staff(session))
    assert client.get("/console/tickets?q=新生ネットワーク").says("件名0", "件名1", "件名2")


def test_tickets_are_found_by_the_present_email(desk: Desk) -> None:
    desk.portal.client.get("/profile/edit")
    desk.portal.client.submit("内容を確認する", email=NEW_EMAIL)
    desk.portal.client.submit("プロフィールを変更する", current_password=PASSWORD)
    desk.run()
    assert (desk.found(EMAIL), desk.found(NEW_EMAIL)) == (desk.tickets, []), "an address that is not proved yet is nobody's"
    path, visitor = desk.portal.link("email_link"), desk.portal.another()
    visitor.get(path)
    visitor.submit(path)

    desk.run()

    assert (desk.found(EMAIL), desk.found(NEW_EMAIL)) == ([], desk.tickets)


def test_posts_that_are_many_are_left_to_the_job_that_puts_them_in(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_AGAIN_AT_ONCE", 3)
    with transaction(desk.parts.engine) as session:
        add_post(session, session.get_one(Ticket, desk.tickets[0]), "再現しました。", staff=add_staff(session), note=True, now=desk.clock())
    desk.put_in()
    desk.rename(company_name="新生ネットワーク株式会社")

    desk.run()

    with transaction(desk.parts.engine, readonly=True) as session:
        assert has_waiting(session, desk.clock())
    assert desk.found("新生") == desk.tickets
    desk.put_in()
    assert desk.found("新生") == desk.tickets
    assert desk.found("東西ネットワーク") == []


def test_a_run_looks_at_those_who_were_renamed_since_the_last_one_a_little_back(desk: Desk) -> None:
    desk.rename(company_name="新生ネットワーク株式会社")
    desk.run()
    assert desk.run() == {}, "once more, as a change may be seen late"
    with transaction(desk.parts.engine) as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "edit_profile")).one()
        session.get_one(Account, entry.subject_id).company_name = "遅れて見えた会社"
        assert renamed_accounts(session, desk.clock() - timedelta(hours=1)) == [entry.subject_id]
        assert renamed_accounts(session, desk.clock() + timedelta(seconds=1)) == []

    assert desk.run() == {"accounts": 1}

    assert desk.found("遅れて") == desk.tickets
    desk.clock.advance(hours=1)
    desk.run()
    with transaction(desk.parts.engine) as session:
        session.scalars(select(Account).where(Account.company_name == "遅れて見えた会社")).one().company_name = "別の会社"
    assert desk.run() == {}, "nobody was renamed since"


def test_a_first_run_looks_at_whoever_was_ever_renamed(desk: Desk) -> None:
    desk.rename(company_name="新生ネットワーク株式会社")
    desk.clock.advance(days=400)

    assert desk.run() == {"accounts": 1}

    assert desk.found("新生") == desk.tickets


def test_a_run_that_lost_its_lease_writes_nothing(desk: Desk) -> None:
    desk.rename(company_name="新生ネットワーク株式会社")
    desk.clock.advance(minutes=1)
    run = run_of(desk.parts, "head_tickets")
    with transaction(desk.parts.engine) as session:
        jobs.fail(session, run, "gone", now=desk.clock())

    with pytest.raises(jobs.LeaseLost):
        head_tickets(desk.parts, run)

    assert desk.found("新生") == []
    assert desk.run() == {"accounts": 1}, "the next one does its work"


def test_an_erased_persons_tickets_are_headed_by_nothing_of_them(session: Session) -> None:
    account = add_account(session)
    ticket = add_ticket(session, account)
    old, _ = tickets_of_old_words(session, account.id)
    ticket.search_text = "古い"
    assert tickets_of_old_words(session, account.id) == ([ticket.id], None)
    personal_data.erase_person(session, account, confirmation=account.user_id, reason="ご本人の請求", by=SYSTEM, now=NOW)
    headed = ticket.search_text

    assert (old, tickets_of_old_words(session, account.id)) == ([], ([], None))
    assert head_anew(session, account.id, [ticket.id]) == 0

    assert ticket.search_text == headed
    assert session.scalars(select(SearchDocument)).all() == []


def test_a_ticket_that_is_another_accounts_by_now_is_left_alone(session: Session) -> None:
    account, other = add_account(session), add_account(session, "aozora", email="it@aozora.example", company_name="青空物産")
    ticket = add_ticket(session, other)

    assert head_anew(session, account.id, [ticket.id]) == 0

    assert "青空物産" in ticket.search_text
