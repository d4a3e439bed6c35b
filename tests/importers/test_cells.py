"""Codes, names, addresses and families of a workbook, cell by cell."""

from __future__ import annotations

from datetime import date

import pytest

from importers.cells import Problem, family_key, parse_code, parse_contact, parse_contract, parse_email, parse_family, parse_name, parse_service
from importers.marks import padded, padding_places
from rules.text import fold
from tests.importers.workbooks import FAMILIES


def code_of(found: object) -> str:
    assert isinstance(found, Problem)
    return found.code


def test_codes_are_folded_and_serials_upper_case() -> None:
    assert parse_code("ＭＰ０８１０ｆ", upper=True) == "MP0810F"
    assert parse_code(" ＣＲ２５ｉＮＧ　") == "CR25iNG"
    assert parse_code("901‐R550−JP00") == "901-R550-JP00"


def test_a_number_stored_for_a_code_has_no_exponent_and_is_warned_of() -> None:
    assert parse_code(162000123456.0) == Problem("number_for_code", {"v": "162000123456"}, "162000123456", warning=True)
    assert parse_code(1e15) == Problem("number_for_code", {"v": "1000000000000000"}, "1000000000000000", warning=True)
    assert parse_code("1E10") == "1E10"


@pytest.mark.parametrize("left", ["1.23457E+11", "4E+05", "１．０Ｅ＋１２"])
def test_what_excel_leaves_in_a_csv_of_a_long_number_is_warned_of(left: str) -> None:
    shown = fold(left)

    assert parse_code(left, upper=True) == Problem("number_for_code", {"v": shown}, shown, warning=True)
    assert [parse_code(text) for text in ("1E10", "4E+05-A", "E+05", "SRX4E+05")] == ["1E10", "4E+05-A", "E+05", "SRX4E+05"]


def test_a_code_that_excel_made_a_date_is_an_error() -> None:
    assert code_of(parse_code(date(2026, 4, 1))) == "date_for_code"


@pytest.mark.parametrize("text", ["AB\u200b12", "AB\x0712", "AB\n12"])
def test_invisible_characters_in_a_code_are_an_error(text: str) -> None:
    assert parse_code(text) == Problem("invisible")


@pytest.mark.parametrize("text", ["#REF!", "#N/A", "#value!", "＃ＲＥＦ！"])
def test_the_text_of_an_error_is_an_error_wherever_it_comes_from(text: str) -> None:
    assert code_of(parse_service(text)) == "formula_error"
    assert code_of(parse_code(text)) == "formula_error"


def test_contract_names_take_half_width_signs_only() -> None:
    assert parse_contract("ｊｓｃ２６０４０１２３ａ") == "JSC26040123A"
    assert parse_contract("SD‐000000‐H") == "SD-000000-H"
    assert parse_contract("契約その１") == Problem("contract_characters", {"v": "契約その1", "c": "契"})
    assert code_of(parse_contract("A" * 81)) == "too_long"


def test_one_address_is_read_and_more_are_counted() -> None:
    assert parse_email("　Tanto＠Example.CO.JP ") == "Tanto@example.co.jp"
    assert parse_email("a@hokusei.example;b@hokusei.example") == Problem("more_than_one_address", {"n": 2})
    assert parse_email("a@x.example\nb@x.example、c@x.example") == Problem("more_than_one_address", {"n": 3})


@pytest.mark.parametrize("text", ["network(at)hokusei.example", "なし", "a@", ".a..b@docomo.ne.jp", "a@192.168.0.1", "山田 <a@x.example>", "-", 123.0])
def test_what_is_no_address_is_an_error(text: object) -> None:
    assert code_of(parse_email(text)) == "not_an_email"


def test_names_stay_as_they_are_written() -> None:
    assert parse_name("　㈱髙﨑商店 ") == "㈱髙﨑商店"
    assert parse_name("株式会社\nみなと物流") == "株式会社 みなと物流"
    assert parse_name("葛\U000e0100城市") == "葛\U000e0100城市"
    assert parse_name("みなと\u200b物流") == Problem("invisible")
    assert code_of(parse_name("あ" * 201)) == "too_long"


@pytest.mark.parametrize("text", ["Juniper-MAG/SA", "Juniper-MAG_SA", "ｊｕｎｉｐｅｒ－ＭＡＧ／ＳＡ", "Juniper MAG SA"])
def test_families_are_known_by_their_aliases_and_spellings(text: str) -> None:
    families = {family_key(alias): name for alias, name in FAMILIES.items()}

    assert parse_family(text, families) == "Juniper-MAG/SA"
    assert parse_family("Paloalto 他", families) == "Paloalto"
    assert parse_family("Junipr-SRX", families) == Problem("unknown_family", {"v": "Junipr-SRX"})


@pytest.mark.parametrize("text", ["J's チケットシステム", "J’s チケットシステム", "Ｊ’ｓ　ﾁｹｯﾄｼｽﾃﾑ", "J'sチケットシステム"])
def test_the_desk_is_known_however_its_apostrophe_is_written(text: str) -> None:
    assert parse_contact(text) == "J's チケットシステム"


def test_services_are_folded() -> None:
    assert parse_service("平日9:00～17:00オンサイト保守") == "平日9:00~17:00オンサイト保守"


@pytest.mark.parametrize(
    ("code", "places", "shown"),
    [
        ("000000", 6, "000123"),
        ("000000000000;-0", 12, "000000000123"),
        ('"SN"00000', 5, "SN00123"),
        ("00-0000", 6, "00-0123"),
        ("[$-411]0000", 4, "0123"),
        ("#0000", 4, "0123"),
    ],
)
def test_a_padding_format_shows_its_zeros(code: str, places: int, shown: str) -> None:
    assert padding_places(code) == places
    assert padded("123", code) == shown


@pytest.mark.parametrize("code", ["General", "0", "#,##0", "0.00", "0%", "yyyy/mm/dd", "0.00E+00", "@", ""])
def test_other_formats_pad_nothing(code: str) -> None:
    assert padding_places(code) == 0


def test_a_padding_format_keeps_the_digits_beyond_its_places() -> None:
    assert padded("12345678", "000000") == "12345678"
