"""The inquiries in the desk's own tables, with what grows around tickets in use: accounts, certificates, history, letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Table, select

from bench import corpus
from bench.bulk import settle, write_rows
from bench.corpus import Inquiry
from models.base import NEVER, Base
from models.contracts import Category, Certificate, ContractLine, Party, PartyRole, ProductFamily
from models.journal import JournalEntry
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import Account, QueueMember, Staff, StaffSession
from models.tickets import Message, MessageKind, Ticket
from models.tokens import hash_token
from rules.contracts import CONTACT, Path, Reason, Verdict
from rules.rights import Role
from rules.text import searchable
from rules.tickets import Priority, State

_FIVE_HOURS = timedelta(hours=5)
_STATES = (State.NEW, State.OPEN, State.OPEN, State.OPEN, State.OPEN, State.WAITING_CUSTOMER, State.WAITING_CUSTOMER, State.WAITING_VENDOR, *[State.OPEN] * 2)
_PRIORITIES = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.NORMAL, Priority.NORMAL, Priority.LOW)
_LOADED = (Account, Certificate, Party, ContractLine, Staff, StaffSession, QueueMember, Ticket, Message, JournalEntry, Letter, Recipient)


def staff_token(number: int) -> str:
    """The cookie of the staff session `number`."""
    return f"bench-session-{number:02d}-0123456789abcdef"


def load_desk(engine: Engine, count: int, *, password_hash: str, now: datetime) -> None:
    """Fill a migrated, empty database with `count` tickets; every account and member of the staff has the password behind `password_hash`."""
    with engine.begin() as connection:
        families = {row.slug: row.id for row in connection.execute(select(ProductFamily.id, ProductFamily.slug))}
        categories = list(connection.scalars(select(Category.id).order_by(Category.id)))
        _load_people(connection, password_hash, families, now)
        _load_contracts(connection, families, now)
        _write(connection, Ticket, (_ticket(one, families, categories, now) for one in corpus.inquiries(count)))
        _write(connection, Message, (row for one in corpus.inquiries(count) for row in _messages(one)))
        _write(connection, JournalEntry, (row for one in corpus.inquiries(count) for row in _journal(one)))
        _write(connection, Letter, (row for one in corpus.inquiries(count) for row in _letters(one)))
        _write(connection, Recipient, (row for one in corpus.inquiries(count) for row in _recipients(one)))
    settle(engine, [_table(model) for model in _LOADED])


def _write(connection: Connection, model: type[Base], rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    names = list(first)
    write_rows(connection, _table(model), names, (tuple(row.values()) for row in _chain(first, rows)))


def _chain(first: dict[str, Any], others: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    yield first
    yield from others


def _table(model: type[Base]) -> Table[Any]:
    table: Any = model.__table__
    return table


def _load_people(connection: Connection, password_hash: str, families: dict[str, int], now: datetime) -> None:
    _write(connection, Account, (_account(number, password_hash, now) for number in range(corpus.ACCOUNTS)))
    _write(
        connection,
        Staff,
        (
            {
                "id": number + 1,
                "user_id": f"staff{number}",
                "user_id_key": f"staff{number}",
                "name": corpus.staff_name(number),
                "email": f"staff{number}@jscom.co.jp",
                "email_key": f"staff{number}@jscom.co.jp",
                "roles": [Role.SUPPORT],
                "password_hash": password_hash,
                "created_at": now,
            }
            for number in range(corpus.STAFF)
        ),
    )
    _write(
        connection,
        StaffSession,
        (
            {
                "id": number + 1,
                "token_hash": hash_token(staff_token(number)),
                "staff_id": number % corpus.STAFF + 1,
                "created_at": now,
                "seen_at": now,
                "expires_at": now + timedelta(hours=20),
            }
            for number in range(16)
        ),
    )
    pairs = [(family, member) for family in families.values() for member in range(1, corpus.STAFF + 1)]
    _write(connection, QueueMember, ({"id": number, "family_id": family, "staff_id": member} for number, (family, member) in enumerate(pairs, start=1)))


def _account(number: int, password_hash: str, now: datetime) -> dict[str, Any]:
    email = corpus.customer_email(number)
    return {
        "id": number + 1,
        "user_id": f"bench{number:03d}",
        "user_id_key": f"bench{number:03d}",
        "password_hash": password_hash,
        "company_name": corpus.company(number),
        "person_name": corpus.customer_name(number),
        "email": email,
        "email_key": email,
        "email_domain": email.partition("@")[2],
        "maintenance_email": email,
        "maintenance_email_key": email,
        "contract_key": corpus.contract_key(number),
        "party_role": PartyRole.END_USER,
        "search_text": searchable(f"{corpus.company(number)} {corpus.customer_name(number)} bench{number:03d} {email}"),
        "privacy_version": 1,
        "created_at": now,
        "updated_at": now,
    }


def _load_contracts(connection: Connection, families: dict[str, int], now: datetime) -> None:
    issued, ends = date(now.year - 1, 4, 1), date(now.year + 2, 3, 31)
    accounts = range(corpus.ACCOUNTS)
    numbers = [families[slug] for slug, _ in corpus.PRODUCTS]
    _write(
        connection,
        Certificate,
        ({"id": number + 1, "contract_key": corpus.contract_key(number), "issued_on": issued, "created_at": now, "updated_at": now} for number in accounts),
    )
    _write(
        connection,
        Party,
        (
            {
                "id": 2 * number + place + 1,
                "certificate_id": number + 1,
                "role": role,
                "name": corpus.company(number) if place else "検証販売株式会社",
                "email": corpus.customer_email(number) if place else "hosyu@hanbai.example",
                "email_key": corpus.customer_email(number) if place else "hosyu@hanbai.example",
            }
            for number in accounts
            for place, role in enumerate((PartyRole.AGENT, PartyRole.END_USER))
        ),
    )
    _write(
        connection,
        ContractLine,
        (
            {
                "id": number * corpus.LINES + line + 1,
                "certificate_id": number + 1,
                "family_id": numbers[(number + line) % len(numbers)],
                "product_number": f"{corpus.PRODUCTS[(number + line) % len(numbers)][1]}-HW",
                "serial": corpus.serial(number, line),
                "starts_on": issued,
                "ends_on": ends,
                "service": "オンサイト保守 24時間365日",
                "contact": CONTACT,
                "sheet": "証書",
                "row": number * corpus.LINES + line + 3,
            }
            for number in accounts
            for line in range(corpus.LINES)
        ),
    )


def _ticket(one: Inquiry, families: dict[str, int], categories: list[int], now: datetime) -> dict[str, Any]:
    state = _STATES[one.waiting] if one.unresolved else State.CLOSED if one.closed else State.RESOLVED
    owed = one.unresolved and state is not State.WAITING_CUSTOMER
    email = corpus.customer_email(one.account)
    updated_at = min(now, now + one.due_in - timedelta(days=1)) if one.unresolved else one.updated_at
    return {
        "id": one.number,
        "account_id": one.account + 1,
        "family_id": families[corpus.PRODUCTS[one.product][0]],
        "category_id": categories[one.number % len(categories)],
        "subject": one.subject,
        "search_text": searchable(f"{one.subject} {corpus.company(one.account)} {corpus.customer_name(one.account)} {email}"),
        "contract_text": corpus.contract_key(one.account),
        "contract_key": corpus.contract_key(one.account),
        "serial_text": corpus.serial(one.account, one.line),
        "serial_key": corpus.serial(one.account, one.line),
        "model": corpus.PRODUCTS[one.product][1],
        "os_version": "21.4R3-S5",
        "cc": [f"kansi@{email.partition('@')[2]}"] if one.waiting < 3 else [],
        "state": state,
        "state_before": state,
        "state_from": one.at,
        "unresolved": one.unresolved,
        "priority": _PRIORITIES[one.number % len(_PRIORITIES)],
        "assignee_id": None if state is State.NEW else one.staff + 1,
        "created_at": one.at,
        "updated_at": updated_at,
        "due_at": now + one.due_in if owed else NEVER,
        "clock_left": None,
        "owed_since": updated_at if owed else None,
        "first_answer_at": one.at + _FIVE_HOURS,
        "resolved_at": None if one.unresolved else one.updated_at,
        "opening_verdict": {
            "verdict": Verdict.ACTIVE,
            "reason": Reason.CONTRACT_AND_SERIAL,
            "path": Path.BOTH,
            "lines": [one.account * corpus.LINES + one.line + 1],
        },
    }


def _messages(one: Inquiry) -> Iterator[dict[str, Any]]:
    for place, body in enumerate(one.messages):
        answers = place == 1
        at = one.at + place * _FIVE_HOURS
        yield {
            "id": _message_id(one, place),
            "ticket_id": one.number,
            "kind": MessageKind.ANSWER if answers else MessageKind.CUSTOMER,
            "account_id": None if answers else one.account + 1,
            "staff_id": one.staff + 1 if answers else None,
            "author_name": corpus.staff_name(one.staff) if answers else corpus.customer_name(one.account),
            "body": body,
            "created_at": at,
            "published_at": at,
            "undo": {},
            "submission": f"loaded-{_message_id(one, place)}",
        }


def _message_id(one: Inquiry, place: int) -> int:
    return one.number * 3 - 2 + place


def _journal(one: Inquiry) -> Iterator[dict[str, Any]]:
    customer = ("customer", one.account + 1, corpus.customer_name(one.account))
    member = ("staff", one.staff + 1, corpus.staff_name(one.staff))
    acts: tuple[tuple[str, tuple[str, int, str], dict[str, Any], float], ...] = (
        ("open", customer, {}, 0.0),
        ("assign", member, {"assignee": ["", corpus.staff_name(one.staff)]}, 0.5),
        ("answer", member, {"message": _message_id(one, 1), "state": ["open", "waiting_customer"]}, 1.0),
        ("reply", customer, {"message": _message_id(one, 2), "state": ["waiting_customer", "open"]}, 2.0),
    )
    for place, (act, (kind, actor, name), facts, steps) in enumerate(acts):
        yield {
            "id": one.number * 4 - 3 + place,
            "at": one.at + steps * _FIVE_HOURS,
            "actor_kind": kind,
            "actor_id": actor,
            "actor_name": name,
            "act": act,
            "subject_kind": "ticket",
            "subject_id": one.number,
            "subject_name": one.subject,
            "facts": facts,
            "client": "192.0.2.7",
        }


def _letters(one: Inquiry) -> Iterator[dict[str, Any]]:
    for place, kind in enumerate(("ticket_opened", "answered")):
        at = one.at + place * _FIVE_HOURS
        yield {
            "id": _letter_id(one, place),
            "kind": kind,
            "cause": f"{kind}:{_message_id(one, place)}",
            "ticket_id": one.number,
            "message_id": _message_id(one, place),
            "account_id": one.account + 1,
            "header_id": f"<bench-{_letter_id(one, place)}@jscom.co.jp>",
            "thread_ids": [],
            "subject": f"[#{one.number}] {one.subject}",
            "body": one.messages[place],
            "state": LetterState.DONE,
            "created_at": at,
            "try_at": at,
            "attempts": 1,
            "sent_at": at,
        }


def _letter_id(one: Inquiry, place: int) -> int:
    return one.number * 2 - 1 + place


def _recipients(one: Inquiry) -> Iterator[dict[str, Any]]:
    for place in range(2):
        yield {
            "id": _letter_id(one, place),
            "letter_id": _letter_id(one, place),
            "place": "to",
            "address": corpus.customer_email(one.account),
            "address_key": corpus.customer_email(one.account),
            "state": RecipientState.ACCEPTED,
            "updated_at": one.at + place * _FIVE_HOURS,
        }
