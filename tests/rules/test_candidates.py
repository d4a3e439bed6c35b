"""Which contract a ticket may be about: slips of the finger, serials in the text, the account's own lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rules.candidates import Clue, Evidence, PossibleLine, clues_of, rank, tokens_of
from rules.near import is_near, near_keys

LINE = PossibleLine(1, 1, "JSC26040123A", "CV4126AF0093", "SRX300-SYS-JB", 5, date(2026, 4, 1), date(2027, 3, 31), of_account=False)
EVIDENCE = Evidence("", (), "", 5, frozenset(), date(2026, 12, 1))


@pytest.mark.parametrize("typed", ["JSC26O4O123A", "JSC2604O123A", "JSC2604012A", "JSC260401234A", "JSC26041023A", "JSX26040123A"])
def test_every_slip_is_among_the_keys_that_are_looked_up(typed: str) -> None:
    assert LINE.contract_key in near_keys(typed)


def test_only_slips_are_looked_up_and_never_the_key_itself() -> None:
    keys = near_keys("JSC26040123A")

    assert all(is_near("JSC26040123A", key) for key in keys)
    assert "JSC26040123A" not in keys
    assert len(keys) < 2000


@pytest.mark.parametrize("typed", ["", "A1", "X" * 41])
def test_what_is_too_short_or_too_long_is_near_to_nothing(typed: str) -> None:
    assert not near_keys(typed)


@pytest.mark.parametrize(
    ("change", "clue"),
    [
        ({"serials": ("CV4126AF0093",)}, Clue.SERIAL),
        ({"serials": ("CV4126AFOO93",)}, Clue.SERIAL_NEAR),
        ({"contract": "JSC26O40123A"}, Clue.CONTRACT_NEAR),
        ({"contract": "JSC26040123A"}, Clue.CONTRACT),
        ({"written": frozenset({"CV4126AF0093"})}, Clue.SERIAL_WRITTEN),
        ({"logged": frozenset({"CV4126AF0093"})}, Clue.SERIAL_LOGGED),
        ({"model": "srx300"}, Clue.MODEL),
    ],
)
def test_each_clue_is_named(change: dict[str, object], clue: Clue) -> None:
    assert clue in clues_of(LINE, replace(EVIDENCE, **change))


def test_the_strongest_comes_first_and_one_device_once() -> None:
    own = replace(LINE, id=2, contract_key="JSC26040999A", serial="OTHER0001", of_account=True)
    service = replace(LINE, id=3, ends_on=date(2026, 5, 1))
    stranger = replace(LINE, id=4, contract_key="JSC1", serial="ZZZ")
    evidence = replace(EVIDENCE, written=tokens_of(["シリアルは ＣＶ４１２６ＡＦ００９３ です。"]))

    ranked = rank([own, service, LINE, stranger], evidence)

    assert [one.line.id for one in ranked] == [1, 2]
