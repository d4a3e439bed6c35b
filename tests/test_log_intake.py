"""Logs on their way: read when they arrive, offered to the customer, held against the ticket for the engineer, the patterns a master."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.database import transaction
from models.tickets import Ticket
from rules.rights import Role
from tests import people
from tests.client import Client

LOG = b"Chassis                                CV4126AF0093      SRX300\nJUNOS Software Release [21.4R3-S5.4]\n"
FILLED: dict[str, Any] = {"subject": "VPN が切れる", "contract_key": "JSC26040123A", "category": "障害", "body": "切れます。"}


def test_what_a_log_says_is_offered_taken_over_and_checked(app: ASGIApp, engine: Engine) -> None:
    customer, member = Client(app), Client(app)
    with transaction(engine) as session:
        people.add_certificate(session)
        people.sign_in_customer(customer, session, people.add_account(session))
        people.sign_in_staff(member, session, people.add_staff(session, roles=(Role.SUPPORT,)))
    customer.get("/tickets/new/juniper-srx")

    offered = customer.submit("/tickets/new/juniper-srx", **FILLED, unknown=["serial"], model="EX3400", files={"files": [("rsi.log", LOG)]})
    assert offered.says("シリアル番号「CV4126AF0093」がありました。", "機種「SRX300」がありました。", "OS Ver.「21.4R3-S5.4」がありました。")
    button = offered.root.first("button", value="serial=CV4126AF0093")
    held = offered.root.first("input", name="held")
    assert button and held and button.attributes["name"] == "use"
    entries = {**FILLED, "serial": "不明", "model": "EX3400", "held": held.attributes["value"], "use": button.attributes["value"]}
    taken = customer.post("/tickets/new/juniper-srx", {**entries, "csrf_token": customer.csrf_token()}, multipart=True)
    assert not taken.says("シリアル番号「CV4126AF0093」がありました。")
    number = customer.submit("新規チケットの作成").path.rpartition("/")[2]

    with transaction(engine, readonly=True) as session:
        ticket = session.scalars(select(Ticket)).one()
        assert (ticket.serial_text, ticket.model) == ("CV4126AF0093", "EX3400")
    page = member.get(f"/console/tickets/{number}")
    assert page.says("ログのシリアル番号：CV4126AF0093", "ログの機種：SRX300 チケットと異なります")


def test_an_administrator_adds_a_pattern_after_trying_it(client: Client, engine: Engine) -> None:
    with transaction(engine) as session:
        people.sign_in_staff(client, session, people.add_staff(session, roles=(Role.ADMIN,)))
    client.get("/console/masters/logs")
    assert client.submit("試す", sample="Hostname: fw1\nSerial Number: AB1234\n").says("見つかった値", "AB1234")
    assert client.submit("試す", sample="nothing here").says("何も見つかりませんでした。")
    assert client.submit("探し方を追加する", fact="serial", pattern="{値}", expect=422).fault_of("pattern")

    client.submit("探し方を追加する", fact="serial", pattern="Asset Tag: {値}")
    assert client.submit("探し方を追加する", fact="serial", pattern="Asset Tag: {値}", expect=422).says("同じ探し方がすでにあります。")
    assert client.get("/console/masters/logs").says("Asset Tag: {値}")
