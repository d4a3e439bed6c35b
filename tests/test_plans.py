"""Statements that are sent all day walk an index, on SQLite as it is delivered: without statistics."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from models.database import is_sqlite
from models.mail_lists import Shown, letter_list
from models.paging import Place
from models.queue import Order, Wanted, queue_statement
from models.reports import By, Period, figures_by
from models.search import has_waiting_posts, newest_old_ticket, waiting_posts
from rules.tickets import Priority, State
from tests.people import NOW

_PERIOD = Period(NOW - timedelta(days=30), NOW, (NOW,))


def _list(session: Session, order: Order, **wanted: Any) -> None:
    session.execute(queue_statement(Wanted(**wanted), order, limit=50))


_ASKED: dict[str, tuple[Callable[[Session], object], str]] = {
    "a post waits": (lambda session: has_waiting_posts(session, NOW), "ix_message_waiting"),
    "posts that wait": (lambda session: waiting_posts(session, NOW, limit=200), "ix_message_waiting"),
    "reports": (lambda session: figures_by(session, By.MONTH, _PERIOD), "ix_ticket_created"),
    "troubled letters": (lambda session: letter_list(session, text="", shown=Shown.TROUBLED, place=Place(), limit=50), "ix_letter_troubled"),
    "documents of an older edition": (newest_old_ticket, "ix_search_document_old"),
    "closed without an assignee": (
        lambda session: _list(session, Order.RESOLVED, state=State.CLOSED, unassigned=True),
        "ix_ticket_assignee_ended|Index Scan [a-zA-Z ]*using ix_ticket",
    ),
    "closed of a product": (lambda session: _list(session, Order.RESOLVED, state=State.CLOSED, family_id=3), "ix_ticket_family_ended"),
    "waiting of a product": (lambda session: _list(session, Order.DUE, state=State.WAITING_VENDOR, family_id=3), "ix_ticket_state"),
    "one priority": (lambda session: _list(session, Order.UPDATED, priority=Priority.LOW), "ix_ticket_updated"),
    "an address": (lambda session: letter_list(session, text="tantou", shown=None, place=Place(), limit=50), "ix_recipient_address"),
}


@pytest.mark.parametrize("asked", _ASKED)
def test_it_walks_an_index(session: Session, asked: str) -> None:
    ask, index = _ASKED[asked]

    assert re.search(index, _plan(session, ask))


def _plan(session: Session, asked: Callable[[Session], object]) -> str:
    sent: list[tuple[str, Any]] = []

    def seen(_connection: object, _cursor: object, statement: str, parameters: Any, _context: object, _many: bool) -> None:
        sent.append((statement, parameters))

    connection = session.connection()
    if not is_sqlite(session):
        # A table of few rows is read faster as a whole; the planner shall choose as it would among a million.
        for way in ("seqscan", "sort", "nestloop", "mergejoin"):
            session.execute(text(f"SET LOCAL enable_{way} = off"))
    event.listen(connection, "before_cursor_execute", seen)
    asked(session)
    event.remove(connection, "before_cursor_execute", seen)
    statement, parameters = sent[0]
    rows = connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if is_sqlite(session) else ''}{statement}", parameters)
    return " ".join(str(row[-1]) for row in rows)
