"""Loading the demo: staff of every role, companies with certificates, accounts, and tickets in every state."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import cycle

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import tickets
from actions.tickets import Opening
from demo.stories import COMPANIES, CONTRACTS, STAFF, STORIES, Company, Story
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.contracts import Category, Certificate, ContractLine, Party, PartyRole, ProductFamily
from models.database import transaction
from models.people import Account, QueueMember, Staff
from models.tickets import Attachment, Ticket
from rules.addresses import registrable
from rules.calendar import BusinessCalendar
from rules.contracts import CONTACT
from rules.limits import Limits
from rules.rights import Role
from rules.text import searchable
from rules.tickets import Priority, State
from storage.store import Store
from web.passwords import Passwords

PORTAL_PASSWORD = "Demo-Portal-2026"
CONSOLE_PASSWORD = "Demo-Console-2026"
_DESK = Desk("http://127.0.0.1:8720", "J's チケットシステム <tickets@jscom.co.jp>", "tickets-admin@jscom.co.jp", "service_admin@jscom.co.jp")
_LIMITS = Limits(undo_send_seconds=0)


def load(engine: Engine, store: Store, hasher: Callable[[], Passwords], *, now: datetime) -> list[str]:
    """Fill an empty database; one that has staff already is left alone. Returns the demo logins, a line each ([] without demo people)."""
    with transaction(engine, readonly=True) as session:
        present = session.scalar(select(Staff.id).limit(1)) is not None
        ours = session.scalar(select(Staff.id).where(Staff.user_id_key == STAFF[0].user_id)) is not None
    if present:
        return logins() if ours else []
    passwords = hasher()
    portal, console = passwords.hash(PORTAL_PASSWORD), passwords.hash(CONSOLE_PASSWORD)
    with transaction(engine) as session:
        people = _add_staff(session, console, now)
        accounts = _add_companies(session, portal, now)
        for story, minutes in zip(STORIES, cycle((7, 23, 41, 52)), strict=False):
            _tell(session, store, story, accounts[story.user_id], people, now, minutes)
    return logins()


def logins() -> list[str]:
    """The demo's logins as `make run` prints them."""
    lines = [f"portal   {account.user_id} / {PORTAL_PASSWORD}  ({account.person}・{account.name})" for account in COMPANIES[:2]]
    return lines + [f"console  {member.user_id} / {CONSOLE_PASSWORD}  ({member.name}・{', '.join(member.roles)})" for member in STAFF]


def _add_staff(session: Session, password_hash: str, now: datetime) -> dict[str, StaffMember]:
    families = session.scalars(select(ProductFamily.id)).all()
    people: dict[str, StaffMember] = {}
    for member in STAFF:
        email = f"{member.user_id}@jscom.co.jp"
        row = Staff(
            user_id=member.user_id,
            user_id_key=member.user_id,
            name=member.name,
            email=email,
            email_key=email,
            roles=list(member.roles),
            password_hash=password_hash,
            created_at=now,
        )
        session.add(row)
        session.flush()
        people[member.user_id] = StaffMember(id=row.id, name=row.name, roles=frozenset(Role(role) for role in member.roles))
        if "support" in member.roles:
            session.add_all(QueueMember(family_id=family, staff_id=row.id) for family in families)
    return people


def _add_companies(session: Session, password_hash: str, now: datetime) -> dict[str, Customer]:
    accounts: dict[str, Customer] = {}
    for company in COMPANIES:
        account = _account(company, password_hash, now)
        session.add(account)
        session.flush()
        accounts[company.user_id] = Customer(
            id=account.id,
            name=account.person_name,
            company_name=account.company_name,
            email=account.email,
            maintenance_email=account.maintenance_email,
            contract_key=account.contract_key,
        )
    slugs = {slug: number for number, slug in session.execute(select(ProductFamily.id, ProductFamily.slug))}
    today = now.astimezone(UTC).date()
    for contract in CONTRACTS:
        starts_on = today + timedelta(days=contract.starts_in)
        certificate = Certificate(contract_key=contract.key, issued_on=starts_on - timedelta(days=contract.issued_before), created_at=now, updated_at=now)
        session.add(certificate)
        session.flush()
        company = COMPANIES[contract.company]
        session.add(
            Party(
                certificate_id=certificate.id,
                role=PartyRole.AGENT,
                name="関西システム販売株式会社",
                email="hosyu@kansai-hanbai.example",
                email_key="hosyu@kansai-hanbai.example",
            )
        )
        session.add(
            Party(
                certificate_id=certificate.id,
                role=PartyRole.END_USER,
                name=company.name,
                email=company.maintenance_email,
                email_key=company.maintenance_email.lower(),
            )
        )
        for product, serial, service in contract.lines:
            session.add(
                ContractLine(
                    certificate_id=certificate.id,
                    family_id=slugs[contract.family],
                    product_number=product,
                    serial=serial,
                    starts_on=starts_on,
                    ends_on=_year_after(starts_on, contract.years),
                    service=service,
                    contact=CONTACT,
                )
            )
    return accounts


def _account(company: Company, password_hash: str, now: datetime) -> Account:
    key = next(contract.key for contract in CONTRACTS if COMPANIES[contract.company] is company)
    return Account(
        user_id=company.user_id,
        user_id_key=company.user_id.lower(),
        password_hash=password_hash,
        company_name=company.name,
        person_name=company.person,
        email=company.email,
        email_key=company.email.lower(),
        email_domain=registrable(company.email.rpartition("@")[2]) or "",
        maintenance_email=company.maintenance_email,
        maintenance_email_key=company.maintenance_email.lower(),
        contract_key=key,
        party_role=PartyRole.END_USER,
        search_text=searchable(f"{company.name} {company.person} {company.user_id} {company.email}"),
        privacy_version=1,
        created_at=now,
        updated_at=now,
    )


def _tell(session: Session, store: Store, story: Story, customer: Customer, people: dict[str, StaffMember], now: datetime, minutes: int) -> None:
    """One story: opening, posts and answers in their order, then state, priority and assignee."""
    calendar = BusinessCalendar()
    at = now - timedelta(hours=story.hours_ago, minutes=minutes)
    step = (now - at) / (len(story.posts) + 1)
    family = session.scalars(select(ProductFamily.id).where(ProductFamily.slug == story.family)).one()
    category = session.scalars(select(Category.id).where(Category.name == story.category)).one()
    opening = Opening(
        family_id=family,
        category_id=category,
        subject=story.subject,
        contract_text=story.contract,
        serial_text=story.serial,
        body=story.body,
        model=story.model,
        cc=story.cc,
    )
    files = [_hold(session, store, customer, name, text, at) for name, text in story.files]
    ticket = tickets.open_ticket(
        session, opening, files=files, submission=f"demo-{story.subject}", by=customer, desk=_DESK, limits=_LIMITS, calendar=calendar, now=at
    )
    for number, (author, text) in enumerate(story.posts, start=1):
        _post(session, ticket, author, text, customer, people, at + step * number, number)
    last = at + step * (len(story.posts) + 0.5)
    if story.priority:
        tickets.change_priority(session, ticket, Priority(story.priority), by=people["sato"], calendar=calendar, now=last)
    if story.assignee:
        tickets.assign(session, ticket, people[story.assignee].id, by=people["sato"], desk=_DESK, limits=_LIMITS, now=last)
    if story.state:
        tickets.change_state(session, ticket, State(story.state), by=people[story.assignee or "sato"], calendar=calendar, now=last)


def _post(session: Session, ticket: Ticket, author: str, text: str, customer: Customer, people: dict[str, StaffMember], at: datetime, number: int) -> None:
    calendar = BusinessCalendar()
    mark = f"demo-{ticket.id}-{number}"
    if author == "customer":
        tickets.reply(session, ticket, text, submission=mark, by=customer, desk=_DESK, limits=_LIMITS, calendar=calendar, now=at)
    elif author.startswith("note:"):
        tickets.write_note(session, ticket, text, submission=mark, by=people[author.removeprefix("note:")], limits=_LIMITS, now=at)
    else:
        tickets.answer(session, ticket, text, next_state=None, last_seen=2**31, submission=mark, by=people[author], desk=_DESK, limits=_LIMITS, now=at)


def _hold(session: Session, store: Store, customer: Customer, name: str, text: str, at: datetime) -> int:
    stored = store.put(io.BytesIO(text.encode()))
    row = Attachment(
        token=stored.sha256[:22], holder=f"customer:{customer.id}", name=name, size=stored.size, sha256=stored.sha256, storage_key=stored.key, created_at=at
    )
    session.add(row)
    session.flush()
    return row.id


def _year_after(starts_on: date, years: int) -> date:
    """The last day of a period of whole years."""
    return date(starts_on.year + years, starts_on.month, min(starts_on.day, 28)) - timedelta(days=1)
