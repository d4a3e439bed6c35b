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
