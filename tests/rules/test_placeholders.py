"""The places of a canned text: filled, marked where nothing is known, and never sent as they are."""

from __future__ import annotations

import pytest

from rules.canned import check_canned, outcome
from rules.placeholders import check_filled, fill, pieces
from rules.refusal import Refused
from rules.tickets import State

WORDS = {"お客様名": "木村 はるか", "チケット番号": "#10482", "シリアル番号": ""}


def refused(act: object, *given: object, **named: object) -> str:
    with pytest.raises(Refused) as caught:
        act(*given, **named)  # type: ignore[operator] - any rule
    return caught.value.code


def test_places_take_the_words_of_the_ticket() -> None:
    filled = fill("{お客様名} 様\n｛ チケット番号 ｝の件です。", WORDS)

    assert (filled.text, filled.missing) == ("木村 はるか 様\n#10482の件です。", ())


def test_what_the_ticket_does_not_say_is_marked_and_named_once() -> None:
    filled = fill("{シリアル番号}／{シリアル番号}", WORDS)

    assert (filled.text, filled.missing) == ("【要確認：シリアル番号】／【要確認：シリアル番号】", ("シリアル番号",))
    assert list(pieces(f"S/N {filled.text}"))[:2] == [("S/N ", False), ("【要確認：シリアル番号】", True)]


@pytest.mark.parametrize("text", ["{お客様名} 様", "｛お客様名｝ 様", "{ シリアル番号 }", "S/N 【要確認：シリアル番号】"])
def test_a_text_with_an_open_place_is_not_sent(text: str) -> None:
    assert refused(check_filled, text) == "placeholder_left"


@pytest.mark.parametrize("text", ['{"serial": "CV1"}', "set { interfaces { ge-0/0/0; } }", "{ }", "【要確認】まで", "{" * 5000, "{" + " " * 10_000])
def test_braces_of_program_text_are_no_places(text: str) -> None:
    check_filled(text)
    assert fill(text, WORDS).text == text


def test_a_value_that_looks_like_a_place_is_not_filled_again() -> None:
    assert fill("{お客様名}", {"お客様名": "{シリアル番号}"}).text == "{シリアル番号}"


def test_a_canned_text_needs_a_name_a_text_and_places_that_are_known() -> None:
    assert check_canned(" ログの  お願い ", "ログを\r\nお送りください。\n") == ("ログの お願い", "ログを\nお送りください。")
    assert refused(check_canned, " ", "x") == "name_empty"
    assert refused(check_canned, "x" * 61, "x") == "name_long"
    assert refused(check_canned, "x", " \n") == "canned_empty"
    assert refused(check_canned, "x", "x" * 10_001) == "text_long"
    assert refused(check_canned, "x", "{顧客名} 様") == "placeholder_unknown"
    assert check_canned("x", "", needs_text=False) == ("x", "")


def test_a_macro_leaves_the_state_that_its_parts_lead_to() -> None:
    assert outcome(State.NEW, assigns=True, answers=False, wanted=State.WAITING_VENDOR) is State.WAITING_VENDOR
    assert outcome(State.NEW, assigns=False, answers=True, wanted=None) is State.OPEN
    assert outcome(State.OPEN, assigns=False, answers=False, wanted=None) is State.OPEN
    assert refused(outcome, State.NEW, assigns=False, answers=False, wanted=State.WAITING_VENDOR) == "state_move"
    assert refused(outcome, State.CLOSED, assigns=False, answers=True, wanted=None) == "answer_closed"
