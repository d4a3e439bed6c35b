"""The mail ledger: what was sent to whom, found again, sent again or given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions import delivery, notices
from actions.letters import Draft, write_letters
from asgi import application
from mail.compose import Text
from mail.desk import Desk
from mail.smtp import Answer, Outcome, Verdict
from models.database import transaction
from models.journal import JournalEntry
from models.outbox import Letter, Recipient
from rules.limits import Limits
from rules.rights import Role
from tests.client import Client, Page
from tests.console.counting import counted
from tests.people import EMAIL, NOW, add_account, add_staff, add_ticket, sign_in_staff
from web.wiring import Wiring

MAILS = "/console/mails"
DESK = Desk("http://127.0.0.1:8720", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
A, B = "a@tozai.example", "b@minato.example"


def sign_in(client: Client, engine: Engine, role: Role) -> None:
    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, role, name="本田", roles=(role,)))


def write(session: Session, cause: str, to: str = A, *, cc: Sequence[str] = (), ticket_id: int | None = None, body: str = "本文です。\n") -> int:
    return write_letters(session, [Draft("answered", cause, Text(f"件名 {cause}", body), [to], cc, ticket_id=ticket_id)], desk=DESK, now=NOW)[0]


def settle(session: Session, **verdicts: Verdict) -> None:
    """Try all that is due; every address gets what `a` or `b` says."""
    for held in delivery.claim(session, now=NOW, limit=50):
        answers = {one.address: Answer(verdicts.get(one.address[0], Verdict.ACCEPTED), f"answer to {one.address}") for one in held.open}
        delivery.settle(session.connection(), delivery.ending(held, Outcome(answers), limits=Limits(), now=NOW))


def subjects(page: Page) -> list[str]:
    return [row.all("a")[0].text for row in page.root.all("tr")[1:]]


def test_the_ledger_lists_the_newest_letters_first(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        for cause in ("one", "two"):
            write(session, cause, cc=[B])
    sign_in(client, engine, Role.SUPPORT)

    page = client.get(MAILS)

    assert subjects(page) == ["件名 two", "件名 one"]
    assert page.says("待機", A, "ほか 1件", "チケットの回答")


def test_letters_are_found_by_address_ticket_and_trouble(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        write(session, "fine", A)
        write(session, "troubled", B)
        settle(session, b=Verdict.PERMANENT)
        write(session, "ticket", "c@tozai.example", ticket_id=ticket.id)
    sign_in(client, engine, Role.AUDITOR)

    assert subjects(client.get(f"{MAILS}?q=B%40minato.example")) == ["件名 troubled"]
    assert subjects(client.get(f"{MAILS}?q=%23{ticket.id}")) == ["件名 ticket"]
    assert subjects(client.get(f"{MAILS}?state=troubled")) == ["件名 troubled"]
    assert subjects(client.get(f"{MAILS}?state=waiting")) == ["件名 ticket"]
    assert client.get(f"{MAILS}?q=nobody").says("条件に合うメールがありません。")
    assert client.get(f"{MAILS}?q=99999999999&state=nonsense&before=x").status == 200


def test_a_letter_shows_its_text_and_what_became_of_each_recipient(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        ticket = add_ticket(session, add_account(session))
        id_ = write(session, "one", cc=[B], ticket_id=ticket.id, body="<b>回答</b>の本文です。\n")
        settle(session, b=Verdict.TEMPORARY)
    sign_in(client, engine, Role.SUPPORT)

    page = client.get(f"{MAILS}/{id_}")

    assert page.says("<b>回答</b>の本文です。", A, "受付済", f"answer to {A}", B, "一時失敗", f"answer to {B}", f"#{ticket.id}", "Message-ID")
    assert "再送する" not in page.text, "support may look"


def test_a_lead_sends_again_to_those_who_were_not_reached(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one", cc=[B])
        settle(session, b=Verdict.PERMANENT)
    sign_in(client, engine, Role.LEAD)
    client.get(f"{MAILS}/{id_}")

    page = client.submit(f"{MAILS}/{id_}/resend")

    assert page.says("届いていない 1件の宛先に、もう一度送ります。")
    with transaction(engine) as session:
        assert [one.address for held in delivery.claim(session, now=NOW, limit=5) for one in held.open] == [B]


def test_a_lead_gives_up_a_recipient(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one")
        settle(session, a=Verdict.TEMPORARY)
    sign_in(client, engine, Role.LEAD)
    client.get(f"{MAILS}/{id_}")

    page = client.submit(f"{MAILS}/{id_}/suppression")

    assert page.says("届いていない 1件の宛先への送信を止めました。", "抑止", "職員が送信を止めました。")


def test_what_cannot_be_sent_again_says_why(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one")
    sign_in(client, engine, Role.LEAD)
    client.get(f"{MAILS}/{id_}")
    with transaction(engine) as session:
        settle(session)

    page = client.submit(f"{MAILS}/{id_}/resend", expect=422)

    assert page.says("このメールは、すべての宛先に届いています。")


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.SERVICE_CENTER, Role.DESK, Role.AUDITOR])
def test_who_may_only_look_cannot_send(engine: Engine, client: Client, role: Role) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one")
    sign_in(client, engine, role)
    client.get(MAILS)
    token = client.csrf_token()

    for act in ("resend", "suppression"):
        client.post(f"{MAILS}/{id_}/{act}", {"csrf_token": token}, expect=403)


def test_a_letter_that_is_not_there_is_not_found(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.LEAD)

    client.get(f"{MAILS}/4711", expect=404)


def test_the_center_reads_no_thread_through_the_ledger(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one", ticket_id=add_ticket(session, add_account(session)).id, body="スレッドの本文です。\n")
    sign_in(client, engine, Role.SERVICE_CENTER)

    page = client.get(f"{MAILS}/{id_}")

    assert not page.says("スレッドの本文です。")
    assert page.says("チケットの本文は、サポートの担当者だけが読めます。")


def test_links_that_give_a_right_are_blotted_out_where_mail_really_leaves(engine: Engine, wiring: Wiring) -> None:
    with transaction(engine) as session:
        account = add_account(session)
        notices.login_ids(session, EMAIL, [(account, "s3cret-token")], desk=DESK, limits=Limits(), now=NOW)
        id_ = session.scalars(select(Letter.id)).one()

    for smtp_url, shown in (("", True), ("smtp://mail.example.jp", False)):
        settings = replace(wiring.settings, smtp_url=smtp_url)
        with Client(application(replace(wiring, settings=settings))) as client:
            sign_in_again(client, engine, f"honda-{shown}".lower())
            assert ("s3cret-token" in client.get(f"{MAILS}/{id_}").text) is shown


def test_a_page_of_letters_costs_the_same_few_statements(engine: Engine, client: Client) -> None:
    sign_in(client, engine, Role.LEAD)
    with transaction(engine) as session:
        write(session, "first")
    with counted(engine) as few:
        client.get(MAILS)
    with transaction(engine) as session:
        for number in range(60):
            write(session, f"{number}", cc=[B])

    with counted(engine) as many:
        page = client.get(MAILS)

    assert len(many) == len(few) <= 6
    assert len(subjects(page)) == 50
    assert len(subjects(client.click("次のページ"))) == 11


def test_recipients_are_shown_as_being_tried_while_the_letter_is_on_its_way(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one")
        delivery.claim(session, now=NOW, limit=1)
        assert session.scalars(select(Recipient.letter_id)).all() == [id_]
    sign_in(client, engine, Role.LEAD)

    page = client.get(f"{MAILS}/{id_}")

    assert page.text.count("送信中") == 2
    assert "再送する" not in page.text


def sign_in_again(client: Client, engine: Engine, user_id: str) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, user_id, name="本田", roles=(Role.LEAD,)), now=NOW + timedelta(seconds=1))


def test_a_wrong_address_is_corrected_and_the_letter_goes_there_alone(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        id_ = write(session, "one", B, cc=[A])
        settle(session, b=Verdict.PERMANENT)
        secret = write_letters(session, [Draft("login_ids", "secret", Text("件名", "本文\n"), [B])], desk=DESK, now=NOW)[0]
        settle(session, b=Verdict.PERMANENT)
    sign_in(client, engine, Role.ADMIN)

    client.get(f"{MAILS}/{id_}")
    assert client.submit("直して送り直す", recipient=B, address="b＠minato", expect=422).fault_of("address")
    assert client.submit("直して送り直す", recipient=B, address=A, expect=422).says("すでにこのメールの宛先です")
    assert client.submit("直して送り直す", recipient=B, address="ｂ２@minato.example").says("宛先を b2@minato.example に直し、もう一度送ります。")
    assert not client.get(f"{MAILS}/{secret}").says("直して送り直す")
    client.post(f"{MAILS}/{secret}/address", {"csrf_token": client.csrf_token(), "recipient": B, "address": "evil@evil.example"}, expect=422)

    with transaction(engine) as session:
        (held,) = delivery.claim(session, now=NOW, limit=50)
        assert [one.address for one in held.open] == ["b2@minato.example"]
        assert session.scalars(select(JournalEntry.facts).where(JournalEntry.act == "correct_address")).one() == {"address": [B, "b2@minato.example"]}
