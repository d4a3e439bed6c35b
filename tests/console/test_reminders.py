"""Switches of reminders in the masters, and one's own hour for the day's overview."""

from __future__ import annotations

from sqlalchemy import Engine, select

from models.database import transaction
from models.journal import JournalEntry
from models.reminders import Reminder, active_kinds, digest_hour
from rules.reminders import Kind, Outcome
from rules.rights import Role
from tests.client import Client
from tests.people import NOW, add_staff, sign_in_staff

REMINDERS, PROFILE = "/console/masters/reminders", "/console/profile"


def test_an_administrator_switches_a_reminder_off_and_on(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "tanaka", name="田中", roles=(Role.ADMIN,)))
        session.add(Reminder(kind=Kind.QUOTA, cause="a", outcome=Outcome.TOLD, at=NOW))
    page = client.get(REMINDERS)
    assert page.says("回答から 5営業日ご返信がないとき", "終了の 90・30・7日前", "1件 最後は 10:00")

    page = client.submit(f"{REMINDERS}/{Kind.DIGEST}")

    assert page.says("「今日の一覧」を送らないようにしました。")
    client.submit(f"{REMINDERS}/{Kind.CONTRACT_ENDING_ACCOUNT}")
    with transaction(engine, readonly=True) as session:
        assert set(Kind) - active_kinds(session) == {Kind.DIGEST}
        assert session.scalars(select(JournalEntry.subject_name).order_by(JournalEntry.id)).all() == ["digest", "contract_ending_account"]
    client.post(f"{REMINDERS}/nothing", {"csrf_token": client.csrf_token()}, expect=404)


def test_everybody_chooses_their_own_hour(engine: Engine, client: Client) -> None:
    with transaction(engine) as session:
        member = add_staff(session)
        sign_in_staff(client, session, member)
    client.get(PROFILE)

    assert client.submit(f"{PROFILE}/digest", digest_hour="10").says("今日の一覧を 10時に送ります。")
    client.post(f"{PROFILE}/digest", {"csrf_token": client.csrf_token(), "digest_hour": "25"}, expect=422)
    assert client.get(PROFILE).says("10時")
    assert client.submit(f"{PROFILE}/digest", digest_hour="").says("今日の一覧を送らないようにしました。")

    with transaction(engine, readonly=True) as session:
        assert digest_hour(session, member.id) is None
