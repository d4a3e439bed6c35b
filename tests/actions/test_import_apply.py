"""Writing a plan: what lands where, what is held back, and that nobody is overwritten."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, func, select, update

from actions import import_batches
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import BatchState, ImportBatch, ImportRow
from models.journal import JournalEntry
from rules.refusal import Refused
from tests import people
from tests.people import NOW
from tests.workbooks import FAULTY, FIRST, NAKAMURA, apply_batch, import_file, import_lines, keep_plan, plan_file, plan_lines

_LATER = NOW + timedelta(days=1)


def test_lines_point_to_the_row_they_came_from(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "family": "Paloalto"})

    assert _all(engine, select(ContractLine.serial, ContractLine.row, ContractLine.starts_on, ContractLine.contact).order_by(ContractLine.id)) == [
        ("A1", 2, date(2026, 4, 1), "J's チケットシステム"),
        ("A2", 3, date(2026, 4, 1), "J's チケットシステム"),
    ]
    assert _all(engine, select(func.count()).where(ContractLine.batch_id == select(ImportBatch.id).scalar_subquery())) == [(2,)]


def test_parties_are_stored_with_an_address_to_compare(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"end_user_email": "Kiban@osaka.tozai.example", "operator_name": "マネージドネット"})

    assert _all(engine, select(Party.role, Party.name, Party.email, Party.email_key).order_by(Party.id)) == [
        ("agent", "関西システム販売株式会社", "hosyu@kansai-hanbai.example", "hosyu@kansai-hanbai.example"),
        ("operator", "マネージドネット", "", ""),
        ("end_user", "東西ネットワーク株式会社", "Kiban@osaka.tozai.example", "kiban@osaka.tozai.example"),
    ]


def test_a_party_that_the_workbook_no_longer_names_is_removed(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})

    import_lines(engine, tmp_path, {"agent_name": "", "agent_email": ""}, now=_LATER)

    assert _all(engine, select(Party.role)) == [("end_user",)]


def test_a_corrected_serial_keeps_its_line(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "CV4126AFOO93"}, read=True)
    before = _all(engine, select(ContractLine.id))

    import_lines(engine, tmp_path, {"serial": "CV4126AF0093"}, now=_LATER)

    assert _all(engine, select(ContractLine.id)) == before
    assert _all(engine, select(ContractLine.serial)) == [("CV4126AF0093",)]
    assert _all(engine, select(Certificate.updated_at, Certificate.created_at)) == [(_LATER, NOW)]


def test_lines_that_the_workbook_does_not_name_are_kept(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "service": "ソフトウェア保守"})

    import_lines(engine, tmp_path, {"serial": "A1", "ends_on": "2028-03-31"}, now=_LATER)

    assert _all(engine, select(ContractLine.serial, ContractLine.ends_on).order_by(ContractLine.id)) == [("A1", date(2028, 3, 31)), ("A2", date(2027, 3, 31))]


def test_applying_twice_changes_nothing(engine: Engine) -> None:
    import_file(engine, FIRST)
    everything = select(ContractLine.id, ContractLine.batch_id, ContractLine.serial, ContractLine.ends_on).order_by(ContractLine.id)
    before = _all(engine, everything)

    again = keep_plan(engine, plan_file(engine, FIRST), now=_LATER)
    with pytest.raises(Refused) as refused:
        apply_batch(engine, again, now=_LATER)

    assert refused.value.code == "nothing_to_apply"
    assert _all(engine, everything) == before


def test_a_certificate_with_an_error_is_not_written_and_the_others_are(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2", "ends_on": "2026-02-30"}, {"contract": "JSC26040999A"}, read=True)

    assert _all(engine, select(Certificate.contract_key)) == [("JSC26040999A",)]
    assert _all(engine, select(ContractLine.serial)) == [("CV4126AF0093",)]


def test_the_faulty_sample_writes_only_certificates_without_any_fault(engine: Engine) -> None:
    plan = plan_file(engine, FAULTY)
    sound = sorted(key for key, certificate in plan.certificates.items() if not certificate.held_by)
    batch_id = keep_plan(engine, plan)

    if sound:
        apply_batch(engine, batch_id)

    assert _all(engine, select(Certificate.contract_key).order_by(Certificate.contract_key)) == [(key,) for key in sound]


def test_an_unticked_warning_waits_and_a_ticked_one_is_written(engine: Engine, tmp_path: Path) -> None:
    plan = plan_lines(engine, tmp_path, {"contact": "srx_support@jscom.co.jp"})
    batch_id = keep_plan(engine, plan)
    with pytest.raises(Refused, match="nothing_to_apply"):
        apply_batch(engine, batch_id)

    _tick(engine, batch_id)

    assert apply_batch(engine, batch_id).certificates == 1


def test_a_tick_that_is_taken_away_holds_again(engine: Engine, tmp_path: Path) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"contact": "srx_support@jscom.co.jp"}, {"serial": "B2"}))
    _tick(engine, batch_id)

    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        ids = session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch_id)).all()
        import_batches.confirm(session, batch, ticked=[], shown=ids, by=NAKAMURA, now=NOW)

    assert _all(engine, select(ImportRow.row, ImportRow.held_by).order_by(ImportRow.position)) == [(2, 2), (3, 2)]


def test_ticking_every_warning_leaves_errors_where_they_are(engine: Engine, tmp_path: Path) -> None:
    old = {"contact": "srx_support@jscom.co.jp"}
    lines = [{**old, "contract": "JSC26040001A"}, {**old, "contract": "JSC26040002A"}, {"contract": "JSC26040002A", "serial": "B2", "ends_on": "あした"}]
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, *lines))

    with transaction(engine) as session:
        import_batches.confirm_all(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW)

    assert _all(engine, select(ImportRow.row, ImportRow.held_by, ImportRow.confirmed).order_by(ImportRow.position)) == [
        (2, 0, True),
        (3, 4, True),
        (4, 4, False),
    ]
    assert apply_batch(engine, batch_id).certificates == 1


def test_a_certificate_changed_since_the_plan_is_planned_again_and_not_overwritten(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"ends_on": "2028-03-31"}))
    with transaction(engine) as session:
        session.execute(update(ContractLine).values(service="24時間オンサイト保守"))
        session.execute(update(Certificate).values(updated_at=NOW + timedelta(minutes=5)))

    written = apply_batch(engine, batch_id)

    assert (written.outdated, written.certificates) == (1, 0)
    assert _all(engine, select(ContractLine.service, ContractLine.ends_on)) == [("24時間オンサイト保守", date(2027, 3, 31))]
    changes = _all(engine, select(ImportRow.changes).where(ImportRow.batch_id == batch_id))[0][0]
    assert changes["service"] == ["24時間オンサイト保守", "平日9:00~17:00オンサイト保守"]
    assert apply_batch(engine, batch_id).changed == 1


def test_a_certificate_made_since_the_plan_is_not_made_twice(engine: Engine, tmp_path: Path) -> None:
    first, second = (keep_plan(engine, plan_lines(engine, tmp_path, {})) for _ in range(2))
    apply_batch(engine, first)

    assert apply_batch(engine, second).outdated == 1
    assert _all(engine, select(ImportRow.status).where(ImportRow.batch_id == second)) == [("unchanged",)]
    with pytest.raises(Refused, match="nothing_to_apply"):
        apply_batch(engine, second)


def test_a_batch_is_applied_once(engine: Engine, tmp_path: Path) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {}))
    apply_batch(engine, batch_id)

    with pytest.raises(Refused, match="batch_state"):
        apply_batch(engine, batch_id)


def test_the_journal_tells_of_the_batch_and_of_each_certificate(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"})
    import_lines(engine, tmp_path, {"serial": "A1", "end_user_name": "東西ネット"}, {"serial": "A3", "end_user_name": "東西ネット"}, now=_LATER)

    entries = _all(
        engine, select(JournalEntry.subject_name, JournalEntry.actor_name, JournalEntry.facts).where(JournalEntry.act == "import").order_by(JournalEntry.id)
    )
    assert [(name, actor) for name, actor, _ in entries] == [("JSC26040123A", "中村")] * 2
    assert entries[0][2]["new"] == 2
    assert entries[1][2]["end_user_name"] == ["東西ネットワーク株式会社", "東西ネット"]
    assert [line["changes"] for line in entries[1][2]["lines"]] == [{"serial": ["A2", "A3"]}]
    assert _all(engine, select(JournalEntry.facts).where(JournalEntry.act == "apply", JournalEntry.at == _LATER)) == [
        ({"certificates": 1, "new": 0, "changed": 2, "withdrawn": 0},)
    ]


def test_the_plan_counts_whose_contract_list_changes_and_which_tickets_find_their_contract(engine: Engine, tmp_path: Path) -> None:
    with transaction(engine) as session:
        account = people.add_account(session)
        people.add_account(session, "sato", maintenance_email="other@elsewhere.example")
        people.add_ticket(session, account)

    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {}))

    with transaction(engine, readonly=True) as session:
        batch = session.get_one(ImportBatch, batch_id)
        assert batch.state == BatchState.PLANNED
        assert batch.summary["effects"] == {
            "accounts": 1,
            "gain": 1,
            "lose": 0,
            "results": 1,
            "tickets": 1,
            "verdicts": [["not_found", "active", 1]],
        }


def _tick(engine: Engine, batch_id: int) -> None:
    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        ids = session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.held_by == ImportRow.row)).all()
        import_batches.confirm(session, batch, ticked=ids, shown=ids, by=NAKAMURA, now=NOW)


def _all(engine: Engine, statement: Executable) -> Sequence[Any]:
    with transaction(engine, readonly=True) as session:
        return [tuple(row) for row in session.execute(statement)]
