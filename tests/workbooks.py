"""Workbooks of certificates as tests make them, and the way from a file to a kept plan."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, select

from actions import import_apply, import_batches, import_plans, import_undo
from actions.import_apply import Written
from actions.import_plans import Intake, Plan, Rows
from importers import child
from importers.reader import Reading
from jobs.plan_import import compare, keep, read_rows
from models.actors import Actor
from models.database import transaction
from models.import_mapping import remembered
from models.imports import ImportBatch, ImportRow
from rules.calendar import tokyo_date
from rules.limits import Limits
from rules.lines import FIELDS
from storage.store import Stored
from tests.people import NOW
from wording.imports import FIELD_LABELS

SAMPLES = Path(__file__).parent / "data" / "certificates"
FIRST = SAMPLES / "2026-11_証書一覧.xlsx"
AGAIN = SAMPLES / "2026-11_証書一覧_再発行.xlsx"
FAULTY = SAMPLES / "誤りあり.xlsx"
NAKAMURA = Actor(None, "中村", kind="staff")

Line = Mapping[str, str]
LINE = {
    "issued_on": "2026-04-01",
    "contract": "JSC26040123A",
    "family": "Juniper-SRX",
    "product_number": "SRX300-SYS-JB",
    "serial": "CV4126AF0093",
    "starts_on": "2026-04-01",
    "ends_on": "2027-03-31",
    "service": "平日9:00~17:00オンサイト保守",
    "contact": "J's チケットシステム",
    "agent_name": "関西システム販売株式会社",
    "agent_email": "hosyu@kansai-hanbai.example",
    "operator_name": "",
    "operator_email": "",
    "end_user_name": "東西ネットワーク株式会社",
    "end_user_email": "kiban@osaka.tozai.example",
}


def csv_of(*lines: Line) -> bytes:
    """A csv with every column; each line is `LINE` but for what it names. The first one stands in row 2."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([FIELD_LABELS[name] for name in FIELDS])
    writer.writerows([{**LINE, **line}[name] for name in FIELDS] for line in lines)
    return text.getvalue().encode()


def plan_lines(engine: Engine, folder: Path, *lines: Line, now: datetime = NOW) -> Plan:
    """What applying a workbook of `lines` would do."""
    path = folder / "lines.csv"
    path.write_bytes(csv_of(*lines))
    return compare(engine, _read_here(engine, path), today=tokyo_date(now))


def _read_here(engine: Engine, path: Path) -> Rows:
    """The rows, read in this process by what else reads in one of its own: for a handful of lines the start of that costs ten times the reading."""
    with transaction(engine, readonly=True) as session:
        masters, known = import_plans.masters(session), remembered(session)
    asked = {"families": masters.families, "mailboxes": masters.mailboxes, "remembered": known, "most_rows": Limits().workbook_rows, "mapping": None}
    intake = Intake()
    with tempfile.TemporaryFile() as answer:
        for told in child.read({"path": str(path), **asked}):
            answer.write(json.dumps(told, separators=(",", ":")).encode() + b"\n")
        for block in Reading(path.name, answer).blocks():
            intake.take(block)
    return intake.rows


def plan_file(engine: Engine, path: Path, *, now: datetime = NOW) -> Plan:
    """What applying the workbook would do."""
    rows, _ = read_rows(engine, path, file_name=path.name, limits=Limits())
    return compare(engine, rows, today=tokyo_date(now))


def compare_lines(engine: Engine, *lines: Line, now: datetime = NOW) -> Plan:
    """What applying `lines` would do, as `plan_lines`, without a file and a reading of it: only sound lines."""
    rows = Rows(sheets=[""] * len(lines), numbers=list(range(2, len(lines) + 2)), values=[tuple({**LINE, **line}[name] for name in FIELDS) for line in lines])
    return compare(engine, rows, today=tokyo_date(now))


def keep_plan(engine: Engine, plan: Plan, *, name: str = "lines.csv", sha256: str = "0" * 64, now: datetime = NOW) -> int:
    """A batch with this plan; its id."""
    with transaction(engine) as session:
        batch_id = import_batches.receive(session, file_name=name, stored=Stored("imports/none", 1, sha256), by=NAKAMURA, now=now).id
    keep(engine, batch_id, plan, [], by=NAKAMURA, now=now, guard=lambda _session: None)
    return batch_id


def apply_batch(engine: Engine, batch_id: int, *, now: datetime = NOW) -> Written:
    """Apply a kept plan."""
    with transaction(engine) as session:
        return import_apply.apply(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=now)


def import_file(engine: Engine, path: Path, *, now: datetime = NOW) -> Written:
    """Plan and apply a workbook."""
    return apply_batch(engine, keep_plan(engine, plan_file(engine, path, now=now), now=now), now=now)


def import_lines(engine: Engine, folder: Path, *lines: Line, now: datetime = NOW, read: bool = False) -> Written:
    """Plan and apply `lines`; `read` from a workbook where one of them is not sound: the process that reads costs more than all the rest."""
    plan = plan_lines(engine, folder, *lines, now=now) if read else compare_lines(engine, *lines, now=now)
    return apply_batch(engine, keep_plan(engine, plan, now=now), now=now)


def undo_batch(engine: Engine, batch_id: int, *, now: datetime = NOW) -> int:
    """Undo an applied batch; the id of the batch that the undo is."""
    with transaction(engine) as session:
        return import_undo.undo(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=now, limits=Limits()).id


def tick(engine: Engine, batch_id: int, *, status: str = "new") -> None:
    """Tick every row of that status: its warnings, its renewal, or that it is withdrawn."""
    with transaction(engine) as session:
        ids = session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.status == status)).all()
        import_batches.confirm(session, session.get_one(ImportBatch, batch_id), ticked=ids, shown=ids, by=NAKAMURA, now=NOW)
