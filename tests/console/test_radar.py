"""アカウントの点検: who would meet an error, why, and what the center did about it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from time import perf_counter

import pytest
from sqlalchemy import Engine, insert, select

from actions.radar import check_accounts, keep_findings
from jobs.check_accounts import check
from models.contracts import ContractLine
from models.database import transaction
from models.journal import JournalEntry
from models.people import Account, AccountState
from models.radar import AccountFinding
from rules.radar import Finding
from rules.rights import Role
from tests.client import Client
from tests.clock import Clock
from tests.console.counting import counted
from tests.jobs.mailroom import parts_for
from tests.jobs.test_housekeeping import run_of
from tests.people import NOW, add_account, add_certificate, add_grant, add_request, add_staff, sign_in_staff

RADAR = "/console/radar"


@pytest.fixture
def troubled(engine: Engine, client: Client) -> dict[str, int]:
    """Four accounts: one is fine, one's lines have ended, one's address is gone, one's e-mail has left the domain."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, "mori", name="森", roles=(Role.SERVICE_CENTER,)))
        add_certificate(session)
        add_certificate(session, "JSC-OLD", end_user="old@osaka.tozai.example", starts_on=date(2024, 4, 1), ends_on=date(2025, 3, 31))
        accounts = [
            add_account(session),
            add_account(session, "ended", maintenance_email="old@osaka.tozai.example", contract_key="JSC-OLD"),
            add_account(session, "gone", maintenance_email="nobody@osaka.tozai.example"),
            add_account(session, "left", email="kimura@elsewhere.example"),
            add_account(session, "closed", email="x@elsewhere.example"),
        ]
        accounts[-1].state = AccountState.SUSPENDED
        return {account.user_id: account.id for account in accounts}


def test_the_nightly_check_lists_who_would_fail_and_why(client: Client, engine: Engine, clock: Clock, tmp_path: Path, troubled: dict[str, int]) -> None:
    parts = parts_for(engine, clock, tmp_path)
    assert check(parts, run_of(parts, "check_accounts")) == {"checked": 4, "found": 4, "solved": 0, "standing": 0}

    page = client.get(RADAR)

    assert page.says("次のプロフィールの変更で断られます", "この保守登録メールは書かれていません", "ドメインが異なります")
    assert page.says("最後の明細の終了 2025/03/31", "どの証書にもありません")
    assert not page.says("closed")
    assert client.get(f"{RADAR}?kind=no_live_line").text.count("木村 はるか 様") == 1
    assert client.get(f"{RADAR}?q=left").says("ドメインが異なります")
    assert page.link("変更の依頼を記録する：東西ネットワーク株式会社").endswith("osaka.tozai.example")


def test_who_holds_a_grant_would_pass(engine: Engine, troubled: dict[str, int]) -> None:
    with transaction(engine) as session:
        request = add_request(session, email="kimura@elsewhere.example")
        add_grant(session, request, account=session.get_one(Account, troubled["left"]))
        _, found = check_accounts(session, today=NOW.date())

    assert troubled["left"] not in {each.account_id for each in found}


def test_a_finding_is_marked_comes_back_when_its_reason_changes_and_goes_when_it_is_solved(
    client: Client, engine: Engine, clock: Clock, troubled: dict[str, int]
) -> None:
    def night() -> dict[str, int]:
        with transaction(engine) as session:
            _, found = check_accounts(session, today=NOW.date())
            return keep_findings(session, found, now=clock())

    night()
    page = client.get(f"{RADAR}?kind=no_live_line")
    page = client.submit("対応済みにする：東西ネットワーク株式会社")
    assert page.says("「対応済み」にしました。")
    assert not client.get(f"{RADAR}?kind=no_live_line").says("木村 はるか 様")
    assert client.get(f"{RADAR}?kind=no_live_line&mark=done").says("森さん")
    assert night() == {"found": 0, "solved": 0, "standing": 4}

    with transaction(engine) as session:
        assert session.scalars(select(AccountFinding.mark).where(AccountFinding.kind == Finding.NO_LIVE_LINE)).all() == ["done"]
        line = session.scalars(select(ContractLine).where(ContractLine.ends_on == date(2025, 3, 31))).one()
        line.ends_on = date(2026, 5, 31)
    night()
    assert client.get(f"{RADAR}?kind=no_live_line").says("2026/05/31")
    with transaction(engine) as session:
        session.scalars(select(ContractLine).where(ContractLine.ends_on == date(2026, 5, 31))).one().ends_on = date(2027, 5, 31)
    assert night() == {"found": 0, "solved": 1, "standing": 3}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.act)).all() == ["mark_finding"]


def test_only_the_center_marks_and_the_list_costs_the_same(client: Client, engine: Engine, troubled: dict[str, int]) -> None:
    with transaction(engine) as session:
        keep_findings(session, check_accounts(session, today=NOW.date())[1], now=NOW)
    client.get(RADAR)
    with counted(engine) as few:
        client.get(RADAR)
    with transaction(engine) as session:
        for number in range(60):
            add_account(session, f"user{number}", email=f"u{number}@elsewhere.example")
        keep_findings(session, check_accounts(session, today=NOW.date())[1], now=NOW)
        desk = add_staff(session, "desk", roles=(Role.DESK,))
    with counted(engine) as many:
        client.get(RADAR)
    assert len(few) == len(many)

    client.cookies.clear()
    with transaction(engine) as session:
        sign_in_staff(client, session, desk)
    assert not client.get(RADAR).says("対応済みにする")


@pytest.mark.proof
def test_ten_thousand_accounts_are_checked_in_seconds(engine: Engine) -> None:
    with transaction(engine) as session:
        model = add_account(session)
        certificate = add_certificate(session)
        columns = {column.name: getattr(model, column.name) for column in Account.__table__.columns if column.name != "id"}
        many = [columns | {"user_id": f"u{n}", "user_id_key": f"u{n}", "maintenance_email_key": f"m{n}@x.example"} for n in range(10_000)]
        session.execute(insert(Account), many)
        assert certificate.id

    began = perf_counter()
    with transaction(engine) as session:
        accounts, found = check_accounts(session, today=NOW.date())
        keep_findings(session, found, now=NOW)

    assert (accounts, len(found)) == (10_001, 10_000)
    assert perf_counter() - began < 5
