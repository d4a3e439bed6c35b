"""The queue of changes of maintenance e-mails, who may look at it, and the portal's side of it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from models.database import transaction
from models.email_changes import EmailChange
from models.people import Account
from rules.rights import Role
from tests.client import Client
from tests.clock import Clock
from tests.console.center import NEW, PATH, Center, center_of
from tests.console.counting import counted
from tests.people import add_account, add_email_change, add_staff, sign_in_customer, sign_in_staff


@pytest.fixture
def center(app: ASGIApp, engine: Engine, client: Client) -> Center:
    return center_of(app, engine, client)


def test_the_queue_begins_with_what_is_due_first_and_marks_what_is_late(center: Center, clock: Clock) -> None:
    late, later = center.record(received_on="2026/11/20"), center.record("b@osaka.tozai.example")
    page = center.mori.get(PATH)

    assert [row.all("a")[0].attributes["href"] for row in page.root.all("tr")[1:]] == [late, later]
    assert page.says("超過", "2026/11/25")
    menu = next(item for item in page.root.all("a") if item.attributes.get("href") == PATH and "item" in item.attributes.get("class", ""))
    assert menu.text.startswith("保守登録メール変更2")
    center.decide(later, "withdraw")
    assert center.mori.get(f"{PATH}?view=done").says("b@osaka.tozai.example")
    assert center.mori.get(f"{PATH}?q=nothing").says("条件に合う依頼がありません")


def test_the_queue_is_paged_both_ways_and_costs_the_same(center: Center) -> None:
    center.mori.get(PATH)
    with counted(center.engine) as few:
        center.mori.get(PATH)
    with transaction(center.engine) as session:
        for number in range(120):
            add_email_change(session, new=f"n{number}@osaka.tozai.example")
    with counted(center.engine) as many:
        first = center.mori.get(PATH)
    second = center.mori.click("次のページ")
    third = center.mori.click("次のページ")

    assert len(few) == len(many)
    assert [len(page.root.all("tr")) - 1 for page in (first, second, third)] == [50, 50, 20]
    assert center.mori.click("前のページ").text == second.text


def test_an_auditor_reads_and_decides_nothing(center: Center) -> None:
    path = center.record()
    auditor = Client(center.app)
    with transaction(center.engine) as session:
        sign_in_staff(auditor, session, add_staff(session, "kansa", roles=(Role.AUDITOR,)))

    page = auditor.get(path)

    assert page.says("JSC26040123A")
    assert not page.says("判断を確定する")


def test_a_customer_asks_follows_and_takes_back(center: Center, app: ASGIApp) -> None:
    kimura = Client(app)
    with transaction(center.engine) as session:
        sign_in_customer(kimura, session, session.scalars(select(Account)).one())
    kimura.get("/profile")
    kimura.click("保守登録メールの変更を依頼する")
    page = kimura.submit("/profile/maintenance-email", new_email=NEW, body="担当が代わりました。", files={"files": [("知らせ.pdf", b"%PDF")]})
    assert page.says("変更の依頼を受け付けました", "2026/12/03", "確認中")
    page = kimura.submit("/profile/maintenance-email", new_email=NEW, body="もう一度", expect=422)
    assert "すでに承っています" in " ".join(page.alerts)
    stranger = Client(app)
    with transaction(center.engine) as session:
        sign_in_customer(stranger, session, add_account(session, "spy"))
        number = session.scalars(select(EmailChange.id)).one()
    stranger.get("/profile/maintenance-email")
    stranger.post(f"/profile/maintenance-email/{number}/withdrawal", {"csrf_token": stranger.csrf_token()}, expect=404)

    assert center.mori.get(f"{PATH}/{number}").says("知らせ.pdf", "お客様（ポータル）")
    kimura.get("/profile/maintenance-email")
    assert kimura.submit("/withdrawal").says("取り下げました", "取下げ")


def test_the_due_date_explains_itself_over_a_row_of_holidays(center: Center, clock: Clock) -> None:
    clock.set(datetime(2026, 9, 24, 1, 0, tzinfo=UTC))
    with transaction(center.engine) as session:
        change = add_email_change(session)
        change.received_on, change.due_on = date(2026, 9, 18), date(2026, 9, 25)
        number = change.id

    page = center.colleague("fujita").get(f"{PATH}/{number}")
    assert page.says("敬老の日", "国民の休日", "秋分の日", "土日")
