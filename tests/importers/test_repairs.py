"""What a cell that could not be read was most likely meant to say: certain where nothing else can have been meant."""

from __future__ import annotations

import pytest

from importers.cells import family_key
from importers.repairs import certain, repairs
from tests.importers.workbooks import FAMILIES

KEYS = {family_key(alias): name for alias, name in FAMILIES.items()}
STARTS = {"starts_on": "2026-12-01"}


def proposed(field: str, code: str, raw: str, values: dict[str, str] | None = None, agreed: str = "") -> list[str]:
    return [each.value for each in repairs(field, code, raw, values or {}, families=KEYS, agreed=agreed)]


@pytest.mark.parametrize(
    ("field", "code", "raw", "value"),
    [
        ("ends_on", "not_a_date", "2027/O3/31", "2027/03/31"),
        ("ends_on", "not_a_date", "2027、3、31", "2027/03/31"),
        ("ends_on", "not_a_date", "2027//3//31", "2027/03/31"),
        ("starts_on", "not_a_date", "２０２６／l２／０１", "2026/12/01"),
        ("agent_email", "not_an_email", "infra@example,jp", "infra@example.jp"),
        ("agent_email", "not_an_email", "情シス <it@minato.example>", "it@minato.example"),
        ("agent_email", "not_an_email", "mailto:it@minato.example", "it@minato.example"),
        ("agent_email", "not_an_email", "it @ minato.example", "it@minato.example"),
        ("agent_email", "not_an_email", "it@@minato.example", "it@minato.example"),
        ("agent_email", "invisible", "it@minato\u200b.example", "it@minato.example"),
        ("contract", "contract_characters", "JSC 2604 0123A", "JSC26040123A"),
        ("contract", "contract_characters", "「JSC26040123A」", "JSC26040123A"),
        ("family", "unknown_family", "Junipr-SRX", "Juniper-SRX"),
        ("family", "unknown_family", "Ruckus Wireless", "Ruckus"),
        ("serial", "invisible", "CV41\u200b26", "CV4126"),
    ],
)
def test_a_slip_of_the_hand_has_one_certain_repair(field: str, code: str, raw: str, value: str) -> None:
    found = certain(repairs(field, code, raw, {}, families=KEYS))

    assert found and found.value == value


def test_a_day_that_never_was_is_for_a_person_to_choose() -> None:
    assert proposed("ends_on", "no_such_date", "2026/11/31", STARTS) == ["2027/11/30", "2026/11/30"]
    assert proposed("starts_on", "no_such_date", "2026/2/30") == ["2026/02/28"]
    assert certain(repairs("starts_on", "no_such_date", "2026/2/30", {}, families=KEYS)) is None


def test_of_two_addresses_one_is_chosen() -> None:
    assert proposed("end_user_email", "more_than_one_address", "a@x.example、b@x.example") == ["a@x.example", "b@x.example"]


def test_an_era_that_had_ended_is_told_by_the_western_calendar() -> None:
    assert proposed("starts_on", "outside_era", "令和元年4月1日") == ["2019/04/01"]
    assert proposed("starts_on", "outside_era", "平成31年5月1日") == ["2019/05/01"]


def test_an_end_before_its_start_is_the_eve_of_a_year_later() -> None:
    assert proposed("ends_on", "ends_before_start", "", STARTS) == ["2027/11/30"]
    assert proposed("ends_on", "ends_before_start", "", {"starts_on": "2028-02-29"}) == ["2029/02/28"]


def test_the_other_lines_of_the_certificate_are_proposed() -> None:
    assert proposed("issued_on", "not_consistent", "", agreed="2026-03-10") == ["2026/03/10"]
    assert proposed("end_user_email", "not_consistent", "", agreed="it@minato.example") == ["it@minato.example"]


@pytest.mark.parametrize(
    ("field", "code", "raw"),
    [("ends_on", "not_a_date", "未定"), ("agent_email", "not_an_email", "なし"), ("family", "unknown_family", "Cisco"), ("serial", "missing", ""),
     ("ends_on", "no_such_date", "2026/13/45"), ("contract", "contract_characters", "契約その一"), ("ends_on", "formula_error", "#REF!")],
)  # fmt: skip
def test_nothing_is_guessed_where_nothing_can_be_known(field: str, code: str, raw: str) -> None:
    assert proposed(field, code, raw) == []
