"""The mail worker against real servers: nothing lost, nothing twice, the server's bad days survived."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from jobs.deliver_mail import Mailer
from mail.recorder import Recorder
from mail.smtp import Outcome
from mail.talk import Company, Parcel
from models.database import transaction
from models.job_runs import JobRun
from models.outbox import Letter
from rules.limits import Limits
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, message_id, parts_for, recipient_states, write_many
from tests.services.awkward_smtp import RESET, AwkwardServer, awkward_server
from tests.services.smtp import SmtpSink, smtp_server

AT_ONCE = "250-awkward\r\n250 PIPELINING"


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


def test_letters_reach_the_server_and_the_ledger_says_so(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 45, cc=["sato@tozai.example"])
    mailer = mailer_for(parts)

    counts = mailer.deliver()
    mailer.close()

    assert counts == {"letters": 45, "accepted": 90}
    assert letter_states(engine) == {"done": 45}
    assert [letter.subject for letter in smtp_sink.letters] == [f"letter {number}" for number in range(45)]
    assert smtp_sink.letters[7].recipients == ("7@tozai.example", "sato@tozai.example")
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JobRun.counts)).one() == {"letters": 45, "accepted": 90}


def test_without_a_server_letters_are_kept_as_recorded(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    write_many(engine, parts, 3)

    mailer_for(parts).deliver()

    assert letter_states(engine) == {"done": 3}


def test_one_refused_recipient_is_kept_apart(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 1, cc=["a@tozai.example", "b@tozai.example", "c@tozai.example"])
    smtp_sink.refuse("a@tozai.example")
    smtp_sink.refuse("b@tozai.example", "451 4.7.1 greylisted")
    mailer = mailer_for(parts)
    mailer.deliver()
    smtp_sink.recover()
    clock.advance(minutes=5)

    mailer.deliver()
    mailer.close()

    assert recipient_states(engine) == {
        "0@tozai.example": "accepted",
        "a@tozai.example": "permanent",
        "b@tozai.example": "accepted",
        "c@tozai.example": "accepted",
    }
    assert [letter.recipients for letter in smtp_sink.letters] == [("0@tozai.example", "c@tozai.example"), ("b@tozai.example",)]


def test_a_server_that_is_down_costs_no_letter_a_try(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    with smtp_server() as sink:
        url = sink.url
    parts = parts_for(engine, clock, tmp_path, smtp_url=url)
    write_many(engine, parts, 5)
    mailer = mailer_for(parts)

    for _ in range(10):
        assert mailer.deliver() == {}
        clock.advance(minutes=2)

    with transaction(engine, readonly=True) as session:
        assert {(row.fence, row.fault) for row in session.execute(select(Letter.fence, Letter.fault))} == {(0, "")}


def test_all_letters_leave_once_the_server_is_back(engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 30)
    awkward.at["EHLO"] = awkward.at["HELO"] = "421 not now"
    mailer = mailer_for(parts)
    mailer.deliver()
    assert awkward.taken == []
    awkward.at.clear()
    clock.advance(hours=24)

    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 30}
    assert len(awkward.taken) == 30


@pytest.mark.parametrize(
    ("command", "greeting"),
    [*((command, "250 awkward") for command in ("EHLO", "MAIL", "RCPT", "DATA", "END")), *((command, AT_ONCE) for command in ("DATA", "END"))],
)
def test_a_connection_reset_loses_nothing_and_doubles_nothing_but_what_was_taken(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, command: str, greeting: str
) -> None:
    awkward.at["EHLO"] = greeting
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 3)
    mailer = mailer_for(parts)
    awkward.at[command] = RESET
    if command == "EHLO":
        awkward.at["HELO"] = RESET
    mailer.deliver()
    awkward.at.clear()
    clock.advance(minutes=10)

    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 3}
    assert set(recipient_states(engine).values()) == {"accepted"}
    ids = Counter(message_id(text) for text in awkward.taken)
    assert len(ids) == 3
    assert set(ids.values()) == ({2} if command == "END" else {1}), "only a lost 250 is repeated, once, under the same Message-ID"


def test_a_server_that_takes_a_minute_for_each_command_keeps_its_letter(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url="smtp://localhost")
    write_many(engine, parts, 2)
    others = mailer_for(parts_for(engine, clock, tmp_path))

    class Slow(Recorder):
        def send(self, parcel: Parcel, sender: str, company: Company) -> Outcome:
            for _ in range(10):
                company.renew(60)
                clock.advance(seconds=60)
                assert others.deliver()["letters"] <= 1, "only the one that waits behind it, once its lease is over"
            return super().send(parcel, sender, company)

    Mailer(parts, "test", threading.Event(), sender=Slow()).deliver()

    with transaction(engine, readonly=True) as session:
        assert list(session.execute(select(Letter.state, Letter.fence).order_by(Letter.id))) == [("done", 1), ("done", 2)]


def test_a_poison_letter_is_parked_and_delays_nobody(engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.at["END"] = "250 taken"
    awkward.poison = b"To: 3@tozai.example"
    write_many(engine, parts, 10)
    mailer = mailer_for(parts)

    mailer.deliver()
    assert letter_states(engine) == {"done": 9, "waiting": 1}
    for _ in range(5):
        clock.advance(minutes=11)
        mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 9, "parked": 1}
    assert recipient_states(engine)["3@tozai.example"] == "unknown"


def test_two_letters_that_the_server_never_takes_are_parked_though_they_are_tried_together(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer
) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.unwelcome = b"Cc: sato@tozai.example"
    write_many(engine, parts, 2, cc=["sato@tozai.example"])
    mailer = mailer_for(parts)

    for number in range(2, 7):
        mailer.deliver()
        write_many(engine, parts, 1, first=number)
        mailer.deliver()
        clock.advance(minutes=11)
    mailer.close()

    assert letter_states(engine) == {"done": 5, "parked": 2}


@pytest.mark.parametrize(("first", "count"), [(0, 1), (2, 1), (4, 1), (0, 2), (1, 3)])
def test_letters_that_the_server_puts_off_while_it_takes_others_are_parked_after_five_tries_though_nothing_leaves_meanwhile(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, first: int, count: int
) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.unwelcome = b"Cc: sato@tozai.example"
    for number in range(5):
        write_many(engine, parts, 1, cc=["sato@tozai.example"] if first <= number < first + count else [], first=number)
    mailer = mailer_for(parts)

    for _ in range(5):
        mailer.deliver()
        clock.advance(minutes=11)
    mailer.close()

    assert letter_states(engine) == {"done": 5 - count, "parked": count}


def test_letters_that_were_put_off_once_are_not_parked_by_a_server_that_fails_at_all_of_them_later(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer
) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.unwelcome = b"To: 0@tozai.example"
    write_many(engine, parts, 2)
    mailer = mailer_for(parts)
    mailer.deliver()

    awkward.at["END"] = "451 out of order"
    write_many(engine, parts, 2, first=2)
    for _ in range(10):
        mailer.deliver()
        clock.advance(minutes=11)
    awkward.at.clear()
    awkward.unwelcome = b"\0"
    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 4}


@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("command", ["DATA", "END"])
def test_a_server_that_fails_at_every_letter_parks_none(engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, command: str, count: int) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.at[command] = "451 out of order"
    write_many(engine, parts, count)
    mailer = mailer_for(parts)

    for _ in range(10):
        mailer.deliver()
        clock.advance(minutes=11)
    awkward.at.clear()
    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": count}


def test_letters_that_cannot_be_made_into_messages_are_parked(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 3)
    with transaction(engine) as session:
        for letter in session.scalars(select(Letter).order_by(Letter.id).limit(2)):
            letter.header_id = f"<broken{letter.id}\r\nBcc: evil@evil.example>"
    mailer = mailer_for(parts)

    for _ in range(6):
        mailer.deliver()
        clock.advance(minutes=11)
    mailer.close()

    assert letter_states(engine) == {"done": 1, "parked": 2}
    assert len(smtp_sink.letters) == 1


def test_two_workers_never_send_the_same_letter(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 200)
    mailers = [mailer_for(parts) for _ in range(3)]
    threads = [threading.Thread(target=mailer.deliver) for mailer in mailers]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for mailer in mailers:
        mailer.close()

    assert letter_states(engine) == {"done": 200}
    assert Counter(letter.subject for letter in smtp_sink.letters) == Counter(f"letter {number}" for number in range(200))


@pytest.mark.parametrize("greeting", ["250 awkward", AT_ONCE])
def test_a_stopping_worker_finishes_its_letter_and_hands_back_the_rest(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, greeting: str
) -> None:
    awkward.at["EHLO"] = greeting
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 10)
    awkward.delay = 0.02
    stop = threading.Event()
    mailer = mailer_for(parts, stop=stop)
    thread = threading.Thread(target=mailer.deliver)
    thread.start()
    while not awkward.taken:
        thread.join(0.01)

    stop.set()
    thread.join()
    mailer.close()

    states = letter_states(engine)
    assert "sending" not in states
    assert states["done"] == len(awkward.taken) < 10
    assert isinstance(mailer, Mailer)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_letter_is_recorded_while_the_server_thinks_about_the_commands_that_came_with_it(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer
) -> None:
    class Slowing(list[bytes]):
        def append(self, text: bytes) -> None:
            awkward.delay = 1.5
            super().append(text)

    awkward.at["EHLO"] = AT_ONCE
    awkward.taken = Slowing()
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 2)
    stop = threading.Event()
    mailer = mailer_for(parts, stop=stop)
    thread = threading.Thread(target=mailer.deliver)
    thread.start()
    while not awkward.taken:
        thread.join(0.01)

    thread.join(1)
    there = letter_states(engine)
    stop.set()
    awkward.delay = 0
    thread.join()
    mailer.close()

    assert there == {"done": 1, "sending": 1}


def test_a_limit_a_minute_holds_for_all_workers_together(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = replace(parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url), limits=Limits(mails_per_minute=7))
    write_many(engine, parts, 20)
    mailers = [mailer_for(parts) for _ in range(2)]

    seen: list[int] = []
    for _ in range(3):
        for mailer in mailers:
            mailer.deliver()
        seen.append(len(smtp_sink.letters))
        clock.advance(minutes=1)
    for mailer in mailers:
        mailer.close()

    assert seen == [7, 14, 20]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_letters_that_piled_up_leave_evenly_and_fresh_ones_at_once(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = replace(parts_for(engine, clock, tmp_path), limits=Limits(late_mails_per_minute=600))
    took: list[float] = []

    for minutes in (0, 2):
        write_many(engine, parts, 4, first=minutes * 10)
        clock.advance(minutes=minutes)
        began = time.monotonic()
        mailer_for(parts).deliver()
        took.append(time.monotonic() - began)

    assert letter_states(engine) == {"done": 8}
    assert took[1] >= 0.4, "four letters at ten a second"
    assert took[0] < 0.4
