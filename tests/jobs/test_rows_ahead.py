"""Rows written while the rest of a workbook is read end as what the plan says of them, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Engine, func, inspect, select

from actions import import_batches, import_staging
from actions.import_plans import Intake
from importers.reader import Block, Issue
from jobs.plan_import import compare, keep
from jobs.rows_ahead import RowsAhead
from models.actors import SYSTEM
from models.database import transaction
from models.imports import ImportRow
from rules.calendar import tokyo_date
from rules.lines import FIELDS
from storage.store import Stored
from tests.people import NOW
from tests.workbooks import LINE, NAKAMURA, Line, apply_batch, compare_lines, keep_plan

_FAULT: Issue = {"field": "contact", "heading": "問合せ先", "message": "空です。", "code": "missing"}
_DOUBT: Issue = {"field": "contact", "heading": "問合せ先", "message": "古い窓口です。", "code": "old_mailbox"}


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transaction for every two rows."""
    monkeypatch.setattr(import_staging, "ROWS_AT_ONCE", 2)


def block_of(first: int, *lines: Line, errors: dict[int, list[Issue]] | None = None, warnings: dict[int, list[Issue]] | None = None) -> Block:
    """Rows as the reading process tells them; the second one of each block is hidden."""
    columns = [[{**LINE, **line}[name] for line in lines] for name in FIELDS]
    return Block("証書", list(range(first, first + len(lines))), frozenset({1}), columns, errors or {}, warnings or {})


def test_what_was_written_ahead_is_what_keeping_all_at_the_end_writes(engine: Engine) -> None:
    blocks = (
        block_of(2, {"serial": "A1"}, {"serial": "A2"}, {"contract": "B", "serial": "B1"}),
        block_of(5, {"contract": "B", "serial": "B2"}, {"contract": "C", "serial": "C1"}, errors={0: [_FAULT]}),
        block_of(7, {"contract": "D", "serial": "D1"}, {"contract": "E", "serial": "E1"}, warnings={0: [_DOUBT]}),
        block_of(9, {"contract": "C", "serial": "C2"}, {"contract": "C", "serial": "C3"}),
        block_of(11, {"contract": "F", "serial": "F1"}),
    )
    ahead, after = batch(engine), batch(engine)
    early, late = RowsAhead(engine, ahead, lambda _session: None), Intake()
    for block in blocks:
        early.take(block)
        late.take(block)
    early.settle()
    # Before the plan is made somebody else imports a certificate of this one, with another line of it.
    apply_batch(engine, keep_plan(engine, compare_lines(engine, {"contract": "C", "serial": "C1"}, {"contract": "C", "serial": "C2", "ends_on": "2027-02-28"})))

    for batch_id, taken in ((ahead, early), (after, late)):
        plan = compare(engine, taken.rows, today=tokyo_date(NOW))
        keep(engine, batch_id, plan, [], by=SYSTEM, now=NOW, guard=lambda _session: None, ahead=early if taken is early else None)

    assert early.count == 9
    rows = rows_of(engine, after)
    assert [row["status"] for row in rows] == ["new", "new", "new", "error", "unchanged", "new", "new", "changed", "new", "new"]
    assert [row["held_by"] for row in rows] == [0, 0, 5, 5, 0, 7, 0, 0, 0, 0]
    assert rows_of(engine, ahead) == rows


def test_nothing_is_written_ahead_from_the_first_known_certificate_on(engine: Engine) -> None:
    apply_batch(engine, keep_plan(engine, compare_lines(engine, {"contract": "B"})))
    early = RowsAhead(engine, batch(engine), lambda _session: None)

    for number, contract in enumerate("ABCD"):
        early.take(block_of(2 + 2 * number, {"contract": contract, "serial": "1"}, {"contract": contract, "serial": "2"}))
    early.settle()

    assert early.count == 2


def test_who_may_not_write_any_more_ends_the_reading(engine: Engine) -> None:
    class Gone(Exception):
        pass

    def refuse(_session: object) -> None:
        raise Gone

    batch_id = batch(engine)
    early = RowsAhead(engine, batch_id, refuse)
    early.take(block_of(2, {"serial": "1"}, {"serial": "2"}))

    with pytest.raises(Gone):
        early.take(block_of(4, {"serial": "3"}, {"serial": "4"}))
    early.settle()

    with transaction(engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(ImportRow).where(ImportRow.batch_id == batch_id)) == 0


def batch(engine: Engine) -> int:
    """A workbook that waits for its plan."""
    with transaction(engine) as session:
        stored = Stored("imports/none", 1, "0" * 64)
        return import_batches.receive(session, file_name="lines.xlsx", stored=stored, by=NAKAMURA, now=NOW).id


def rows_of(engine: Engine, batch_id: int) -> Sequence[dict[str, Any]]:
    """Everything that a plan's rows say."""
    names = [column.key for column in inspect(ImportRow).column_attrs if column.key not in ("id", "batch_id")]
    with transaction(engine, readonly=True) as session:
        found = session.scalars(select(ImportRow).where(ImportRow.batch_id == batch_id).order_by(ImportRow.position)).all()
        return [{name: getattr(row, name) for name in names} for row in found]
