"""Every route of the console × every role, compared with the table of DOMAIN, "Roles and acts". No route without a row."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from console.routes import NOUNS
from models.bulk_changes import BulkChange
from models.canned import Canned, CannedKind, PostKind
from models.contracts import ContractLine
from models.database import transaction
from models.email_changes import EmailChangeFile
from models.masters import CompanyDay, DomainKind, FamilyAlias, FamilyMailbox, MailDomain
from models.outbox import Letter
from models.saved_views import SavedView
from models.service_types import ServiceType
from models.tickets import Attachment
from rules.calendar import tokyo_date
from rules.email_changes import ChangeState
from rules.rights import Role
from rules.tickets import State
from tests.client import Client, Page
from tests.console.rights import ROUTES, TABLE
from tests.people import (
    NOW,
    add_account,
    add_certificate,
    add_email_change,
    add_grant,
    add_import,
    add_post,
    add_refusal,
    add_request,
    add_returned_mail,
    add_staff,
    add_ticket,
    sign_in_customer,
    sign_in_staff,
)
from web.nouns import pages_of
from web.wiring import Wiring

STRENGTH = ["-", "own", "r", "w"]
ROLES = [Role.SUPPORT, Role.LEAD, Role.SERVICE_CENTER, Role.DESK, Role.ADMIN, Role.AUDITOR]
HELD = {(line.split()[0], role): line.split()[1:][place] for line in TABLE.split("\n") if line for place, role in enumerate(ROLES)}
WANTED = {(line.split()[0], line.split()[1]): line.split()[2:] for line in ROUTES.split("\n") if line}
ONLY_LOOK = "このページを見る権限がありません。"


def test_no_route_is_without_a_row() -> None:
    assert {(page.method, page.path) for page in pages_of(NOUNS)} == set(WANTED)


@pytest.fixture
def world(engine: Engine, wiring: Wiring) -> dict[str, str]:
    """One of everything that a path can name, by the path's beginning and its parameter."""
    stored, proof = wiring.store.put(BytesIO(b"log")), wiring.store.put(BytesIO(b"mail"))
    with transaction(engine) as session:
        return _fill(session, stored.key, proof.key)


@pytest.mark.parametrize(
    ("database", "role"), [*(("sqlite", role) for role in ROLES), ("postgresql", Role.SUPPORT), ("postgresql", Role.ADMIN)], indirect=["database"]
)
def test_a_role_opens_what_the_table_says_and_nothing_else(client: Client, engine: Engine, world: dict[str, str], role: Role) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "reader", name="山本", roles=(role,)))

    found = {key: _knock(client, *key, world) for key in _inside()}

    assert found == {key: _expected(wanted[0], wanted[1], role) for key, wanted in WANTED.items() if wanted[0] not in ("everybody", "members")}


def test_a_member_without_roles_opens_nothing(client: Client, engine: Engine, world: dict[str, str]) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "reader", roles=()))

    assert {_knock(client, *key, world) for key in _inside()} == {"not here"}


def test_a_customer_is_told_that_nothing_is_here(client: Client, engine: Engine, world: dict[str, str]) -> None:
    with transaction(engine) as session:
        sign_in_customer(client, session, add_account(session, "visitor"))

    assert {_knock(client, *key, world) for key in [*_inside(), *_members()]} == {"not here"}


def test_a_visitor_is_sent_to_the_door(client: Client, world: dict[str, str]) -> None:
    assert {_knock(client, *key, world) for key in [*_inside(), *_members()]} == {"door"}


def test_what_is_not_there_looks_like_what_is_not_ours(client: Client, engine: Engine, world: dict[str, str]) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "reader", roles=(Role.SUPPORT,)))

    missing, forbidden = client.get("/console/contracts/987654", expect=404), client.get(f"/console/imports/{world['imports id']}", expect=404)

    assert missing.text == forbidden.text


def _inside() -> Iterator[tuple[str, str]]:
    yield from ((method, path) for (method, path), wanted in WANTED.items() if wanted[0] not in ("everybody", "members"))


def _members() -> Iterator[tuple[str, str]]:
    yield from ((method, path) for (method, path), wanted in WANTED.items() if wanted[0] == "members")


def _expected(area: str, needed: str, role: Role) -> str:
    held = HELD[area, role]
    if STRENGTH.index(held) >= STRENGTH.index(needed):
        return "open"
    return "not here" if held == "-" else "only look"


def _knock(client: Client, method: str, path: str, world: dict[str, str]) -> str:
    """What stands behind a route. A post comes without its form's token, which is asked for only of those who may post here."""
    filled = _filled(path, world)
    page = client.get(filled, follow=False) if method == "GET" else client.post(filled, follow=False)
    return _meaning(page)


def _meaning(page: Page) -> str:
    if page.status == 303 and page.headers["location"].startswith("/console/sign-in?next="):
        return "door"
    if page.status == 404:
        return "not here"
    if page.status == 403 and page.document and page.says(ONLY_LOOK):
        return "only look"
    assert page.status in (200, 403), f"{page.path}: {page.status}"
    return "open"


def _filled(path: str, world: dict[str, str]) -> str:
    noun = path.split("/")[2] if not path.startswith("/console/masters/") else path.split("/")[3]
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}").partition(":")[0]
            path = path.replace(part, world[f"{noun} {name}"], 1)
    return path


def _fill(session: Session, stored: str, kept: str) -> dict[str, str]:
    account, member = add_account(session), add_staff(session)
    ticket = add_ticket(session, account, state=State.WAITING_CENTER)
    answer = add_post(session, ticket, "確認しております", staff=member)
    held = Attachment(token="a-token", message_id=answer.id, name="a.txt", size=3, sha256="0", storage_key=stored, created_at=NOW)
    batch, row, mended = add_import(session)
    letter = Letter(kind="answered", cause="x", header_id="<x@x>", thread_ids=[], subject="件名", body="本文", created_at=NOW, try_at=NOW)
    request, refusal, box = add_request(session), add_refusal(session), FamilyMailbox(family_id=1, address="x@jscom.co.jp")
    alias, service = FamilyAlias(family_id=1, alias="x", alias_key="X"), ServiceType(service="x", reads_as="対応時間なし")
    domain, day = MailDomain(domain="x.example", kind=DomainKind.SHARED), CompanyDay(day=tokyo_date(NOW), name="休業")
    proof = Attachment(token="a-proof", name="mail.eml", size=3, sha256="0", storage_key=kept, created_at=NOW)
    change = add_email_change(session)
    change.state, change.pending, change.before = ChangeState.NOTIFIED, False, {"parties": [], "accounts": []}
    many = BulkChange(staff_id=member.id, staff_name="佐藤", act="assign", facts={}, submission="x", at=NOW)
    view = SavedView(staff_id=member.id, name="x", query="", position=0, created_at=NOW, updated_at=NOW)
    macro = Canned(kind=CannedKind.MACRO, name="x", to_state=State.RESOLVED, post=PostKind.NOTHING, updated_at=NOW, updated_by="x")
    session.add_all([many, view, macro, held, letter, alias, box, domain, day, proof, service])
    session.flush()
    certificate = add_certificate(session)
    session.add(EmailChangeFile(change_id=change.id, attachment_id=proof.id))
    numbers = {
        "tickets number": ticket.id,
        "tickets message": answer.id,
        "tickets id": many.id,
        "views id": view.id,
        "tickets other": ticket.id,
        "tickets canned": macro.id,
        "canned id": macro.id,
        "attachments token": "a-token",
        "uploads token": "a-token",
        "imports id": batch.id,
        "imports row": row.id,
        "imports correction": mended.id,
        "contracts id": certificate.id,
        "contracts line": session.query(ContractLine.id).filter_by(certificate_id=certificate.id).scalar(),
        "email-changes id": change.id,
        "email-changes token": "a-proof",
        "exceptions id": request.id,
        "grants id": add_grant(session, request).id,
        "refusals id": refusal.id,
        "accounts id": account.id,
        "radar id": 1,
        "mails id": letter.id,
        "logs id": 1,
        "returned id": add_returned_mail(session).id,
        "jobs name": "deliver_mail",
        "mails notice": "ticket_opened",
        "products id": 1,
        "products alias": alias.id,
        "mailboxes id": box.id,
        "services id": service.id,
        "categories id": 1,
        "calendars id": 1,
        "domains id": domain.id,
        "company-days id": day.id,
        "reminders kind": "digest",
        "privacy-text version": 1,
        "staff id": member.id,
    }
    return {name: str(number) for name, number in numbers.items()}
