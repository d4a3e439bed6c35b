"""What comes back by mail: reports mark recipients, people are answered once, nothing is posted, nothing is taken twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from actions import jobs
from actions.jobs import Broken, Run, RunState
from actions.lateness import late_jobs
from actions.letters import Draft, write_letters
from actions.timetable import line_of
from jobs.parts import Parts
from jobs.read_mailbox import read_mailbox
from jobs.runner import Process
from jobs.schedule import Job
from mail.compose import Text
from mail.mailbox import probe
from models.database import transaction
from models.job_runs import JobRun
from models.outbox import Letter, Recipient, ReturnedMail
from models.people import Account
from models.tickets import Message, Ticket
from rules.rights import Role
from rules.tickets import State
from tests.client import Client
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states
from tests.people import add_account, add_staff, add_ticket, sign_in_customer, sign_in_staff
from tests.services.imap import ImapServer, imap_server

A, B = "kimura@osaka.tozai.example", "sato@osaka.tozai.example"
REPORT = """\
From: MAILER-DAEMON@relay.example
To: tickets@jscom.co.jp
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I am sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Original-Recipient: rfc822;{address}
Final-Recipient: rfc822; someone@elsewhere.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {header_id}
Subject: x

--b--
"""


@pytest.fixture
def imap() -> Iterator[ImapServer]:
    with imap_server() as server:
        yield server


@pytest.fixture
def parts(engine: Engine, clock: Clock, tmp_path: Path, imap: ImapServer) -> Parts:
    return parts_for(engine, clock, tmp_path, imap_url=imap.url)


@pytest.fixture
def sent(engine: Engine, parts: Parts) -> tuple[int, str]:
    """(ticket, Message-ID) of a letter that the server has taken for A and, in Cc, B."""
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session), cc=[B])
        draft = Draft("answered", "cause", Text("件名", "本文\n"), [A], [B], ticket_id=ticket.id)
        (letter_id,) = write_letters(session, [draft], desk=parts.desk, now=parts.clock())
        header_id = session.get_one(Letter, letter_id).header_id
    mailer_for(parts).deliver()
    return ticket.id, header_id


def poll(parts: Parts) -> dict[str, int]:
    line = line_of("read_mailbox")
    assert line is not None
    with transaction(parts.engine) as session:
        run = jobs.begin(session, line, worker="test", now=parts.clock())
    assert isinstance(run, Run)
    counts = dict(read_mailbox(parts, run))
    with transaction(parts.engine) as session:
        jobs.finish(session, run, counts, now=parts.clock())
    return counts


def answer(header_id: str, *, sender: str = A, body: str = "了解しました。", **headers: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "tickets@jscom.co.jp", "Re: 件名"
    mail["In-Reply-To"] = header_id
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


def told(engine: Engine) -> list[str]:
    with transaction(engine, readonly=True) as session:
        statement = select(Recipient.address).join(Letter, Letter.id == Recipient.letter_id).where(Letter.kind == "mail_not_taken")
        return list(session.scalars(statement.order_by(Recipient.id)))


def test_a_delivery_report_marks_whom_it_names_and_no_other(engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], clock: Clock) -> None:
    imap.receive(REPORT.format(address=B, action="delayed", header_id=sent[1]).encode())
    imap.receive(REPORT.format(address=B, action="failed", header_id="<guessed@jscom.co.jp>").encode())
    assert poll(parts) == {"report": 2}
    assert recipient_states(engine) == {A: "accepted", B: "accepted"}

    imap.receive(REPORT.format(address=B.upper(), action="failed", header_id=sent[1]).encode())
    clock.advance(minutes=2)
    assert poll(parts) == {"report": 1}

    assert recipient_states(engine) == {A: "accepted", B: "permanent"}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(Recipient.answer).where(Recipient.address == B)).one() == "5.1.1 smtp; 550 5.1.1 no such user"
    assert told(engine) == []
    assert imap.seen == {1, 2, 3}


def test_a_persons_answer_is_shown_to_staff_answered_once_a_day_and_never_posted(
    engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], clock: Clock, client: Client
) -> None:
    ticket, header_id = sent
    imap.receive(answer(header_id, body="再起動で直りました。<script>alert(1)</script>"))
    imap.receive(answer(header_id, body="追伸です。"))
    imap.receive(answer(f"<ticket-{ticket}@jscom.co.jp>", sender="evil@evil.example", body="担当の佐藤です。"))

    assert poll(parts) == {"reply": 3}

    assert told(engine) == [A, "evil@evil.example"]
    with transaction(engine) as session:
        assert session.scalar(select(func.count(Message.id)).where(Message.ticket_id == ticket)) == 1
        sign_in_staff(client, session, add_staff(session, roles=[Role.SUPPORT]))
    page = client.get(f"/console/tickets/{ticket}")
    assert page.says("メールで返信が届きました", "再起動で直りました。<script>alert(1)</script>", "追伸です。")
    clock.advance(days=1)
    imap.receive(answer(header_id))
    poll(parts)
    assert told(engine) == [A, "evil@evil.example", A]


def staff_told(engine: Engine) -> list[tuple[int | None, str]]:
    """(ticket, address) of the letters that tell staff of a mail."""
    with transaction(engine, readonly=True) as session:
        statement = select(Letter.ticket_id, Recipient.address).join(Recipient, Recipient.letter_id == Letter.id).where(Letter.kind == "staff_mail_replied")
        return [(row.ticket_id, row.address) for row in session.execute(statement.order_by(Recipient.id))]


def to_customer(engine: Engine) -> None:
    """Let the letter be one to the customer."""
    with transaction(engine) as session:
        session.scalars(select(Letter).where(Letter.kind == "answered")).one().account_id = session.scalars(select(Account.id)).one()


def test_staff_are_told_of_answers_to_a_customers_letter_and_of_no_guessed_one(
    engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], clock: Clock
) -> None:
    ticket, header_id = sent
    with transaction(engine) as session:
        add_staff(session)
    imap.receive(answer(f"<ticket-{ticket}@jscom.co.jp>"))
    imap.receive(answer(header_id))
    poll(parts)
    assert staff_told(engine) == [], "a letter that went to nobody's account is one to staff"

    to_customer(engine)
    for _ in range(12):
        imap.receive(answer(header_id, body="カナリア-7714"))
    clock.advance(minutes=2)
    poll(parts)

    assert staff_told(engine) == [(ticket, "nakamura@jscom.co.jp")] * 10, "of many in a day of ten"
    with transaction(engine, readonly=True) as session:
        assert not session.scalars(select(Letter.body).where(Letter.body.contains("カナリア"))).all()


def test_an_answer_about_a_merged_ticket_stands_on_the_other_one(engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], client: Client) -> None:
    to_customer(engine)
    with transaction(engine) as session:
        member = add_staff(session)
        into = add_ticket(session, session.scalars(select(Account)).one(), assignee=member)
        here = session.get_one(Ticket, sent[0])
        here.state, here.unresolved, here.merged_into_id = State.CLOSED, False, into.id
        sign_in_staff(client, session, member)
    imap.receive(answer(sent[1], body="再起動で直りました。"))
    imap.receive(answer(f"<ticket-{sent[0]}@jscom.co.jp>", body="追伸です。"))

    poll(parts)

    assert client.get(f"/console/tickets/{into.id}").says("メールで返信が届きました", "再起動で直りました。", "追伸です。")
    assert staff_told(engine) == [(into.id, member.email)]


def test_the_customer_does_not_see_what_came_by_mail(engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], client: Client) -> None:
    imap.receive(answer(sent[1], body="カナリア-5521"))
    poll(parts)
    with transaction(engine) as session:
        sign_in_customer(client, session, session.scalars(select(Account)).one())

    page = client.get(f"/tickets/{sent[0]}")

    assert not page.says("カナリア-5521")
    assert not page.says("メールで返信")


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<all.tozai.example>"},
        {"Return_Path": "<>"},
        {"X_Auto_Response_Suppress": "All"},
        {"sender": "MAILER-DAEMON@tozai.example"},
        {"sender": "tickets@jscom.co.jp"},
        {"sender": "No-Reply@tozai.example"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
def test_machines_and_ourselves_are_never_answered(engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], headers: dict[str, str]) -> None:
    imap.receive(answer(sent[1], **headers))

    assert poll(parts) == {"automatic": 1}
    assert told(engine) == []


def test_each_mail_is_taken_once_though_the_connection_breaks_before_it_is_marked(
    engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], clock: Clock
) -> None:
    imap.receive(answer(sent[1]))
    imap.receive(answer(sent[1]))
    for command in ("STORE", "LOGIN"):
        imap.breaks_at = command
        with pytest.raises(Broken):
            poll(parts)
        clock.advance(minutes=6)
    imap.breaks_at = ""

    assert poll(parts) == {"known": 1, "reply": 1}

    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(ReturnedMail.mailbox_key).order_by(ReturnedMail.id)).all() == ["7:1", "7:2"]
    assert told(engine) == [A]
    assert letter_states(engine) == {"done": 1, "waiting": 1}


def test_a_mail_that_the_server_withholds_is_passed_over_at_every_run(
    engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str], clock: Clock
) -> None:
    imap.withheld = {imap.receive(answer(sent[1]))}
    imap.receive(answer(sent[1]))
    assert poll(parts) == {"unreadable": 1, "reply": 1}

    clock.advance(minutes=2)
    imap.receive(answer(sent[1]))
    assert poll(parts) == {"unreadable": 1, "reply": 1}

    assert imap.seen == {2, 3}


def test_a_mailbox_that_cannot_be_read_fails_its_runs_and_makes_the_job_late(
    engine: Engine, parts: Parts, imap: ImapServer, clock: Clock, client: Client
) -> None:
    line = line_of("read_mailbox")
    assert line
    process = Process(parts, threading.Event())
    process.tick(Job(line, read_mailbox))
    imap.password = "another"

    for _ in range(4):
        clock.advance(minutes=20)
        with pytest.raises(Broken):
            process.tick(Job(line, read_mailbox))

    with transaction(engine) as session:
        failed = session.scalars(select(JobRun).where(JobRun.state == RunState.FAILED)).all()
        assert {row.fault for row in failed} == {"the server refused the login or a command"}
        assert [late.name for late in late_jobs(session, now=clock(), lines=[line])] == ["read_mailbox"]
        sign_in_staff(client, session, add_staff(session, roles=[Role.ADMIN]))
    assert client.get("/console/jobs?state=failed").says("the server refused the login or a command")


def test_a_mail_that_nobody_can_read_hinders_none_behind_it(engine: Engine, parts: Parts, imap: ImapServer, sent: tuple[int, str]) -> None:
    for raw in (
        b"",
        b"\xff\xfe\x00",
        b"From: \r\n\r\nx",
        b"Content-Type: multipart/report\r\n\r\n--x",
        b"Subject: =?x?q?\r\n" * 50,
    ):
        imap.receive(raw)
    imap.receive(answer(sent[1]))

    counts = poll(parts)

    assert counts["reply"] == 1
    assert sum(counts.values()) == 6


def test_without_a_mailbox_nothing_is_read(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    assert poll(parts_for(engine, clock, tmp_path)) == {}


def test_probing_names_the_mailbox_or_fails(imap: ImapServer) -> None:
    assert probe(imap.url) == f"imap 127.0.0.1:{imap.port}/INBOX"
    with pytest.raises(OSError, match="refused the login") as told_:
        probe(imap.url.replace("Brief", "falsch"))
    assert "falsch" not in str(told_.value)
