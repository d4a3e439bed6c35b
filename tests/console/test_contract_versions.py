"""A contract over time: corrected by hand, imported over, undone; every past day shows what stood there, and who would have passed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from actions import import_undo
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import transaction
from models.imports import ImportBatch
from models.journal import JournalEntry
from rules.limits import Limits
from rules.rights import Role
from tests.client import Client, Page
from tests.clock import Clock
from tests.console.counting import counted
from tests.people import EMAIL, MAINTENANCE, add_account, add_staff, sign_in_staff
from tests.workbooks import NAKAMURA, import_lines, plan_lines

MARCH, APRIL, MAY, JUNE = (datetime(2026, month, 10, 3, 0, tzinfo=UTC) for month in (3, 4, 5, 6))
SECOND = {"serial": "CV4126AF0094"}
MOVED = "soumu@tozai-group.example"


@pytest.fixture
def page(engine: Engine, client: Client, clock: Clock, tmp_path: Path) -> str:
    """A certificate imported in March; in April the import gives its line another end and adds one. Its path; the center is signed in."""
    import_lines(engine, tmp_path, {"ends_on": "2026-12-31"}, now=MARCH)
    import_lines(engine, tmp_path, {}, SECOND, now=APRIL)
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, name="近藤", roles=(Role.SERVICE_CENTER, Role.LEAD)))
        add_account(session)
        return f"/console/contracts/{session.scalars(select(Certificate.id)).one()}"


def correct(client: Client, page: str, agent_email: str = "hosyu@kansai-hanbai.example", **end_user: str) -> None:
    """The center corrects parties of the certificate."""
    form = client.get(f"{page}/correction")
    typed = {name: form.value_of(name) for name in ("issued_on", "end_user_name", "end_user_email")} | end_user
    issued_on, name, email = typed.values()
    client.submit("証書を訂正する", reason="証書の控えと照合", agent_email=agent_email, issued_on=issued_on, end_user_name=name, end_user_email=email)


def printed(page: Page) -> str:
    """What stands on the certificate."""
    drawn = page.root.first("figure")
    return drawn.text if drawn else ""


def test_every_past_day_shows_what_stood_there(client: Client, engine: Engine, clock: Clock, page: str) -> None:
    correct(client, page, end_user_email=MOVED, end_user_name="東西グループ", issued_on="2026年4月2日")

    now = client.get(page)
    march, april, before = (client.get(f"{page}?on={day}") for day in ("2026/03/31", "令和8年4月10日", "2026/03/09"))

    assert now.says("CV4126AF0094", "2027/03/31", "東西グループ", "2026/04/02") and MOVED in printed(now) and MAINTENANCE not in printed(now)
    assert march.says("2026/03/31 の終わりの内容", "2026/12/31", "2026/04/01") and f"東西ネットワーク株式会社 {MAINTENANCE}" in printed(march)
    assert not march.says("CV4126AF0094") and not march.says(MOVED)
    assert april.says("CV4126AF0094", MAINTENANCE) and not april.says("2026/12/31")
    assert before.says("2026/03/09 には、まだ登録されていません。") and not before.says("契約明細")
    assert now.says("手で訂正しました：証書の控えと照合", "取込で変更しました", "取込で登録しました")
    assert client.get(f"{page}?on=2026/2/30").says("日付を読めませんでした。")


def test_the_verdict_of_an_account_is_that_of_the_day(client: Client, engine: Engine, page: str) -> None:
    correct(client, page, end_user_email=MOVED, agent_email="")

    assert client.get(page).says(f"{MAINTENANCE}・ほかの会社の契約です")
    assert client.get(f"{page}?on=2026/04/15").says(f"{MAINTENANCE}・保守対象です", EMAIL.partition("@")[2])
    assert client.get(f"{page}?on=2026/03/15").says("開始前")
    assert client.get(f"{page}?on=2030/01/01").says("終了")


def test_undoing_an_import_is_a_version_too(client: Client, engine: Engine, clock: Clock, page: str) -> None:
    with transaction(engine) as session:
        newest = session.scalars(select(ImportBatch).order_by(ImportBatch.id.desc()).limit(1)).one()
        import_undo.undo(session, newest, by=NAKAMURA, now=MAY, limits=Limits())

    now, april, march = client.get(page), client.get(f"{page}?on=2026/05/09"), client.get(f"{page}?on=2026/04/09")

    for shown in (now, march):
        assert shown.says("2026/12/31") and not shown.says("CV4126AF0094")
    assert april.says("CV4126AF0094") and not april.says("2026/12/31")
    assert now.says("取込を元に戻しました")


def test_a_line_is_corrected_with_a_reason_and_the_next_import_asks(client: Client, engine: Engine, clock: Clock, page: str, tmp_path: Path) -> None:
    client.get(page)
    client.click("訂正する：SRX300-SYS-JB CV4126AF0094")

    wrong = client.submit("明細を訂正する", starts_on="2027/5/1", serial="ＣＶ４１２６ＡＦ００９３", reason="", expect=422)
    assert wrong.fault_of("reason").startswith("訂正の理由を入力してください。")
    backwards = client.submit("明細を訂正する", reason="控えと照合", expect=422)
    assert "終了日が開始日より前です" in backwards.fault_of("ends_on")
    twin = client.submit("明細を訂正する", starts_on="2026/4/1", expect=422)
    assert "この証書にすでにあります" in twin.fault_of("serial")
    done = client.submit("明細を訂正する", serial="CV4126AF0095")

    assert done.says("証書を訂正しました。", "CV4126AF0095", "手で訂正しました SRX300-SYS-JB CV4126AF0094：控えと照合")
    with transaction(engine, readonly=True) as session:
        entry = session.scalars(select(JournalEntry).where(JournalEntry.act == "correct")).one()
        assert (entry.facts["serial"], entry.facts["reason"]) == (["CV4126AF0094", "CV4126AF0095"], "控えと照合")
        assert {line.set_by for line in session.scalars(select(ContractLine))} == {"", "近藤"}
    plan = plan_lines(engine, tmp_path, {}, SECOND, now=clock())
    assert [conflict.field for conflict in plan.conflicts] == ["serial"]


def test_an_email_changed_in_the_console_is_a_conflict_for_the_next_import(client: Client, engine: Engine, clock: Clock, page: str, tmp_path: Path) -> None:
    correct(client, page, end_user_email=MOVED.upper().replace("SOUMU", "Soumu"))

    with transaction(engine, readonly=True) as session:
        party = session.scalars(select(Party).where(Party.role == PartyRole.END_USER)).one()
        assert (party.email, party.email_key, party.set_by, party.set_at) == (f"Soumu@{MOVED.partition('@')[2]}", MOVED, "近藤", clock())
    [conflict] = plan_lines(engine, tmp_path, {}, SECOND, now=clock()).conflicts
    assert (conflict.field, conflict.ours.lower(), conflict.theirs, conflict.set_by) == ("end_user_email", MOVED, MAINTENANCE, "近藤")


def test_what_an_import_would_refuse_is_refused_and_stays_typed(client: Client, engine: Engine, clock: Clock, page: str) -> None:
    form = client.get(f"{page}/correction")
    assert form.says("いまのアドレスのアカウントは 1件です。")

    refused = client.submit("証書を訂正する", issued_on="2026/2/30", agent_email="a b@x", end_user_email="", reason="x", expect=422)
    assert refused.fault_of("issued_on").startswith("証書発行日「2026/2/30」は存在しない日付です")
    assert "メールアドレスの形ではありません" in refused.fault_of("agent_email")
    assert refused.value_of("issued_on") == "2026/2/30"
    nobody = client.submit("証書を訂正する", issued_on="2026/4/1", agent_email="", expect=422)
    assert "メールアドレスがどれも空です" in nobody.fault_of("agent_email")
    same = client.submit("証書を訂正する", agent_email="hosyu@kansai-hanbai.example", end_user_email=MAINTENANCE)
    assert same.says("何も変更していません。")


def test_who_was_slower_is_shown_what_stands_there_now(client: Client, engine: Engine, clock: Clock, page: str) -> None:
    client.get(f"{page}/correction")
    with transaction(engine) as session:
        session.scalars(select(Certificate)).one().updated_at = JUNE

    slow = client.submit("証書を訂正する", agent_name="関西", reason="控え", expect=422)
    assert slow.says("画面を開いたあとで、この証書が変更されました。") and slow.value_of("agent_name") == "関西"
    assert client.submit("証書を訂正する").says("証書を訂正しました。", "関西")


def test_the_page_costs_the_same_whatever_happened(client: Client, engine: Engine, clock: Clock, page: str, tmp_path: Path) -> None:
    with counted(engine) as few:
        client.get(f"{page}?on=2026/03/31")
    for month in range(5, 10):
        import_lines(engine, tmp_path, {"ends_on": f"2027-0{month}-28"}, now=datetime(2026, month, 1, tzinfo=UTC))
    with counted(engine) as many:
        client.get(f"{page}?on=2026/03/31")

    assert len(many) == len(few) <= 24


def test_long_contracts_are_paged(client: Client, engine: Engine, clock: Clock, page: str, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, *({"serial": f"S{number:04}"} for number in range(120)), now=MAY)

    first = client.get(page)
    second = client.click("次のページ")

    assert first.says("S0049", "1〜50行目") and not first.says("S0050")
    assert second.says("S0050", "51〜100行目") and not second.says("S0049")
