"""What a reviewer decides: renewals, conflicts, missing lines, all or nothing, and a second person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Executable, select, update

from actions import contracts, import_apply, import_approvals, import_batches
from models.actors import StaffMember
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.imports import BatchState, ImportBatch, ImportRow
from models.journal import JournalEntry
from models.renewals import Renewal, chain, renewals_of
from models.staging import ImportCertificate, ImportConflict
from rules.refusal import Refused
from rules.rights import Role
from tests import people
from tests.people import NOW
from tests.workbooks import NAKAMURA, apply_batch, compare_lines, import_lines, keep_plan, plan_lines, tick, undo_batch

_LATER = NOW + timedelta(days=1)
_CENTER = frozenset({Role.SERVICE_CENTER})
_OURS = "hand@osaka.tozai.example"


def test_a_renewal_is_proposed_and_linked_once_it_is_confirmed(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"ends_on": "2026-10-31"}, {"serial": "", "product_number": "CARE", "ends_on": "2026-10-31"})
    renewed = {"contract": "JSC26110001A", "issued_on": "2026-10-01", "starts_on": "2026-11-01", "ends_on": "2027-10-31"}
    plan = plan_lines(engine, tmp_path, renewed, {**renewed, "serial": "", "product_number": "CARE"}, {**renewed, "serial": "NEU"})
    rows = list(plan.told())
    batch_id = keep_plan(engine, plan)

    with transaction(engine) as session:
        import_batches.confirm_renewals(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW)
    apply_batch(engine, batch_id)

    assert [(row["status"], row["kind"], row["renews"] and row["renews"]["contract"]) for row in rows] == [
        ("new", "renewal", "JSC26040123A"),
        ("new", "renewal", "JSC26040123A"),
        ("new", "", None),
    ]
    with transaction(engine, readonly=True) as session:
        old, new = session.scalars(select(Certificate.id).order_by(Certificate.id)).all()
        before, _ = renewals_of(session, new)
        assert [(row.other_key, row.serial) for row in before] == [("JSC26040123A", "CV4126AF0093"), ("JSC26040123A", "")]
        assert renewals_of(session, old)[1][0].other_key == "JSC26110001A"
        assert [link.contract_key for link in chain(session, before[0].line_id)] == ["JSC26040123A", "JSC26110001A"]


def test_a_renewal_that_nobody_confirmed_is_written_and_not_linked(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"ends_on": "2026-10-31"})
    import_lines(engine, tmp_path, {"contract": "JSC26110001A", "starts_on": "2026-11-01", "ends_on": "2027-10-31"})

    with transaction(engine, readonly=True) as session:
        assert len(session.scalars(select(Certificate.id)).all()) == 2
        assert session.scalars(select(Renewal)).all() == []


def test_new_rows_of_one_workbook_are_chained_and_what_is_held_back_is_not(engine: Engine) -> None:
    old, new = {"contract": "OLD25A", "ends_on": "2026-10-31"}, {"contract": "NEW26A", "starts_on": "2026-11-01", "ends_on": "2027-10-31"}
    bare = {"serial": "", "product_number": "CARE"}
    plan = compare_lines(
        engine, new, {**new, **bare}, old, {**old, **bare}, {"contract": "HELD25A", "serial": "H1", "ends_on": "2026-10-31"}, {**new, "serial": "H1"}
    )
    batch_id = keep_plan(engine, plan)
    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        assert batch.summary["renewals"] == batch.summary["unlinked"] == 3
        import_batches.confirm_renewals(session, batch, by=NAKAMURA, now=NOW)
        import_batches.plan_again(session, batch, ["NEW26A"], today=NOW.date())
        assert batch.summary["linked"] == 3
        session.execute(update(ImportCertificate).where(ImportCertificate.contract_key == "HELD25A").values(held_by=6))
    apply_batch(engine, batch_id)

    with transaction(engine, readonly=True) as session:
        certificates = {row.contract_key: row.id for row in session.execute(select(Certificate.contract_key, Certificate.id))}
        before, _ = renewals_of(session, certificates["NEW26A"])
        assert [(row.other_key, row.serial) for row in before] == [("OLD25A", "CV4126AF0093"), ("OLD25A", "")]
    undone = undo_batch(engine, batch_id)
    undo_batch(engine, undone)
    with transaction(engine, readonly=True) as session:
        _, after = renewals_of(session, certificates["OLD25A"])
        assert {row.other_key for row in after} == {"NEW26A"}


def test_an_email_corrected_by_hand_stays_unless_the_workbooks_is_chosen(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"})
    correct_party(engine)
    lines = ({"serial": "A1", "ends_on": "2028-03-31"}, {"serial": "A2"})
    plan = plan_lines(engine, tmp_path, *lines, now=_LATER)
    batch_id = keep_plan(engine, plan, now=_LATER)

    assert [(row["status"], row["kind"], list(row["changes"])) for row in plan.told()] == [("changed", "conflict", ["ends_on"]), ("unchanged", "", [])]
    apply_batch(engine, batch_id, now=_LATER)
    assert party(engine) == (_OURS, "中村")

    again = keep_plan(engine, plan_lines(engine, tmp_path, *lines, now=_LATER), now=_LATER)
    assert choose_theirs(engine, again) == [("changed", "conflict"), ("changed", "")]
    apply_batch(engine, again, now=_LATER)
    assert party(engine) == ("kiban@osaka.tozai.example", "")


def test_an_issue_date_and_a_name_corrected_by_hand_stay_unless_the_workbooks_are_chosen(engine: Engine) -> None:
    import_lines_here(engine, {"serial": "A1"})
    ours = {"issued_on": "2026-03-31", "end_user_name": "東西ネットワーク新社名株式会社"}
    correct_head(engine, ours)

    same = compare_lines(engine, {"serial": "A1"}, now=_LATER)
    assert [(row["status"], row["kind"]) for row in same.told()] == [("unchanged", "conflict")]
    assert {conflict.field: conflict.ours for conflict in same.conflicts} == ours
    assert compare_lines(engine, {"serial": "A1", **ours}, now=_LATER).conflicts == []

    apply_batch(engine, keep_plan(engine, compare_lines(engine, {"serial": "A1", "ends_on": "2028-03-31"}, now=_LATER), now=_LATER), now=_LATER)
    assert head(engine) == ("2026-03-31", "中村", "東西ネットワーク新社名株式会社", "中村")

    taken = keep_plan(engine, compare_lines(engine, {"serial": "A1", "ends_on": "2028-03-31"}, now=_LATER), now=_LATER)
    choose_theirs(engine, taken)
    apply_batch(engine, taken, now=_LATER)
    assert head(engine) == ("2026-04-01", "", "東西ネットワーク株式会社", "")

    undo_batch(engine, taken, now=_LATER)
    assert head(engine) == ("2026-03-31", "中村", "東西ネットワーク新社名株式会社", "中村")


def test_of_a_party_corrected_by_hand_one_value_may_be_taken_and_the_other_stays_marked(engine: Engine) -> None:
    import_lines_here(engine, {"serial": "A1"})
    correct_head(engine, {"end_user_name": "東西ネットワーク新社名株式会社", "end_user_email": _OURS})
    batch_id = keep_plan(engine, compare_lines(engine, {"serial": "A1"}, now=_LATER), now=_LATER)
    choose_theirs(engine, batch_id, field="end_user_email")
    apply_batch(engine, batch_id, now=_LATER)

    assert head(engine)[2:] == ("東西ネットワーク新社名株式会社", "中村") and party(engine) == ("kiban@osaka.tozai.example", "中村")
    assert [conflict.field for conflict in compare_lines(engine, {"serial": "A1"}, now=_LATER).conflicts] == ["end_user_name"]


def test_a_serial_corrected_by_hand_is_asked_for_at_the_row_that_still_says_the_old_one(engine: Engine) -> None:
    import_lines_here(engine, {"serial": "OLD1"})
    with transaction(engine) as session:
        session.execute(update(ContractLine).values(serial="NEW1", set_at=NOW, set_by="中村"))
        session.execute(update(Certificate).values(updated_at=_LATER))

    plan = compare_lines(engine, {"serial": "ADDED"}, {"serial": "OLD1"}, now=_LATER)

    assert plan.statuses == ["new", "unchanged"] and plan.missing_lines == []
    assert [(conflict.index, conflict.ours, conflict.theirs) for conflict in plan.conflicts] == [(1, "NEW1", "OLD1")]


def test_a_serial_that_a_person_types_is_taken_though_a_file_with_it_is_doubted(engine: Engine) -> None:
    with transaction(engine, readonly=True) as session:
        assert contracts.parse_field(session, "serial", "4E+05") == "4E+05"


def test_a_party_emptied_by_hand_is_asked_for_by_every_import(engine: Engine) -> None:
    import_lines_here(engine, {"serial": "A1"})
    correct_head(engine, {"end_user_name": "", "end_user_email": ""})
    lines = {"serial": "A1", "ends_on": "2028-03-31"}

    apply_batch(engine, keep_plan(engine, compare_lines(engine, lines, now=_LATER), now=_LATER), now=_LATER)

    assert [conflict.field for conflict in compare_lines(engine, lines, now=_LATER).conflicts] == ["end_user_name", "end_user_email"]


def test_each_value_of_a_line_corrected_by_hand_is_asked_for(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    with transaction(engine) as session:
        session.execute(update(ContractLine).values(serial="CV4126AFHAND", set_at=NOW, set_by="中村"))
        session.execute(update(Certificate).values(updated_at=_LATER))
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"ends_on": "2028-03-31"}))
    assert rows_of(engine, select(ImportRow.status, ImportRow.kind).where(ImportRow.batch_id == batch_id)) == [("unchanged", "conflict")]

    choose_theirs(engine, batch_id, field="ends_on")
    apply_batch(engine, batch_id)

    assert rows_of(engine, select(ContractLine.serial, ContractLine.ends_on, ContractLine.set_by)) == [("CV4126AFHAND", date(2028, 3, 31), "中村")]
    again = keep_plan(engine, plan_lines(engine, tmp_path, {"ends_on": "2028-03-31"}))
    choose_theirs(engine, again)
    apply_batch(engine, again)
    assert rows_of(engine, select(ContractLine.serial, ContractLine.set_by)) == [("CV4126AF0093", "")]


def test_a_chosen_missing_line_is_withdrawn(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"}, {"serial": "A3"})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"serial": "A1"}))
    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        number = session.scalars(select(ImportRow.id).where(ImportRow.batch_id == batch_id, ImportRow.status == "missing").order_by(ImportRow.position)).first()
        import_batches.confirm(session, batch, ticked=[number or 0], shown=[number or 0], by=NAKAMURA, now=NOW)
        assert batch.summary["ready"] == {"certificates": 1, "new": 0, "changed": 0, "withdrawn": 1, "domains": 0}

    assert apply_batch(engine, batch_id, now=_LATER).withdrawn == 1

    assert rows_of(engine, select(ContractLine.serial).order_by(ContractLine.id)) == [("A1",), ("A3",)]
    assert rows_of(engine, select(Certificate.updated_at)) == [(_LATER,)]


def test_all_or_nothing_writes_nothing_while_anything_is_held_back(engine: Engine, tmp_path: Path) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"ends_on": "あした"}, {"contract": "JSC26040999A"}))

    with transaction(engine) as session, pytest.raises(Refused) as refused:
        import_apply.apply(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW, all_or_nothing=True)

    assert (refused.value.code, refused.value.facts) == ("not_all_sound", {"n": 1})


def test_a_plan_that_was_changed_after_it_was_shown_is_not_applied(engine: Engine, tmp_path: Path) -> None:
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"contact": "srx_support@jscom.co.jp"}, {"contract": "JSC26040999A"}))
    with transaction(engine, readonly=True) as session:
        seen = import_batches.fingerprint(session.get_one(ImportBatch, batch_id))
    tick(engine, batch_id)

    with transaction(engine) as session, pytest.raises(Refused, match="plan_changed"):
        import_apply.apply(session, session.get_one(ImportBatch, batch_id), by=NAKAMURA, now=NOW, seen=seen)


@pytest.mark.parametrize(("email", "needed"), [("neu@osaka.tozai.example", False), ("neu@tozai.example", False), ("kiban@elsewhere.example", True), ("", True)])
def test_a_party_that_moves_to_another_registrable_domain_takes_a_second_person(engine: Engine, tmp_path: Path, email: str, needed: bool) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"end_user_email": email}))

    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        assert import_approvals.needs_approval(batch) is needed
        if needed:
            with pytest.raises(Refused, match="approval_needed"):
                import_apply.apply(session, batch, by=NAKAMURA, now=NOW, second_person=True)
        else:
            assert import_apply.apply(session, batch, by=NAKAMURA, now=NOW, second_person=True).certificates == 1


def test_a_second_person_approves_and_the_record_says_who(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"end_user_email": "kiban@elsewhere.example"}))
    first, second = StaffMember(1, "中村", roles=_CENTER), StaffMember(2, "近藤", roles=_CENTER)
    with transaction(engine) as session:
        batch = session.get_one(ImportBatch, batch_id)
        import_approvals.ask(session, batch, by=first, now=NOW)
        with pytest.raises(Refused, match="own_import"):
            import_approvals.approve(session, batch, by=first, now=NOW)
        with pytest.raises(Refused, match="batch_state"):
            import_batches.confirm_all(session, batch, by=first, now=NOW)

    with transaction(engine) as session:
        written = import_approvals.approve(session, session.get_one(ImportBatch, batch_id), by=second, now=_LATER)

    assert written.changed == 1
    assert rows_of(engine, select(ImportBatch.state, ImportBatch.asked_by, ImportBatch.approved_by).where(ImportBatch.id == batch_id)) == [
        (BatchState.APPLIED, "中村", "近藤")
    ]
    facts = rows_of(engine, select(JournalEntry.facts).where(JournalEntry.act == "apply", JournalEntry.at == _LATER))[0][0]
    assert (facts["asked_by"], facts["approved_by"]) == ("中村", "近藤")


def test_what_moved_while_it_waited_is_planned_again_and_approved_by_nobody(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {})
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"end_user_email": "kiban@elsewhere.example"}))
    with transaction(engine) as session:
        import_approvals.ask(session, session.get_one(ImportBatch, batch_id), by=StaffMember(1, "中村", roles=_CENTER), now=NOW)
    import_lines(engine, tmp_path, {"ends_on": "2029-03-31"}, now=_LATER)

    with transaction(engine) as session:
        written = import_approvals.approve(session, session.get_one(ImportBatch, batch_id), by=StaffMember(2, "近藤", roles=_CENTER), now=_LATER)

    assert written.outdated == 1
    assert rows_of(engine, select(ImportBatch.state, ImportBatch.approved_by).where(ImportBatch.id == batch_id)) == [(BatchState.PLANNED, "")]


def test_effects_count_who_gains_and_who_loses(engine: Engine, tmp_path: Path) -> None:
    import_lines(engine, tmp_path, {"serial": "A1"}, {"serial": "A2"})
    with transaction(engine) as session:
        people.add_account(session)
        people.add_account(session, "neu", maintenance_email="neu@osaka.tozai.example")
    batch_id = keep_plan(engine, plan_lines(engine, tmp_path, {"serial": "A1", "end_user_email": "neu@osaka.tozai.example"}))
    tick(engine, batch_id, status="missing")

    with transaction(engine, readonly=True) as session:
        effects = session.get_one(ImportBatch, batch_id).summary["effects"]

    assert {name: effects[name] for name in ("accounts", "gain", "lose", "results")} == {"accounts": 2, "gain": 1, "lose": 1, "results": 2}


def correct_party(engine: Engine) -> None:
    with transaction(engine) as session:
        session.execute(update(Party).where(Party.role == "end_user").values(email=_OURS, email_key=_OURS, set_at=NOW, set_by="中村"))
        session.execute(update(Certificate).values(updated_at=NOW + timedelta(hours=1)))


def party(engine: Engine) -> Any:
    return rows_of(engine, select(Party.email, Party.set_by).where(Party.role == "end_user"))[0]


def choose_theirs(engine: Engine, batch_id: int, *, field: str = "%") -> Sequence[Any]:
    with transaction(engine) as session:
        ids = session.scalars(select(ImportConflict.id).where(ImportConflict.batch_id == batch_id, ImportConflict.field.like(field))).all()
        import_batches.settle(session, session.get_one(ImportBatch, batch_id), theirs=ids, shown=ids, by=NAKAMURA, now=NOW)
    return rows_of(engine, select(ImportRow.status, ImportRow.kind).where(ImportRow.batch_id == batch_id).order_by(ImportRow.position))


def rows_of(engine: Engine, statement: Executable) -> Sequence[Any]:
    with transaction(engine, readonly=True) as session:
        return [tuple(row) for row in session.execute(statement)]


def import_lines_here(engine: Engine, *lines: dict[str, str]) -> None:
    apply_batch(engine, keep_plan(engine, compare_lines(engine, *lines)))


def correct_head(engine: Engine, told: dict[str, str]) -> None:
    """As the console does."""
    with transaction(engine) as session:
        certificate = session.scalars(select(Certificate)).one()
        values = {**contracts.head_of(session, certificate), **told}
        seen = contracts.seal(certificate)
        contracts.correct_certificate(session, certificate, values, reason="証書の訂正", seen=seen, by=NAKAMURA, now=NOW + timedelta(hours=1))


def head(engine: Engine) -> tuple[str, str, str, str]:
    """Issue date and name of the end user, each with who set it by hand."""
    with transaction(engine, readonly=True) as session:
        certificate, end_user = session.scalars(select(Certificate)).one(), session.scalars(select(Party).where(Party.role == "end_user")).one()
        return certificate.issued_on.isoformat(), certificate.set_by, end_user.name, end_user.set_by
