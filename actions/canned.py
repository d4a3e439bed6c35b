"""定型文 and 定型アクション: kept by those who answer for them, and filled with a ticket's own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions import journal
from mail.desk import Desk
from models.actors import StaffMember
from models.base import AnyRow
from models.canned import MOST, Canned, CannedKind, PostKind, own_queues
from models.masters import Category, ProductFamily
from rules.canned import check_canned
from rules.placeholders import Placeholder
from rules.refusal import Refused
from rules.rights import Area, Right
from rules.text import is_unknown
from rules.tickets import Priority, State

_FACTS = ("name", "active", "family_id", "category_id", "post", "to_state", "to_priority", "to_category_id", "to_assignee")
_TOLD = ("name", "active")
SAMPLE = {
    Placeholder.CUSTOMER: "木村 はるか",
    Placeholder.COMPANY: "東西ネットワーク株式会社",
    Placeholder.TICKET: "#10482",
    Placeholder.SUBJECT: "SRX300 で IPsec VPN が切断される",
    Placeholder.PRODUCT: "Juniper-SRX",
    Placeholder.CATEGORY: "障害",
    Placeholder.CONTRACT: "JSC26040123A",
    Placeholder.SERIAL: "CV4126AF0093",
    Placeholder.MODEL: "SRX300",
    Placeholder.OS_VERSION: "21.4R3-S5",
    Placeholder.LINK: "https://tickets.example.jp/tickets/10482",
}
"""A ticket of the standing cast, for a look at a text where no ticket is open."""


@dataclass(frozen=True)
class Typed:
    """What a person typed for a canned text or a macro; masters by id, 0 for none."""

    name: str
    body: str
    family_id: int = 0
    category_id: int = 0
    personal: bool = False
    active: bool = True
    post: PostKind = PostKind.ANSWER
    to_state: State | None = None
    to_priority: Priority | None = None
    to_category_id: int = 0
    to_assignee: str = ""
    seen: str = ""
    """The moment of the change that the form was filled with (`stamp`); "" asks nothing."""


def stamp(canned: Canned) -> str:
    """What a form says it was filled with."""
    return canned.updated_at.isoformat()


def may_write(by: StaffMember) -> bool:
    """Whether `by` may keep any at all; who only reads may not, though reading is the stronger right."""
    return by.may(Area.BULK, Right.WRITE) or (by.may(Area.BULK, Right.OWN) and not by.may(Area.BULK, Right.READ))


def may_edit(session: Session, canned: Canned, *, by: StaffMember) -> bool:
    """One's own always; a shared one by right, or where it is for a product of one's own queue."""
    if canned.owner_id is not None:
        return canned.owner_id == by.id and may_write(by)
    return may_write(by) and _may_share(session, canned.family_id, by)


def add_canned(session: Session, kind: CannedKind, typed: Typed, *, by: StaffMember, now: datetime) -> Canned:
    """Keep a new one.

    Refuses at their fields what `rules.canned.check_canned` refuses, name_taken, product_unknown, category_unknown, canned_shared, canned_many, macro_nothing.
    """
    canned = Canned(kind=kind, owner_id=by.id if typed.personal else None, updated_at=now, updated_by=by.name)
    same_shelf = select(func.count()).where(Canned.kind == kind, Canned.owner_id.is_not_distinct_from(canned.owner_id))
    if (session.scalar(same_shelf) or 0) >= MOST:
        raise Refused("canned_many", max=MOST)
    _set(session, canned, typed, by=by)
    session.add(canned)
    session.flush()
    journal.record(session, f"add_{_word(kind)}", "canned", canned.id, by=by, now=now, subject_name=canned.name)
    return canned


def change_canned(session: Session, canned: Canned, typed: Typed, *, by: StaffMember, now: datetime) -> None:
    """Change one, or switch it off. Whose it is stays. Refuses canned_outdated(name), and as `add_canned` does."""
    if typed.seen and typed.seen != stamp(canned):
        raise Refused("canned_outdated", name=canned.updated_by)
    before = {name: getattr(canned, name) for name in (*_FACTS, "body")}
    _set(session, canned, typed, by=by)
    canned.updated_at, canned.updated_by = now, by.name
    changed = {name: [before[name], getattr(canned, name)] for name in _TOLD if before[name] != getattr(canned, name)}
    if any(before[name] != getattr(canned, name) for name in before):
        journal.record(session, f"change_{_word(canned.kind)}", "canned", canned.id, by=by, now=now, subject_name=canned.name, **changed)


def remove_canned(session: Session, canned: Canned, *, by: StaffMember, now: datetime) -> None:
    """Take one away: nothing points at it, and what was sent with it stays."""
    journal.record(session, f"remove_{_word(canned.kind)}", "canned", canned.id, by=by, now=now, subject_name=canned.name)
    session.delete(canned)


def words_of(ticket: AnyRow, *, by: StaffMember, desk: Desk) -> Mapping[str, str]:
    """What the places of a canned text stand for on a `models.ticket_page.ticket_row`; "" where the ticket does not say."""

    def known(text: str) -> str:
        return "" if is_unknown(text) else text

    return {
        Placeholder.CUSTOMER: ticket.person_name or "",
        Placeholder.COMPANY: ticket.company_name or "",
        Placeholder.TICKET: f"#{ticket.id}",
        Placeholder.SUBJECT: ticket.subject,
        Placeholder.PRODUCT: ticket.family,
        Placeholder.CATEGORY: ticket.category,
        Placeholder.CONTRACT: known(ticket.contract_text),
        Placeholder.SERIAL: known(ticket.serial_text),
        Placeholder.MODEL: ticket.model,
        Placeholder.OS_VERSION: ticket.os_version,
        Placeholder.ENGINEER: by.name,
        Placeholder.LINK: desk.link(f"/tickets/{ticket.id}"),
    }


def _set(session: Session, canned: Canned, typed: Typed, *, by: StaffMember) -> None:
    macro = canned.kind == CannedKind.MACRO
    posts = not macro or typed.post is not PostKind.NOTHING
    name, body = check_canned(typed.name, typed.body, needs_text=posts)
    family_id = _master(session, ProductFamily, typed.family_id, "product_unknown", "product")
    if canned.owner_id is None and not _may_share(session, family_id, by):
        raise Refused("canned_shared", "product")
    _check_name(session, canned, name)
    canned.name, canned.body, canned.active = name, body if posts else "", typed.active
    canned.family_id = family_id
    canned.category_id = _master(session, Category, typed.category_id, "category_unknown", "category")
    canned.post = typed.post if macro else PostKind.ANSWER
    canned.to_state = typed.to_state if macro else None
    canned.to_priority = typed.to_priority if macro else None
    canned.to_category_id = _master(session, Category, typed.to_category_id, "category_unknown", "to_category") if macro else None
    canned.to_assignee = typed.to_assignee if macro else ""
    if macro and not (posts or canned.to_state or canned.to_priority or canned.to_category_id or canned.to_assignee):
        raise Refused("macro_nothing", "post")


def _may_share(session: Session, family_id: int | None, by: StaffMember) -> bool:
    return by.may(Area.BULK, Right.WRITE) or (family_id is not None and family_id in own_queues(session, by.id))


def _check_name(session: Session, canned: Canned, name: str) -> None:
    """On one shelf (kind, owner, product) a name means one thing."""
    taken = select(Canned.id).where(Canned.kind == canned.kind, Canned.name == name, Canned.owner_id.is_not_distinct_from(canned.owner_id))
    with session.no_autoflush:
        found = session.scalars(taken.limit(2)).all()
    if any(number != canned.id for number in found):
        raise Refused("name_taken", "name", x=name)


def _master(session: Session, table: type[ProductFamily] | type[Category], number: int, code: str, field: str) -> int | None:
    if not number:
        return None
    if session.get(table, number) is None:
        raise Refused(code, field)
    return number


def _word(kind: CannedKind) -> str:
    return "macro" if kind == CannedKind.MACRO else "canned"
