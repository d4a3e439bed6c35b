"""Searching Japanese text: words of one and two characters are found too, and what is found is exactly what a plain substring scan finds.

Blanks are no safe word borders in Japanese, so a text is known by the set of its single characters and neighbouring pairs (its grams).
A text that holds all grams of a word may hold the word, which is compared once more with the text itself.
Pairs of digits and Latin letters stand in most posts: numbers, serials and addresses are known by their fours as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from rules.text import compatible, searchable

MOST_TERMS = 10
QUERY_CHARACTERS = 200
_PLANE = 0xFFFF
_SIGN = 0x80000000
_FOURS, _ACCOUNTS = 0xD800_0000, 0xDC00_0000
"""Where the packed numbers of fours and of accounts lie: no character of a text is a surrogate."""
_THREES = 36**4
"""Three digits come behind all fours."""
_ACCOUNTS_APART = 0x0400_0000
_FOUR = 4
_LATIN, _DIGITS = re.compile("[0-9a-z]{3,}"), re.compile("[0-9]{3,}")
_MARKS = "[\u0300-\u036f\u3099\u309a\uff9e\uff9f]"
_PLAIN = "[\\t\\n\\r -~\u3000-\u3096\u30a1-\u30fe\u4e00-\u9fff\uff01-\uff5e]+"
"""Letters that are one letter each in the compared form too."""
_ALL_PLAIN = re.compile(_PLAIN)
_LETTERS = re.compile(f"(?P<plain>{_PLAIN}(?!{_MARKS}))|.{_MARKS}*", re.DOTALL)
"""Runs of such letters, and single ones with the marks that may join with them."""
_MOST_PAIRS = 6
_AROUND = 40
"""Characters of an excerpt before the first hit; twice as many follow it."""


def terms_of(typed: str) -> tuple[str, ...]:
    """The words of a search in the form that texts are compared; all of them must be found. At most MOST_TERMS count."""
    return tuple(dict.fromkeys(searchable(typed[:QUERY_CHARACTERS]).split()))[:MOST_TERMS]


def grams(text: str) -> set[int]:
    """Every character and every pair of neighbours in the blank-free runs of a normalised `text`, packed into signed 32 bits.

    Characters beyond the Basic Multilingual Plane lose their upper bits: 𩸽 is known by what 鸽 is known by.
    """
    found: set[int] = set()
    for run in set(text.split()):
        codes = [ord(sign) & _PLANE for sign in run]
        found.update(codes)
        found.update([_packed(first, second) for first, second in pairwise(codes)])
    return found


def grams_of_term(term: str) -> set[int]:
    """Grams that a text holding `term` is sure to hold: its pairs, or its only character; of a long one enough of them."""
    return _pairs(list(pairwise(term))) if len(term) > 1 else {ord(sign) & _PLANE for sign in term}


def long_grams(text: str) -> set[int]:
    """Every four neighbours among the ASCII letters and digits of a normalised `text`, and every three among its digits, packed as `grams` are."""
    found = {_packed_four(run[at : at + _FOUR]) for run in set(_LATIN.findall(text)) for at in range(len(run) - _FOUR + 1)}
    return found | {_packed_three(run[at : at + 3]) for run in set(_DIGITS.findall(text)) for at in range(len(run) - 2)}


def long_grams_of_term(term: str) -> set[int]:
    """As `grams_of_term`, of a text whose `long_grams` are known too: where the term has any, they stand for its pairs of ASCII signs."""
    found: set[int] = set()
    for run in _LATIN.findall(term):
        if len(run) >= _FOUR:
            found.update(_packed_four(run[at : at + _FOUR]) for at in (0, *range(len(run) - _FOUR, 0, -_FOUR)))
        elif run.isdecimal():
            found.add(_packed_three(run))
    if not found:
        return grams_of_term(term)
    return found | _pairs([pair for pair in pairwise(term) if not "".join(pair).isascii()])


def account_gram(account_id: int) -> int:
    """What the posts of an account's tickets hold beside their words; two accounts may share one."""
    return _signed(_ACCOUNTS + account_id % _ACCOUNTS_APART)


def excerpt(text: str, terms: Sequence[str], compared: str | None = None) -> list[tuple[str, bool]]:
    """The part of `text` (as people wrote it) around the first word found, as pieces and whether each is a hit; [] where none is.

    `compared` is the text's `searchable` form, where that is known already.
    """
    places = _hits(text, terms, searchable(text) if compared is None else compared)
    if not places:
        return []
    at, left = places[0][0], 2 * _AROUND
    shown = [(f"…{text[at - _AROUND : at]}" if at > _AROUND else text[:at], False)]
    for start, end in (*places, (len(text), len(text))):
        for piece, hit in ((text[at:start], False), (text[start:end], True)):
            if left > 0:
                shown.append((piece if hit or len(piece) <= left else f"{piece[:left]}…", hit))
                left -= len(piece)
        at = end
        if left <= 0:
            break
    return [(_narrowed(piece), hit) for piece, hit in shown if piece]


def marked(text: str, terms: Sequence[str], compared: str | None = None) -> list[tuple[str, bool]]:
    """`text` cut into pieces, each with whether it is a word of `terms`; together they are `text` again. `compared`: as in `excerpt`.

    A character may be several in the compared form (㈱ is (株)): a hit that begins or ends inside takes the whole character.
    """
    pieces: list[tuple[str, bool]] = []
    shown = 0
    for start, end in _hits(text, terms, searchable(text) if compared is None else compared):
        if start > shown:
            pieces.append((text[shown:start], False))
        pieces.append((text[start:end], True))
        shown = end
    return [*pieces, (text[shown:], False)] if shown < len(text) else pieces


def _hits(text: str, terms: Sequence[str], whole: str) -> Sequence[tuple[int, int]]:
    """Where words begin and end in `text`, whose compared form is `whole`, those that meet or overlap as one."""
    return _joined(_places(terms, *_folded(text, whole))) if [term for term in terms if term in whole] else ()


def _narrowed(piece: str) -> str:
    """`piece` with every run of blanks made one."""
    words = " ".join(piece.split())
    return f"{' ' * piece[:1].isspace()}{words}{' ' * (words != '' and piece[-1].isspace())}"


def _places(terms: Sequence[str], folded: str, begins: Sequence[int], ends: Sequence[int]) -> list[tuple[int, int]]:
    """Where words begin and end in the text that `begins` and `ends` lead back to, from left to right."""
    found: list[tuple[int, int]] = []
    for term in terms:
        at = folded.find(term)
        while at >= 0:
            found.append((begins[at], ends[at + len(term) - 1]))
            at = folded.find(term, at + len(term))
    return sorted(found)


def _joined(places: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places that meet or overlap, as one."""
    joined: list[tuple[int, int]] = []
    for start, end in places:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _folded(text: str, whole: str) -> tuple[str, Sequence[int], Sequence[int]]:
    """The compared form of `text`, which is `whole`, and for each of its characters where what it comes from begins and ends in `text`."""
    if len(whole) == len(text) and (_ALL_PLAIN.fullmatch(text) or compatible(text) == text):
        return whole, range(len(text)), range(1, len(text) + 1)
    # Letter by letter, each with its marks: what joins in other ways stays apart here, which may only miss a highlight.
    folded: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    for found in _LETTERS.finditer(text):
        begin, end = found.span()
        part = searchable(found.group())
        folded.append(part)
        if len(part) == end - begin and found.lastgroup:
            begins.extend(range(begin, end))
            ends.extend(range(begin + 1, end + 1))
        else:
            begins.extend([begin] * len(part))
            ends.extend([end] * len(part))
    return "".join(folded), begins, ends


def _pairs(pairs: Sequence[tuple[str, str]]) -> set[int]:
    """Of many pairs each second one, and the last: who holds those holds the others, almost always, and each one that is asked for costs."""
    asked = pairs if len(pairs) <= _MOST_PAIRS else [*pairs[::2], pairs[-1]]
    return {_packed(ord(first) & _PLANE, ord(second) & _PLANE) for first, second in asked}


def _packed(first: int, second: int) -> int:
    both = first << 16 | second
    return both - (_SIGN << 1) if both >= _SIGN else both


def _packed_four(part: str) -> int:
    return _signed(_FOURS + int(part, 36))


def _packed_three(part: str) -> int:
    return _signed(_FOURS + _THREES + int(part))


def _signed(number: int) -> int:
    return number - (_SIGN << 1) if number >= _SIGN else number
