"""Who gets which letter, and what stands in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import notices
from actions.attachments import FileFacts
from actions.outside_mails import count_outside
from mail.desk import Desk
from models.actors import StaffMember
from models.admission import PendingRegistration
from models.outbox import HELD, Letter, LetterState, Recipient, RecipientState
from models.people import Account, QueueMember, Staff
from models.tickets import Message, Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.rights import Role
from tests.people import EMAIL, MAINTENANCE, NOW, add_account, add_post, add_staff, add_ticket, family_id

DESK = Desk("https://tickets.example.jp", "J's チケットシステム <tickets@jscom.example>", "tickets-admin@jscom.example", "center@jscom.example")
LIMITS = Limits()


def letters(session: Session, kind: str) -> Sequence[Letter]:
    return session.scalars(select(Letter).where(Letter.kind == kind).order_by(Letter.id)).all()


def recipients(session: Session, letter: Letter) -> list[tuple[str, str]]:
    rows = session.execute(select(Recipient.place, Recipient.address).where(Recipient.letter_id == letter.id).order_by(Recipient.id))
    return [(row.place, row.address) for row in rows]


def first_post(session: Session, ticket: Ticket) -> Message:
    return session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)).first()  # type: ignore[return-value]


def open_ticket(session: Session, account: Account | None, *, cc: Sequence[str] = (), limits: Limits = LIMITS) -> Ticket:
    ticket = add_ticket(session, account, cc=cc)
    notices.ticket_opened(session, ticket, first_post(session, ticket), desk=DESK, limits=limits, now=NOW)
    return ticket


def test_a_new_ticket_is_one_mail_to_the_account_and_its_cc(session: Session) -> None:
    open_ticket(session, add_account(session), cc=["sato@tozai.example", "suzuki@tozai.example"])

    (letter,) = letters(session, "ticket_opened")
    assert recipients(session, letter) == [("to", EMAIL), ("cc", "sato@tozai.example"), ("cc", "suzuki@tozai.example")]


def test_the_maintenance_address_gets_nothing(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))
    answer = add_post(session, ticket, "回答です。", staff=add_staff(session))
    notices.answered(session, ticket, answer, desk=DESK, limits=LIMITS, now=NOW)
    notices.ticket_updated(session, ticket, add_post(session, ticket, "返信です。"), desk=DESK, limits=LIMITS, now=NOW)

    assert MAINTENANCE not in session.scalars(select(Recipient.address)).all()


def test_the_same_cause_never_makes_two_letters(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))

    notices.ticket_opened(session, ticket, first_post(session, ticket), desk=DESK, limits=LIMITS, now=NOW)

    assert len(letters(session, "ticket_opened")) == 1


def test_an_answer_leaves_when_it_is_published(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))
    answer = add_post(session, ticket, "回答です。", staff=add_staff(session))
    answer.published_at = NOW + timedelta(seconds=10)

    notices.answered(session, ticket, answer, desk=DESK, limits=LIMITS, now=NOW)

    assert letters(session, "answered")[0].try_at == NOW + timedelta(seconds=10)


def test_an_undone_answer_is_withdrawn_and_its_message_can_go(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))
    answer = add_post(session, ticket, "回答です。", staff=add_staff(session))
    notices.answered(session, ticket, answer, desk=DESK, limits=LIMITS, now=NOW)

    withdrawn = notices.withdraw(session, answer, now=NOW)
    session.delete(answer)
    session.flush()
    again = add_post(session, ticket, "直した回答です。", staff=session.scalars(select(Staff)).one())
    notices.answered(session, ticket, again, desk=DESK, limits=LIMITS, now=NOW)

    assert withdrawn
    assert [letter.state for letter in letters(session, "answered")] == [LetterState.WITHDRAWN, LetterState.WAITING]


def test_a_letter_on_its_way_cannot_be_withdrawn(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))
    answer = add_post(session, ticket, "回答です。", staff=add_staff(session))
    notices.answered(session, ticket, answer, desk=DESK, limits=LIMITS, now=NOW)
    letters(session, "answered")[0].state = LetterState.SENDING
    session.flush()

    assert not notices.withdraw(session, answer, now=NOW)


def test_a_ticket_of_nobody_tells_staff_only(session: Session) -> None:
    add_staff(session)

    open_ticket(session, None, cc=["sato@tozai.example"])

    assert [letter.kind for letter in session.scalars(select(Letter))] == ["staff_ticket_opened"]


def test_the_ticket_of_an_erased_customer_can_be_answered_and_nobody_is_told(session: Session) -> None:
    account = add_account(session)
    ticket = add_ticket(session, account, cc=["guest@elsewhere.example"])
    account.email = account.email_key = account.maintenance_email = account.maintenance_email_key = ""
    session.flush()

    notices.answered(session, ticket, add_post(session, ticket, "回答です。", staff=add_staff(session)), desk=DESK, limits=LIMITS, now=NOW)

    assert letters(session, "answered") == []


def test_a_note_is_no_cause_of_a_letter(session: Session) -> None:
    ticket = open_ticket(session, add_account(session))
    note = add_post(session, ticket, "社外秘のメモです。", staff=add_staff(session), note=True)

    with pytest.raises(ValueError):
        notices.answered(session, ticket, note, desk=DESK, limits=LIMITS, now=NOW)


def test_the_queues_members_are_told_of_a_new_ticket(session: Session) -> None:
    member = add_staff(session, "sato", name="佐藤")
    add_staff(session, "nakamura")
    session.add(QueueMember(family_id=family_id(session, "juniper-srx"), staff_id=member.id))

    open_ticket(session, add_account(session))

    assert recipients(session, letters(session, "staff_ticket_opened")[0]) == [("to", "sato@jscom.co.jp")]


def test_without_members_support_and_leads_are_told_and_nobody_else(session: Session) -> None:
    add_staff(session, "nakamura")
    add_staff(session, "honda", roles=[Role.LEAD, Role.ADMIN])
    add_staff(session, "ito", roles=[Role.SERVICE_CENTER])
    add_staff(session, "gone").active = False

    open_ticket(session, add_account(session))

    assert recipients(session, letters(session, "staff_ticket_opened")[0]) == [("to", "nakamura@jscom.co.jp"), ("to", "honda@jscom.co.jp")]


def test_a_reply_is_told_to_the_customer_and_the_assignee(session: Session) -> None:
    account, member = add_account(session), add_staff(session)
    add_staff(session, "honda", roles=[Role.LEAD])
    ticket = add_ticket(session, account, assignee=member)

    notices.ticket_updated(session, ticket, add_post(session, ticket, "追記です。", account=account), desk=DESK, limits=LIMITS, now=NOW)

    assert recipients(session, letters(session, "ticket_updated")[0]) == [("to", EMAIL)]
    assert recipients(session, letters(session, "staff_ticket_updated")[0]) == [("to", "nakamura@jscom.co.jp")]


def test_an_assignment_is_told_to_the_assignee_but_not_to_oneself(session: Session) -> None:
    member, lead = add_staff(session), add_staff(session, "honda", name="本田", roles=[Role.LEAD])
    ticket = add_ticket(session, add_account(session))

    for by in (lead, member):
        actor = StaffMember(id=by.id, name=by.name)
        notices.assigned(session, ticket, member.id, by=actor, desk=DESK, limits=LIMITS, now=NOW)

    (letter,) = letters(session, "staff_assigned")
    assert recipients(session, letter) == [("to", "nakamura@jscom.co.jp")]
    assert "本田さんが、あなたをこのチケットの担当にしました。" in letter.body


def test_a_letter_names_the_files_and_cuts_a_long_post(session: Session) -> None:
    ticket = add_ticket(session, add_account(session), body="あ" * 30_000)
    post = first_post(session, ticket)

    notices.ticket_opened(session, ticket, post, files=[FileFacts("ログ.txt", 2048)], desk=DESK, limits=LIMITS, now=NOW)

    body = letters(session, "ticket_opened")[0].body
    assert "・ログ.txt（2 kB）" in body
    assert body.count("あ") == 20_000
    assert "続きは上のページでご覧ください" in body
    assert f"https://tickets.example.jp/tickets/{ticket.id}\n" in body


def test_out_of_hours_the_receipt_says_when_the_desk_opens(session: Session) -> None:
    account, calendar = add_account(session), BusinessCalendar()
    friday = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)

    for now in (friday - timedelta(hours=1), friday):
        ticket = add_ticket(session, account)
        notices.ticket_opened(session, ticket, first_post(session, ticket), desk=DESK, limits=LIMITS, calendar=calendar, now=now)

    within, after = (letter.body for letter in letters(session, "ticket_opened"))
    assert "受付時間外" not in within
    assert "いまは受付時間外です。次の受付は 11月24日(火) 9:00 からです。" in after


def test_a_long_subject_full_of_breaks_stays_one_line(session: Session) -> None:
    ticket = add_ticket(session, add_account(session), subject=("切断\r\nBcc: evil@evil.example\u2028" * 10)[:300])

    notices.ticket_opened(session, ticket, first_post(session, ticket), desk=DESK, limits=LIMITS, now=NOW)

    subject = letters(session, "ticket_opened")[0].subject
    assert subject.startswith(f"[J's チケット #{ticket.id}] [Juniper-SRX] 切断 Bcc: evil")
    assert "\n" not in subject
    assert "\u2028" not in subject


def test_outside_addresses_are_held_back_beyond_the_days_number(session: Session) -> None:
    account = add_account(session)
    limits = Limits(outside_cc_mails_per_day=3)
    cc = ["inside@tozai.example", "x@other.example", "y@other.example"]

    for _ in range(2):
        open_ticket(session, account, cc=cc, limits=limits)

    second = letters(session, "ticket_opened")[1]
    states = {row.address: (row.state, row.answer) for row in session.scalars(select(Recipient).where(Recipient.letter_id == second.id))}
    assert states == {
        EMAIL: (RecipientState.WAITING, ""),
        "inside@tozai.example": (RecipientState.WAITING, ""),
        "x@other.example": (RecipientState.WAITING, ""),
        "y@other.example": (RecipientState.SUPPRESSED, HELD),
    }


def test_the_day_of_outside_addresses_begins_at_midnight_in_japan(session: Session) -> None:
    account = add_account(session)
    limits = Limits(outside_cc_mails_per_day=1)
    open_ticket(session, account, cc=["x@other.example"], limits=limits)

    assert count_outside(session, account.id, now=NOW + timedelta(hours=13, minutes=59)) == 2
    assert count_outside(session, account.id, now=NOW + timedelta(hours=14)) == 1


def test_an_address_that_stands_twice_gets_one_letter(session: Session) -> None:
    open_ticket(session, add_account(session), cc=[EMAIL.replace("kimura", "Kimura"), "sato@tozai.example"])

    assert recipients(session, letters(session, "ticket_opened")[0]) == [("to", EMAIL), ("cc", "sato@tozai.example")]


def test_the_registration_letter_carries_the_link_and_nothing_typed(session: Session) -> None:
    pending = PendingRegistration(
        token_hash="h" * 64,
        user_id="http://evil.example/win",
        user_id_key="http://evil.example/win",
        password_hash="x",
        company_name="当選おめでとう http://evil.example",
        person_name="今すぐクリック",
        email="victim@tozai.example",
        email_key="victim@tozai.example",
        maintenance_email=MAINTENANCE,
        contract_key="JSC1",
        privacy_version=1,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
    )
    session.add(pending)

    notices.registration_link(session, pending, token="t0ken", desk=DESK, now=NOW)

    (letter,) = letters(session, "registration_link")
    assert recipients(session, letter) == [("to", "victim@tozai.example")]
    assert "https://tickets.example.jp/register/confirm/t0ken\n" in letter.body
    for typed in ("evil.example", "当選", "クリック"):
        assert typed not in letter.body + letter.subject


def test_account_letters_go_where_they_belong(session: Session) -> None:
    account = add_account(session)

    notices.registered(session, account, desk=DESK, now=NOW)
    notices.login_ids(session, EMAIL, [(account, "one"), (account, "two")], desk=DESK, limits=LIMITS, now=NOW)
    notices.password_changed(session, account, desk=DESK, now=NOW)
    notices.email_link(session, account, new_email="new@tozai.example", token="t0ken", desk=DESK, now=NOW)
    notices.email_changed(session, account, old_email="old@tozai.example", desk=DESK, now=NOW)

    to = {letter.kind: recipients(session, letter)[0][1] for letter in session.scalars(select(Letter))}
    assert to == {
        "registered": EMAIL,
        "login_ids": EMAIL,
        "password_changed": EMAIL,
        "email_link": "new@tozai.example",
        "email_changed": "old@tozai.example",
    }
    assert letters(session, "login_ids")[0].body.count("https://tickets.example.jp/recover/") == 2
    assert "new@tozai.example" not in letters(session, "email_changed")[0].body


def test_nobody_is_told_of_an_address_without_accounts(session: Session) -> None:
    notices.login_ids(session, "nobody@tozai.example", [], desk=DESK, limits=LIMITS, now=NOW)

    assert letters(session, "login_ids") == []


def test_a_cause_keeps_no_token(session: Session) -> None:
    account = add_account(session)

    notices.login_ids(session, EMAIL, [(account, "s3cret-token")], desk=DESK, limits=LIMITS, now=NOW)
    notices.email_link(session, account, new_email="new@tozai.example", token="s3cret-token", desk=DESK, now=NOW)

    assert not any("s3cret" in cause for cause in session.scalars(select(Letter.cause)))
