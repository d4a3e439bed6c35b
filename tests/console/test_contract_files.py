"""Contracts as files: what is exported and imported again changes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from models.database import transaction
from models.journal import JournalEntry
from rules.rights import Role
from tests.client import Client
from tests.people import add_certificate, add_staff, sign_in_staff
from tests.workbooks import FIRST, import_file, import_lines, plan_file

CONTRACTS = "/console/contracts"


@pytest.fixture
def filled(engine: Engine, client: Client, tmp_path: Path) -> None:
    """The sample workbook's certificates, and one with everything that a spreadsheet would compute."""
    with transaction(engine) as session:
        sign_in_staff(client, session, add_staff(session, roles=(Role.SERVICE_CENTER,)))
    import_file(engine, FIRST)
    odd = {"contract": "ODD-1", "product_number": "=1+1", "agent_name": "+81", "end_user_name": "'=x 髙﨑", "operator_name": "@計〜🗼", "serial": "-0012"}
    import_lines(engine, tmp_path, {name: f"'{value}" if value[0] in "=+@-'" else value for name, value in odd.items()}, read=True)


def test_what_is_exported_imports_as_unchanged(client: Client, engine: Engine, filled: None, tmp_path: Path) -> None:
    client.get(CONTRACTS)
    for button, name in (("Excel（xlsx）", "a.xlsx"), ("csv（UTF-8）", "b.csv"), ("csv（Shift_JIS）", "c.csv")):
        path = tmp_path / name
        path.write_bytes(client.submit(button).content)

        plan = plan_file(engine, path)

        assert {*plan.statuses} == {"unchanged"} and not plan.missing and len(plan.statuses) == 216
        assert "-0012" in {values[4] for values in plan.rows.values} and "=1+1" in {values[3] for values in plan.rows.values}
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.act).order_by(JournalEntry.id.desc()).limit(3)).all() == ["export"] * 3


def test_only_what_the_search_finds_is_exported(client: Client, engine: Engine, filled: None) -> None:
    with transaction(engine) as session:
        add_certificate(session, "SD-000123-H", family="soliton")
    client.get(CONTRACTS)

    page = client.submit("絞り込む", q="sd-000", family="soliton", ends_from="令和9年3月31日", ends_to="2027/4/1")
    file = client.submit("csv（UTF-8）")

    assert page.says("製品：Soliton", "終了日：2027/03/31 から", "終了日：2027/04/01 まで")
    assert [row.split(",")[1] for row in file.content.decode("utf-8-sig").splitlines()] == ["契約番号", "SD-000123-H"]


def test_the_template_is_there_and_a_day_that_is_none_is_told(client: Client, engine: Engine, filled: None) -> None:
    client.get(CONTRACTS)

    assert client.get(f"{CONTRACTS}?ends_from=2027/2/30").says("終了日を読めませんでした。", "日付を、2026/12/28 の形で入力してください。")
    file = client.get(client.page.link("ひな形を受け取る") if client.page else "")

    assert file.content.startswith(b"PK") and "filename*=UTF-8''" in file.headers["content-disposition"]
