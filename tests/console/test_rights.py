"""Every route of the console × every role, compared with the table of DOMAIN, "Roles and acts". No route without a row."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from console.routes import NOUNS
from models.contracts import CompanyDay, ContractLine, DomainKind, FamilyAlias, FamilyMailbox, MailDomain
from models.database import transaction
from models.email_changes import EmailChangeFile
from models.outbox import Letter
from models.tickets import Attachment
from rules.calendar import tokyo_date
from rules.email_changes import ChangeState
from rules.rights import Role
from rules.tickets import State
from tests.client import Client, Page
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
    add_staff,
    add_ticket,
    sign_in_customer,
    sign_in_staff,
)
from web.nouns import pages_of
from web.wiring import Wiring

# support, lead, service_center, desk, admin, auditor; "own": only what one is asked, or did oneself.
TABLE = """
tickets    w    w  own  r    r  r
contracts  r    r  w    r    r  r
imports    -    -  w    -    r  r
exceptions r    r  r    w    r  r
accounts   r    r  r    w    w  r
delivery   r    w  r    r    w  r
masters    -    -  -    -    w  r
journal    own  r  own  own  r  r
"""
ROUTES = """
GET  /console/sign-in                                                everybody
POST /console/sign-in                                                everybody
GET  /console/sign-in/code                                           everybody
POST /console/sign-in/code                                           everybody
GET  /console/sign-in/provider                                       everybody
GET  /console/sign-in/callback                                       everybody
GET  /console/sign-in/provider/sign-out                              everybody
POST /console/sign-out                                               members
GET  /console/profile                                                members
POST /console/profile/digest                                         members
POST /console/profile/password                                       members
GET  /console/tickets                                                tickets own
GET  /console/tickets/{number:int}                                   tickets own
POST /console/tickets/{number:int}/replies                           tickets w
POST /console/tickets/{number:int}/replies/{message:int}/withdrawal  tickets w
POST /console/tickets/{number:int}/notes                             tickets w
POST /console/tickets/{number:int}/assignee                          tickets w
POST /console/tickets/{number:int}/status                            tickets w
POST /console/tickets/{number:int}/priority                          tickets w
POST /console/tickets/{number:int}/drafts/answer                     tickets w
POST /console/tickets/{number:int}/drafts/note                       tickets w
POST /console/tickets/{number:int}/presence                          tickets w
GET  /console/tickets/{number:int}/edit                              tickets w
POST /console/tickets/{number:int}/edit                              tickets w
POST /console/tickets/{number:int}/questions                         tickets w
POST /console/tickets/{number:int}/questions/answer                  contracts w
GET  /console/attachments/{token}                                    tickets r
GET  /console/imports                                                imports r
POST /console/imports                                                imports w
GET  /console/imports/{id:int}                                       imports r
GET  /console/imports/{id:int}/file                                  imports r
GET  /console/imports/{id:int}/mapping                               imports r
POST /console/imports/{id:int}/mapping                               imports w
GET  /console/imports/{id:int}/review                                imports r
GET  /console/imports/{id:int}/result                                imports r
GET  /console/imports/{id:int}/rows/{row:int}                        imports r
POST /console/imports/{id:int}/rows/{row:int}                        imports w
GET  /console/imports/{id:int}/corrections                           imports r
POST /console/imports/{id:int}/corrections                           imports w
POST /console/imports/{id:int}/corrections/withdrawal                imports w
POST /console/imports/{id:int}/corrections/{correction:int}/withdrawal  imports w
POST /console/imports/{id:int}/confirmations                         imports w
POST /console/imports/{id:int}/application                           imports w
POST /console/imports/{id:int}/approval-request                      imports w
POST /console/imports/{id:int}/approval                              imports w
POST /console/imports/{id:int}/approval-refusal                      imports w
POST /console/imports/{id:int}/discard                               imports w
GET  /console/imports/{id:int}/undo                                  imports r
POST /console/imports/{id:int}/undo                                  imports w
GET  /console/imports/{id:int}/workbook                              imports r
GET  /console/imports/{id:int}/workbook/file                         imports r
GET  /console/contracts/{id:int}/correction                          contracts w
POST /console/contracts/{id:int}/correction                          contracts w
GET  /console/contracts/{id:int}/lines/{line:int}/correction         contracts w
POST /console/contracts/{id:int}/lines/{line:int}/correction         contracts w
POST /console/contracts/export                                       contracts r
GET  /console/contracts/template                                     contracts r
GET  /console/email-changes                                          imports r
POST /console/email-changes                                          imports w
GET  /console/email-changes/new                                      imports w
GET  /console/email-changes/{id:int}                                 imports r
POST /console/email-changes/{id:int}/decision                        imports w
POST /console/email-changes/{id:int}/evidence                        imports w
GET  /console/email-changes/{id:int}/reversal                        imports w
POST /console/email-changes/{id:int}/reversal                        imports w
GET  /console/email-changes/{id:int}/files/{token}                   imports r
GET  /console/contracts                                              contracts r
GET  /console/contracts/{id:int}                                     contracts r
GET  /console/exceptions                                             exceptions r
GET  /console/exceptions/{id:int}                                    exceptions r
POST /console/exceptions/{id:int}/decision                           exceptions w
GET  /console/grants                                                 exceptions r
GET  /console/grants/{id:int}                                        exceptions r
POST /console/grants/{id:int}/revocation                             exceptions w
GET  /console/refusals                                               exceptions r
GET  /console/refusals/{id:int}                                      exceptions r
GET  /console/rehearsal                                              exceptions r
POST /console/rehearsal                                              exceptions r
POST /console/rehearsal/letter                                       exceptions w
GET  /console/accounts                                               accounts r
GET  /console/accounts/{id:int}                                      accounts r
POST /console/accounts/{id:int}/suspension                           accounts w
POST /console/accounts/{id:int}/reopening                            accounts w
POST /console/accounts/{id:int}/totp-removal                         accounts w
GET  /console/accounts/{id:int}/disclosure                           accounts r
POST /console/accounts/{id:int}/export                               accounts w
GET  /console/accounts/{id:int}/erasure                              accounts w
POST /console/accounts/{id:int}/erasure                              accounts w
GET  /console/radar                                                  accounts r
POST /console/radar/{id:int}/mark                                    contracts w
GET  /console/mails                                                  delivery r
GET  /console/mails/{id:int}                                         delivery r
POST /console/mails/{id:int}/resend                                  delivery w
POST /console/mails/{id:int}/suppression                             delivery w
POST /console/mails/{id:int}/address                                 delivery w
GET  /console/jobs                                                   delivery r
POST /console/jobs/{name:str}/run                                    delivery w
GET  /console/journal                                                journal own
GET  /console/masters                                                masters r
GET  /console/masters/mails                                          masters r
GET  /console/masters/mails/{notice:str}                             masters r
POST /console/masters/mails/{notice:str}                             masters w
GET  /console/masters/products                                       masters r
POST /console/masters/products                                       masters w
GET  /console/masters/products/{id:int}                              masters r
POST /console/masters/products/{id:int}                              masters w
POST /console/masters/products/{id:int}/aliases                      masters w
POST /console/masters/products/{id:int}/aliases/{alias:int}/removal  masters w
GET  /console/masters/mailboxes                                      masters r
POST /console/masters/mailboxes                                      masters w
POST /console/masters/mailboxes/{id:int}/removal                     masters w
GET  /console/masters/categories                                     masters r
POST /console/masters/categories                                     masters w
POST /console/masters/categories/{id:int}                            masters w
GET  /console/masters/domains                                        masters r
POST /console/masters/domains                                        masters w
POST /console/masters/domains/{id:int}/removal                       masters w
GET  /console/masters/company-days                                   masters r
POST /console/masters/company-days                                   masters w
POST /console/masters/company-days/{id:int}/removal                  masters w
GET  /console/masters/reminders                                      masters r
POST /console/masters/reminders/{kind:str}                           masters w
GET  /console/masters/privacy-text                                   masters r
POST /console/masters/privacy-text                                   masters w
GET  /console/masters/privacy-text/{version:int}                     masters r
GET  /console/staff                                                  masters r
POST /console/staff                                                  masters w
GET  /console/staff/{id:int}                                         masters r
POST /console/staff/{id:int}                                         masters w
POST /console/staff/{id:int}/password                                masters w
POST /console/staff/{id:int}/totp-reset                              masters w
"""
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


@pytest.mark.parametrize("role", ROLES)
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
    request, refusal = add_request(session), add_refusal(session)
    alias, box = FamilyAlias(family_id=1, alias="x", alias_key="X"), FamilyMailbox(family_id=1, address="x@jscom.co.jp")
    domain, day = MailDomain(domain="x.example", kind=DomainKind.SHARED), CompanyDay(day=tokyo_date(NOW), name="休業")
    proof = Attachment(token="a-proof", name="mail.eml", size=3, sha256="0", storage_key=kept, created_at=NOW)
    change = add_email_change(session)
    change.state, change.pending, change.before = ChangeState.NOTIFIED, False, {"parties": [], "accounts": []}
    session.add_all([held, letter, alias, box, domain, day, proof])
    session.flush()
    certificate = add_certificate(session)
    session.add(EmailChangeFile(change_id=change.id, attachment_id=proof.id))
    numbers = {
        "tickets number": ticket.id,
        "tickets message": answer.id,
        "attachments token": "a-token",
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
        "jobs name": "deliver_mail",
        "mails notice": "ticket_opened",
        "products id": 1,
        "products alias": alias.id,
        "mailboxes id": box.id,
        "categories id": 1,
        "domains id": domain.id,
        "company-days id": day.id,
        "reminders kind": "digest",
        "privacy-text version": 1,
        "staff id": member.id,
    }
    return {name: str(number) for name, number in numbers.items()}
