"""Long texts are normalised in linear time, and as ever where people wrote them."""

from __future__ import annotations

import unicodedata

import pytest

from rules.text import compatible, searchable


@pytest.mark.parametrize("text", ["ＳＲＸ３００ の障害です。" * 50, "カ\u3099" * 30, "①髙﨑㈱" * 40, "Ａ" * 1000, "é" * 100, ""])
def test_what_people_write_is_normalised_as_a_whole(text: str) -> None:
    assert compatible(text) == unicodedata.normalize("NFKC", text)


def test_a_pile_of_marks_is_taken_in_pieces_and_none_is_lost() -> None:
    # As a whole this would keep a processor busy for a quarter of a minute.
    marks = "\u0315\u0300" * 60_000

    assert len(searchable("a" + marks)) >= len(marks)
