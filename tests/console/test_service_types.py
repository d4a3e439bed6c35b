"""サービス種類: words that do not say their hours are read once by an administrator, and tickets show it."""

from __future__ import annotations

from sqlalchemy import Engine

from models.database import transaction
from rules.rights import Role
from tests.client import Client
from tests.people import add_account, add_certificate, add_staff, add_ticket, sign_in_staff

_PAGE = "/console/masters/services"


def test_a_service_nobody_can_read_is_read_once_and_its_tickets_say_so(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        add_certificate(session, lines=[{"service": "ゴールドサポート"}])
        ticket = add_ticket(session, add_account(session))
        sign_in_staff(client, session, add_staff(session, "kanri", roles=[Role.ADMIN]))
    ticket_page = f"/console/tickets/{ticket.id}"
    assert client.get(ticket_page).says("ゴールドサポート", "対応時間は不明")
    client.get(_PAGE)

    assert client.submit(_PAGE, service="ゴールドサポート", reads_as="手厚い対応", expect=422).says("曜日と時間を読み取れません。")
    assert client.submit(_PAGE, service="ゴールドサポート", reads_as="オンサイト 24時間365日").says("「ゴールドサポート」の読み方を決めました。")
    assert client.get(ticket_page).says("ゴールドサポート", "オンサイト・24時間365日")

    client.get(_PAGE)
    client.submit(_PAGE, service="ゴールドサポート", reads_as="オンサイト 対応時間なし")
    assert client.get(ticket_page).says("対応時間の定めはありません")
    client.get(_PAGE)
    assert client.submit("/removal").says("読み取れません")
    assert client.get(ticket_page).says("対応時間は不明")
    assert client.get("/console/journal").says("サービス種類の読み方を決めました", "サービス種類の読み方を外しました")
