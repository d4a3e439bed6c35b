"""Columns travel as one text and arrive as they left; codes read at once are what each alone is."""

from __future__ import annotations

import json

import pytest

from importers.cells import parse_code, parse_codes
from importers.packing import Kept, pack, pack_rows, unpack, unpack_rows


@pytest.mark.parametrize(
    "column", [["A1", "", "東西"], [""], ["", ""], ["A", "A"], ["A", "A", "A", "B"], ["A", "B", "B"], ["a\x7fb", "a\x7fb"], ["a\x7fb", "c"], ['"', "\\", "\n"]]
)
def test_a_column_arrives_as_it_left(column: list[str]) -> None:
    assert unpack(json.loads(json.dumps(pack(column)))) == column


def test_equal_texts_that_are_kept_are_one_object() -> None:
    kept = Kept()
    first, second = (unpack(json.loads(json.dumps(pack(column))), kept) for column in (["東西", "B1", "東西"], ["東西", "東西", "B1"]))

    assert [*first, *second] == ["東西", "B1", "東西", "東西", "東西", "B1"]
    assert len({id(text) for text in [*first, *second]}) == 2


@pytest.mark.parametrize("rows", [[5], [5, 6, 7], [5, 7, 8]])
def test_row_numbers_arrive_as_they_left(rows: list[int]) -> None:
    assert unpack_rows(json.loads(json.dumps(pack_rows(rows)))) == rows


@pytest.mark.parametrize("upper", [True, False])
def test_codes_at_once_are_what_each_alone_is(upper: bool) -> None:
    codes = ["cv41", "", "SRX300-SYS-JB", "a.b_c/d+e", "0", "1E10", "4E+05-A", "x" * 100]

    assert parse_codes(codes, upper=upper) == [parse_code(code, upper=upper) for code in codes]


@pytest.mark.parametrize("odd", [" A", "Ａ", "ditto", "dittoX", "A\nB", "A B", "A\u200b", "x" * 101, "-A", "4E+05", "1.23457e+11", 12, None, True])
def test_one_odd_cell_sends_all_to_be_read_alone(odd: object) -> None:
    assert parse_codes(["A1", odd, "B2"]) is None
