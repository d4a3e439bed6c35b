"""Words as search compares them, the grams of texts, and the marks on what was found."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.search import excerpt, grams, grams_of_term, long_grams, long_grams_of_term, marked, terms_of
from rules.text import searchable

_LETTERS = st.text("障害再起動ファームウェア①㈱ｱｶﾞabAB12-_%\\ 　\n𠮷髙éୀஷ…㌔か\u3099\u0301", max_size=40)


def test_words_are_compared_in_one_form_and_once() -> None:
    assert terms_of("  ＶＰＮ　vpn ｻｰﾊﾞ ① ") == ("vpn", "サーバ", "1")


@given(_LETTERS, _LETTERS)
@settings(max_examples=300)
def test_a_text_that_holds_a_word_holds_its_grams(text: str, typed: str) -> None:
    document = searchable(text)

    for term in terms_of(typed):
        if term in document:
            assert grams_of_term(term) <= grams(document)
            assert long_grams_of_term(term) <= grams(document) | long_grams(document)


@pytest.mark.parametrize(
    ("term", "others"), [("500123", ["500321", "123500", "5001 123"]), ("第250", ["第2 50 25", "第205"]), ("bn0123", ["bn0132", "bn01 23"])]
)
def test_numbers_are_known_by_more_than_their_pairs(term: str, others: list[str]) -> None:
    known = long_grams_of_term(term)

    assert known <= grams(f"x{term}9") | long_grams(f"x{term}9")
    assert not any(known <= grams(other) | long_grams(other) for other in others)


@given(_LETTERS, _LETTERS)
@settings(max_examples=300)
def test_marking_keeps_every_character_and_marks_what_holds_a_word(text: str, typed: str) -> None:
    terms = terms_of(typed)
    pieces = marked(text, terms)

    assert "".join(piece for piece, _ in pieces) == text
    assert all(any(term in searchable(piece) for term in terms) for piece, hit in pieces if hit)


@pytest.mark.parametrize(
    ("text", "typed", "hits"),
    [
        ("IPsec が切断、ＩＰＳＥＣ の再起動", "ipsec", ["IPsec", "ＩＰＳＥＣ"]),
        ("㈱東西", "株", ["㈱"]),
        ("手順①を実行", "1", ["①"]),
        ("障害", "害障", []),
        ("𠮷野家", "𠮷", ["𠮷"]),
        ("ﾊﾞｰｼﾞｮﾝを確認", "バージョン", ["ﾊﾞｰｼﾞｮﾝ"]),
        ("再起動か\u3099必要", "が", ["か\u3099"]),
        ("㈱サンのﾊﾞｸﾞ", "サン", ["サン"]),
        ("起動…再起動、ﾃﾞｨｽｸとｶﾞ", "再起動", ["再起動"]),
        ("ａＢ①㌔ cafe\u0301 でCAFÉ", "café", ["cafe\u0301", "CAFÉ"]),
    ],
)
def test_what_was_found_is_marked_as_it_was_written(text: str, typed: str, hits: list[str]) -> None:
    assert [piece for piece, hit in marked(text, terms_of(typed)) if hit] == hits


def test_an_excerpt_begins_shortly_before_the_first_hit_and_stays_short() -> None:
    pieces = excerpt("前" * 500 + "切断" + "後" * 500, ["切断"])

    assert [hit for _, hit in pieces] == [False, True, False]
    assert pieces[0][0].startswith("…")
    assert pieces[-1][0].endswith("…")
    assert len("".join(piece for piece, _ in pieces)) < 150
