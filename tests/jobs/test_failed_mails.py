"""Letters that did not reach everybody: who was refused stays told of, whatever becomes of the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from actions import delivery, reminders_staff, returned_mail
from jobs.parts import Parts
from mail.returned import Fate, Returned
from models.actors import SYSTEM
from models.database import transaction
from models.mail_lists import Shown, letter_list
from models.outbox import Letter
from models.paging import Place
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states, write_many
from tests.services.awkward_smtp import RESET, AwkwardServer, awkward_server
from tests.services.smtp import SmtpSink


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


def test_who_was_refused_stays_told_of_after_the_others_were_reached(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 1, cc=["a@tozai.example", "b@tozai.example"])
    smtp_sink.refuse("a@tozai.example")
    smtp_sink.refuse("b@tozai.example", "451 4.7.1 greylisted")
    mailer = mailer_for(parts)
    mailer.deliver()
    smtp_sink.recover()
    clock.advance(minutes=5)

    mailer.deliver()
    mailer.close()

    assert recipient_states(engine)["b@tozai.example"] == "accepted"
    assert told_of(engine, parts) == ["550 5.1.1 no such user"]


@pytest.mark.parametrize("others", [True, False])
def test_who_a_mail_that_came_back_gave_up_stays_told_of(engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, others: bool) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 1, cc=["a@tozai.example"] if others else [])
    awkward.at["END"] = RESET
    mailer = mailer_for(parts)
    mailer.deliver()
    awkward.at.clear()
    report = Returned(
        sender="", subject="", body="", references=(header_of(engine),), automatic=True, report=True, fates=(Fate(("0@tozai.example",), True, "5.1.1 gone"),)
    )
    with transaction(engine) as session:
        returned_mail.take(session, "1:1", report, desk=parts.desk, limits=parts.limits, now=clock())
    clock.advance(minutes=5)

    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 1}
    assert told_of(engine, parts) == ["5.1.1 gone"]


def test_correcting_one_address_keeps_the_other_told_of_until_it_is_reached(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 1, cc=["a@tozai.example", "b@tozai.example"])
    smtp_sink.refuse("a@tozai.example")
    smtp_sink.refuse("b@tozai.example", "550 5.2.2 full")
    mailer = mailer_for(parts)
    mailer.deliver()
    left: list[list[str]] = []

    for address in ("a@tozai.example", "b@tozai.example"):
        with transaction(engine) as session:
            delivery.correct(session, session.scalars(select(Letter.id)).one(), address, f"better.{address}", by=SYSTEM, now=clock())
        mailer.deliver()
        left.append(told_of(engine, parts))
    mailer.close()

    assert left == [["550 5.2.2 full"], []]


def told_of(engine: Engine, parts: Parts) -> list[str]:
    """The faults of the letters in trouble, of each of which an administrator is told."""
    with transaction(engine) as session:
        faults = [row.fault for row in letter_list(session, text="", shown=Shown.TROUBLED, place=Place(), limit=50).rows]
        assert reminders_staff.tell_of_failed_mails(session, desk=parts.desk, now=parts.clock()) == len(faults)
        return faults


def header_of(engine: Engine) -> str:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(Letter.header_id)).one()
