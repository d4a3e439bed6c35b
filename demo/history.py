"""Tickets of the past months, long ended: what the reports draw. No letter is written of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import journal
from actions.figures import measure
from models.actors import Customer, StaffMember
from models.base import NEVER
from models.masters import Category, ProductFamily
from models.tickets import Message, MessageKind, Ticket
from rules.calendar import BusinessCalendar
from rules.text import fold_key, is_unknown, searchable
from rules.tickets import Priority, State

_TICKETS = 48
_FIRST_NUMBER = 10_001 - _TICKETS
_DAYS = 170
_ASKED = (
    ("juniper-srx", "障害", "VPN が切断されることがあります"),
    ("juniper-srx", "設定・操作", "ポリシーの順序を変更する手順を教えてください"),
    ("juniper-ex", "交換・RMA", "ファンの異常を示す警告が出ています"),
    ("ruckus", "障害", "アクセスポイントがコントローラーに参加しません"),
    ("cyberoam", "ライセンス", "ライセンスの有効期限の表示について"),
    ("juniper-mag-sa", "設定・操作", "証明書を更新する手順について"),
    ("paloalto", "仕様", "ログの保存期間について"),
)
_ANSWER = "お問合せありがとうございます。手順をお送りします。結果をお知らせください。"
_HOURS = (0.6, 1.4, 2.5, 3.2, 4.6, 0.9, 6.5)
"""Business hours until the first answer; the resolution takes three times as many more."""
_UNKNOWN: dict[str, Any] = {"verdict": "unknown", "reason": "both_unknown", "path": "", "lines": []}
_KNOWN: dict[str, Any] = {"verdict": "active", "reason": "serial_not_in_contract", "path": "contract", "lines": []}
_WAITS = (State.WAITING_CUSTOMER, State.WAITING_VENDOR, None, State.WAITING_CUSTOMER, State.WAITING_CENTER)


def add_history(session: Session, accounts: Mapping[str, Customer], people: Mapping[str, StaffMember], *, now: datetime) -> None:
    """Add them below the numbers that the stories begin with, and what their time came to."""
    calendar = BusinessCalendar()
    slugs = {slug: number for number, slug in session.execute(select(ProductFamily.id, ProductFamily.slug))}
    categories = {name: number for number, name in session.execute(select(Category.id, Category.name))}
    engineers = [people["nakamura"], people["sato"], people["nakamura"]]
    told = zip(range(_TICKETS), cycle(_ASKED), cycle(accounts.values()), cycle(engineers), cycle(_HOURS), cycle(_WAITS), strict=False)
    for place, (slug, category, subject), customer, engineer, hours, wait in told:
        asked = now - timedelta(days=_DAYS - place * (_DAYS - 4) / _TICKETS, hours=place % 7)
        answered = calendar.add_business_hours(asked, hours).at
        waited = calendar.add_business_hours(answered, hours).at
        solved = calendar.add_business_hours(waited, hours * 2).at
        contract = "不明" if place % 6 == 4 else customer.contract_key
        serial = "不明" if place % 5 == 4 else f"JN26{place:04}AFA"
        ticket = Ticket(
            id=_FIRST_NUMBER + place,
            account_id=customer.id,
            family_id=slugs[slug],
            category_id=categories[category],
            subject=subject,
            search_text=searchable(f"{subject} {customer.company_name} {customer.name} {customer.email}"),
            contract_text=contract,
            contract_key="" if is_unknown(contract) else fold_key(contract),
            serial_text=serial,
            serial_key="" if is_unknown(serial) else fold_key(serial),
            cc=[],
            state=State.CLOSED,
            state_before=State.CLOSED,
            state_from=solved,
            unresolved=False,
            priority=(Priority.NORMAL, Priority.HIGH, Priority.LOW)[place % 3],
            assignee_id=engineer.id,
            created_at=asked,
            updated_at=solved,
            due_at=NEVER,
            first_answer_at=answered,
            resolved_at=solved,
            opening_verdict=_UNKNOWN if is_unknown(contract) else _KNOWN,
        )
        session.add(ticket)
        session.flush()
        _write(session, ticket, customer, engineer)
        journal.record(session, "open", "ticket", ticket.id, by=customer, now=asked, subject_name=subject)
        states = [State.OPEN, *([wait, State.OPEN] if wait else []), State.RESOLVED, State.CLOSED]
        before = State.NEW
        for state, at in zip(states, [answered, answered, waited, solved, solved] if wait else [answered, solved, solved], strict=True):
            journal.record(session, "change_state", "ticket", ticket.id, by=engineer, now=at, state=[before, state])
            before = state
    measure(session, now=now, limit=2 * _TICKETS)


def _write(session: Session, ticket: Ticket, customer: Customer, engineer: StaffMember) -> None:
    """The customer's post and the answer."""
    for kind, author, text, at in (
        (MessageKind.CUSTOMER, customer.name, f"{ticket.subject}。", ticket.created_at),
        (MessageKind.ANSWER, engineer.name, _ANSWER, ticket.first_answer_at or ticket.created_at),
    ):
        session.add(
            Message(
                ticket_id=ticket.id,
                kind=kind,
                account_id=customer.id if kind is MessageKind.CUSTOMER else None,
                staff_id=engineer.id if kind is MessageKind.ANSWER else None,
                author_name=author,
                body=text,
                created_at=at,
                published_at=at,
                undo={},
            )
        )
