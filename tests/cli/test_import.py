"""`jtickets import plan` and `apply` as an operator runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner, Result

from cli_import_undo import imports
from models.contracts import Certificate, ContractLine
from models.database import transaction
from models.imports import ImportBatch
from models.journal import JournalEntry
from storage.store import StorageFault, Store
from tests.people import add_staff
from tests.workbooks import AGAIN, FAULTY, FIRST, csv_of

ROW_KEYS = {"sheet", "row", "status", "hidden", "values", "changes", "warnings", "errors"}
SUMMARY_KEYS = {"new", "changed", "unchanged", "error", "missing", "certificates"}


@pytest.fixture(autouse=True)
def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JTICKETS_DATABASE_URL", database_url)
    monkeypatch.setenv("JTICKETS_STATE_DIR", str(tmp_path / "var"))


def run(*words: str) -> Result:
    return CliRunner().invoke(imports, list(words))


def read(*words: str, code: int = 0) -> dict[str, Any]:
    result = run(*words, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_the_plan_is_printed_in_the_agreed_shape(engine: Engine) -> None:
    told = read("plan", str(FIRST))

    assert set(told) >= {"file", "sheets", "rows", "missing", "summary"}
    assert told["file"] == FIRST.name
    assert {"name", "rows", "heading_row", "skipped"} <= set(told["sheets"][0])
    assert set(told["rows"][0]) >= ROW_KEYS
    assert set(told["summary"]) >= SUMMARY_KEYS
    assert told["summary"]["new"] == len(told["rows"]) == 215


def test_planning_writes_nothing(engine: Engine) -> None:
    read("plan", str(FIRST))

    assert count(engine, ImportBatch) == count(engine, Certificate) == 0


def test_applying_tells_what_was_written_and_again_changes_nothing(engine: Engine) -> None:
    first = read("apply", str(FIRST))
    lines = count(engine, ContractLine)

    again = read("apply", str(FIRST))

    assert first["written"] == {"certificates": 60, "new": 215, "changed": 0, "unchanged": 0}
    assert again["written"] == {"certificates": 0, "new": 0, "changed": 0, "unchanged": 215}
    assert count(engine, ContractLine) == lines == 215
    assert read("plan", str(AGAIN))["summary"] == {"new": 10, "changed": 46, "unchanged": 167, "error": 0, "missing": 2, "certificates": 63, "warnings": 0}


def test_an_import_is_undone_by_its_number_and_the_undo_too(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"serial": "A1"}, {"serial": "A2"}))
    with transaction(engine) as session:
        add_staff(session, "nakamura")
    number = str(read("apply", str(path))["batch"])

    seen = read("undo", number, "--plan")
    assert (seen["batch"], seen["counts"]["removed"], count(engine, Certificate)) == (None, 2, 1)
    undone = read("undo", number, "--staff", "nakamura")
    assert count(engine, Certificate) == 0
    assert run("undo", number).exit_code == run("undo", "999999").exit_code == 2
    assert f"jtickets import undo {undone['batch'] + 1}" in run("undo", str(undone["batch"])).stdout
    assert count(engine, Certificate) == 1
    with transaction(engine, readonly=True) as session:
        assert session.scalars(select(JournalEntry.actor_name).where(JournalEntry.act == "undo").order_by(JournalEntry.id)).first() == "中村"


def test_errors_are_told_with_their_row_and_end_with_1(engine: Engine) -> None:
    told = read("plan", str(FAULTY), code=1)

    wrong = {row["row"]: [error["field"] for error in row["errors"]] for row in told["rows"] if row["errors"]}
    assert wrong[8] == ["starts_on"]
    assert all(row["status"] == "error" for row in told["rows"] if row["errors"])


def test_what_is_held_back_is_told_with_its_reason(engine: Engine) -> None:
    told = read("apply", str(FAULTY), code=1)

    assert told["held"]["rows"]
    assert any("存在しない日付" in reason for row in told["held"]["rows"] for reason in row["reasons"])


def test_warnings_wait_until_they_are_confirmed(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"contact": "srx_support@jscom.co.jp"}))

    waiting = run("apply", str(path))
    assert waiting.exit_code == 1 and "--confirm-warnings" in waiting.stdout
    assert count(engine, Certificate) == 0

    assert run("apply", str(path), "--confirm-warnings").exit_code == 0
    assert count(engine, Certificate) == 1


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 no workbook", b"PK\x03\x04 broken"], ids=["empty", "pdf", "broken"])
def test_what_cannot_be_read_gets_one_sentence_and_2(engine: Engine, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(content)

    result = run("plan", str(path))

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.strip().endswith("。") and result.stderr.count("\n") == 1


def test_all_or_nothing_writes_nothing_beside_an_error(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"ends_on": "あした"}, {"contract": "JSC26040999A"}))

    told = read("apply", str(path), "--all-or-nothing", code=1)

    assert told["written"]["certificates"] == count(engine, Certificate) == 0
    assert read("apply", str(path), code=1)["written"]["certificates"] == count(engine, Certificate) == 1


def test_the_workbook_is_handed_back_beside_the_plan(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "out.xlsx"

    told = read("plan", str(FAULTY), "--annotate", str(out), code=1)

    assert told["summary"]["error"] and out.read_bytes().startswith(b"PK")
    assert run("plan", str(FAULTY), "--annotate", str(tmp_path / "none" / "out.xlsx")).exit_code == 2


def test_a_file_that_is_not_there_gets_one_sentence_and_2(engine: Engine, tmp_path: Path) -> None:
    result = run("apply", str(tmp_path / "none.xlsx"))

    assert result.exit_code == 2 and "見つかりません" in result.stderr


@pytest.mark.parametrize("number", ["3000000000", "99999999999999999999"])
def test_a_number_beyond_all_imports_gets_one_sentence_and_2(engine: Engine, number: str) -> None:
    result = run("undo", number)

    assert result.exit_code == 2 and result.stderr == f"取込 {number} はありません。番号をお確かめください。\n"


@pytest.mark.parametrize("setting", ["JTICKETS_STATE_DIR", "JTICKETS_ATTACHMENTS_URL"])
def test_a_folder_that_cannot_be_used_gets_one_sentence_and_2(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"serial": "A1"}))
    monkeypatch.setenv(setting, str(path) if setting == "JTICKETS_STATE_DIR" else (path / "files").as_uri())

    result = run("apply", str(path))

    assert result.exit_code == 2 and result.stderr.startswith(f"{setting}: フォルダー「{path}") and result.stderr.count("\n") == 1
    assert count(engine, ImportBatch) == 0


def test_a_storage_that_takes_nothing_gets_one_sentence_and_2(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"serial": "A1"}))

    def full(*_given: object) -> None:
        raise StorageFault("No space left on device")

    monkeypatch.setattr(Store, "keep", full)
    result = run("apply", str(path))

    assert result.exit_code == 2 and "保管できない" in result.stderr.splitlines()[-1]
    assert count(engine, ImportBatch) == count(engine, Certificate) == 0


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_workbook_itself_is_not_written_over(engine: Engine, tmp_path: Path, command: str) -> None:
    path, other = tmp_path / "lines.csv", tmp_path / "link.csv"
    path.write_bytes(csv_of({"serial": "A1"}))
    other.symlink_to(path)

    for out in (path, other):
        result = run(command, str(path), "--annotate", str(out))
        assert result.exit_code == 2 and "別の名前を指定してください。" in result.stderr
    assert path.read_bytes() == csv_of({"serial": "A1"}) and count(engine, ImportBatch) == 0


def test_a_second_table_beside_the_first_is_told(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    head, left, right = (row.split(",") for row in csv_of({"serial": "L1"}, {"serial": "R1"}).decode().splitlines())
    path.write_text("\n".join(",".join(row) for row in ([*head, "", *head], [*left, "", *right])), encoding="utf-8")

    for command in ("plan", "apply"):
        assert "もう 1 つの表があります" in run(command, str(path), "--json").stderr


def test_nothing_is_applied_where_the_console_would_ask_for_the_columns(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    path.write_bytes(csv_of({"serial": "A1"}).replace("製品番号".encode(), "なにか".encode()))

    for command in ("plan", "apply"):
        result = run(command, str(path), "--json")
        assert result.exit_code == 1 and json.loads(result.stdout) and "列の対応を選んでください。" in result.stderr.splitlines()[-1]
    assert count(engine, ImportBatch) == count(engine, Certificate) == 0


def test_the_summary_reads_well_without_json(engine: Engine) -> None:
    result = run("plan", str(FIRST))

    assert "新規" in result.stdout and "215" in result.stdout
    assert "まだ何も反映されていません。" in result.stdout


def count(engine: Engine, table: type[Any]) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0
