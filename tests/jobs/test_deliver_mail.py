"""The mail worker against real servers: nothing lost, nothing twice, the server's bad days survived."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.exc import OperationalError

from actions import delivery, reminders_staff, returned_mail
from jobs.deliver_mail import Mailer
from jobs.marks import Marks, Tried
from jobs.parts import Parts
from mail.recorder import Recorder
from mail.returned import Fate, Returned
from mail.smtp import Answer, Outcome, Verdict
from mail.talk import Company, Parcel
from models.actors import SYSTEM
from models.database import transaction
from models.job_runs import JobRun
from models.mail_lists import Shown, letter_list
from models.notes import Notes, notes_folder, read_notes
from models.outbox import Letter
from models.paging import Place
from rules.limits import Limits
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, parts_for, recipient_states, write_many
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
        returned_mail.take(session, "1:1", report, desk=parts.desk, now=clock())
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


def test_a_server_that_fails_at_every_letter_parks_none(engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    awkward.at["DATA"] = "451 out of order"
    write_many(engine, parts, 6)
    mailer = mailer_for(parts)

    for _ in range(10):
        mailer.deliver()
        clock.advance(minutes=11)
    awkward.at.clear()
    mailer.deliver()
    mailer.close()

    assert letter_states(engine) == {"done": 6}


def test_a_letter_that_cannot_be_made_into_a_message_is_parked(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 2)
    with transaction(engine) as session:
        session.scalars(select(Letter).order_by(Letter.id)).first().header_id = "<broken\r\nBcc: evil@evil.example>"  # type: ignore[union-attr]
    mailer = mailer_for(parts)

    for _ in range(6):
        mailer.deliver()
        clock.advance(minutes=11)
    mailer.close()

    assert letter_states(engine) == {"done": 1, "parked": 1}
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


def message_id(text: bytes) -> bytes:
    return next(line for line in text.splitlines() if line.lower().startswith(b"message-id:"))


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


def test_a_letter_is_recorded_before_the_next_one_is_handed_over(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url="smtp://localhost")
    write_many(engine, parts, 4)
    unrecorded: list[int] = []

    class Watching(Recorder):
        def send(self, parcel: Parcel, sender: str, company: Company) -> Outcome:
            company.before_text()
            until = time.monotonic() + 5
            while (left := taken - letter_states(engine).get("done", 0) - noted(engine)) and time.monotonic() < until:
                time.sleep(0.001)  # PostgreSQL was told, and does it without being asked again
            unrecorded.append(left)
            counting()
            return super().send(parcel, sender, company)

    taken = 0

    def counting() -> None:
        nonlocal taken
        taken += 1

    Mailer(parts, "test", threading.Event(), sender=Watching()).deliver()

    assert unrecorded == [0, 0, 0, 0]
    assert letter_states(engine) == {"done": 4}
    assert noted(engine) == 0


def noted(engine: Engine) -> int:
    """How many tries are noted and not recorded yet."""
    folder = notes_folder(engine)
    return sum(len(notes) for _, notes in read_notes(folder)) if folder else 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_a_killed_worker_noted_is_recorded_and_not_sent_again(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    folder = notes_folder(engine)
    assert folder
    write_many(engine, parts, 3)
    with transaction(engine) as session:
        claims = delivery.claim(session, now=clock(), limit=3)
    notes = Notes(folder)
    accepted = Outcome({"0@tozai.example": Answer(Verdict.ACCEPTED, "250 ok")})
    noted = delivery.ending(claims[0], accepted, limits=parts.limits, now=clock())
    notes.add(noted.told())
    elsewhere = replace(noted, header_id="<another@jscom.co.jp>", letter={**noted.letter, "letter": claims[1].letter_id})
    notes.add(elsewhere.told())  # of a database that lay here before
    with next(folder.iterdir()).open("ab") as file:
        file.write(b'\n[{"letter":2,"held"')  # the disk was full

    clock.advance(minutes=5)
    mailer = mailer_for(parts)
    mailer.deliver()
    mailer.close()

    assert [letter.subject for letter in smtp_sink.letters] == ["letter 1", "letter 2"]
    assert letter_states(engine) == {"done": 3}
    os.utime(next(folder.iterdir()), (0, 0))
    with transaction(engine) as session:
        assert not delivery.settle_noted(session), "nothing is left to do for them"
    assert not [*folder.iterdir()], "nobody needs them any more"


def test_a_letter_that_another_worker_has_by_now_keeps_no_other_from_being_recorded(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    write_many(engine, parts, 3)
    with transaction(engine) as session:
        claims = delivery.claim(session, now=clock(), limit=3)
    with transaction(engine) as session:
        session.execute(update(Letter).where(Letter.id == claims[1].letter_id).values(fence=Letter.fence + 1))
    marks, counts = Marks(parts, threading.Event()), Counter[str]()

    for claim in claims:
        marks.put(Tried(claim, Outcome({claim.open[0].address: Answer(Verdict.ACCEPTED, "250 ok")}), counts))
    marks.settle()
    marks.give_back()

    assert counts == {"letters": 2, "accepted": 2}
    assert letter_states(engine) == {"done": 2, "sending": 1}
    assert recipient_states(engine)["1@tozai.example"] == "waiting"
    assert noted(engine) == 0


class Hurried(threading.Event):
    """Waits for nothing."""

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


class Away:
    """A database that takes no tries while `now` is set; with it goes the patience of whoever waits for it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = False
        self.stop = Hurried()
        for name in ("tell", "settle", "settle_all"):
            monkeypatch.setattr(delivery, name, self._guarded(getattr(delivery, name)))

    def _guarded(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def called(*values: Any) -> Any:
            found = None if self.now and values else real(*values)  # what has no values hears an answer: one that was sent is to be read
            if self.now:
                raise OperationalError("", {}, Exception("the server closed the connection"))
            return self._guarded(found) if callable(found) else found

        return called


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Away:
    return Away(monkeypatch)


@pytest.mark.parametrize("stops", [False, True])
def test_a_try_that_the_database_did_not_take_is_recorded_as_soon_as_it_is_back(
    engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink, away: Away, stops: bool
) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 1)
    mailer = mailer_for(parts, stop=away.stop)
    away.now = True
    with pytest.raises(OperationalError):
        mailer.deliver()
    away.now = False

    if not stops:
        mailer.deliver()
        assert letter_states(engine) == {"done": 1}
    mailer.close()
    clock.advance(minutes=5)
    mailer_for(parts).deliver()

    assert letter_states(engine) == {"done": 1}
    assert len(smtp_sink.letters) == 1


def test_a_worker_that_ends_while_the_database_is_away_ends(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink, away: Away) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    write_many(engine, parts, 1)
    mailer = mailer_for(parts, stop=away.stop)
    away.now = True
    with pytest.raises(OperationalError):
        mailer.deliver()

    mailer.close()

    assert letter_states(engine) == {"sending": 1}


def test_a_try_that_is_put_while_the_one_before_cannot_be_recorded_is_kept(engine: Engine, clock: Clock, tmp_path: Path, away: Away) -> None:
    parts = parts_for(engine, clock, tmp_path)
    write_many(engine, parts, 2)
    with transaction(engine) as session:
        first, second = delivery.claim(session, now=clock(), limit=2)
    marks = Marks(parts, away.stop)
    marks.put(Tried(first, Outcome({first.open[0].address: Answer(Verdict.ACCEPTED, "250 ok")}), Counter()))
    away.now = True
    with suppress(OperationalError):  # a note is taken all the same
        marks.put(Tried(second, Outcome({second.open[0].address: Answer(Verdict.ACCEPTED, "250 ok")}), Counter()))
    away.now = False

    marks.settle()
    marks.give_back()

    assert letter_states(engine) == {"done": 2}


@pytest.mark.parametrize("greeting", ["250 awkward", AT_ONCE])
def test_a_text_that_was_handed_over_is_heard_whatever_the_database_does(
    engine: Engine, clock: Clock, tmp_path: Path, awkward: AwkwardServer, away: Away, monkeypatch: pytest.MonkeyPatch, greeting: str
) -> None:
    awkward.at["EHLO"] = greeting
    monkeypatch.setattr("jobs.marks._TOGETHER_SECONDS", 0.0)
    parts = parts_for(engine, clock, tmp_path, smtp_url=awkward.url)
    write_many(engine, parts, 3)
    mailer = mailer_for(parts, stop=away.stop)
    away.now = True
    with pytest.raises(OperationalError):
        mailer.deliver()
    handed_over = len(awkward.taken)
    away.now = False

    for _ in range(3):
        clock.advance(minutes=5)
        mailer.deliver()
    mailer.close()

    assert handed_over < 3, "nothing more is handed over while what was cannot be recorded"
    assert letter_states(engine) == {"done": 3}
    assert set(Counter(message_id(text) for text in awkward.taken).values()) == {1}
