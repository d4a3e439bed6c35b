"""The inquiries in the desk's own tables, with what grows around tickets in use: accounts, certificates, history, letters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Dialect, Table, select

from bench import corpus
from bench.bulk import prepared, write_rows
from bench.corpus import Inquiry
from models.base import NEVER, Base
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.figures import TicketFigures
from models.journal import JournalEntry
from models.masters import Category, ProductFamily
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import Account, QueueMember, Staff, StaffSession
from models.search import EDITION, SearchDocument, document_grams, document_number, document_text, stored_grams
from models.tickets import Message, MessageKind, Ticket
from models.tokens import hash_token
from rules.contracts import CONTACT, Path, Reason, Verdict
from rules.rights import Role
from rules.text import searchable
from rules.tickets import Priority, State

_FIVE_HOURS = timedelta(hours=5)
_STATES = (State.NEW, State.OPEN, State.OPEN, State.OPEN, State.OPEN, State.WAITING_CUSTOMER, State.WAITING_CUSTOMER, State.WAITING_VENDOR, *[State.OPEN] * 2)
_PRIORITIES = (Priority.URGENT, Priority.HIGH, Priority.NORMAL, Priority.NORMAL, Priority.NORMAL, Priority.NORMAL, Priority.LOW)
_TICKETS_AN_ACCOUNT = 50
"""Among very many tickets there are more accounts than those that have tickets here."""
NUMBERED = (Account, Certificate, Party, ContractLine, Staff, StaffSession, QueueMember, Ticket, Message, JournalEntry, Letter, Recipient)
GROWING = (Ticket, Message, JournalEntry, Letter, Recipient, TicketFigures, SearchDocument)
"""Tables with rows for each ticket; and the grams."""


def staff_token(number: int) -> str:
    """The cookie of the staff session `number`."""
    return f"bench-session-{number:02d}-0123456789abcdef"


@dataclass(frozen=True)
class Ground:
    """What the rows of tickets rest on."""

    families: dict[str, int]
    categories: list[int]
    now: datetime


def lay_ground(connection: Connection, count: int, *, password_hash: str, now: datetime) -> Ground:
    """Accounts, certificates and staff for `count` tickets; everybody has the password behind `password_hash`."""
    families = {row.slug: row.id for row in connection.execute(select(ProductFamily.id, ProductFamily.slug))}
    categories = list(connection.scalars(select(Category.id).order_by(Category.id)))
    accounts = range(max(corpus.ACCOUNTS, count // _TICKETS_AN_ACCOUNT))
    _load_people(connection, accounts, password_hash, families, now)
    _load_contracts(connection, accounts, families, now)
    return Ground(families, categories, now)


def rows_of(numbers: range, ground: Ground, dialect: Dialect) -> Iterator[tuple[str, list[str], list[tuple[Any, ...]]]]:
    """Table, columns and rows (as the driver takes them) of everything that belongs to the inquiries `numbers`."""
    inquiries = [corpus.inquiry(number) for number in numbers]
    made: tuple[tuple[type[Base], Callable[[Inquiry], Iterator[dict[str, Any]]]], ...] = (
        (Ticket, lambda one: iter([_ticket(one, ground)])),
        (Message, _messages),
        (JournalEntry, _journal),
        (Letter, _letters),
        (Recipient, _recipients),
        (TicketFigures, lambda one: iter([_figures(one, ground)])),
    )
    for model, make in made:
        rows = [row for one in inquiries for row in make(one)]
        columns, convert = prepared(dialect, _table(model), list(rows[0]))
        yield model.__tablename__, columns, [convert(tuple(row.values())) for row in rows]
    documents = [document for one in inquiries for document in _documents(one, ground)]
    sqlite = dialect.name == "sqlite"
    yield SearchDocument.__tablename__, ["id", "ticket_id", "is_note", "text", "edition", "account_id"], documents
    yield "search_gram", ["rowid" if sqlite else "id", "grams"], [(each[0], _grams(each[3], each[5], sqlite=sqlite)) for each in documents]


def _grams(compared: str, account_id: int, *, sqlite: bool) -> str:
    """As `models.search` stores them; the sentences are few, so that their grams are worked out once."""
    words = _stored_of(f"account {account_id}", account_id, sqlite=sqlite).union(*(_stored_of(line, None, sqlite=sqlite) for line in compared.split("\n")))
    return " ".join(words) if sqlite else f"{{{','.join(words)}}}"


@lru_cache(maxsize=20_000)
def _stored_of(line: str, account_id: int | None, *, sqlite: bool) -> frozenset[str]:
    found = document_grams(text="" if account_id else line, edition=EDITION, account_id=account_id)
    return frozenset(stored_grams(found, sqlite=True).split()) if sqlite else frozenset(map(str, found))


def _documents(one: Inquiry, ground: Ground) -> Iterator[tuple[int, int, bool, str, int, int]]:
    head = _ticket(one, ground)
    for place, body in enumerate(one.messages):
        yield (
            document_number(one.number, _message_id(one, place)),
            one.number,
            False,
            document_text(SimpleNamespace(**head, body=body), ()),
            EDITION,
            one.account + 1,
        )


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


def _load_people(connection: Connection, accounts: range, password_hash: str, families: dict[str, int], now: datetime) -> None:
    _write(connection, Account, (_account(number, password_hash, now) for number in accounts))
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


def _load_contracts(connection: Connection, accounts: range, families: dict[str, int], now: datetime) -> None:
    issued, ends = date(now.year - 1, 4, 1), date(now.year + 2, 3, 31)
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


def _ticket(one: Inquiry, ground: Ground) -> dict[str, Any]:
    now = ground.now
    state = _STATES[one.waiting] if one.unresolved else State.CLOSED if one.closed else State.RESOLVED
    owed = one.unresolved and state is not State.WAITING_CUSTOMER
    email = corpus.customer_email(one.account)
    updated_at = min(now, now + one.due_in - timedelta(days=1)) if one.unresolved else one.updated_at
    return {
        "id": one.number,
        "account_id": one.account + 1,
        "family_id": ground.families[corpus.PRODUCTS[one.product][0]],
        "category_id": ground.categories[one.number % len(ground.categories)],
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
            "indexed": True,
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


def _figures(one: Inquiry, ground: Ground) -> dict[str, Any]:
    waited = one.waiting * 3600
    return {
        "ticket_id": one.number,
        "read_at": _ticket(one, ground)["updated_at"],
        "first_answer": int(_FIVE_HOURS.total_seconds()),
        "first_in_time": one.waiting < 8,
        "resolution": None if one.unresolved else int((one.updated_at - one.at).total_seconds()) // 3,
        "resolution_in_time": None if one.unresolved else one.waiting > 1,
        "waited_customer": waited,
        "waited_vendor": waited // 4,
        "waited_center": 0,
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
