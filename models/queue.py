"""The named selects of the queue: its rows page by page, the search, the side menu's counts, the masters both need.

Lists are Core rows in a fixed number of statements; paging goes by key, so that page 400 costs what page 1 costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    Date,
    Integer,
    Row,
    ScalarSelect,
    Select,
    String,
    TableClause,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    table,
    tuple_,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.base import Moment
from models.calendars import PART, ServiceCalendar, calendar_of
from models.database import among_given, given_ids, is_sqlite, read_rows
from models.due import Shape, near, near_later, shape_of, values_of
from models.kept import Kept
from models.masters import CompanyDay, ProductFamily
from models.people import ANSWERS, Account, QueueMember, Staff
from models.saved_views import SavedView
from models.search_hits import Sought, find_tickets
from models.tickets import Message, Ticket
from rules.calendar import BusinessCalendar
from rules.reminders import Edge
from rules.requests import RequestState
from rules.tickets import ENDED, State

COUNTED = 100
"""Counting stops here: the side menu says 「99+」."""
_VIEWS = ("all", "mine", "unassigned", "due", "waiting_customer", "waiting_vendor", "waiting_center", "resolved_today")
_OTHERS: dict[str, tuple[TableClause, ColumnElement[bool]]] = {
    "email_changes": (table("email_change"), column("pending", Boolean) == literal(True)),
    "exceptions": (table("exception_request"), column("state", String) == RequestState.PENDING.value),
}
"""What else the side menu counts, in the same statement: by two bare names, for which a worker need not map their five tables."""


class Order(StrEnum):
    """How a queue is sorted."""

    DUE = "due"
    """What is due first; tickets whose clock stands come last."""
    UPDATED = "updated"
    CREATED = "created"
    RESOLVED = "resolved"
    NUMBER = "number"
    """The newest number first: how hits of a search come."""


@dataclass(frozen=True)
class Cursor:
    """A row to go on from: its value in the order's column (None where that is the number) and its number."""

    at: datetime | None
    id: int
    backwards: bool = False
    """Whether the page before this row is wanted instead of the one after it."""


@dataclass(frozen=True)
class Wanted:
    """What a queue shows. Every part narrows it; the empty one shows every ticket."""

    unresolved: bool = False
    state: State | None = None
    resolved_since: datetime | None = None
    due_by: tuple[Edge, ...] | None = None
    """Tickets near their deadline, or past it."""
    assignee_id: int | None = None
    unassigned: bool = False
    family_id: int | None = None
    priority: str | None = None
    """A code of `rules.tickets.Priority`."""


@dataclass(frozen=True)
class Masters:
    """What a queue page names: families (id → slug, name), active staff (id → name) and the desk's calendar."""

    families: Mapping[int, tuple[str, str]]
    staff: Mapping[int, str]
    holders: Mapping[int, str]
    """Those of them who may be given tickets."""
    calendar: BusinessCalendar


@dataclass(frozen=True)
class Sorting:
    column: InstrumentedAttribute[Any] | None
    """None: the number alone, which rises with the moment of opening."""
    descending: bool


_SORTINGS: Mapping[Order, Sorting] = {
    Order.DUE: Sorting(Ticket.due_at, descending=False),
    Order.UPDATED: Sorting(Ticket.updated_at, descending=True),
    Order.CREATED: Sorting(None, descending=False),
    Order.RESOLVED: Sorting(Ticket.resolved_at, descending=True),
    Order.NUMBER: Sorting(None, descending=True),
}
_SHOWN: Any = (
    Ticket.id,
    Ticket.subject,
    Account.company_name,
    Ticket.family_id,
    Ticket.state,
    Ticket.priority,
    Ticket.assignee_id,
    Ticket.updated_at,
    Ticket.contract_text,
    Ticket.serial_text,
)
_ROWS: Any = select(*_SHOWN, Ticket.state_from, Ticket.due_at, Ticket.resolved_at, Ticket.calendar_id, Ticket.first_answer_at).outerjoin(
    Account, Account.id == Ticket.account_id
)
_COMPARED: Any = (
    Message.id.label("post_id"),
    Message.kind.label("post_kind"),
    Message.body.label("post_body"),
    Account.person_name,
    Account.email,
    Ticket.contract_key,
    Ticket.serial_key,
    Ticket.contact_company,
    Ticket.contact_name,
    Ticket.contact_phone,
)

_MASTERS = Kept(
    union_all(
        select(
            literal("family").label("part"), ProductFamily.id, ProductFamily.name, ProductFamily.slug, cast(null(), Date).label("day"), ProductFamily.position
        ),
        select(case((ANSWERS, literal("holder")), else_=literal("reader")), Staff.id, Staff.name, literal(""), cast(null(), Date), literal(0)).where(
            Staff.active
        ),
        select(literal("day"), CompanyDay.id, literal(""), literal(""), CompanyDay.day, literal(0)),
        select(PART, ServiceCalendar.id, ServiceCalendar.terms, literal(""), cast(null(), Date), literal(0)),
    )
)


def queue_rows(session: Session, wanted: Wanted, order: Order, *, cursor: Cursor | None = None, limit: int) -> Sequence[Row[Any]]:
    """Up to `limit` tickets after (or before) the cursor, in the list's order however they were fetched."""
    # Moments, words and cursors differ from request to request; what is left are the views that everybody looks at all day.
    common = cursor is None and wanted.resolved_since is None and wanted.due_by is None
    if common:
        return _kept(wanted, order, limit).rows(session)
    rows = read_rows(session, queue_statement(wanted, order, cursor=cursor, limit=limit))
    return rows[::-1] if cursor is not None and cursor.backwards else rows


def queue_statement(wanted: Wanted, order: Order, *, cursor: Cursor | None = None, limit: int) -> Select[Any]:
    """The select behind `queue_rows`; before a cursor it walks the list backwards."""
    sorting = _SORTINGS[order]
    descending = sorting.descending != (cursor is not None and cursor.backwards)
    statement: Select[Any] = _ROWS.where(*conditions_of(wanted))
    if cursor is not None:
        statement = statement.where(_beyond(sorting, cursor, descending=descending))
    columns = (Ticket.id,) if sorting.column is None else (sorting.column, Ticket.id)
    if wanted.unassigned and order is Order.RESOLVED:
        # Nobody is all of them. But only an index that begins so has this order: without it PostgreSQL looks through all that is closed.
        columns = (Ticket.assignee_id, *columns)
    return statement.order_by(*(column.desc() if descending else column for column in columns)).limit(limit)


@lru_cache(maxsize=256)
def _kept(wanted: Wanted, order: Order, limit: int) -> Kept:
    return Kept(queue_statement(wanted, order, limit=limit))


def cursor_of(row: Row[Any], order: Order, *, backwards: bool = False) -> Cursor:
    """The cursor that goes on from `row`."""
    column = _SORTINGS[order].column
    return Cursor(getattr(row, column.key) if column is not None else None, row.id, backwards)


def found_rows(session: Session, wanted: Wanted, terms: tuple[str, ...], *, cursor: Cursor | None = None, limit: int) -> Sequence[Row[Any]]:
    """Up to `limit` tickets that hold all `terms`, the newest number first, in the columns of `queue_rows` without its times.

    With them `post_id`, `post_kind` and `post_body`, the post that was found (None for a ticket found by its number), and what else was compared.
    """
    sought = Sought(terms, conditions_of(wanted))
    hits = find_tickets(session, sought, beyond=cursor.id if cursor else None, backwards=cursor is not None and cursor.backwards, limit=limit)
    tickets, posts = [hit.ticket_id for hit in hits], [hit.message_id for hit in hits]
    return _found(is_sqlite(session)).rows(session, {"tickets": given_ids(session, tickets), "posts": given_ids(session, posts)})


@cache
def _found(embedded: bool) -> Kept:
    statement: Any = select(*_SHOWN, *_COMPARED).outerjoin(Account, Account.id == Ticket.account_id)
    if embedded:
        # A ticket's posts are fewer than the hits: told to look each hit up by its number, SQLite would do so for every ticket.
        post = and_(Message.ticket_id == Ticket.id, among_given(True, Message.id + 0, "posts"))
        statement = statement.outerjoin(Message, post).where(among_given(True, Ticket.__table__.c.id, "tickets"))
    else:
        lists = [bindparam(name, type_=ARRAY(Integer)) for name in ("tickets", "posts")]
        hits = func.unnest(*lists).table_valued("ticket", "post").render_derived(name="hit")
        statement = statement.join(hits, hits.c.ticket == Ticket.id).outerjoin(Message, Message.id == hits.c.post)
    return Kept(statement.order_by(Ticket.id.desc()))


def queue_menu(
    session: Session, *, staff_id: int | None, due_by: tuple[Edge, ...], today_began: datetime, counted: int = COUNTED
) -> tuple[dict[str, int], tuple[Shelf, ...]]:
    """What the side menu shows, in one statement: how much each view and each other list holds, counted up to `counted`, and the shelves.

    Shelves are the products of one's own queues (of no queue: all), then the saved views, one's own before the shared ones.
    """
    values = {"staff_id": staff_id, "today_began": today_began, "latest": max(edge.at for edge in due_by), **values_of(due_by)}
    rows = _menu(shape_of(due_by), counted).rows(session, values)
    counts = {row.key: row.n for row in rows if row.kind == "view"}
    shelves = sorted((row for row in rows if row.kind != "view"), key=lambda row: (row.kind, row.place, row.id))
    return counts, tuple(Shelf(row.kind, row.key or str(row.id), row.name, row.query, row.n) for row in shelves)


class Shelf(NamedTuple):
    """A line of the side menu that is data."""

    kind: str
    """`product`, `saved` (one's own) or `shared`."""
    key: str
    """The product's slug, the view's number."""
    name: str
    query: str
    n: int
    """How many tickets a product has; 0 of a view, whose tickets nobody counts."""


@lru_cache(maxsize=16)
def _menu(shape: Shape, counted: int) -> Kept:
    """Built once for the calendars there are: putting a dozen selects together costs more than running them."""
    unresolved = Ticket.unresolved == literal(True)
    conditions: dict[str, list[ColumnElement[bool]]] = {
        "all": [unresolved],
        "mine": [unresolved, Ticket.assignee_id == bindparam("staff_id")],
        "unassigned": [unresolved, Ticket.assignee_id.is_(None)],
        "due": [unresolved, Ticket.due_at <= bindparam("latest", type_=Moment()), near_later(shape)],
        "resolved_today": [Ticket.state.in_(sorted(ENDED)), Ticket.resolved_at >= bindparam("today_began", type_=Moment())],
    }
    views = [_line("view", key=view, n=_count(conditions.get(view) or [Ticket.state == view], counted)) for view in _VIEWS]
    others = [_line("view", key=name, n=_count_of(others_table, condition, counted)) for name, (others_table, condition) in _OTHERS.items()]
    member = select(QueueMember.id).where(QueueMember.staff_id == bindparam("staff_id"))
    family, view = ProductFamily, SavedView
    inside = select(Ticket.id).where(unresolved, Ticket.family_id == family.id).correlate(family).limit(counted).subquery()
    held = select(func.count()).select_from(inside).correlate(family).scalar_subquery()
    products = _line("product", id=family.id, key=family.slug, name=family.name, place=family.position, n=held).where(
        or_(member.where(QueueMember.family_id == family.id).exists(), ~member.exists())
    )
    shared = case((view.shared == literal(True), "shared"), else_="saved")
    saved = _line(shared, id=view.id, name=view.name, query=view.query, place=view.position).where(
        or_(view.shared == literal(True), view.staff_id == bindparam("staff_id"))
    )
    return Kept(union_all(*views, *others, products, saved))


def _line(kind: str | ColumnElement[str], *, id: Any = 0, key: Any = "", name: Any = "", query: Any = "", place: Any = 0, n: Any = 0) -> Any:  # noqa: A002
    told = {"kind": kind, "id": id, "key": key, "name": name, "query": query, "place": place, "n": n}
    columns = [literal(value).label(label) if isinstance(value, (str, int)) else value.label(label) for label, value in told.items()]
    return select(*columns)


def queue_masters(session: Session) -> Masters:
    """Families in the manual's order, active staff by name, and the calendars: one statement."""
    rows = _MASTERS.rows(session)
    families = sorted((row for row in rows if row.part == "family"), key=lambda row: (row.position, row.id))
    staff = sorted((row for row in rows if row.part in ("holder", "reader")), key=lambda row: row.name)
    return Masters(
        families={row.id: (row.slug, row.name) for row in families},
        staff={row.id: row.name for row in staff},
        holders={row.id: row.name for row in staff if row.part == "holder"},
        calendar=calendar_of(rows, (row.day for row in rows if row.part == "day")),
    )


def conditions_of(wanted: Wanted) -> list[ColumnElement[bool]]:
    """As conditions on `Ticket`."""
    found: list[ColumnElement[bool]] = []
    if wanted.unresolved:
        found.append(Ticket.unresolved == literal(True))
    if wanted.state is not None:
        found.append(Ticket.state == wanted.state)
        if wanted.state in ENDED:
            found.append(~Ticket.unresolved)  # goes without saying, but not for the indexes of what is done with
    if wanted.resolved_since is not None:
        found += [Ticket.state.in_(sorted(ENDED)), Ticket.resolved_at >= wanted.resolved_since]
    if wanted.due_by is not None:
        found += _due_by(wanted.due_by)
    if wanted.unassigned:
        found.append(Ticket.assignee_id.is_(None))
    elif wanted.assignee_id is not None:
        found.append(Ticket.assignee_id == wanted.assignee_id)
    if wanted.family_id is not None:
        found.append(Ticket.family_id == wanted.family_id)
    if wanted.priority is not None:
        found.append(Ticket.priority == wanted.priority)
    return found


def _due_by(edges: tuple[Edge, ...]) -> list[ColumnElement[bool]]:
    """The latest edge lets the index of deadlines be walked; the rest looks at the few rows it finds."""
    return [Ticket.unresolved == literal(True), Ticket.due_at <= max(edge.at for edge in edges), near(edges)]


def _beyond(sorting: Sorting, cursor: Cursor, *, descending: bool) -> ColumnElement[bool]:
    if sorting.column is None or cursor.at is None:
        return Ticket.id < cursor.id if descending else Ticket.id > cursor.id
    here, there = tuple_(sorting.column, Ticket.id), tuple_(literal(cursor.at, sorting.column.type), literal(cursor.id))
    return here < there if descending else here > there


def _count_of(counted_table: TableClause, condition: ColumnElement[bool], counted: int) -> ScalarSelect[int]:
    some = select(literal("x", String)).select_from(counted_table).where(condition).limit(counted).subquery()
    return select(func.count()).select_from(some).scalar_subquery()


def _count(conditions: list[ColumnElement[bool]], counted: int) -> ScalarSelect[int]:
    some = select(literal("x", String)).select_from(Ticket).where(*conditions).limit(counted).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
