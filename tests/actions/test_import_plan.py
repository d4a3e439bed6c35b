"""What a plan says of each row, before anything is written."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from tests.workbooks import AGAIN, FAULTY, FIRST, SAMPLES, compare_lines, import_file, import_lines, plan_file, plan_lines


def test_a_workbook_into_an_empty_database_is_new_throughout(engine: Engine) -> None:
    plan = plan_file(engine, FIRST)

    assert set(plan.statuses) == {"new"}
    assert plan.summary() == {"new": 215, "changed": 0, "unchanged": 0, "error": 0, "missing": 0, "certificates": 60, "warnings": 0}
    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 0


def test_what_a_shift_jis_file_cannot_say_is_no_change_and_stays(engine: Engine, tmp_path: Path) -> None:
    first = {"end_user_name": "葛飾🗼〜", "agent_name": "東〓商会", "service": "保守〜🗼"}
    import_lines(engine, tmp_path, first)
    told = {"end_user_name": "葛飾〓～", "service": "保守～〓"}

    assert compare_lines(engine, {**first, **told}).statuses == ["unchanged"]
    assert compare_lines(engine, {**first, **told, "agent_name": "西〓商会"}).changes == {0: {"agent_name": ("東〓商会", "西〓商会")}}
    import_lines(engine, tmp_path, {**first, **told, "ends_on": "2028-03-31"})
    with transaction(engine, readonly=True) as session:
        assert set(session.scalars(select(Party.name))) == {"葛飾🗼〜", "東〓商会"}
        assert session.execute(select(ContractLine.service, ContractLine.ends_on)).one() == ("保守〜🗼", date(2028, 3, 31))


@pytest.mark.parametrize(
    ("first", "told"),
    [
        ({"agent_name": "𠮷田商会", "end_user_name": "𡈽田商会"}, {"agent_name": "〓田商会", "end_user_name": "〓田商会"}),
        ({"agent_name": "東西—商会", "end_user_name": "東西―商会"}, {"agent_name": "東西―商会"}),
        ({"service": "𠮷田保守", "contact": "𡈽田保守"}, {"service": "〓田保守", "contact": "〓田保守"}),
    ],
    ids=["signs that are missing", "signs that are alike", "texts of a line"],
)
def test_texts_that_look_the_same_in_shift_jis_stay_with_whom_they_belong(engine: Engine, tmp_path: Path, first: dict[str, str], told: dict[str, str]) -> None:
    import_lines(engine, tmp_path, first)

    assert compare_lines(engine, first).statuses == ["unchanged"]
    assert compare_lines(engine, {**first, **told}).statuses == ["unchanged"]


def test_texts_of_lines_that_look_the_same_in_shift_jis_stay_with_their_lines(engine: Engine, tmp_path: Path) -> None:
    first = {"serial": "A1", "service": "𠮷田保守", "contact": "東西—商会"}
    second = {"serial": "A2", "service": "𡈽田保守", "contact": "東西―商会"}
    import_lines(engine, tmp_path, first, second)
    told = {"service": "〓田保守", "contact": "東西―商会"}

    assert compare_lines(engine, first, second).statuses == ["unchanged", "unchanged"]
    assert compare_lines(engine, {**second, **told}, {**first, **told}).statuses == ["unchanged", "unchanged"]
    assert compare_lines(engine, {**first, **told}, {**second, **told, "serial": "B2"}).changes == {1: {"serial": ("A2", "B2")}}
    # Which of the two lines each row is, nobody knows.
    doubtful = compare_lines(engine, {**first, **told, "serial": "B1"}, {**second, **told, "serial": "B2"})
    assert {row["values"]["service"] for row in doubtful.told()} == {"〓田保守"}


def test_the_workbook_issued_again_differs_exactly_where_it_should(engine: Engine) -> None:
    expected = json.loads((SAMPLES / "expected" / "2026-11_再発行_差分.json").read_text())
    import_file(engine, FIRST)

    plan = plan_file(engine, AGAIN)

    rows = list(plan.told())
    assert [key for key, certificate in plan.certificates.items() if certificate.certificate_id is None] == expected["new"]
    assert plan.statuses.count("unchanged") == expected["unchanged"]
    found: dict[tuple[str, ...], int] = {}
    for row in rows:
        for name, (old, new) in row["changes"].items():
            named = (row["values"]["contract"], name, *([old, new] if name == "serial" else [new] if name.endswith("email") else []))
            found[named] = found.get(named, 0) + 1
    wanted: dict[tuple[str, ...], int] = {}
    for change in expected["changed"]:
        named = (change["contract"], change["field"], *(change[part] for part in ("old", "new") if part in change))
        wanted[named] = wanted.get(named, 0) + change["lines"]
    assert found == wanted
    assert [{name: line[name] for name in ("contract", "serial", "service")} for line in plan.missing] == expected["missing"]


def test_the_same_workbook_again_changes_nothing(engine: Engine) -> None:
    import_file(engine, FIRST)

    plan = plan_file(engine, FIRST)

    assert set(plan.statuses) == {"unchanged"}
    assert not plan.missing and not plan.held_by


def test_an_error_holds_back_its_whole_certificate(engine: Engine, tmp_path: Path) -> None:
    plan = plan_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "ends_on": "2026-02-30"}, {"contract": "JSC26040999A"})

    assert plan.statuses == ["new", "error", "new"]
    assert plan.held_by == {0: 3, 1: 3}


def test_a_row_without_a_readable_contract_holds_back_nobody_else(engine: Engine) -> None:
    plan = plan_file(engine, FAULTY)

    unread = [index for index, values in enumerate(plan.rows.values) if not values[1]]
    assert unread and all(plan.held_by[index] == plan.rows.numbers[index] for index in unread)
    assert "" not in plan.certificates


def test_a_serial_active_under_another_contract_is_a_warning(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})

    plan = plan_lines(engine, tmp_path, {"contract": "JSC26120001A", "issued_on": "2026-11-01"})

    assert [issue["message"] for issue in plan.rows.warnings[0]] == ["同じシリアルが別の有効な契約 JSC26040123A にもあります。"]
    assert plan.held_by == {0: 2}


@pytest.mark.parametrize("period", [("2020-04-01", "2021-03-31"), ("2027-04-01", "2028-03-31")], ids=["ended", "not started"])
def test_a_serial_of_a_contract_that_is_not_active_is_no_warning(engine: Engine, tmp_path: Path, period: tuple[str, str]) -> None:
    import_lines(engine, tmp_path, {"starts_on": period[0], "ends_on": period[1]})

    plan = plan_lines(engine, tmp_path, {"contract": "JSC26120001A"})

    assert plan.rows.warnings == {}


def test_a_changed_party_is_a_change_of_each_line(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"})

    plan = plan_lines(engine, tmp_path, {"serial": "A1", "end_user_email": "new@tozai.example"}, {"serial": "A2", "end_user_email": "new@tozai.example"})

    assert plan.statuses == ["changed", "changed"]
    assert plan.changes[1] == {"end_user_email": ("kiban@osaka.tozai.example", "new@tozai.example")}


def test_an_email_in_other_case_is_no_change(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})

    plan = plan_lines(engine, tmp_path, {"end_user_email": "KIBAN@osaka.tozai.example"})

    assert plan.statuses == ["unchanged"]


def test_lines_of_certificates_that_the_workbook_does_not_name_are_not_missing(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "service": "ソフトウェア保守"}, {"contract": "JSC26040999A", "serial": "B1"})

    plan = plan_lines(engine, tmp_path, {"serial": "A1"})

    assert plan.missing == [{"contract": "JSC26040123A", "product_number": "SRX300-SYS-JB", "serial": "A2", "service": "ソフトウェア保守"}]
