"""What the center, applicants and the staff themselves are reminded of: each once, to those it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, case, select, update
from sqlalchemy.orm import Session

from actions import reminders_center, reminders_contracts, reminders_staff, returned_mail
from actions.digests import write_digests
from actions.exception_requests import answer_request
from actions.lateness import Late
from actions.letters import Draft, write_letters
from actions.reminders import note
from actions.reminders_registrations import remind_of_links
from actions.timetable import TIMETABLE
from mail.compose import Text
from mail.desk import Desk
from mail.returned import Fate, Returned
from models.admission import PendingRegistration
from models.base import NEVER
from models.database import transaction
from models.imports import BatchState
from models.masters import CompanyDay
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import RateCount
from models.radar import AccountFinding
from models.reminders import DigestHour
from rules.calendar import BusinessCalendar, tokyo_date
from rules.email_changes import ChangeState
from rules.limits import Limits
from rules.radar import Finding
from rules.reminders import Kind, Outcome
from rules.requests import RequestState
from rules.rights import Role
from rules.tickets import State
from tests.people import (
    CONTRACT,
    EMAIL,
    MAINTENANCE,
    NOW,
    add_account,
    add_certificate,
    add_email_change,
    add_import,
    add_renewal,
    add_request,
    add_staff,
    add_ticket,
)
from tests.workbooks import apply_batch, keep_plan, plan_lines, undo_batch

DESK = Desk("https://tickets.example.jp", "desk <tickets@jscom.example>", "admin@jscom.example", "center@jscom.example")
CALENDAR, LIMITS = BusinessCalendar(), Limits()
SHARED: dict[str, Any] = {"desk": DESK, "limits": LIMITS}
BOTH: dict[str, Any] = {**SHARED, "calendar": CALENDAR}


def sent(session: Session, kind: str) -> list[tuple[str, list[str]]]:
    """(subject, recipients) of each letter of a kind."""
    addresses = select(Recipient.address).order_by(Recipient.id)
    letters = session.scalars(select(Letter).where(Letter.kind == kind).order_by(Letter.id))
    return [(letter.subject, list(session.scalars(addresses.where(Recipient.letter_id == letter.id)))) for letter in letters]


def body(session: Session, kind: str) -> str:
    return session.scalars(select(Letter.body).where(Letter.kind == kind).order_by(Letter.id.desc()).limit(1)).one()


def pending(email: str = EMAIL, *, hours_left: int = 5, token: str = "t") -> PendingRegistration:
    words = {"user_id": "kimura", "user_id_key": "kimura", "password_hash": "x", "company_name": "<b>社名</b>", "person_name": "木村"}
    expires_at = NOW + timedelta(hours=hours_left)
    return PendingRegistration(
        token_hash=token,
        email=email,
        email_key=email.lower(),
        maintenance_email=MAINTENANCE,
        contract_key=CONTRACT,
        privacy_version=1,
        created_at=expires_at - timedelta(hours=24),
        expires_at=expires_at,
        **words,
    )


def test_the_center_is_told_of_lines_that_end_once_for_each_notice(session: Session) -> None:
    add_certificate(session, "JSC26040001A", ends_on=date(2026, 12, 31), lines=[{"serial": "A1"}, {"serial": "A2"}])
    add_certificate(session, "JSC26040002A", ends_on=date(2027, 4, 1), lines=[{"serial": "B1"}])

    days = [NOW, NOW + timedelta(days=1), datetime(2026, 12, 24, 1, tzinfo=NOW.tzinfo), datetime(2027, 1, 4, 1, tzinfo=NOW.tzinfo)]
    told = [reminders_contracts.tell_the_center(session, now=now, **BOTH) for now in days]

    assert told == [1, 0, 1, 1]
    assert sent(session, "contract_ending")[0] == ("[J's チケットシステム] 終了が近い契約 1件", ["center@jscom.example"])
    assert "2027/04/01 終了　JSC26040002A　東西ネットワーク株式会社（明細 1件）" in body(session, "contract_ending")


def test_a_device_whose_support_goes_on_is_not_told_of(session: Session) -> None:
    add_certificate(session, "JSC26040001A", ends_on=date(2026, 12, 31))
    add_certificate(session, "JSC27010001A", starts_on=date(2027, 1, 1), ends_on=date(2027, 12, 31))

    assert reminders_contracts.tell_the_center(session, now=NOW, **BOTH) == 0


def test_an_account_is_told_at_its_own_address_of_what_it_hangs_on(session: Session) -> None:
    add_certificate(session, ends_on=date(2026, 12, 31))
    add_account(session)
    add_account(session, "other", email="a@other.example", maintenance_email="b@other.example")

    told = [reminders_contracts.tell_the_accounts(session, now=now, **BOTH) for now in (NOW, NOW + timedelta(days=1))]

    assert told == [1, 0]
    assert sent(session, "contract_ending_account") == [("[J's チケットシステム] 保守契約の終了のお知らせ", [EMAIL])]


def test_another_contract_with_the_number_of_one_that_was_undone_is_told_of(engine: Engine, tmp_path: Path) -> None:
    ends = (NOW + timedelta(days=20)).date().isoformat()

    def apply(contract: str) -> int:
        batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"contract": contract, "serial": "S1", "ends_on": ends}))
        apply_batch(engine, batch_id)
        return batch_id

    def told(days: int) -> int:
        with transaction(engine) as session:
            return reminders_contracts.tell_the_center(session, now=NOW + timedelta(days=days), **BOTH)

    batch_id = apply("JSC26040123A")
    assert told(0) == 1
    undo_batch(engine, batch_id)
    apply("JSC26040999B")

    assert [told(1), told(2)] == [1, 0]


@pytest.mark.parametrize(("noted", "again"), [(timedelta(), 0), (timedelta(days=-1), 1)], ids=["of this contract", "of one before it"])
def test_what_was_noted_by_the_certificates_number_is_not_told_again(session: Session, noted: timedelta, again: int) -> None:
    certificate = add_certificate(session, ends_on=date(2026, 12, 31))
    account = add_account(session)
    certificate.created_at = NOW
    cause = f"{certificate.id}:2026-12-31:30"
    note(session, Kind.CONTRACT_ENDING, [f"{Kind.CONTRACT_ENDING}:{cause}"], Outcome.TOLD, now=NOW + noted)
    note(session, Kind.CONTRACT_ENDING_ACCOUNT, [f"{Kind.CONTRACT_ENDING_ACCOUNT}:{account.id}:{cause}"], Outcome.TOLD, now=NOW + noted)

    assert reminders_contracts.tell_the_center(session, now=NOW, **BOTH) == again
    assert reminders_contracts.tell_the_accounts(session, now=NOW, **BOTH) == again


def test_nobody_is_told_on_a_day_the_desk_is_closed(session: Session) -> None:
    add_certificate(session, ends_on=date(2026, 12, 31))

    assert reminders_contracts.tell_the_center(session, now=NOW + timedelta(days=4), **BOTH) == 0


def test_an_applicant_is_reminded_once_before_the_link_ends(session: Session) -> None:
    session.add_all([pending(), pending("late@tozai.example", hours_left=7, token="u"), pending("gone@tozai.example", hours_left=-1, token="v")])
    session.flush()

    assert [remind_of_links(session, now=NOW, **SHARED) for _ in range(2)] == [{Outcome.TOLD: 1}, {}]
    assert sent(session, "registration_ending") == [("[J's チケットシステム] 本登録がまだ完了していません", [EMAIL])]
    assert "社名" not in body(session, "registration_ending")


def test_an_address_that_had_its_letters_gets_no_reminder(session: Session) -> None:
    session.add(pending())
    session.add(RateCount(bucket="confirmation_mail", key=EMAIL, began_at=NOW - timedelta(hours=1), count=3))
    session.flush()

    assert remind_of_links(session, now=NOW, **SHARED) == {Outcome.DROPPED: 1}
    assert sent(session, "registration_ending") == []


def test_each_member_reads_what_waits_for_them(session: Session) -> None:
    member, admin = add_staff(session), add_staff(session, "tanaka", name="田中", roles=(Role.ADMIN,))
    account = add_account(session)
    add_ticket(session, account, subject="VPN", assignee=member, due_at=NOW + timedelta(hours=3))
    add_ticket(session, account, subject="誰かの", state=State.NEW)
    letter = add_letter(session, LetterState.PARKED)

    assert write_digests(session, now=NOW - timedelta(hours=1), **BOTH) == {Outcome.TOLD: 2}
    assert write_digests(session, now=NOW, **BOTH) == {}

    assert [recipients for _, recipients in sent(session, "staff_digest")] == [[member.email], [admin.email]]
    first, second = session.scalars(select(Letter.body).where(Letter.kind == "staff_digest").order_by(Letter.id))
    assert "■ 担当のチケット（回答の期限順）　1件" in first
    assert "■ 未割り当て　1件" in first
    assert "■ 送信を中止したメール　1通" in second
    assert letter.subject in second


def test_customers_who_are_silent_for_five_business_days_stand_in_the_overview_whatever_day_it_began(session: Session) -> None:
    member, account = add_staff(session), add_account(session)
    for day in (20, 22, 23, 24):  # Friday, Sunday, a holiday, Tuesday
        began = datetime(2026, 11, day, 3, tzinfo=NOW.tzinfo)
        add_ticket(session, account, subject=f"{day}日から", state=State.WAITING_CUSTOMER, assignee=member, now=began)

    assert write_digests(session, now=NOW - timedelta(days=1), **BOTH) == {Outcome.TOLD: 1}

    assert "■ お客様確認待ち（5営業日以上）　3件" in body(session, "staff_digest")
    assert "24日から" not in body(session, "staff_digest")


def test_a_plan_that_waits_for_approval_is_shown_to_whoever_may_give_it(session: Session) -> None:
    uploader, asker, second = (add_staff(session, name, roles=(Role.SERVICE_CENTER,)) for name in ("kondo", "mori", "hayashi"))
    batch, _, _ = add_import(session)
    batch.state, batch.staff_id, batch.asked_id, batch.file_name = BatchState.WAITING, uploader.id, asker.id, "更新.xlsx"
    session.flush()

    assert write_digests(session, now=NOW, **BOTH) == {Outcome.TOLD: 1, Outcome.EMPTY: 2}

    assert [recipients for _, recipients in sent(session, "staff_digest")] == [[second.email]]
    assert "■ 承認を待つ取込（2 人目）　1件" in body(session, "staff_digest")
    assert "更新.xlsx" in body(session, "staff_digest")
    batch.state, batch.staff_id, batch.asked_id = BatchState.WAITING, None, None
    session.flush()
    assert write_digests(session, now=NOW + timedelta(days=1), **BOTH) == {Outcome.TOLD: 3}


def test_who_has_nothing_waiting_or_wants_none_gets_no_overview(session: Session) -> None:
    add_staff(session)
    quiet = add_staff(session, "sato")
    session.add(DigestHour(staff_id=quiet.id, hour=None))
    session.flush()

    assert write_digests(session, now=NOW, **BOTH) == {Outcome.EMPTY: 1}
    assert sent(session, "staff_digest") == []


def test_failed_letters_are_told_to_leads_and_administrators_once(session: Session) -> None:
    add_staff(session, "tanaka", roles=(Role.ADMIN,))
    add_staff(session)
    parked = add_letter(session, LetterState.PARKED)
    add_letter(session, LetterState.DONE, RecipientState.PERMANENT, cause="b")
    add_letter(session, LetterState.DONE, fault="", cause="c")

    assert [reminders_staff.tell_of_failed_mails(session, desk=DESK, now=NOW) for _ in range(2)] == [2, 0]
    parked.fence += 1  # sent again, failed again
    session.flush()
    assert reminders_staff.tell_of_failed_mails(session, desk=DESK, now=NOW) == 1

    assert sent(session, "staff_mails_failed")[0] == ("[J's チケットシステム] 送れなかったメール 2通", ["tanaka@jscom.co.jp"])


def test_very_many_failed_letters_are_all_told_one_letter_after_the_other(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminders_staff, "_MOST_MAILS", 3)
    add_staff(session, roles=[Role.ADMIN])
    for number in range(7):
        add_letter(session, LetterState.PARKED, cause=f"c{number}")

    assert [reminders_staff.tell_of_failed_mails(session, desk=DESK, now=NOW + timedelta(hours=hour)) for hour in range(4)] == [3, 3, 1, 0]


def test_a_letter_that_turns_out_to_have_reached_fewer_is_told_again(session: Session) -> None:
    add_staff(session, roles=[Role.ADMIN])
    (id_,) = write_letters(session, [Draft("answered", "c", Text("件名", "本文\n"), ["to@tozai.example"], ["cc@tozai.example"])], desk=DESK, now=NOW)
    session.execute(update(Letter).values(state=LetterState.DONE, fault="550 no such user", fence=1))
    session.execute(update(Recipient).values(state=case((Recipient.place == "cc", RecipientState.PERMANENT), else_=RecipientState.ACCEPTED)))
    first = reminders_staff.tell_of_failed_mails(session, desk=DESK, now=NOW)
    header = session.scalars(select(Letter.header_id).where(Letter.id == id_)).one()
    fate = Fate(("to@tozai.example",), True, "5.1.1 gone")
    report = Returned(sender="", subject="", body="", references=(header,), automatic=True, report=True, fates=(fate,))

    returned_mail.take(session, "1:1", report, desk=DESK, limits=LIMITS, now=NOW)

    assert first == 1
    assert [reminders_staff.tell_of_failed_mails(session, desk=DESK, now=NOW) for _ in range(2)] == [1, 0]
    assert len(sent(session, "staff_mails_failed")) == 2


def test_a_limit_that_nears_is_told_once_a_day(session: Session) -> None:
    add_staff(session, "ito", roles=(Role.DESK,))
    account = add_account(session)
    for _ in range(4):
        add_ticket(session, account)
    session.add(RateCount(bucket="outside_cc", key=str(account.id), began_at=datetime(2026, 12, 1, tzinfo=NOW.tzinfo), count=80))
    session.flush()
    limits = replace(LIMITS, account_tickets_per_day=5)

    assert [reminders_staff.tell_of_quotas(session, day=tokyo_date(NOW), desk=DESK, limits=limits, now=NOW) for _ in range(2)] == [2, 0]

    assert sent(session, "staff_quota") == [("[J's チケットシステム] 上限が近づいています（2件）", ["ito@jscom.co.jp"])]
    assert "今日のチケット　東西ネットワーク株式会社（kimura）　4 ／ 5" in body(session, "staff_quota")
    assert reminders_staff.tell_of_storage(session, desk=DESK, limits=limits, now=NOW) == 0


def test_a_calendar_that_ends_is_told_once(session: Session) -> None:
    add_staff(session, "tanaka", roles=(Role.ADMIN,))
    assert reminders_staff.tell_of_the_calendar(session, now=NOW, **SHARED) == 0
    session.add(CompanyDay(day=date(2026, 8, 13), name="夏季休業"))
    session.flush()

    assert [reminders_staff.tell_of_the_calendar(session, now=NOW, **SHARED) for _ in range(2)] == [1, 0]
    assert "営業日かどうかが分かるのは、2026/12/31 までです。" in body(session, "staff_calendar_ending")


def test_a_late_job_is_told_once_for_the_slot_it_stands_at(session: Session) -> None:
    add_staff(session, "tanaka", roles=(Role.ADMIN,))
    late: Sequence[Late] = [Late(TIMETABLE[0], NOW)]

    assert [reminders_staff.tell_of_late_jobs(session, late, desk=DESK, now=NOW) for _ in range(2)] == [1, 0]
    assert "・メールの送信（2026/12/01(火) 10:00 から）" in body(session, "staff_jobs_late")


def add_letter(session: Session, state: LetterState, recipient: RecipientState = RecipientState.TEMPORARY, *, fault: str = "550", cause: str = "a") -> Letter:
    letter = Letter(
        kind="answered", cause=cause, header_id=f"<{cause}@x>", thread_ids=[], subject=f"件名 {cause}", body="本文", state=state,
        created_at=NOW, try_at=NEVER, fault=fault, fence=1,
    )  # fmt: skip
    session.add(letter)
    session.flush()
    session.add(Recipient(letter_id=letter.id, place="to", address=EMAIL, address_key=EMAIL, state=recipient, updated_at=NOW))
    session.flush()
    return letter


def test_a_line_that_another_is_known_to_carry_on_is_not_told(session: Session) -> None:
    old = add_certificate(session, "JSC26040001A", ends_on=date(2026, 12, 31), lines=[{"serial": "OLD1"}])
    new = add_certificate(session, "JSC27010001A", ends_on=date(2027, 12, 31), lines=[{"serial": "NEW1"}])
    link = add_renewal(session, old, new)

    assert reminders_contracts.tell_the_center(session, now=NOW, **BOTH) == 0
    link.dropped_by = link.batch_id
    session.flush()
    assert reminders_contracts.tell_the_center(session, now=NOW, **BOTH) == 1


def test_the_center_is_told_of_a_change_before_on_and_after_its_day(session: Session) -> None:
    change = add_email_change(session)
    returned = add_email_change(session, old="other@tozai.example")
    returned.state = ChangeState.RETURNED
    session.flush()
    shared: dict[str, Any] = {"calendar": CALENDAR, "desk": DESK}

    def told(days: int, active: Sequence[Kind] = tuple(Kind)) -> int:
        return reminders_center.tell_of_email_changes(session, active=active, now=NOW + timedelta(days=days), **shared)

    # NOW is Tuesday the 1st; the change is due on Thursday the 3rd.
    assert [told(0), told(1), told(1), told(2), told(3), told(5), told(6)] == [0, 1, 0, 1, 1, 0, 0]
    for kind in ("email_change_tomorrow", "email_change_due", "email_change_overdue"):
        assert [to for _, to in sent(session, kind)] == [["center@jscom.example"]]
    assert f"https://tickets.example.jp/console/email-changes/{change.id}\n" in body(session, "email_change_overdue")
    change.due_on = date(2026, 12, 4)
    session.flush()
    assert told(2, [Kind.EMAIL_CHANGE_DUE]) == 0
    change.state, change.pending = ChangeState.NOTIFIED, False
    session.flush()
    assert told(3) == 0


def test_the_desk_is_told_of_an_exception_that_waits_a_days_hours(session: Session) -> None:
    add_staff(session, "ito", name="伊藤", roles=(Role.DESK,))
    request = add_request(session)
    add_request(session, email="sato@tokyo.tozai.example", state=RequestState.ASKED)
    hour = timedelta(hours=1)

    def told(hours: int) -> int:
        return reminders_staff.tell_of_waiting_exceptions(session, calendar=CALENDAR, now=NOW + hours * hour, **SHARED)

    # It is 10:00; eight business hours later it is 10:00 again.
    assert [told(23), told(24), told(48)] == [0, 1, 0]
    assert sent(session, "staff_exception_waiting") == [("[J's チケットシステム] 判断を待つ例外申請 1件", ["ito@jscom.co.jp"])]
    assert f"{request.number}　東西ネットワーク株式会社（2026/12/01(火) 10:00 から）" in body(session, "staff_exception_waiting")

    request.state = RequestState.ASKED
    session.flush()
    answer_request(session, request, "回答です。", limits=LIMITS, now=NOW + 48 * hour)
    session.flush()
    assert [told(71), told(72)] == [0, 1]


def test_the_center_reads_once_a_week_what_the_check_found(session: Session) -> None:
    account = add_account(session)

    def find(kind: Finding, days: int) -> None:
        at = NOW + timedelta(days=days)
        session.add(AccountFinding(account_id=account.id, kind=kind, found_at=at, checked_at=at))
        session.flush()

    def told(days: int) -> int:
        return reminders_center.tell_of_findings(session, calendar=CALENDAR, desk=DESK, now=NOW + timedelta(days=days))

    find(Finding.FAILS_EDIT, 0)
    assert [told(0), told(1)] == [1, 0]
    find(Finding.NO_LIVE_LINE, 1)
    # The 5th is a Saturday; from the week of the 7th on one more is told, from the week of the 14th on nothing.
    assert [told(2), told(4), told(6), told(7), told(13)] == [0, 0, 1, 0, 0]
    assert sent(session, "accounts_found") == [("[J's チケットシステム] アカウントの点検：新しい結果 1件", ["center@jscom.example"])] * 2
    assert "・有効な明細のないアカウント　1件" in body(session, "accounts_found")
