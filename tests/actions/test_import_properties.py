"""Whatever stands in two workbooks: a plan that was applied plans nothing more, and undoing it restores every row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, select

from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from models.images import CertificateImage, LineImage, PartyImage
from models.renewals import Renewal
from rules.refusal import Refused
from tests.people import NOW
from tests.workbooks import Line, apply_batch, compare_lines, keep_plan, tick, undo_batch

_LATER = NOW + timedelta(days=1)


@st.composite
def workbooks(draw: st.DrawFn) -> list[Line]:
    """Lines of up to three certificates, each consistent and no line twice."""
    lines: list[Line] = []
    for key in draw(st.lists(st.sampled_from(["JSC26040001A", "JSC26040002A", "JSC26040003A"]), min_size=1, unique=True)):
        head = {"contract": key, "end_user_email": draw(st.sampled_from(["kiban@osaka.tozai.example", "neu@other.example"]))}
        if draw(st.booleans()):
            head |= {"agent_name": "", "agent_email": ""}
        services = st.sampled_from(["平日9:00~17:00オンサイト保守", "ソフトウェア保守"])
        for serial, service in draw(st.lists(st.tuples(st.sampled_from(["", "A1", "A2", "B1"]), services), min_size=1, max_size=4, unique=True)):
            lines.append({**head, "serial": serial, "service": service, "ends_on": draw(st.sampled_from(["2027-03-31", "2028-03-31"]))})
    return lines


@settings(max_examples=8)
@given(first=workbooks(), second=workbooks(), withdraws=st.booleans())
def test_applying_leaves_nothing_to_plan_and_undoing_restores_every_row(engine: Engine, first: list[Line], second: list[Line], withdraws: bool) -> None:
    empty(engine)
    applied(engine, first)
    before = everything(engine)
    batch_id = applied(engine, second, withdraws=withdraws)

    again = compare_lines(engine, *second, now=_LATER)

    assert set(again.statuses) == {"unchanged"}
    assert not (withdraws and again.missing)
    if batch_id is not None:
        undone = undo_batch(engine, batch_id, now=_LATER)
        assert everything(engine) == before
        undo_batch(engine, undone, now=_LATER)
        assert set(compare_lines(engine, *second, now=_LATER).statuses) == {"unchanged"}


@st.composite
def wide_workbooks(draw: st.DrawFn) -> list[Line]:
    """Lines of up to four certificates in which anything may differ from the workbook before: days, names, addresses, families, roles that come and go."""
    lines: list[Line] = []
    emails = st.sampled_from(["", "kiban@osaka.tozai.example", "neu@other.example", "Kiban@osaka.tozai.example"])
    names = st.sampled_from(["", "東西ネットワーク株式会社", "=SUM(A1)", "㈱髙﨑①", "x" * 200])
    for key in draw(st.lists(st.sampled_from(["JSC26040001A", "JSC26040002A", "JSC26040003A", "SD-AB12CD-H"]), min_size=1, unique=True)):
        head = {"contract": key, "issued_on": draw(st.sampled_from(["2018-12-31", "2026-04-01", "2026-04-02"]))}
        for role in ("agent", "operator", "end_user"):
            head |= {f"{role}_name": draw(names), f"{role}_email": draw(emails)}
        head["end_user_email"] = head["end_user_email"] or "it@minato.example"
        same = st.tuples(st.sampled_from(["SRX300", "EX2300"]), st.sampled_from(["", "A1", "A2"]), st.sampled_from(["オンサイト保守", "ソフトウェア保守"]))
        for product, serial, service in draw(st.lists(same, min_size=1, max_size=5, unique=True)):
            begins = draw(st.sampled_from(["2014-07-01", "2025-04-01", "2026-04-01"]))
            family = draw(st.sampled_from(["Juniper-SRX", "Ruckus"]))
            contact = draw(st.sampled_from(["J's チケットシステム", "ns_support@jscom.co.jp"]))
            lines.append({
                **head, "product_number": product, "serial": serial, "service": service, "family": family, "contact": contact,
                "starts_on": begins, "ends_on": draw(st.sampled_from(["2026-04-01", "2027-03-31", "2028-03-31"])),
            })  # fmt: skip
    return lines


@pytest.mark.proof
@settings(max_examples=60, print_blob=True)
@given(story=st.lists(st.tuples(wide_workbooks(), st.booleans()), min_size=2, max_size=4))
def test_workbooks_after_workbooks_are_undone_back_to_the_first_day(engine: Engine, story: list[tuple[list[Line], bool]]) -> None:
    empty(engine)
    done: list[tuple[int, list[list[Any]]]] = []
    for lines, withdraws in story:
        before = everything(engine)
        batch_id = applied(engine, lines, withdraws=withdraws)
        if batch_id is not None:
            done.append((batch_id, before))
        assert set(compare_lines(engine, *lines).statuses) == {"unchanged"}

    for batch_id, before in reversed(done):
        after = everything(engine)
        undone = undo_batch(engine, batch_id, now=_LATER)
        assert everything(engine) == before
        again = undo_batch(engine, undone, now=_LATER)
        assert everything(engine) == after
        undo_batch(engine, again, now=_LATER)
        assert everything(engine) == before


def applied(engine: Engine, lines: Sequence[Line], *, withdraws: bool = False) -> int | None:
    """The batch, with every warning and renewal ticked; None where it would change nothing."""
    batch_id = keep_plan(engine, compare_lines(engine, *lines))
    for status in ("new", "changed", "unchanged", *(["missing"] if withdraws else [])):
        tick(engine, batch_id, status=status)
    try:
        apply_batch(engine, batch_id)
    except Refused as refused:
        assert refused.code == "nothing_to_apply"
        return None
    return batch_id


def empty(engine: Engine) -> None:
    with transaction(engine) as session:
        for table in (LineImage, PartyImage, CertificateImage, Renewal, ContractLine, Party, Certificate):
            session.execute(delete(table))


def everything(engine: Engine) -> list[list[Any]]:
    with transaction(engine, readonly=True) as session:
        left_out = {Certificate: "updated_at", Party: "id", ContractLine: ""}
        linked = select(Renewal.line_id, Renewal.renews_id).where(Renewal.dropped_by.is_(None))
        return [
            sorted((tuple(row) for row in session.execute(select(*(column for column in table.__table__.columns if column.name != name)))), key=str)
            for table, name in left_out.items()
        ] + [sorted(tuple(row) for row in session.execute(linked))]
