"""What became of letters is recorded, whoever dies and whatever the database does: none goes twice."""

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
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from actions import delivery
from jobs.deliver_mail import Mailer
from jobs.marks import Marks, Tried
from mail.recorder import Recorder
from mail.smtp import Answer, Outcome, Verdict
from mail.talk import Company, Parcel
from models.database import transaction
from models.notes import Notes, notes_folder, read_notes
from models.outbox import Letter
from tests.clock import Clock
from tests.jobs.mailroom import letter_states, mailer_for, message_id, parts_for, recipient_states, write_many
from tests.services.awkward_smtp import AwkwardServer, awkward_server
from tests.services.smtp import SmtpSink

AT_ONCE = "250-awkward\r\n250 PIPELINING"


@pytest.fixture
def awkward() -> Iterator[AwkwardServer]:
    with awkward_server() as server:
        yield server


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


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_notes_of_another_shape_stop_no_letter(engine: Engine, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> None:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    folder = notes_folder(engine)
    assert folder
    write_many(engine, parts, 3)
    with transaction(engine) as session:
        claims = delivery.claim(session, now=clock(), limit=3)
    told = [delivery.ending(claim, Outcome({claim.open[0].address: Answer(Verdict.ACCEPTED, "")}), limits=parts.limits, now=clock()).told() for claim in claims]
    notes, (header_id, letter, recipients) = Notes(folder), told[0]
    without = {name: value for name, value in letter.items() if name != "held"}
    odd: list[Any] = [
        *(7, [], {}, "text", [header_id, letter], [header_id, letter, recipients, 1], [header_id, None, recipients], [header_id, letter, [3]]),
        *([header_id, without, recipients], [header_id, {**letter, "more": 1}, recipients], [header_id, {**letter, "next_try": "soon"}, recipients]),
        *([header_id, {**letter, "next_try": None}, recipients], [header_id, letter, [{**recipients[0], "since": 5}]]),
    ]
    for note in [*odd, told[1]]:
        notes.add(note)

    clock.advance(minutes=5)
    mailer = mailer_for(parts)
    with capture_logs() as logged:
        mailer.deliver()
    mailer.close()

    assert [letter.subject for letter in smtp_sink.letters] == ["letter 0", "letter 2"], "what can be read of the notes is recorded"
    assert letter_states(engine) == {"done": 3}
    assert [line["notes"] for line in logged if line["event"] == "notes of another shape"] == [len(odd)]


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
