"""Staff take a ticket out of the full text while the job puts it in: nothing of what it was is left, and the job goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.orm import Session

from actions.personal_data import erase_person
from actions.ticket_heads import head_anew
from jobs import index_search
from jobs.index_search import has_waiting, index_posts
from models.actors import SYSTEM
from models.database import is_sqlite, transaction
from models.people import Account
from models.search import EDITION, SearchDocument, put_in, take_out, waiting_posts
from models.search_hits import Sought, find_tickets
from models.tickets import Message, Ticket
from tests.clock import Clock
from tests.jobs.mailroom import parts_for
from tests.jobs.test_housekeeping import run_of
from tests.people import NOW, add_account, add_ticket

_A_WHILE = 0.5
"""Seconds in which whoever need not wait is long done."""


def _rename(session: Session, number: int) -> None:
    held = session.get_one(Ticket, number, with_for_update=True)
    held.search_text = "新しい件名"
    session.flush()
    take_out(session, number)


def _erase(session: Session, _number: int) -> None:
    account = session.scalars(select(Account)).one()
    erase_person(session, account, confirmation=account.user_id, reason="ご本人の請求", by=SYSTEM, now=NOW)


def _head(session: Session, number: int) -> None:
    account = session.scalars(select(Account)).one()
    account.person_name = "新しい名前"
    session.flush()
    head_anew(session, account.id, [number])


@pytest.mark.parametrize(
    ("edition", "step", "is_written", "act", "old", "new"),
    [
        (None, "put_in", False, _rename, "古い", "新しい"),
        (None, "put_in", True, _rename, "古い", "新しい"),
        (1, "put_in_anew", True, _rename, "古い", "新しい"),
        (None, "put_in", False, _erase, "はるか", "古い"),
        (None, "put_in", True, _erase, "はるか", "古い"),
        (None, "put_in", False, _head, "はるか", "新しい"),
        (None, "put_in", True, _head, "はるか", "新しい"),
        (1, "put_in_anew", True, _head, "はるか", "新しい"),
    ],
    ids=["read", "put in", "put in anew", "read, erased", "put in, erased", "read, renamed", "put in, renamed", "put in anew, renamed"],
)
def test_a_ticket_changed_while_the_job_puts_it_in_is_found_by_its_new_words_only(
    engine: Engine,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    edition: int | None,
    step: str,
    is_written: bool,
    act: Callable[[Session, int], None],
    old: str,
    new: str,
) -> None:
    parts = parts_for(engine, clock, tmp_path)
    run = run_of(parts, "index_search")
    with transaction(engine) as session:
        number = add_ticket(session, add_account(session), subject="古い件名").id
        put_in(session, waiting_posts(session, NOW, limit=5) if edition else [], edition=edition or EDITION)
    step_of_job: Callable[..., Any] = getattr(index_search, step)
    acting: list[Future[None]] = []

    def change() -> None:
        with transaction(engine) as session:
            act(session, number)

    def stepping(*given: Any, **named: Any) -> Any:
        done = step_of_job(*given, **named) if is_written else None
        if not acting:
            acting.append(staff.submit(change))
            wait(acting, timeout=_A_WHILE)
        return done if is_written else step_of_job(*given, **named)

    monkeypatch.setattr(index_search, step, stepping)
    with ThreadPoolExecutor(1) as staff:
        index_posts(parts, run)
        acting[0].result()
    index_posts(parts, run)

    with transaction(engine, readonly=True) as session:
        assert not has_waiting(session, NOW)
        assert session.scalar(select(func.count()).select_from(SearchDocument)) == 1
        assert _found(session, old) == []
        assert _found(session, new) == [number]


def test_the_job_goes_on_where_documents_stand_in_its_way(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    parts = parts_for(engine, clock, tmp_path)
    run = run_of(parts, "index_search")
    with transaction(engine) as session:
        account = add_account(session)
        first, second = (add_ticket(session, account, subject="古い件名").id for _ in range(2))
    index_posts(parts, run)
    with transaction(engine) as session:
        session.execute(update(Ticket).values(search_text="新しい件名"))
        session.execute(update(Message).values(indexed=False))
        if not is_sqlite(session):
            session.execute(delete(SearchDocument).where(SearchDocument.ticket_id == second))  # its grams stay

    assert index_posts(parts, run) == {"posts": 2}

    with transaction(engine, readonly=True) as session:
        assert _found(session, "古い") == []
        assert _found(session, "新しい") == [second, first]


def _found(session: Session, word: str) -> list[int]:
    return [hit.ticket_id for hit in find_tickets(session, Sought((word,)), limit=5)]
