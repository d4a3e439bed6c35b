"""What people type is repaired the same way everywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import fold, fold_key, invisible, is_unknown, one_line, searchable


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("　ＪＳＣ２６０４０１２３Ａ　", "JSC26040123A"),
        ("SD－000000－H", "SD-000000-H"),
        ("SD‐000000−H", "SD-000000-H"),
        ("SDー000000ーH", "SD-000000-H"),
        ("サーバー", "サーバー"),
        ("SRX300ー", "SRX300ー"),
        ("A––B", "A--B"),
        ("ｶﾅ", "カナ"),
    ],
)
def test_full_width_and_hyphens_are_repaired(typed: str, folded: str) -> None:
    assert fold(typed) == folded


def test_keys_are_stored_upper_case() -> None:
    assert fold_key(" sd-000000-h ") == "SD-000000-H"


@given(st.text())
def test_folding_twice_changes_nothing_more(typed: str) -> None:
    assert fold(fold(typed)) == fold(typed)


@pytest.mark.parametrize("typed", ["不明", " 不明 ", "「不明」", "（不明）"])
def test_fumei_is_recognised(typed: str) -> None:
    assert is_unknown(typed)


@pytest.mark.parametrize("typed", ["", "不明です", "JSC26040123A", "シリアル不明"])
def test_anything_else_is_not_fumei(typed: str) -> None:
    assert not is_unknown(typed)


@pytest.mark.parametrize(
    "sign", ["\x00", "\x1f", "\x7f", "\u0085", "\u00ad", "\u200b", "\u200d", "\u202e", "\u2060", "\ufeff", "\u3164", "\ufe0f", "\U000e0041"]
)
def test_signs_that_nobody_sees_are_found(sign: str) -> None:
    assert invisible(f"a{sign}b") == sign


def test_ordinary_text_holds_no_invisible_sign() -> None:
    assert invisible("株式会社サンプル - Café №1") is None


def test_a_line_loses_breaks_and_direction_marks_and_keeps_names_whole() -> None:
    assert one_line(" VPN\r\nBcc: x\x00\u202e切断\u2028 \t です ") == "VPN Bcc: x 切断 です"
    assert one_line("葛\U000e0100城") == "葛\U000e0100城"


def test_search_compares_without_case_and_width() -> None:
    assert searchable("ＶＰＮ切断 Juniper") == "vpn切断 juniper"
