"""What a workbook changes: its lines against those in the database."""

from __future__ import annotations

import json
import time
from collections import Counter

import pytest

from rules.lines import FIELDS, Status, Values, diff, differences
from tests.importers.workbooks import CERTIFICATES, EXPECTED, read_rows

SOUND: dict[str, str] = {
    "issued_on": "2026-03-10",
    "contract": "JSC26040001A",
    "family": "Juniper-SRX",
    "product_number": "SRX340",
    "serial": "CV1",
    "starts_on": "2026-04-01",
    "ends_on": "2027-03-31",
    "service": "センドバック保守",
    "contact": "J's チケットシステム",
    "agent_name": "関西システム販売",
    "agent_email": "hosyu@kansai-sys.example",
    "operator_name": "",
    "operator_email": "",
    "end_user_name": "みなと物流株式会社",
    "end_user_email": "it@minato.example",
}


def line(**changed: str) -> Values:
    return tuple((SOUND | changed)[field] for field in FIELDS)


def test_a_line_corrected_by_hand_is_still_the_one_that_the_workbook_names_as_it_was() -> None:
    corrected, was = line(serial="NEW1"), {0: line(serial="OLD1")}

    found = diff([line(serial="ADDED"), line(serial="OLD1")], [corrected], before=was)
    assert found.stored == [None, 0] and found.missing == []
    assert diff([line(serial="ADDED"), line(serial="NEW1"), line(serial="OLD1")], [corrected], before=was).stored == [None, 0, None]
    assert diff([line(serial="ADDED")], [corrected], unsound=[line(serial="OLD1", ends_on="")], before=was).stored == [None]


def test_the_same_lines_in_another_order_change_nothing() -> None:
    stored = [line(serial=f"CV{number}") for number in range(5)]

    found = diff(stored[::-1], stored)

    assert ({found.status(index) for index in range(5)}, found.missing) == ({Status.UNCHANGED}, [])
    assert found.stored == [4, 3, 2, 1, 0]


def test_a_line_of_another_serial_beside_a_kept_one_is_new() -> None:
    found = diff([line(), line(serial="CV2")], [line()])

    assert [found.status(index) for index in (0, 1)] == [Status.UNCHANGED, Status.NEW]


def test_a_corrected_serial_is_a_change() -> None:
    found = diff([line(serial="CV9")], [line()])

    assert (found.changes, found.missing) == ([{"serial": ("CV1", "CV9")}], [])


def test_a_corrected_product_number_is_a_change_on_each_service_of_its_serial() -> None:
    stored = [line(), line(service="ソフトウェア保守")]

    found = diff([line(service="ソフトウェア保守", product_number="SRX345"), line(product_number="SRX345")], stored)

    assert found.stored == [1, 0]
    assert found.changes == [{"product_number": ("SRX340", "SRX345")}] * 2


def test_a_changed_service_is_a_change_of_its_serial() -> None:
    assert diff([line(service="24時間365日オンサイト保守")], [line()]).changes == [{"service": ("センドバック保守", "24時間365日オンサイト保守")}]


def test_lines_without_serial_pair_by_no_serial() -> None:
    found = diff([line(serial="", product_number="SRX345", service="x")], [line(serial="", product_number="SRX340", service="y")])

    assert (found.status(0), found.missing) == (Status.NEW, [0])


def test_lines_of_different_contracts_never_pair() -> None:
    found = diff([line(contract="JSC2")], [line()])

    assert (found.status(0), found.missing) == (Status.NEW, [0])


def test_a_line_left_out_of_the_workbook_is_missing() -> None:
    found = diff([line()], [line(), line(serial="CV2", service="ソフトウェア保守")])

    assert found.missing == [1]


@pytest.mark.parametrize("unread", [{"serial": ""}, {"product_number": ""}, {"ends_on": ""}])
def test_a_stored_line_that_an_unsound_row_stands_for_is_not_missing(unread: dict[str, str]) -> None:
    found = diff([], [line()], unsound=[line(**unread)])

    assert found.missing == []


def test_addresses_are_compared_regardless_of_case_and_names_are_not() -> None:
    assert differences(line(), line(agent_email="Hosyu@kansai-sys.example")) == {}
    assert differences(line(agent_name="ABC"), line(agent_name="abc")) == {"agent_name": ("ABC", "abc")}


def test_the_reissued_sample_differs_from_the_first_as_expected() -> None:
    expected = json.loads((EXPECTED / "2026-11_再発行_差分.json").read_text(encoding="utf-8"))
    stored = [row.values for row in read_rows(CERTIFICATES / "2026-11_証書一覧.xlsx")]
    lines = [row.values for row in read_rows(CERTIFICATES / "2026-11_証書一覧_再発行.xlsx")]

    found = diff(lines, stored)

    at = {field: index for index, field in enumerate(FIELDS)}
    changed = [(values[at["contract"]], field, *pair) for values, changes in zip(lines, found.changes, strict=True) for field, pair in changes.items()]
    known = {values[at["contract"]] for values in stored}
    new = dict.fromkeys(values[at["contract"]] for index, values in enumerate(lines) if found.status(index) is Status.NEW)
    assert list(new) == expected["new"]
    assert known.isdisjoint(new)
    assert Counter((contract, field) for contract, field, _, _ in changed) == {(one["contract"], one["field"]): one["lines"] for one in expected["changed"]}
    told = {(contract, field, old, now) for contract, field, old, now in changed}
    for one in expected["changed"]:
        assert {(field, now) for contract, field, _, now in told if contract == one["contract"]} == {
            (one["field"], one.get("new", now)) for contract, _, _, now in told if contract == one["contract"]
        }
        assert {old for contract, _, old, _ in told if contract == one["contract"]} <= {one.get("old", old) for _, _, old, _ in told}
    missing = [stored[index] for index in found.missing]
    assert [{"contract": one[at["contract"]], "serial": one[at["serial"]], "service": one[at["service"]]} for one in missing] == expected["missing"]
    assert sum(found.status(index) is Status.UNCHANGED for index in range(len(lines))) == expected["unchanged"]


def test_a_hundred_thousand_unchanged_lines_are_matched_in_a_moment() -> None:
    stored = [line(contract=f"JSC{number // 4}", serial=f"CV{number}") for number in range(100_000)]
    lines = [tuple(values) for values in reversed(stored)]
    begun = time.process_time()

    found = diff(lines, stored)

    assert time.process_time() - begun < 2
    assert not any(found.changes)
