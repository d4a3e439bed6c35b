"""User IDs and passwords: what passes, what is refused, and nothing beyond the rules."""

from __future__ import annotations

import pytest

from rules.credentials import check_staff_password, parse_user_id, password_faults, user_id_key
from rules.refusal import Refused


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("tanaka", "tanaka"),
        ("Tanaka.Taro", "Tanaka.Taro"),
        ("ｔａｎａｋａ", "tanaka"),
        (" abc ", "abc"),
        ("a" * 128, "a" * 128),
        ("someone@other.example", "someone@other.example"),
    ],
)
def test_a_user_id_is_made_half_width_and_kept_as_typed(typed: str, stored: str) -> None:
    assert parse_user_id(typed) == stored


@pytest.mark.parametrize(
    ("typed", "code", "facts"),
    [
        ("", "user_id_empty", {}),
        ("　", "user_id_empty", {}),
        ("ab", "user_id_short", {"min": 3, "n": 2}),
        ("＿", "user_id_short", {"min": 3, "n": 1}),
        ("a" * 129, "user_id_long", {"max": 128, "n": 129}),
        ("田中太郎", "user_id_characters", {"c": "田"}),
        ("ta naka", "user_id_blank", {}),
        ("ta\u3000naka", "user_id_blank", {}),
        ("ta\u200bnaka", "user_id_invisible", {}),
        ("ta\x00naka", "user_id_invisible", {}),
        ("admin", "user_id_reserved", {"id": "admin"}),
        ("ＡＤＭＩＮ", "user_id_reserved", {"id": "ADMIN"}),
        ("Root", "user_id_reserved", {"id": "Root"}),
        ("support", "user_id_reserved", {"id": "support"}),
    ],
)
def test_what_is_no_user_id_is_refused_with_its_reason(typed: str, code: str, facts: dict[str, object]) -> None:
    with pytest.raises(Refused) as refused:
        parse_user_id(typed)

    assert (refused.value.code, refused.value.field, refused.value.facts) == (code, "user_id", facts)


def test_user_ids_are_one_regardless_of_case_and_width() -> None:
    assert user_id_key("Tanaka") == user_id_key(" ＴＡＮＡＫＡ ") == "tanaka"


@pytest.mark.parametrize("password", ["aB3xyz", "a" * 126 + "B3", "Kei sei-1", "~!@#aB3", " aB3x "])
def test_a_password_of_the_rules_passes_as_it_is(password: str) -> None:
    assert password_faults(password, user_id="tanaka", email="tanaka@example.co.jp", contract_key="JSC26040123A") == []


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("", ["password_empty"]),
        ("aB3xy", ["password_short"]),
        ("a" * 127 + "B3", ["password_long"]),
        ("abc123", ["password_upper", "password_common"]),
        ("ABCX123Q", ["password_lower"]),
        ("abcXYZq", ["password_digit"]),
        ("xq", ["password_short", "password_upper", "password_digit"]),
        ("Passw0rd", ["password_common"]),
        ("パスワード1aA", ["password_wide"]),
        ("ａＢ３ｘｙｚ", ["password_wide"]),
        ("aB3\txyz", ["password_control"]),
        ("aB3\x7fxyz", ["password_control"]),
        ("aB3\u200bxyz", ["password_control"]),
        ("Tanaka01", ["password_equals_user_id"]),
        ("Taro1@Example.co.jp", ["password_equals_email"]),
        ("Jsc26040123a", ["password_equals_contract"]),
    ],
)
def test_everything_wrong_with_a_password_is_told(password: str, codes: list[str]) -> None:
    faults = password_faults(password, user_id="tanaka01", email="taro1@example.co.jp", contract_key="ｊｓｃ26040123a")

    assert [fault.code for fault in faults] == codes
    assert {fault.field for fault in faults} == {"password"}


def test_entries_left_empty_never_equal_a_password() -> None:
    assert password_faults("aB3xyz", user_id="", email="", contract_key="") == []


def test_staff_choose_fifteen_characters_of_any_kind() -> None:
    check_staff_password("correct horse battery", user_id="sato", email="sato@jscom.co.jp")

    for password, code in (
        ("aB3xyz-aB3xyz-", "password_short"),
        ("sato@jscom.co.jp", "password_equals_email"),
        ("ながいながいながいながいながい", "password_wide"),
        ("", "password_empty"),
    ):
        with pytest.raises(Refused, match=code):
            check_staff_password(password, user_id="sato", email="sato@jscom.co.jp")
