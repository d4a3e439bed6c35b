"""Every page asks the database a few times, and no more often where there is more to show."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.canned import Canned, CannedKind
from models.contracts import ContractLine
from models.database import transaction
from models.outbox import Letter
from models.people import Account
from models.saved_views import SavedView
from models.tickets import Attachment, Ticket
from rules.rights import Role
from rules.tickets import State
from tests import people
from tests.attacks.house import House, furnished, named, pages
from tests.console.counting import counted
from tests.people import NOW
from web.wiring import Wiring

_MORE = 3
_MOST = 10
_DEARER = {
    "GET /console/contracts/{id:int}": 20,
    "GET /console/email-changes/{id:int}": 17,
    "GET /console/tickets/{number:int}/match": 14,
    "GET /console/exceptions": 15,
    "GET /console/exceptions/{id:int}": 14,
}
"""Pages that bring together what lies in many tables."""


@pytest.fixture
def house(engine: Engine, wiring: Wiring) -> Iterator[House]:
    """One of everything."""
    with furnished(engine, wiring) as built:
        yield built


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_every_page_asks_a_few_times_and_no_more_often_where_there_is_more(house: House) -> None:
    few = _asked(house)
    with transaction(house.engine) as session:
        for number in range(_MORE):
            _add(session, house, number)
    many = _asked(house)

    assert {name: (few[name], many[name]) for name in few if many[name] > few[name]} == {}
    assert {name: count for name, count in many.items() if count > _DEARER.get(name, _MOST)} == {}


def _asked(house: House) -> dict[str, int]:
    visitors = {access: house.fitting(page) for page in pages("GET") for access in [page.access]}
    asked: dict[str, int] = {}
    for page in pages("GET"):
        with counted(house.engine) as statements:
            visitors[page.access].get(house.path(page))
        asked[named(page)] = len(statements)
    return asked


def _add(session: Session, house: House, number: int) -> None:
    kimura = session.get_one(Account, int(house.numbers["account kimura"]))
    ticket = session.get_one(Ticket, int(house.numbers["tickets number"]))
    member = people.add_staff(session, f"more{number}", name=f"職員{number}", roles=(Role.SUPPORT,))
    people.add_certificate(session, f"JSC2604{number}999X")
    people.add_account(session, f"more{number}")
    people.add_ticket(session, kimura, subject=f"ほかの {number}", state=State.OPEN)
    post = people.add_post(session, ticket, f"続き {number}", account=kimura)
    people.add_post(session, ticket, f"メモ {number}", staff=member, note=True)
    session.add(Attachment(token=f"more{number}", message_id=post.id, name="b.log", size=1, sha256="0", storage_key=f"more{number}", created_at=NOW))
    session.add(
        ContractLine(
            certificate_id=int(house.numbers["contracts id"]),
            family_id=1,
            product_number=f"P{number}",
            serial=f"S{number}",
            service="保守",
            starts_on=NOW.date(),
            ends_on=NOW.date(),
            contact="x",
        )
    )
    session.add(Canned(kind=CannedKind.TEXT, name=f"文 {number}", body="x", updated_at=NOW, updated_by="佐藤"))
    session.add(SavedView(staff_id=member.id, shared=True, name=f"v{number}", query="", position=number, created_at=NOW, updated_at=NOW))
    session.add(Letter(kind="answered", cause=f"m{number}", header_id=f"<m{number}@x>", thread_ids=[], subject="件名", body="本文", created_at=NOW, try_at=NOW))
    people.add_import(session)
    people.add_refusal(session)
    people.add_returned_mail(session)
    people.add_email_change(session, old=f"more{number}@kansai-hanbai.example")
    people.add_grant(session, people.add_request(session, email=f"more{number}@tozai.example"))
