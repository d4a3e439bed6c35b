"""Loading the demo: staff of every role, companies with certificates, accounts, and tickets in every state."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from itertools import cycle

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import contracts, drafts, import_batches, saved_views, tickets
from actions.openings import Opening
from demo.calls import add_calls
from demo.canned import add_canned
from demo.exceptions import add_exceptions
from demo.history import add_history
from demo.mailbox import add_returned
from demo.masters import add_masters
from demo.requests import add_requests
from demo.stories import COMPANIES, CONTRACTS, STAFF, STORIES, Company, Story
from demo.workbook import NAME, Line, waiting_workbook
from mail.desk import Desk
from models.actors import Customer, StaffMember
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import transaction
from models.masters import Category, ProductFamily
from models.people import Account, QueueMember, Staff
from models.tickets import Attachment, MessageKind, Ticket, holder_of
from rules.addresses import registrable
from rules.calendar import BusinessCalendar, tokyo_date
from rules.contracts import CONTACT
from rules.limits import Limits
from rules.rights import Role
from rules.text import searchable
from rules.tickets import Priority, State
from storage.store import Store
from web.passwords import Passwords

PORTAL_PASSWORD = "Demo-Portal-2026"
CONSOLE_PASSWORD = "Demo-Console-2026"
_LIMITS = Limits(undo_send_seconds=0)
_ENTERED = time(2, 30)


def load(engine: Engine, store: Store, hasher: Callable[[], Passwords], *, desk: Desk, now: datetime) -> list[str]:
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
        _correct_a_line(session, people["center"], now - timedelta(days=2))
        add_history(session, accounts, people, now=now)
        stage = _Stage(session, store, people, accounts, desk)
        # All that happened is told in the order of time, so that numbers, journal and letters rise together.
        told = zip(STORIES, cycle((7, 23, 41, 52)), strict=False)
        steps = [step for story, minutes in told for step in stage.steps(story, now, minutes)]
        for at, tell in sorted(steps, key=lambda step: step[0]):
            tell(at)
        add_requests(session, people["center"], desk=desk, now=now)
        add_exceptions(session, people["desk"], portal, desk=desk, now=now)
        add_canned(session, people["nakamura"], people["sato"], now - timedelta(days=3))
        add_masters(session, people["kanri"], now - timedelta(days=4))
        add_calls(session, people["nakamura"], desk=desk, calendar=BusinessCalendar(), now=now)
        add_returned(session, desk=desk, now=now)
        _begin_a_reply(session, people["nakamura"], now)
        _keep_views(session, people, now)
        _send_workbook(session, store, people["center"], now)
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
        issued_on = starts_on - timedelta(days=contract.issued_before)
        entered = min(now, datetime.combine(issued_on, _ENTERED, UTC) + timedelta(days=1))
        certificate = Certificate(contract_key=contract.key, issued_on=issued_on, created_at=entered, updated_at=entered)
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


def _correct_a_line(session: Session, by: StaffMember, now: datetime) -> None:
    """A serial that was misread from the certificate and set right by hand: the contract has a past to look at."""
    line = session.scalars(select(ContractLine).where(ContractLine.serial == "522039001188")).one()
    line.serial = "522039001I88"
    session.flush()
    certificate = session.get_one(Certificate, line.certificate_id)
    values = contracts.line_of(session, line) | {"serial": "522039001188"}
    reason = "お客様から届いた証書の控えと照合（数字の 1 を英字の I と読んでいたため）"
    contracts.correct_line(session, certificate, line, values, reason=reason, seen=contracts.seal(certificate), by=by, now=now)


def _begin_a_reply(session: Session, by: StaffMember, now: datetime) -> None:
    """An answer that a colleague has begun and not sent."""
    ticket = session.scalars(select(Ticket.id).where(Ticket.subject == STORIES[1].subject)).one()
    body = "森 様\n\nご不便をおかけしております。交換用の電源ユニットを手配しております。お届け先の"
    drafts.keep_draft(session, ticket, MessageKind.ANSWER, body, by=by, limits=_LIMITS, now=now)


def _keep_views(session: Session, people: dict[str, StaffMember], now: datetime) -> None:
    """A list that the whole team looks at, and one of an engineer's own."""
    saved_views.save_view(session, "朝会で見る一覧", "sort=updated", shared=True, by=people["sato"], limits=_LIMITS, now=now)
    saved_views.save_view(session, "自分の SRX", "assignee=me&product=juniper-srx", shared=False, by=people["nakamura"], limits=_LIMITS, now=now)


def _send_workbook(session: Session, store: Store, center: StaffMember, now: datetime) -> None:
    """A workbook of the center that waits to be read: the jobs process plans it."""
    line, names = ContractLine, {family.id: family.name for family in session.scalars(select(ProductFamily))}
    known: list[Line] = []
    for certificate in session.scalars(select(Certificate).order_by(Certificate.id).limit(3)):
        parties = session.scalars(select(Party).where(Party.certificate_id == certificate.id))
        told = {f"{party.role}_{part}": getattr(party, part) for party in parties for part in ("name", "email")}
        head = told | {"issued_on": certificate.issued_on.isoformat(), "contract": certificate.contract_key}
        for each in session.scalars(select(line).where(line.certificate_id == certificate.id).order_by(line.id)):
            days = {"starts_on": each.starts_on.isoformat(), "ends_on": each.ends_on.isoformat()}
            codes = {"product_number": each.product_number, "serial": each.serial, "service": each.service, "contact": each.contact}
            known.append({**head, **days, **codes, "family": names[each.family_id]})
    stored = store.put(io.BytesIO(waiting_workbook(known, today=tokyo_date(now))))
    import_batches.receive(session, file_name=NAME, stored=stored, by=center, now=now)


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


Step = tuple[datetime, Callable[[datetime], object]]


class _Stage:
    """Where the stories happen: each is a list of moments and what is done then."""

    def __init__(self, session: Session, store: Store, people: dict[str, StaffMember], accounts: dict[str, Customer], desk: Desk) -> None:
        self._session = session
        self._store = store
        self._people = people
        self._accounts = accounts
        self._desk = desk
        self._calendar = BusinessCalendar()
        self._tickets: dict[str, Ticket] = {}

    def steps(self, story: Story, now: datetime, minutes: int) -> list[Step]:
        """Opening, posts and answers in their order, then priority, assignee and state."""
        began = now - timedelta(hours=story.hours_ago, minutes=minutes)
        pace = (now - began) / (len(story.posts) + 1)
        steps: list[Step] = [(began, partial(self._open, story))]
        steps += [(began + pace * number, partial(self._post, story, number)) for number in range(1, len(story.posts) + 1)]
        return [*steps, (began + pace * (len(story.posts) + 0.5), partial(self._settle, story))]

    def _open(self, story: Story, at: datetime) -> None:
        session, customer = self._session, self._accounts[story.user_id]
        opening = Opening(
            family_id=session.scalars(select(ProductFamily.id).where(ProductFamily.slug == story.family)).one(),
            category_id=session.scalars(select(Category.id).where(Category.name == story.category)).one(),
            subject=story.subject,
            contract_text=story.contract,
            serial_text=story.serial,
            body=story.body,
            model=story.model,
            cc=story.cc,
        )
        files = [self._hold(customer, name, text, at) for name, text in story.files]
        self._tickets[story.subject] = tickets.open_ticket(
            session, opening, files=files, submission=f"demo-{story.subject}", by=customer, desk=self._desk, limits=_LIMITS, calendar=self._calendar, now=at
        )

    def _post(self, story: Story, number: int, at: datetime) -> None:
        session, ticket = self._session, self._tickets[story.subject]
        author, text = story.posts[number - 1]
        mark = f"demo-{ticket.id}-{number}"
        if author == "customer":
            customer = self._accounts[story.user_id]
            tickets.reply(session, ticket, text, submission=mark, by=customer, desk=self._desk, limits=_LIMITS, calendar=self._calendar, now=at)
        elif author.startswith("note:"):
            tickets.write_note(session, ticket, text, submission=mark, by=self._people[author.removeprefix("note:")], limits=_LIMITS, now=at)
        else:
            member = self._people[author]
            tickets.answer(session, ticket, text, next_state=None, last_seen=2**31, submission=mark, by=member, desk=self._desk, limits=_LIMITS, now=at)

    def _settle(self, story: Story, at: datetime) -> None:
        session, ticket, lead = self._session, self._tickets[story.subject], self._people["sato"]
        if story.priority:
            tickets.change_priority(session, ticket, Priority(story.priority), by=lead, calendar=self._calendar, now=at)
        if story.assignee:
            tickets.assign(session, ticket, self._people[story.assignee].id, by=lead, desk=self._desk, limits=_LIMITS, now=at)
        if story.state:
            tickets.change_state(session, ticket, State(story.state), by=self._people.get(story.assignee, lead), calendar=self._calendar, now=at)

    def _hold(self, customer: Customer, name: str, text: str, at: datetime) -> int:
        stored = self._store.put(io.BytesIO(text.encode()))
        row = Attachment(
            token=stored.sha256[:22],
            holder=holder_of(customer),
            name=name,
            size=stored.size,
            sha256=stored.sha256,
            storage_key=stored.key,
            created_at=at,
        )
        self._session.add(row)
        self._session.flush()
        return row.id


def _year_after(starts_on: date, years: int) -> date:
    """The last day of a period of whole years."""
    return date(starts_on.year + years, starts_on.month, min(starts_on.day, 28)) - timedelta(days=1)
