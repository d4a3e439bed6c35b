"""A cell put right in the browser is as good as one put right in the workbook before it came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from actions.import_corrections import CellFix, correct, lay_over, withdraw
from actions.import_repairs import repair_alike
from jobs.plan_import import read_rows
from models.database import transaction
from models.import_corrections import corrections_of
from models.imports import ImportBatch, ImportRow
from rules.calendar import tokyo_date
from rules.limits import Limits
from rules.lines import FIELDS
from rules.refusal import Refused
from tests.people import NOW
from tests.workbooks import NAKAMURA, Line, csv_of, import_lines, keep_plan, plan_lines

TODAY = tokyo_date(NOW)
ODD = "契約その一"
CASES: tuple[tuple[tuple[Line, ...], tuple[tuple[int, str, str], ...]], ...] = (
    (({}, {"serial": "A2", "ends_on": "2026-02-30"}), ((1, "ends_on", "2027-03-31"),)),
    (({}, {"serial": "A2", "end_user_email": "x@y.example"}), ((1, "end_user_email", "kiban@osaka.tozai.example"),)),
    (({}, {"serial": "A2"}), ((0, "end_user_name", "別の会社"),)),
    (({}, {}), ((1, "serial", "A2"),)),
    (({}, {"serial": "A2"}), ((1, "serial", "A1"),)),
    (({}, {"serial": "A2", "contract": ODD}), ((1, "contract", "JSC26{n}A"),)),
    (({}, {"serial": "A2", "contract": "OTHER{n}"}), ((0, "contract", "OTHER{n}"),)),
    (({}, {"serial": "A2"}), ((0, "contact", "srx_support@jscom.co.jp"),)),
    (({"agent_email": "", "end_user_email": ""},), ((0, "agent_email", "ｉｔ＠minato.example"),)),
    (({"ends_on": "2026-03-31"},), ((0, "ends_on", "2027年3月31日"),)),
    (({}, {"serial": "A2"}), ((1, "serial", "B9"),)),
    (({}, {"serial": "A2", "service": ""}), ((1, "service", "センドバック保守"),)),
    (({}, {"serial": "A2", "starts_on": "", "family": "ZZZ"}), ((1, "starts_on", "令和8年4月1日"), (1, "family", "Juniper-SRX"))),
)
"""Lines of a certificate, and what is typed into which of them: (index, field, text)."""


def workbook() -> tuple[list[dict[str, str]], list[dict[str, str]], list[tuple[int, str, str]]]:
    """All cases in one workbook, each with contracts of its own: as it came, as it should be, and the cells to put right."""
    came: list[dict[str, str]] = []
    cells: list[tuple[int, str, str]] = []
    for n, (lines, typed) in enumerate(CASES, 100):
        cells += [(len(came) + index, name, text.format(n=n)) for index, name, text in typed]
        came += [{"contract": f"JSC26{n}A", "serial": "A1", **{name: text.format(n=n) for name, text in line.items()}} for line in lines]
    right = [dict(line) for line in came]
    for index, name, text in cells:
        right[index][name] = text
    return came, right, cells


def rows_of(session: Session, batch_id: int) -> list[dict[str, Any]]:
    """The plan as people see it."""
    names = ("row", "status", "contract_key", "values", "changes", "held_by")
    rows = session.scalars(select(ImportRow).where(ImportRow.batch_id == batch_id, ImportRow.row > 0).order_by(ImportRow.position))
    return [{**{name: getattr(row, name) for name in names}, **told(row)} for row in rows]


def told(row: ImportRow) -> dict[str, list[tuple[str, str]]]:
    """Errors and warnings by what they say."""
    return {name: [(issue["field"], issue["message"]) for issue in getattr(row, name)] for name in ("errors", "warnings")}


def kept(engine: Engine, folder: Path, *lines: Line) -> int:
    return keep_plan(engine, plan_lines(engine, folder, *lines))


def test_corrected_cells_plan_as_a_workbook_that_came_right(engine: Engine, tmp_path: Path) -> None:
    came, right, cells = workbook()
    import_lines(
        engine, tmp_path, {"serial": "B9", "contract": "JSC26041111A"}, {"serial": "A1", "contract": "JSC26111A", "service": "ソフトウェア保守"}, read=True
    )
    batch_id, wanted_id = kept(engine, tmp_path, *came), kept(engine, tmp_path, *right)
    with transaction(engine) as session:
        batch, wanted = session.get_one(ImportBatch, batch_id), session.get_one(ImportBatch, wanted_id)
        before = rows_of(session, batch_id)
        ids = ids_of(session, batch_id)

        for index, name, text in cells:
            assert correct(session, batch, [CellFix(ids[index], name, text)], by=NAKAMURA, now=NOW, today=TODAY) == 1

        session.flush()
        session.expire_all()
        assert rows_of(session, batch_id) == rows_of(session, wanted_id)
        counted = ("new", "changed", "unchanged", "error", "unticked", "ready", "held", "missing")
        assert {name: batch.summary[name] for name in counted} == {name: wanted.summary[name] for name in counted}

        withdraw(session, batch, corrections_of(session, batch_id), by=NAKAMURA, now=NOW, today=TODAY)
        session.flush()
        session.expire_all()
        assert rows_of(session, batch_id) == before


def test_a_workbook_read_anew_keeps_its_corrections(engine: Engine, tmp_path: Path) -> None:
    came, _, cells = workbook()
    batch_id = kept(engine, tmp_path, *came)
    path = tmp_path / "again.csv"
    path.write_bytes(csv_of(*came))
    rows, sheets = read_rows(engine, path, file_name=path.name, limits=Limits())
    with transaction(engine) as session:
        ids = ids_of(session, batch_id)
        fixes = [CellFix(ids[index], name, text) for index, name, text in cells]
        assert correct(session, session.get_one(ImportBatch, batch_id), fixes, by=NAKAMURA, now=NOW, today=TODAY) == len(cells)

        lay_over(session, batch_id, rows, sheets)

        found = [{"values": dict(zip(FIELDS, values, strict=True)), "errors": len(rows.errors.get(at, []))} for at, values in enumerate(rows.values)]
        assert found == [{"values": row["values"], "errors": len(row["errors"])} for row in rows_of(session, batch_id)]


def ids_of(session: Session, batch_id: int) -> list[int]:
    """The ids of the rows in the order of the workbook."""
    return list(session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.row > 0).order_by(ImportRow.position)))


def test_a_wrong_cell_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    batch_id = kept(engine, tmp_path, {"serial": "A1", "ends_on": "いつか"})

    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        row = session.scalars(select(ImportRow).where(ImportRow.batch_id == batch_id)).one()
        for name, typed, code in (
            ("ends_on", "あした", "not_a_date"),
            ("contract", "", "missing"),
            ("serial", "〃", "nothing_above"),
            ("rows", "1", "cell_field"),
        ):
            with pytest.raises(Refused) as refused:
                correct(session, batch, [CellFix(row.id, name, typed)], by=NAKAMURA, now=NOW, today=TODAY)
            assert refused.value.code == code
        with pytest.raises(Refused, match="cell_gone"):
            correct(session, batch, [CellFix(row.id + 999, "serial", "A2")], by=NAKAMURA, now=NOW, today=TODAY)
        assert corrections_of(session, batch_id) == []


def test_a_cause_without_a_certain_repair_is_left_to_people(engine: Engine, tmp_path: Path) -> None:
    batch_id = kept(engine, tmp_path, {"serial": "A1", "ends_on": "いつか"})

    with transaction(engine) as session, pytest.raises(Refused, match="no_certain_repair"):
        repair_alike(session, session.get_one(ImportBatch, batch_id), ("ends_on", "not_a_date"), by=NAKAMURA, now=NOW, today=TODAY)
