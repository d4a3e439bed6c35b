"""操作履歴: everything that was done, in words, to those who may read it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from actions import journal
from models.actors import SYSTEM, Actor, StaffMember
from models.database import bulk_insert, transaction
from models.journal import JournalEntry
from models.people import Staff
from rules.rights import Role
from tests.client import Client, Page
from tests.people import NOW, add_staff, sign_in_staff
from wording import acts

JOURNAL = "/console/journal"
_ROOT = Path(__file__).resolve().parents[2]
_RECORDED = re.compile(r'record\(\s*[\w.]+,\s*"(\w+)",\s*"(\w+)"')


def as_actor(member: Staff) -> StaffMember:
    return StaffMember(id=member.id, name=member.name, client="192.0.2.9")


@pytest.fixture
def sato(engine: Engine, client: Client) -> Staff:
    """佐藤, an administrator, is signed in; 中村 and the desk itself did something too."""
    with transaction(engine) as session:
        member = add_staff(session, "sato", name="佐藤", roles=(Role.ADMIN,))
        nakamura = add_staff(session)
        sign_in_staff(client, session, member)
        act(session, "assign", as_actor(nakamura), NOW - timedelta(days=2), assignee=["", "中村"])
        act(session, "change_state", as_actor(member), NOW - timedelta(days=1), state=["new", "waiting_customer"])
        act(session, "run_job", SYSTEM, NOW)
    return member


def act(session: object, name: str, by: Actor, now: datetime, **facts: object) -> None:
    kind = "job" if name == "run_job" else "ticket"
    journal.record(session, name, kind, 10482 if kind == "ticket" else None, by=by, now=now, subject_name="VPN が切れる", **facts)  # pyright: ignore[reportArgumentType]


def told(page: Page) -> list[str]:
    return [row.text for row in page.root.all("tr")[1:]]


def test_each_act_is_a_sentence_with_what_was_before_and_after(client: Client, sato: Staff) -> None:
    rows = told(client.get(JOURNAL))

    assert len(rows) == 3
    assert all(
        part in rows[1]
        for part in ("佐藤", "192.0.2.9", "チケットの状態を変更しました", "チケット #10482 VPN が切れる", "変更前：新規", "変更後：お客様確認待ち")
    )
    assert all(part in rows[2] for part in ("中村", "担当を変更しました", "変更前：（なし）", "変更後：中村"))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("actor=中村", ["担当を"]),
        ("act=run_job", ["ジョブを"]),
        ("subject=ticket", ["状態を", "担当を"]),
        ("subject=ticket&id=10482", ["状態を", "担当を"]),
        ("id=7", []),
        ("since=2026-11-30", ["ジョブを", "状態を"]),
        ("until=2026-11-29", ["担当を"]),
        ("since=2026-11-30&until=2026-11-30", ["状態を"]),
        ("since=x&until=9999-12-31&id=x&before=x&act=nothing", []),
        ("since=0001-01-01&until=0001-01-01", ["ジョブを", "状態を", "担当を"]),
        ("actor=%25", []),
    ],
)
def test_filters_narrow_it(client: Client, sato: Staff, query: str, expected: list[str]) -> None:
    rows = told(client.get(f"{JOURNAL}?{query}"))

    assert [next(part for part in ("ジョブを", "状態を", "担当を") if part in row) for row in rows] == expected


@pytest.mark.parametrize(("role", "seen"), [(Role.SUPPORT, 1), (Role.SERVICE_CENTER, 1), (Role.DESK, 1), (Role.LEAD, 3), (Role.AUDITOR, 3)])
def test_some_see_their_own_acts_only(client: Client, engine: Engine, sato: Staff, role: Role, seen: int) -> None:
    with transaction(engine) as session:
        session.get_one(Staff, sato.id).roles = [role]

    assert len(told(client.get(JOURNAL))) == seen
    assert len(told(client.get(f"{JOURNAL}?actor=中村"))) == seen - (2 if seen == 3 else 1)


def test_fifty_a_page(client: Client, engine: Engine, sato: Staff) -> None:
    with transaction(engine) as session:
        for minute in range(60):
            act(session, "assign", as_actor(sato), NOW + timedelta(minutes=minute))

    assert len(told(client.get(f"{JOURNAL}?act=assign"))) == 50
    assert len(told(client.click("次のページ"))) == 11


def test_who_did_nothing_lately_is_found_among_very_many_acts(client: Client, engine: Engine, sato: Staff) -> None:
    with transaction(engine) as session:
        newer = (NOW, "staff", sato.id, "佐藤", "assign", "ticket", "VPN が切れる", "{}", "")
        columns = ("at", "actor_kind", "actor_id", "actor_name", "act", "subject_kind", "subject_name", "facts", "client")
        bulk_insert(session, JournalEntry, columns, [newer] * 5_100)

    assert len(told(client.get(f"{JOURNAL}?actor=中村"))) == 1
    assert told(client.get(f"{JOURNAL}?actor=誰でもない")) == []
    assert len(told(client.get(f"{JOURNAL}?actor=佐"))) == 50


def test_what_people_wrote_stays_text(client: Client, engine: Engine, sato: Staff) -> None:
    with transaction(engine) as session:
        act(session, "assign", as_actor(sato), NOW, note="<script>alert(1)</script>", odd={"a": [1, None, True]})

    page = client.get(JOURNAL)

    assert page.says("<script>alert(1)</script>")


def test_every_act_that_is_recorded_has_words() -> None:
    recorded = {
        found.groups()
        for folder in ("actions", "jobs", "demo")
        for path in sorted((_ROOT / folder).glob("*.py"))
        for found in _RECORDED.finditer(path.read_text())
    }

    told, kinds = dict(acts.act_choices()), dict(acts.subject_choices())
    assert len(recorded) > 25
    assert [pair for pair in sorted(recorded) if pair[0] not in told or pair[1] not in kinds] == []


def test_a_code_that_is_gone_is_still_told() -> None:
    assert acts.sentence("gone") == "gone"
    assert acts.facts({"roles": "support pilot", "state": ["gone", "new"], "day": "soon"}) == [
        ("役割", None, "サポートエンジニア、pilot"),
        ("状態", "gone", "新規"),
        ("日付", None, "soon"),
    ]


def test_an_import_tells_what_changed_in_which_row() -> None:
    lines = [{"line": 3, "row": 7, "changes": {"serial": ["CV4126AFO093", "CV4126AF0093"]}}, {"line": 4, "row": 8, "changes": {"service": ["", "平日"]}}]

    assert acts.facts({"batch": 3, "new": 0, "agent_email": ["a@x.example", "b@x.example"], "lines": lines}) == [
        ("取込の番号", None, "3"),
        ("新規", None, "0"),
        ("販売代理店メール", "a@x.example", "b@x.example"),
        ("7行目のシリアル", "CV4126AFO093", "CV4126AF0093"),
        ("8行目のサービス種類", "（なし）", "平日"),
    ]
    assert acts.facts({"lines": [{"row": row, "changes": {"serial": ["a", "b"]}} for row in range(25)]})[-1] == ("明細", None, "ほか 15行")
