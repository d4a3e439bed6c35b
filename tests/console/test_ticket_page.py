"""A ticket's page: the thread, the verdict, the deadline, the customer, and who sees what of it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session
from starlette.types import ASGIApp

from models.contracts import Certificate
from models.database import transaction
from models.masters import DomainKind, FamilyMailbox, MailDomain, mail_domains, mailboxes
from models.ticket_masters import ticket_masters
from models.tickets import Ticket
from rules.rights import Role
from rules.tickets import State
from tests.client import Client, Page
from tests.console.counting import counted
from tests.people import NOW, add_account, add_certificate, add_post, add_renewal, add_staff, add_ticket, sign_in_staff

HOUR = timedelta(hours=1)


def path_of(ticket: Ticket) -> str:
    return f"/console/tickets/{ticket.id}"


def sign_in(engine: Engine, client: Client, *roles: Role) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "reader", name="山本", roles=roles or (Role.SUPPORT,)))


def card(page: Page, heading: str) -> str:
    """The text of the card whose heading begins so."""
    return next(section.text for section in page.root.all("section") if any(title.text.startswith(heading) for title in section.all("h2")))


@pytest.fixture
def ticket(engine: Engine, client: Client) -> Ticket:
    """A ticket on a known contract with a question, a note and an answer; an engineer is signed in."""
    sign_in(engine, client)
    with transaction(engine) as session:
        add_certificate(session)
        account = add_account(session)
        member = add_staff(session)
        made = add_ticket(session, account, cc=["infra@osaka.tozai.example", "help@other.example"], due_at=NOW + HOUR, now=NOW - 3 * HOUR)
        add_post(session, made, "同じ機器で前にもありました", staff=member, note=True, now=NOW - 2 * HOUR)
        add_post(session, made, "ログを確認しております", staff=member, now=NOW - HOUR)
    return made


def test_the_thread_is_told_oldest_first_and_notes_are_marked(client: Client, ticket: Ticket) -> None:
    page = client.get(path_of(ticket))

    posts = [article.text for article in page.root.all("article")]
    assert [text in post for text, post in zip(("本日 9 時ごろから", "同じ機器で前にも", "ログを確認"), posts, strict=True)] == [True] * 3
    assert ["社内メモ（お客様には見えません）" in post for post in posts] == [False, True, False]
    assert "木村 はるか 様" in posts[0]
    assert page.title.startswith("新規：SRX300")


def test_the_verdict_comes_with_reason_lines_period_and_days_left(client: Client, ticket: Ticket) -> None:
    verdict = card(client.get(path_of(ticket)), "保守対象です")

    for words in ("契約番号とシリアル番号が明細に一致しました。", "JSC26040123A", "CV4126AF0093", "SRX300-SYS-JB", "2026/04/01", "2027/03/31", "残り 120日"):
        assert words in verdict


def test_a_verdict_that_changed_since_the_opening_says_so(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        add_certificate(session, starts_on=date(2025, 4, 1), ends_on=date(2026, 11, 30))
        made = add_ticket(session, add_account(session))

    verdict = card(client.get(path_of(made)), "保守期間が終了しています")

    assert "受付時 保守対象です 現在 保守期間が終了しています 受付時と変わりました" in verdict
    assert "終了から 1日" in verdict


def test_an_unknown_contract_is_found_by_its_serial(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        add_certificate(session)
        made = add_ticket(session, add_account(session), contract="不明")

    assert "シリアル番号が明細に一致しました。" in card(client.get(path_of(made)), "保守対象です")


def test_a_mistyped_contract_shows_the_serial_s_own_line(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        add_certificate(session)
        made = add_ticket(session, add_account(session), contract="JSC26O40123A")

    assert "JSC26040123A" in card(client.get(path_of(made)), "契約が見つかりません")


def test_the_deadline_says_from_when_it_counts(client: Client, ticket: Ticket) -> None:
    deadline = card(client.get(path_of(ticket)), "次の回答の期限")

    assert "残り 1時間0分" in deadline or "残り 1時間" in deadline
    assert "4 営業時間" in deadline


def test_days_that_do_not_count_are_named(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        friday = NOW - timedelta(days=4) + 6 * HOUR
        made = add_ticket(session, add_account(session), due_at=NOW - HOUR, now=friday)

    assert "土日" in card(client.get(path_of(made)), "次の回答の期限")


def test_who_will_receive_the_answer_is_shown_and_outsiders_are_marked(client: Client, ticket: Ticket) -> None:
    composer = card(client.get(path_of(ticket)), "お客様へ返信")

    assert "kimura@osaka.tozai.example" in composer
    assert "help@other.example（社外）" in composer
    assert "infra@osaka.tozai.example（社外）" not in composer


def test_other_tickets_of_the_customer_and_of_the_serial_are_linked(engine: Engine, client: Client, ticket: Ticket) -> None:
    with transaction(engine) as session:
        session.add(session.merge(ticket))
        add_ticket(session, add_account(session, "other"), subject="同じ機器の別件", contract="不明")

    page = client.get(path_of(ticket))

    assert any("同じ機器の別件" in link.text for link in page.root.all("a"))


def test_the_page_knows_every_shared_domain_and_every_old_mailbox(session: Session) -> None:
    known = ticket_masters(session)

    assert known.shared_domains == mail_domains(session, DomainKind.SHARED)
    assert known.mailboxes == mailboxes(session)
    assert len(known.shared_domains) > 1
    assert len(known.mailboxes) > 1


def test_without_shared_domains_and_old_mailboxes_the_page_knows_none(session: Session) -> None:
    session.execute(delete(MailDomain))
    session.execute(delete(FamilyMailbox))

    known = ticket_masters(session)

    assert known.shared_domains == frozenset()
    assert known.mailboxes == frozenset()


@pytest.mark.parametrize("more", [0, 40])
def test_the_page_asks_the_database_six_times_whatever_is_written(engine: Engine, client: Client, ticket: Ticket, more: int) -> None:
    with transaction(engine) as session:
        here = session.get_one(Ticket, ticket.id)
        member = add_staff(session, "writer", name="書き手")
        for n in range(more):
            add_post(session, here, f"{n} 通目", staff=member)
            add_certificate(session, f"JSC9{n:07}")

    with counted(engine) as statements:
        client.get(path_of(ticket))

    assert len(statements) <= 6, "\n".join(statements)


@pytest.mark.parametrize("role", [Role.DESK, Role.ADMIN, Role.AUDITOR])
def test_readers_read_and_have_nothing_to_write_with(engine: Engine, client: Client, ticket: Ticket, role: Role) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "only-reads", name="読む人", roles=[role]))

    page = client.get(path_of(ticket))

    assert page.says("本日 9 時ごろから", "閲覧だけできます。")
    assert not page.root.all("textarea")
    client.post(f"{path_of(ticket)}/notes", {"body": "x", "csrf_token": client.csrf_token()}, expect=403)


def test_the_service_center_sees_the_question_s_facts_and_not_the_thread(engine: Engine, client: Client, ticket: Ticket) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        session.get_one(Ticket, ticket.id).state = State.WAITING_CENTER
        other = add_ticket(session, None, subject="ほかの件", state=State.OPEN)
        sign_in_staff(client, session, add_staff(session, "center", name="渡辺", roles=[Role.SERVICE_CENTER]))

    page = client.get(path_of(ticket))

    assert page.says("SRX300 で IPsec VPN が切断される", "JSC26040123A", "保守対象です")
    assert not any(page.says(text) for text in ("本日 9 時ごろから", "同じ機器で前にも", "木村", "kimura"))
    client.get(path_of(other), expect=404)


@pytest.mark.parametrize("number", ["1", "99999999999", "0"])
def test_a_number_without_a_ticket_is_not_found(engine: Engine, client: Client, number: str) -> None:
    sign_in(engine, client)

    client.get(f"/console/tickets/{number}", expect=404)


def test_what_people_wrote_stays_text(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        made = add_ticket(session, add_account(session, company_name="<b>太字</b>社"), subject="<script>alert(1)</script>", body='<img src=x hx-get="/x">')

    page = client.get(path_of(made))

    assert page.heading == "<script>alert(1)</script>"
    assert page.says('<img src=x hx-get="/x">', "<b>太字</b>社")


def test_a_phone_ticket_of_nobody_yet_can_be_read(engine: Engine, client: Client) -> None:
    sign_in(engine, client)
    with transaction(engine) as session:
        made = add_ticket(session, None, contract="不明", serial="不明")

    assert client.get(path_of(made)).says("アカウントはまだありません。", "契約が不明です")


def test_the_renewals_around_a_contract_are_told_by_a_press(app: ASGIApp, engine: Engine, client: Client, ticket: Ticket) -> None:
    assert client.get(f"{path_of(ticket)}/renewals").says("更新前・更新後の契約は登録されていません。")
    with transaction(engine) as session:
        here = session.scalars(select(Certificate)).one()
        before = add_certificate(session, "JSC25040001A", starts_on=date(2025, 4, 1), ends_on=date(2026, 3, 31))
        after = add_certificate(session, "JSC27040001A", starts_on=date(2027, 4, 1), ends_on=date(2028, 3, 31))
        add_renewal(session, before, here)
        add_renewal(session, here, after)

    page = client.get(client.get(path_of(ticket)).link("更新前・更新後の契約"))
    part = client.get(f"{path_of(ticket)}/renewals", headers={"hx-request": "true"})

    assert page.says("更新前 JSC25040001A", "この契約 JSC26040123A", "更新後 JSC27040001A", "〜2028/03/31")
    assert part.says("更新後 JSC27040001A") and not part.heading
    center = Client(app)
    with transaction(engine) as session:
        sign_in_staff(center, session, add_staff(session, "center", name="渡辺", roles=(Role.SERVICE_CENTER,)))
    center.get(f"{path_of(ticket)}/renewals", expect=404)
