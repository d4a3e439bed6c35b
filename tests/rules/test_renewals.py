"""Which new line carries on which old one."""

from __future__ import annotations

from datetime import date

from rules.renewals import Entering, Standing, propose

PARTY = frozenset({"kiban@osaka.tozai.example"})
OLD = Standing(1, "JSC25040001A", "SRX300", "CV1", date(2026, 3, 31), PARTY)


def entering(
    index: int = 0,
    contract: str = "JSC26040001A",
    product: str = "SRX300",
    serial: str = "CV1",
    starts: date = date(2026, 4, 1),
    parties: frozenset[str] = PARTY,
) -> Entering:
    return Entering(index, contract, product, serial, starts, parties)


def test_the_same_serial_from_the_next_day_on_is_a_renewal() -> None:
    assert propose([entering()], [OLD]) == {0: OLD}


def test_an_overlap_of_a_month_and_a_gap_of_three_are_allowed() -> None:
    assert propose([entering(starts=date(2026, 3, 1))], [OLD])
    assert not propose([entering(starts=date(2026, 2, 28))], [OLD])
    assert propose([entering(starts=date(2026, 7, 2))], [OLD])
    assert not propose([entering(starts=date(2026, 7, 3))], [OLD])


def test_a_line_of_the_same_contract_is_no_renewal() -> None:
    assert not propose([entering(contract=OLD.contract)], [OLD])


def test_of_several_the_same_product_and_then_the_nearest_end_is_chosen() -> None:
    other = Standing(2, "JSC24040001A", "SRX345", "CV1", date(2026, 3, 31), PARTY)
    earlier = Standing(3, "JSC24040002A", "SRX300", "CV1", date(2026, 3, 1), PARTY)

    assert propose([entering()], [other, earlier]) == {0: earlier}
    assert propose([entering()], [other, earlier, OLD]) == {0: OLD}


def test_an_old_line_is_carried_on_once() -> None:
    assert propose([entering(0), entering(1, contract="JSC26040002A")], [OLD]) == {0: OLD}


def test_without_a_serial_product_party_and_the_very_next_day_decide() -> None:
    old = Standing(1, "JSC25040001A", "RUCKUS-CLOUD", "", date(2026, 3, 31), PARTY)
    new = entering(product="RUCKUS-CLOUD", serial="")

    assert propose([new], [old]) == {0: old}
    assert not propose([entering(product="RUCKUS-CLOUD", serial="", starts=date(2026, 4, 2))], [old])
    assert not propose([entering(product="RUCKUS-CLOUD", serial="", parties=frozenset({"x@y.example"}))], [old])
    assert not propose([entering(product="OTHER", serial="")], [old])


def test_two_new_lines_of_one_workbook_follow_each_other() -> None:
    first, second = entering(0, starts=date(2025, 4, 1)), entering(1, contract="JSC26040002A")
    beside = Standing(0, first.contract, "SRX300", "CV1", date(2026, 3, 31), PARTY, index=0, starts_on=first.starts_on)
    other = Standing(0, second.contract, "SRX300", "CV1", date(2027, 3, 31), PARTY, index=1, starts_on=second.starts_on)

    assert propose([first, second], [beside, other]) == {1: beside}
    assert propose([first, second], [beside, other, OLD]) == {1: OLD}


def test_new_lines_that_begin_together_renew_nothing() -> None:
    first, second = entering(0), entering(1, contract="JSC26040002A")
    short = [Standing(0, new.contract, "SRX300", "CV1", date(2026, 4, 20), PARTY, index=new.index, starts_on=new.starts_on) for new in (first, second)]

    assert not propose([first, second], short)
