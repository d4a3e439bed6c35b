"""A faulty workbook that is handed back, corrected and applied leaves the same records as one that was right from the first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import Cell
from openpyxl.utils import get_column_letter
from sqlalchemy import Engine, select

from actions.import_workbook import batch_rows
from importers.marking import mark_workbook
from jobs.plan_import import compare, read_rows
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import ImportBatch
from models.masters import ProductFamily
from rules.calendar import tokyo_date
from rules.limits import Limits
from rules.lines import FIELDS
from rules.refusal import Refused
from tests.actions.test_import_properties import empty
from tests.importers.workbooks import first_sheet
from tests.people import NOW
from tests.workbooks import LINE, apply_batch, keep_plan, tick
from wording.imports import FIELD_LABELS

Faults = Mapping[tuple[int, str], str]
_WRONG = {"ends_on": "未定", "issued_on": "2026/2/30", "starts_on": "2026.13.1", "family": "Junipr", "agent_email": "a b", "product_number": ""}
_TEXTS = ["みなと物流株式会社", "=SUM(A1)", "+81", "@x", "㈱髙﨑①", "a_x0041_b", "<&>\"'"]
_LINES = 5

faults = st.sets(st.tuples(st.integers(0, _LINES - 1), st.sampled_from(sorted(_WRONG))), min_size=1, max_size=6).map(
    lambda places: {place: _WRONG[place[1]] for place in places}
)
texts = st.lists(st.sampled_from(_TEXTS), min_size=_LINES, max_size=_LINES)


@settings(max_examples=2, database=None)
@given(wrong=faults, names=texts)
def test_corrected_after_the_hand_back_is_as_good_as_right_from_the_first(engine: Engine, tmp_path: Path, wrong: Faults, names: list[str]) -> None:
    check(engine, tmp_path, wrong, names)


@pytest.mark.proof
@settings(max_examples=30, database=None)
@given(wrong=faults, names=texts)
def test_whatever_is_corrected(engine: Engine, tmp_path: Path, wrong: Faults, names: list[str]) -> None:
    check(engine, tmp_path, wrong, names)


def check(engine: Engine, folder: Path, wrong: Faults, names: Sequence[str]) -> None:
    sound = [{**LINE, "contract": f"JSC2604000{index // 2}A", "serial": f"S{index}", "end_user_name": names[index // 2]} for index in range(_LINES)]
    first, faulty, out = (folder / name for name in ("first.xlsx", "faulty.xlsx", "out.xlsx"))
    write(first, sound)
    write(faulty, [{name: wrong.get((index, name), text) for name, text in each.items()} for index, each in enumerate(sound)])
    empty(engine)
    apply(engine, keep(engine, first))
    wanted = records(engine)

    empty(engine)
    batch_id = keep(engine, faulty)
    hand_back(engine, batch_id, faulty, out)
    apply(engine, batch_id)
    correct(out, {place: sound[place[0]][place[1]] for place in wrong})
    again = keep(engine, out)
    told = compared(engine, again)
    apply(engine, again)

    assert set(told) <= {"new", "unchanged"}
    assert records(engine) == wanted
    assert set(compared(engine, keep(engine, out))) == {"unchanged"}


def write(path: Path, lines: Sequence[Mapping[str, str]]) -> None:
    """A workbook in which every cell is a text."""
    book = openpyxl.Workbook()
    sheet = first_sheet(book)
    sheet.append([FIELD_LABELS[name] for name in FIELDS])
    for line in lines:
        sheet.append([line[name] for name in FIELDS])
    for row in sheet.iter_rows():
        for cell in row:
            if cell.value is not None:
                cell.data_type = "s"
    book.save(path)


def keep(engine: Engine, path: Path) -> int:
    """A batch with the plan of a workbook."""
    rows, sheets = read_rows(engine, path, file_name=path.name, limits=Limits())
    batch_id = keep_plan(engine, compare(engine, rows, today=tokyo_date(NOW)), name=path.name)
    with transaction(engine) as session:
        session.get_one(ImportBatch, batch_id).sheets = sheets
    return batch_id


def apply(engine: Engine, batch_id: int) -> None:
    """Apply what is sound, every warning ticked; nothing where nothing is."""
    tick(engine, batch_id)
    try:
        apply_batch(engine, batch_id)
    except Refused as refused:
        assert refused.code == "nothing_to_apply"


def hand_back(engine: Engine, batch_id: int, path: Path, out: Path) -> None:
    with transaction(engine, readonly=True) as session:
        sheets, rows = session.get_one(ImportBatch, batch_id).sheets, list(batch_rows(session, batch_id))
    columns = {sheet["name"]: get_column_letter(len(FIELDS)) for sheet in sheets}
    mark_workbook(path, out, rows, sheets, columns, file_name=path.name)


def correct(path: Path, cells: Mapping[tuple[int, str], str]) -> None:
    """Put the cells right in the workbook that came back, as a person does in Excel."""
    book = openpyxl.load_workbook(path)
    sheet = first_sheet(book)
    for (index, name), text in cells.items():
        cell = sheet.cell(index + 2, FIELDS.index(name) + 1)
        assert isinstance(cell, Cell)
        cell.value = text
    book.save(path)


def compared(engine: Engine, batch_id: int) -> list[str]:
    with transaction(engine, readonly=True) as session:
        told = session.get_one(ImportBatch, batch_id).summary
    return [status for status in ("new", "changed", "unchanged", "error", "missing") if told[status]]


def records(engine: Engine) -> list[Any]:
    """Everything that the certificates say, without the numbers and moments that no workbook brings."""
    with transaction(engine, readonly=True) as session:
        certificates = session.execute(select(Certificate.contract_key, Certificate.issued_on).order_by(Certificate.contract_key)).all()
        parties = session.execute(
            select(Certificate.contract_key, Party.role, Party.name, Party.email).join(Certificate, Certificate.id == Party.certificate_id)
        ).all()
        lines = session.execute(
            select(
                Certificate.contract_key, ProductFamily.name, ContractLine.product_number, ContractLine.serial,
                ContractLine.starts_on, ContractLine.ends_on, ContractLine.service, ContractLine.contact, ContractLine.row,
            )
            .join(Certificate, Certificate.id == ContractLine.certificate_id)
            .join(ProductFamily, ProductFamily.id == ContractLine.family_id)
        ).all()  # fmt: skip
    return [[tuple(row) for row in certificates], sorted(tuple(map(str, row)) for row in parties), sorted(tuple(map(str, row)) for row in lines)]
