"""The masters: families with their aliases and mailboxes, categories, mail domains, company days, the privacy text.

Each function checks what was typed, changes one thing and writes the journal with what was before and after.
Nothing that a ticket or a contract line points at is ever deleted: families and categories are switched off.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from actions import journal
from actions.deadlines import move_deadlines
from importers.cells import parse_date
from models.actors import Actor
from models.base import Base
from models.calendars import business_calendar
from models.masters import Category, CompanyDay, DomainKind, FamilyAlias, FamilyMailbox, MailDomain, PrivacyText, ProductFamily
from rules.addresses import parse_address, registrable
from rules.refusal import Refused
from rules.text import fold, fold_key, one_line

FAMILY_NAME_CHARACTERS = 80
SLUG_CHARACTERS = 40
CATEGORY_NAME_CHARACTERS = 40
DAY_NAME_CHARACTERS = 80
HINT_CHARACTERS = 1000
PRIVACY_CHARACTERS = 50_000
POSITION_MOST = 9_999
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def add_family(session: Session, *, name: str, slug: str, intake_hint: str, by: Actor, now: datetime) -> ProductFamily:
    """Add a 種別 at the end of the list; its slug stays for ever, for it stands in links.

    Refuses at their fields: name_empty, name_long, text_empty, text_long, slug_form, name_taken, slug_taken.
    """
    name, slug = _text(fold(name), "name", FAMILY_NAME_CHARACTERS), _slug(slug)
    _check_name(session, name)
    _check_free(session, ProductFamily.slug, slug, "slug_taken", "slug")
    position = (session.scalar(select(func.max(ProductFamily.position))) or 0) + 1
    family = ProductFamily(name=name, slug=slug, intake_hint=_hint(intake_hint), position=position)
    _add(session, family)
    journal.record(session, "add_family", "family", family.id, by=by, now=now, subject_name=name, slug=slug, intake_hint=family.intake_hint)
    return family


def change_family(session: Session, family: ProductFamily, *, name: str, intake_hint: str, position: str, active: bool, by: Actor, now: datetime) -> None:
    """Change a 種別, or switch it off: nobody may open tickets for it then, old ones stay.

    Refuses at their fields: name_empty, name_long, text_long, name_taken, position_form, last_family.
    """
    name, hint, place = _text(fold(name), "name", FAMILY_NAME_CHARACTERS), _hint(intake_hint), parse_position(position)
    if name.upper() != family.name.upper():
        _check_name(session, name)
    if family.active and not active:
        _check_another(session, ProductFamily, family.id, "last_family")
    before = {"name": family.name, "intake_hint": family.intake_hint, "position": family.position, "active": family.active}
    after = {"name": name, "intake_hint": hint, "position": place, "active": active}
    family.name, family.intake_hint, family.position, family.active = name, hint, place, active
    _record_change(session, "change_family", "family", family.id, name, before, after, by=by, now=now)


def add_alias(session: Session, family: ProductFamily, typed: str, *, by: Actor, now: datetime) -> FamilyAlias:
    """Let workbooks call `family` by another name. Refuses at alias: text_empty, text_long, name_taken."""
    alias = _text(fold(typed), "alias", FAMILY_NAME_CHARACTERS)
    _check_name(session, alias, field="alias")
    row = FamilyAlias(family_id=family.id, alias=alias, alias_key=fold_key(alias))
    _add(session, row)
    journal.record(session, "add_alias", "family", family.id, by=by, now=now, subject_name=family.name, alias=alias)
    return row


def remove_alias(session: Session, family: ProductFamily, alias: FamilyAlias, *, by: Actor, now: datetime) -> None:
    """Take an alias back; lines that were read by it stay."""
    session.delete(alias)
    journal.record(session, "remove_alias", "family", family.id, by=by, now=now, subject_name=family.name, alias=alias.alias)


def add_mailbox(session: Session, family: ProductFamily, typed: str, *, by: Actor, now: datetime) -> FamilyMailbox:
    """Let an old mailbox make early lines of `family` eligible. Refuses at address: what `parse_address` does, mailbox_taken."""
    address = parse_address(typed, "address").key
    taken = select(FamilyMailbox.id).where(FamilyMailbox.address == address, FamilyMailbox.family_id == family.id)
    if session.scalar(taken) is not None:
        raise Refused("mailbox_taken", "address", x=address)
    row = FamilyMailbox(family_id=family.id, address=address)
    _add(session, row)
    journal.record(session, "add_mailbox", "family", family.id, by=by, now=now, subject_name=family.name, address=address)
    return row


def remove_mailbox(session: Session, family: ProductFamily, mailbox: FamilyMailbox, *, by: Actor, now: datetime) -> None:
    """Take an old mailbox back: lines that named it are not eligible any more."""
    session.delete(mailbox)
    journal.record(session, "remove_mailbox", "family", family.id, by=by, now=now, subject_name=family.name, address=mailbox.address)


def add_category(session: Session, *, name: str, by: Actor, now: datetime) -> Category:
    """Add a カテゴリ at the end of the list. Refuses at name: name_empty, name_long, name_taken."""
    name = _text(fold(name), "name", CATEGORY_NAME_CHARACTERS)
    _check_free(session, Category.name, name, "name_taken", "name")
    category = Category(name=name, position=(session.scalar(select(func.max(Category.position))) or 0) + 1)
    _add(session, category)
    journal.record(session, "add_category", "category", category.id, by=by, now=now, subject_name=name)
    return category


def change_category(session: Session, category: Category, *, name: str, position: str, active: bool, by: Actor, now: datetime) -> None:
    """Change a カテゴリ or switch it off. Refuses at their fields: name_empty, name_long, name_taken, position_form, last_category."""
    name, place = _text(fold(name), "name", CATEGORY_NAME_CHARACTERS), parse_position(position)
    if name != category.name:
        _check_free(session, Category.name, name, "name_taken", "name")
    if category.active and not active:
        _check_another(session, Category, category.id, "last_category")
    before = {"name": category.name, "position": category.position, "active": category.active}
    after = {"name": name, "position": place, "active": active}
    category.name, category.position, category.active = name, place, active
    _record_change(session, "change_category", "category", category.id, name, before, after, by=by, now=now)


def add_domain(session: Session, kind: DomainKind, typed: str, *, by: Actor, now: datetime) -> MailDomain:
    """Add a shared mail domain or one of J's own. Refuses at domain: text_empty, domain_form, domain_taken(kind)."""
    domain = parse_domain(typed)
    known = session.scalars(select(MailDomain).where(MailDomain.domain == domain)).one_or_none()
    if known is not None:
        raise Refused("domain_taken", "domain", x=domain)
    row = MailDomain(domain=domain, kind=kind)
    _add(session, row)
    journal.record(session, "add_domain", "domain", row.id, by=by, now=now, subject_name=domain, kind=kind.value)
    return row


def remove_domain(session: Session, domain: MailDomain, *, by: Actor, now: datetime) -> None:
    """Take a domain off its list: the next registration is judged without it."""
    session.delete(domain)
    journal.record(session, "remove_domain", "domain", domain.id, by=by, now=now, subject_name=domain.domain, kind=str(domain.kind))


def add_company_day(session: Session, *, day: str, name: str, by: Actor, now: datetime) -> tuple[CompanyDay, int]:
    """Close the desk on a day; returns it, and how many open tickets' deadlines moved. Refuses at their fields: day_form, day_taken, name_empty, name_long."""
    on, called = _day(day), _text(one_line(name), "name", DAY_NAME_CHARACTERS)
    _check_free(session, CompanyDay.day, on, "day_taken", "day")
    row, desk = CompanyDay(day=on, name=called), business_calendar(session)
    _add(session, row)
    moved = move_deadlines(session, desk, business_calendar(session))
    journal.record(session, "add_company_day", "company_day", row.id, by=by, now=now, subject_name=called, day=on.isoformat(), **_moved(moved))
    return row, moved


def remove_company_day(session: Session, day: CompanyDay, *, by: Actor, now: datetime) -> int:
    """Open the desk on that day again; how many open tickets' deadlines moved."""
    number, on, name, desk = day.id, day.day, day.name, business_calendar(session)
    session.delete(day)
    session.flush()
    moved = move_deadlines(session, desk, business_calendar(session))
    journal.record(session, "remove_company_day", "company_day", number, by=by, now=now, subject_name=name, day=on.isoformat(), **_moved(moved))
    return moved


def parse_privacy_text(typed: str, present: str) -> str:
    """A new version of the privacy text. Refuses at body: privacy_empty, privacy_long, privacy_unchanged."""
    body = typed.replace("\r\n", "\n").strip()
    if not body:
        raise Refused("privacy_empty", "body")
    if len(body) > PRIVACY_CHARACTERS:
        raise Refused("privacy_long", "body", max=PRIVACY_CHARACTERS, n=len(body))
    if body == present.strip():
        raise Refused("privacy_unchanged", "body")
    return body + "\n"


def publish_privacy_text(session: Session, typed: str, *, present: PrivacyText | None, by: Actor, now: datetime) -> PrivacyText:
    """Put a new version in force; every customer is asked again at the next login. Old versions are never touched."""
    text = PrivacyText(body=parse_privacy_text(typed, present.body if present else ""), published_at=now)
    _add(session, text)
    journal.record(session, "publish_privacy_text", "privacy_text", text.id, by=by, now=now, version=[present.id if present else None, text.id])
    return text


def parse_domain(typed: str) -> str:
    """A mail domain in lower case; an address gives its host. Refuses at domain: text_empty, domain_form."""
    domain = fold(typed).lower().rpartition("@")[2]
    if not domain:
        raise Refused("text_empty", "domain")
    if len(domain) > 253 or not _DOMAIN.fullmatch(domain) or registrable(domain) is None:
        raise Refused("domain_form", "domain", x=domain)
    return domain


def parse_position(typed: str) -> int:
    """A place in a list. Refuses at position: position_form."""
    number = fold(typed)
    if not (number.isascii() and number.isdecimal()) or not 0 < int(number[:9]) <= POSITION_MOST:
        raise Refused("position_form", "position", max=POSITION_MOST)
    return int(number)


def _text(text: str, field: str, most: int) -> str:
    """A text on one line. A person's name and a master's share their field's name, not their sentence."""
    text, kind = one_line(text), "name" if field == "name" else "text"
    if not text:
        raise Refused(f"{kind}_empty", field)
    if len(text) > most:
        raise Refused(f"{kind}_long", field, max=most, n=len(text))
    return text


def _hint(typed: str) -> str:
    hint = typed.strip()
    if len(hint) > HINT_CHARACTERS:
        raise Refused("text_long", "intake_hint", max=HINT_CHARACTERS, n=len(hint))
    return hint


def _slug(typed: str) -> str:
    slug = fold(typed)
    if not slug:
        raise Refused("text_empty", "slug")
    if len(slug) > SLUG_CHARACTERS or not _SLUG.fullmatch(slug):
        raise Refused("slug_form", "slug", max=SLUG_CHARACTERS)
    return slug


def _moved(deadlines: int) -> dict[str, object]:
    return {"deadlines": deadlines} if deadlines else {}


def _day(typed: str) -> date:
    found = parse_date(typed)
    if not isinstance(found, str) or not found:
        raise Refused("day_form", "day")
    return date.fromisoformat(found)


def _check_name(session: Session, name: str, field: str = "name") -> None:
    """A workbook's 種別 cell must mean one family: names and aliases are one set, whatever their case."""
    key = fold_key(name)
    names = {fold_key(known) for known in session.scalars(select(ProductFamily.name))}
    if key in names or session.scalar(select(FamilyAlias.id).where(FamilyAlias.alias_key == key)) is not None:
        raise Refused("name_taken", field, x=name)


def _check_free(session: Session, column: InstrumentedAttribute[str] | InstrumentedAttribute[date], value: object, code: str, field: str) -> None:
    if session.scalar(select(func.count()).where(column == value)):
        raise Refused(code, field, x=value)


def _check_another(session: Session, table: type[ProductFamily] | type[Category], but: int, code: str) -> None:
    if session.scalar(select(table.id).where(table.active, table.id != but).limit(1)) is None:
        raise Refused(code, "active")


def _add(session: Session, row: Base) -> None:
    session.add(row)
    session.flush()


def _record_change(
    session: Session, act: str, kind: str, number: int, name: str, before: Mapping[str, object], after: Mapping[str, object], *, by: Actor, now: datetime
) -> None:
    changed: dict[str, object] = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
    if changed:
        journal.record(session, act, kind, number, by=by, now=now, subject_name=name, **changed)
