"""The queue: what stands in it, in which order, and what its filters and pages do."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from console.frame import today_began
from models.database import transaction
from models.people import Staff
from models.queue import queue_menu
from rules.calendar import BusinessCalendar
from rules.reminders import near_edges
from rules.rights import Role
from rules.tickets import Priority, State
from tests.client import Client, Page
from tests.people import NOW, add_account, add_staff, add_ticket, sign_in_staff

HOUR = timedelta(hours=1)


@pytest.fixture
def nakamura(engine: Engine, client: Client) -> Staff:
    """中村 of the support, signed in."""
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    return member


def subjects(page: Page) -> list[str]:
    """The subjects of the list, in its order."""
    return [link.text for row in page.root.all("tr") for link in row.all("a")]


def test_what_is_due_first_stands_first_and_what_waits_stands_last(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="待っている", state=State.WAITING_CUSTOMER)
        add_ticket(session, account, subject="夕方まで", due_at=NOW + 5 * HOUR)
        add_ticket(session, account, subject="過ぎている", due_at=NOW - HOUR / 2)
        add_ticket(session, account, subject="昼まで", due_at=NOW + 2 * HOUR)

    page = client.get("/console/tickets")

    assert subjects(page) == ["過ぎている", "昼まで", "夕方まで", "待っている"]
    assert page.says("30分 超過", "残り 2時間", "停止中", "お客様の返信待ち")


def test_resolved_and_closed_tickets_stand_in_the_queue_only_when_asked_for(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="未解決の件")
        for subject, state in (("解決した件", State.RESOLVED), ("終わった件", State.CLOSED)):
            add_ticket(session, account, subject=subject, state=state).resolved_at = NOW

    assert subjects(client.get("/console/tickets")) == ["未解決の件"]
    assert subjects(client.get("/console/tickets?state=closed")) == ["終わった件"]
    assert sorted(subjects(client.get("/console/tickets?state=all"))) == sorted(["未解決の件", "解決した件", "終わった件"])


def test_the_views_show_what_their_names_say(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="私の件", assignee=nakamura, state=State.OPEN, due_at=NOW + 7 * HOUR)
        add_ticket(session, account, subject="佐藤の件", assignee=add_staff(session, "sato", name="佐藤"), state=State.WAITING_VENDOR)
        add_ticket(session, account, subject="誰のでもない件", due_at=NOW + HOUR / 2)
        add_ticket(session, account, subject="今日の解決", state=State.RESOLVED).resolved_at = NOW - HOUR / 2
        add_ticket(session, account, subject="昨日の解決", state=State.RESOLVED).resolved_at = NOW - 24 * HOUR

    assert subjects(client.get("/console/tickets?view=mine")) == ["私の件"]
    assert subjects(client.get("/console/tickets?view=unassigned")) == ["誰のでもない件"]
    assert subjects(client.get("/console/tickets?view=due")) == ["誰のでもない件"]
    assert subjects(client.get("/console/tickets?view=waiting_vendor")) == ["佐藤の件"]
    assert subjects(client.get("/console/tickets?view=resolved_today")) == ["今日の解決"]
    assert client.get("/console/tickets?view=mine").heading.startswith("自分の担当")


def test_near_is_a_quarter_of_what_the_priority_promises(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="中で 61 分", due_at=NOW + timedelta(minutes=61))
        add_ticket(session, account, subject="中で 60 分", due_at=NOW + timedelta(minutes=60))
        add_ticket(session, account, subject="緊急で 16 分", due_at=NOW + timedelta(minutes=16)).priority = Priority.URGENT
        add_ticket(session, account, subject="低で 2 時間", due_at=NOW + timedelta(minutes=120)).priority = Priority.LOW

    assert subjects(client.get("/console/tickets?view=due")) == ["中で 60 分", "低で 2 時間"]


def test_filters_narrow_the_list_and_each_can_be_taken_off(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="私の SRX", assignee=nakamura, state=State.OPEN)
        add_ticket(session, account, subject="私の Ruckus", assignee=nakamura, state=State.OPEN, family="ruckus")
        add_ticket(session, account, subject="誰かの SRX")

    page = client.get(f"/console/tickets?state=open&product=juniper-srx&assignee={nakamura.id}")

    assert subjects(page) == ["私の SRX"]
    assert page.says("担当：自分", "状態：対応中", "製品：Juniper-SRX")
    assert subjects(client.click("絞り込み「製品：Juniper-SRX」を外す")) == ["私の SRX", "私の Ruckus"]


def test_a_priority_narrows_the_list_and_stands_in_its_address(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="急ぎの件").priority = Priority.URGENT
        add_ticket(session, account, subject="ふつうの件")
    client.get("/console/tickets?view=unassigned&open=tools")

    page = client.submit("絞り込む", priority="urgent")

    assert subjects(page) == ["急ぎの件"] and "priority=urgent" in page.path and page.says("優先度：緊急", "担当：未割り当て")
    assert len(subjects(client.click("絞り込み「優先度：緊急」を外す"))) == 2


def test_the_filters_form_keeps_what_was_searched(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="VPN が切れる", state=State.OPEN)
        add_ticket(session, account, subject="VPN が遅い")
        add_ticket(session, account, subject="別の話", state=State.OPEN)

    client.get("/console/tickets?q=VPN")
    client.click("条件・保存・書き出し")

    assert subjects(client.submit("絞り込む", state="open")) == ["VPN が切れる"]


def test_an_order_can_be_chosen(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        for subject, hours in (("一番", 1), ("二番", 3), ("三番", 2)):
            add_ticket(session, account, subject=subject, due_at=NOW + 5 * HOUR).updated_at = NOW + hours * HOUR

    assert subjects(client.get("/console/tickets?sort=updated")) == ["二番", "三番", "一番"]
    assert subjects(client.get("/console/tickets?sort=created")) == ["一番", "二番", "三番"]


@pytest.mark.parametrize("sort", ["due", "updated", "created"])
def test_pages_show_every_ticket_once_forwards_and_backwards(engine: Engine, client: Client, nakamura: Staff, sort: str) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        for n in range(121):
            add_ticket(session, account, subject=f"件 {n}", due_at=NOW + timedelta(minutes=n // 10), now=NOW - timedelta(minutes=n // 7))

    first = client.get(f"/console/tickets?sort={sort}")
    second = client.click("次のページ")
    third = client.click("次のページ")
    seen = subjects(first) + subjects(second) + subjects(third)

    assert [len(subjects(page)) for page in (first, second, third)] == [50, 50, 21]
    assert len(set(seen)) == 121
    assert "次のページ" not in third.text
    assert subjects(client.click("前のページ")) == subjects(second)
    back = client.click("前のページ")
    assert subjects(back) == subjects(first)
    assert "前のページ" not in back.text


def test_asked_for_by_htmx_the_list_comes_alone(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        add_ticket(session, add_account(session))

    page = client.get("/console/tickets?sort=updated", headers={"hx-request": "true"})

    assert page.root.first(id="queue")
    assert page.root.first("nav", **{"aria-label": "チケットのビュー"}) is None


@pytest.mark.parametrize("query", ["state=nothing", "assignee=999", "product=unknown", "sort=size", "after=9-9-9", "after=999999999999999999-1", "view=x"])
def test_what_nobody_could_choose_counts_as_not_asked_for(engine: Engine, client: Client, nakamura: Staff, query: str) -> None:
    with transaction(engine) as session:
        add_ticket(session, add_account(session), subject="ここにある")

    assert subjects(client.get(f"/console/tickets?{query}")) in (["ここにある"], [])


def test_the_same_filter_twice_is_a_bad_request(client: Client, nakamura: Staff) -> None:
    client.get("/console/tickets?state=open&state=new", expect=400)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("view=unassigned", "未割り当てのチケットはありません。"),
        ("view=mine", "担当しているチケットはありません。"),
        ("product=ruckus", "条件に合うチケットがありません。"),
        ("q=nothing", "条件に合うチケットがありません。"),
        ("", "未解決のチケットはありません。"),
    ],
)
def test_an_empty_list_says_why(client: Client, nakamura: Staff, query: str, says: str) -> None:
    assert client.get(f"/console/tickets?{query}").says(says)


def test_the_service_center_sees_what_it_is_asked_and_no_more(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        add_ticket(session, account, subject="契約を確かめたい", state=State.WAITING_CENTER)
        add_ticket(session, account, subject="ほかの相談", state=State.OPEN)
        sign_in_staff(client, session, add_staff(session, "center", name="渡辺", roles=[Role.SERVICE_CENTER]))

    page = client.get("/console/tickets?state=all&q=相談")

    assert subjects(page) == ["契約を確かめたい"]
    assert account.company_name not in page.text


def test_what_was_resolved_before_nine_in_tokyo_counts_as_today_in_the_menu(engine: Engine, client: Client, nakamura: Staff) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        midnight = today_began(NOW)
        for number, at in enumerate((midnight - HOUR / 60, midnight, midnight + 8 * HOUR)):
            add_ticket(session, account, subject=f"{number}", state=State.RESOLVED).resolved_at = at
    with transaction(engine, readonly=True) as session:
        counts, _ = queue_menu(session, staff_id=nakamura.id, due_by=near_edges(BusinessCalendar(), NOW), today_began=midnight)

    assert counts["resolved_today"] == 2
