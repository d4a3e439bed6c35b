"""取消: what a batch found comes back, what was edited since stays, and an undo can be undone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, func, select, update

from actions import import_undo
from actions.import_undo import UndoPlan, plan_undo
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.renewals import Renewal
from rules.limits import Limits
from rules.refusal import Refused
from tests import people
from tests.people import NOW
from tests.workbooks import AGAIN, FIRST, NAKAMURA, apply_batch, compare_lines, import_file, import_lines, keep_plan, plan_lines, tick, undo_batch

_LATER = NOW + timedelta(days=1)
_DAY_AFTER = NOW + timedelta(days=2)


def test_undoing_a_batch_restores_every_row_and_undoing_that_repeats_it(engine: Engine) -> None:
    import_file(engine, FIRST)
    before = everything(engine)
    import_file(engine, AGAIN, now=_LATER)
    after = everything(engine)
    assert before != after

    undone = undo_batch(engine, last(engine), now=_LATER)

    assert everything(engine) == before
    repeated = undo_batch(engine, undone, now=_DAY_AFTER)
    assert everything(engine) == after
    undo_batch(engine, repeated, now=_DAY_AFTER)
    assert everything(engine) == before


def test_undoing_the_first_import_leaves_nothing(engine: Engine) -> None:
    import_file(engine, FIRST)

    undo_batch(engine, last(engine))

    assert everything(engine) == ([], [], [])
    assert states(engine) == [BatchState.UNDONE, BatchState.APPLIED]


def test_a_withdrawn_line_comes_back_with_its_renewal(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1", "ends_on": "2026-10-31"}, {"serial": "A2"})
    renewing = keep_plan(engine, plan_lines(engine, tmp_path, {"contract": "JSC26110001A", "serial": "A1", "starts_on": "2026-11-01", "ends_on": "2027-10-31"}))
    tick(engine, renewing)
    apply_batch(engine, renewing)
    before = everything(engine)
    withdrawing = keep_plan(engine, plan_lines(engine, tmp_path, {"serial": "A2"}))
    tick(engine, withdrawing, status="missing")
    assert apply_batch(engine, withdrawing, now=_LATER).withdrawn == 1
    assert rows(engine, select(Renewal.dropped_by)) == [(withdrawing,)]

    undo_batch(engine, withdrawing, now=_LATER)

    assert everything(engine) == before
    assert rows(engine, select(Renewal.dropped_by)) == [(None,)]


def test_what_was_edited_since_stays_and_is_named(engine: Engine, tmp_path: Path) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"}, {"contract": "JSC26040999A", "serial": "B1"}))
    apply_batch(engine, batch_id)
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "ends_on": "2029-03-31"}, now=_LATER)

    plan = preview(engine, batch_id)
    undo_batch(engine, batch_id, now=_DAY_AFTER)

    assert [(row.contract_key, row.serial) for row in plan.kept] == [("JSC26040123A", "A2")]
    assert rows(engine, select(ContractLine.serial, ContractLine.ends_on)) == [("A2", date(2029, 3, 31))]
    assert rows(engine, select(Certificate.contract_key)) == [("JSC26040123A",)]
    assert rows(engine, select(func.count(Party.id))) == [(2,)]


def test_a_correction_by_hand_stays(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"ends_on": "2028-03-31", "end_user_email": "neu@osaka.tozai.example"}))
    apply_batch(engine, batch_id, now=_LATER)
    with transaction(engine) as session:
        session.execute(update(Party).where(Party.role == "end_user").values(email="hand@osaka.tozai.example", set_at=_DAY_AFTER, set_by="中村"))

    undo_batch(engine, batch_id, now=_DAY_AFTER)

    assert rows(engine, select(ContractLine.ends_on)) == [(date(2027, 3, 31),)]
    assert rows(engine, select(Party.email).where(Party.role == "end_user")) == [("hand@osaka.tozai.example",)]


def test_a_new_certificate_whose_party_was_corrected_stays_as_a_whole(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"contract": "JSC26040999A", "serial": "B1"})
    with transaction(engine) as session:
        mine = select(Certificate.id).where(Certificate.contract_key == "JSC26040999A").scalar_subquery()
        session.execute(update(Party).where(Party.certificate_id == mine).values(set_at=_LATER, set_by="中村"))

    plan = preview(engine, last(engine))
    undo_batch(engine, last(engine), now=_DAY_AFTER)

    assert [(row.contract_key, row.serial) for row in plan.kept] == [("JSC26040999A", "B1")]
    assert rows(engine, select(ContractLine.serial)) == [("B1",)]


def test_a_new_certificate_whose_issue_date_was_corrected_stays_as_a_whole_and_is_named(engine: Engine) -> None:
    batch_id = keep_plan(engine, compare_lines(engine, {"serial": "A1"}, {"serial": "A2"}, {"contract": "JSC26040999A", "serial": "B1"}))
    apply_batch(engine, batch_id)
    with transaction(engine) as session:
        mine = update(Certificate).where(Certificate.contract_key == "JSC26040123A")
        session.execute(mine.values(issued_on=date(2026, 3, 31), set_at=_LATER, set_by="中村", updated_at=_LATER))

    plan = preview(engine, batch_id)
    assert sorted((row.contract_key, row.serial) for row in plan.kept) == [("JSC26040123A", ""), ("JSC26040123A", "A1"), ("JSC26040123A", "A2")]
    assert (plan.counts["removed"], plan.counts["kept"], plan.counts["certificates_removed"]) == (1, 3, 1)

    undone = undo_batch(engine, batch_id, now=_DAY_AFTER)
    stays = [("JSC26040123A", date(2026, 3, 31), "A1"), ("JSC26040123A", date(2026, 3, 31), "A2")]
    held = select(Certificate.contract_key, Certificate.issued_on, ContractLine.serial).join(ContractLine).order_by(ContractLine.serial)
    assert rows(engine, held) == stays

    undo_batch(engine, undone, now=_DAY_AFTER)
    assert rows(engine, held) == [*stays, ("JSC26040999A", date(2026, 4, 1), "B1")]


def test_accounts_and_tickets_of_certificates_that_go_are_named(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    with transaction(engine) as session:
        people.add_ticket(session, people.add_account(session))

    plan = preview(engine, last(engine))

    assert (plan.counts["accounts"], plan.counts["tickets"]) == (1, 1)
    assert [account.user_id for account in plan.accounts] == ["kimura"]


def test_a_batch_can_be_undone_for_thirty_days(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = last(engine)

    with pytest.raises(Refused) as refused:
        undo_batch(engine, batch_id, now=NOW + timedelta(days=30, seconds=1))
    undo_batch(engine, batch_id, now=NOW + timedelta(days=30))

    assert (refused.value.code, refused.value.facts) == ("undo_import_too_late", {"days": 30})
    with pytest.raises(Refused, match="batch_state"):
        undo_batch(engine, batch_id)


def test_an_undo_plan_that_moved_is_shown_again(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"})
    batch_id = last(engine)
    with transaction(engine, readonly=True) as session:
        batch = session.get_one(ImportBatch, batch_id)
        seen = import_undo.fingerprint(batch, plan_undo(session, batch, now=NOW, limits=Limits()))
    import_lines(engine, tmp_path, {"serial": "A1", "ends_on": "2029-03-31"}, {"serial": "A2"}, now=_LATER)

    with transaction(engine) as session, pytest.raises(Refused, match="plan_changed"):
        import_undo.undo(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=_LATER, limits=Limits(), seen=seen)


def preview(engine: Engine, batch_id: int) -> UndoPlan:
    with transaction(engine, readonly=True) as session:
        return plan_undo(session, session.get_one(ImportBatch, batch_id), now=_LATER, limits=Limits())


def last(engine: Engine) -> int:
    with transaction(engine, readonly=True) as session:
        return session.scalars(select(func.max(ImportBatch.id))).one()


def states(engine: Engine) -> list[BatchState]:
    return [state for (state,) in rows(engine, select(ImportBatch.state).order_by(ImportBatch.id))]


def everything(engine: Engine) -> tuple[Sequence[Any], ...]:
    """Every row of the certificates, but for when they were touched last and the numbers of the parties."""
    tables = [(Certificate, "updated_at"), (Party, "id"), (ContractLine, "")]
    found: list[Sequence[Any]] = []
    for table, left_out in tables:
        columns = [column for column in table.__table__.columns if column.name != left_out]
        found.append(sorted(rows(engine, select(*columns)), key=str))
    return tuple(found)


def rows(engine: Engine, statement: Executable) -> Sequence[Any]:
    with transaction(engine, readonly=True) as session:
        return [tuple(row) for row in session.execute(statement)]
