"""Saved views: kept, shared, ordered, forgotten, begun with; and the products of the side menu."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from asgi import application
from models.database import transaction
from models.journal import JournalEntry
from models.people import QueueMember, Staff
from rules.rights import Role
from rules.tickets import State
from settings import Settings
from tests.client import Client, Page
from tests.people import PASSWORD, add_account, add_staff, add_ticket, family_id, sign_in_staff
from web.wiring import Wiring


def enter(engine: Engine, client: Client, user_id: str, *roles: Role) -> Staff:
    """Somebody of the staff, signed in."""
    with transaction(engine) as session:
        member = session.scalars(select(Staff).where(Staff.user_id == user_id)).one_or_none() or add_staff(session, user_id, roles=roles)
        sign_in_staff(client, session, member)
    return member


def menu(page: Page) -> list[str]:
    """The lines of the views in the side menu."""
    nav = page.root.first("nav", **{"aria-label": "保存したビュー"})
    assert nav
    return [link.text for link in nav.all("a")]


def test_a_view_is_kept_shown_in_the_menu_renamed_moved_and_forgotten(engine: Engine, client: Client) -> None:
    enter(engine, client, "nakamura", Role.SUPPORT)
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="東の件", family="ruckus")
        add_ticket(session, account, subject="西の件", state=State.OPEN)
    client.get("/console/tickets?product=ruckus&sort=updated&open=tools")
    page = client.click("ビューとして保存")
    assert page.says("状態：未解決", "製品：Ruckus", "並べ替え：更新が新しい順") and "共有" not in page.form().text
    assert client.submit("ビューを保存する", name=" ", expect=422).says("ビューの名前を入力してください。")

    page = client.submit("ビューを保存する", name="無線の件")

    assert page.heading.startswith("無線の件") and "東の件" in page.text and "西の件" not in page.text
    assert client.get("/console/tickets?product=ruckus&sort=updated&saved=1&open=tools", headers={"hx-request": "true"}).heading.startswith("無線の件")
    assert client.get("/console/tickets?product=ruckus&saved=1").heading.startswith("Ruckus")
    client.get("/console/views/new?state=closed")
    assert client.submit("ビューを保存する", name="無線の件", expect=422).says("「無線の件」という名前のビューがすでにあります。")
    client.submit("ビューを保存する", name="終わった件")
    page = client.get("/console/views")
    assert menu(page)[:2] == ["無線の件", "終わった件"]
    page = client.submit("/console/views/2/position", button="上へ：終わった件")
    assert menu(page)[:2] == ["終わった件", "無線の件"]
    page = client.submit("/console/views/1", name="無線 AP の件")
    assert page.says("ビューを変更しました。") and "無線 AP の件" in menu(page)
    page = client.submit("/console/views/2/deletion")
    assert menu(page)[0] == "無線 AP の件" and "終わった件" not in menu(page)
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.act).order_by(JournalEntry.id)).all() == ["save_view", "save_view", "change_view", "delete_view"]


def test_a_shared_view_is_everybodys_and_only_who_may_share_changes_it(engine: Engine, client: Client) -> None:
    enter(engine, client, "honda", Role.LEAD)
    client.get("/console/views/new?assignee=me")
    client.submit("ビューを保存する", name="朝の一覧", shared=True)
    client.get("/console/views/new")
    client.submit("ビューを保存する", name="本田の覚え")

    enter(engine, client, "nakamura", Role.SUPPORT)
    page = client.get("/console/views")

    assert menu(page)[0] == "朝の一覧（共有）" and "本田の覚え" not in page.text and "/console/views/1/deletion" not in page.html
    token = {"csrf_token": client.csrf_token()}
    for path in ("1/deletion", "1/position", "1", "2/start", "2/deletion"):
        client.post(f"/console/views/{path}", token, expect=404)
    client.get("/console/views/new")
    client.post("/console/views", {**token, "name": "共有したい", "query": "state=new", "shared": "1"})
    enter(engine, client, "sato", Role.SUPPORT)
    assert "共有したい" not in client.get("/console/views").text


def test_a_shared_view_bears_its_name_for_the_one_it_names_too(engine: Engine, client: Client) -> None:
    enter(engine, client, "nakamura", Role.SUPPORT)
    with transaction(engine, readonly=True) as session:
        number = session.scalars(select(Staff.id).where(Staff.user_id == "nakamura")).one()
    enter(engine, client, "honda", Role.LEAD)
    client.get(f"/console/views/new?assignee={number}&priority=urgent")
    client.submit("ビューを保存する", name="中村の至急", shared=True)

    for user_id in ("honda", "nakamura"):
        enter(engine, client, user_id, Role.LEAD)
        for headers in ({}, {"hx-request": "true"}):
            page = client.get(f"/console/tickets?assignee={number}&priority=urgent&saved=1", headers=headers)
            assert page.heading.startswith("中村の至急"), user_id


@pytest.fixture
def app(wiring: Wiring, settings: Settings) -> ASGIApp:
    """The desk as `make run` starts it: who has enrolled no code needs none."""
    return application(replace(wiring, settings=replace(settings, staff_totp="optional")))


def test_the_day_begins_with_the_chosen_view(engine: Engine, client: Client) -> None:
    enter(engine, client, "honda", Role.LEAD)
    client.get("/console/views/new?state=waiting_vendor")
    client.submit("ビューを保存する", name="メーカー待ち", shared=True)
    enter(engine, client, "nakamura", Role.SUPPORT)
    client.get("/console/views")
    assert client.submit("/console/views/1/start").says("サインインのあとは、「メーカー待ち」を開きます。")

    assert come_in(client).heading.startswith("メーカー待ち")
    client.get("/console/views")
    client.submit("/console/views/1/start", button="やめる：メーカー待ち")
    assert come_in(client).heading.startswith("すべてのチケット")


def come_in(client: Client) -> Page:
    """The page after the sign-in."""
    client.cookies.clear()
    client.get("/console/sign-in")
    return client.submit(user_id="nakamura", password=PASSWORD)


def test_the_menu_counts_the_products_of_ones_own_queues(engine: Engine, client: Client) -> None:
    nakamura = enter(engine, client, "nakamura", Role.SUPPORT)
    with transaction(engine) as session:
        account = add_account(session)
        for family, state in (("ruckus", State.NEW), ("ruckus", State.OPEN), ("ruckus", State.CLOSED), ("soliton", State.NEW)):
            add_ticket(session, account, family=family, state=state)

    assert menu(client.get("/console/tickets"))[:2] == ["Ruckus2件", "Soliton1件"]
    with transaction(engine) as session:
        session.add(QueueMember(family_id=family_id(session, "ruckus"), staff_id=nakamura.id))
    page = client.get("/console/tickets?product=ruckus")

    assert menu(page)[0] == "Ruckus2件" and "Soliton" not in "".join(menu(page))
    assert page.heading.startswith("Ruckus")
