"""What a log says of its device: model, OS version and serial number, found by the patterns of a master.

A pattern is plain text of which two words are special: `{値}` is the value that is wanted, `{語}` one word that may be anything.
Blanks stand for any blanks, a colon for a colon of either width with blanks around. Nothing else repeats, and a word ends where
what stands behind it begins, so that nothing is tried in a second way: a text is read in one go.
"""

from __future__ import annotations

import re
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE, getincrementaldecoder
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from rules.refusal import Refused
from rules.text import fold, fold_key

READ_BYTES = 1024 * 1024
"""Of each file, from its beginning."""
PATTERN_CHARACTERS = 120
MOST_PATTERNS = 100
_MOST_VALUES = 5
_EVERY = ""
"""The key of what is found for whatever product."""
_VALUE, _WORD = "{値}", "{語}"
_TOKENS = re.compile(r"(\{値\}|\{語\}|[ \t:：]+)")
_GROUP = r"([A-Za-z0-9][A-Za-z0-9._/+-]{1,63})"
_ANY_WORD = r"[^\s{}]{{1,64}}+"
_MOST_WORDS = 4
_BLANKS, _COLON = r"[ \t]{1,80}", r"[ \t]{0,80}[:：][ \t]{0,80}"
_GZIP = b"\x1f\x8b"
_TO_KANJI = b"\x1b$"
_KANA = re.compile("[ぁ-んァ-ン]")

Found = dict[str, dict[str, list[str]]]
"""By family ("" for all of them) and fact: the values in the order of the log."""


class Fact(StrEnum):
    """What is looked for."""

    SERIAL = "serial"
    MODEL = "model"
    OS_VERSION = "os_version"


@dataclass(frozen=True)
class Pattern:
    """One line of the master; `family_id` None: for all products."""

    family_id: int | None
    fact: Fact
    text: str


def check_pattern(typed: str) -> str:
    """A pattern as it is kept. Refuses at ``pattern``: pattern_empty, pattern_long(max), pattern_value, pattern_words(max), pattern_begins."""
    text = re.sub(r"\s+", " ", fold(typed)).strip()
    if not text:
        raise Refused("pattern_empty", "pattern")
    if len(text) > PATTERN_CHARACTERS:
        raise Refused("pattern_long", "pattern", max=PATTERN_CHARACTERS)
    if text.count(_VALUE) != 1:
        raise Refused("pattern_value", "pattern")
    if text.count(_WORD) > _MOST_WORDS:
        raise Refused("pattern_words", "pattern", max=_MOST_WORDS)
    # Its own words come first: a pattern that may begin anywhere would be tried at every letter of the log.
    if not re.match(r"[^\s{}:]{2}", text):
        raise Refused("pattern_begins", "pattern")
    return text


def readable(head: bytes) -> str:
    """The text of a file's beginning: UTF-8, UTF-16 with its mark, or what Japanese systems write, also within gzip; "" where it is no text."""
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, READ_BYTES)
        except zlib.error:
            return ""
    head = head[:READ_BYTES]
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    if b"\x00" in head[:4096]:
        return ""
    if _TO_KANJI in head and (text := _decoded(head, "iso2022_jp")):
        return text
    try:
        return head.decode()
    except UnicodeDecodeError as fault:
        # A character cut at the end is no sign of another encoding.
        if fault.start >= len(head) - 3:
            return head.decode("utf-8", "replace")
    # Kana of a Unix are kanji, or no letters at all, to Windows, which finds half-width ones in every text of a Unix.
    text = _decoded(head, "euc_jp")
    return text if _KANA.search(text) else head.decode("cp932", "replace")


def _decoded(head: bytes, encoding: str) -> str:
    """`head` where it is text in this encoding, but for a character cut at its end; "" where it is none."""
    try:
        return getincrementaldecoder(encoding)().decode(head)
    except UnicodeError:
        return ""


def scan(text: str, patterns: Iterable[Pattern]) -> Found:
    """What `patterns` find in a log, at most five different values a fact."""
    found: Found = {}
    for pattern in patterns if text else ():
        key = _EVERY if pattern.family_id is None else str(pattern.family_id)
        for match in _compiled(pattern.text).finditer(text):
            values = found.setdefault(key, {}).setdefault(pattern.fact, [])
            if match.group(1) not in values:
                values.append(match.group(1))
            if len(values) >= _MOST_VALUES:
                break
    return found


def facts_of(found: Sequence[Mapping[str, Any]], family_id: int) -> dict[Fact, list[str]]:
    """What the files of a post say, for a ticket of `family_id`: each value once however it is written, its own product's patterns first."""
    told: dict[Fact, list[str]] = {}
    for fact in Fact:
        values = [value for key in (str(family_id), _EVERY) for one in found for value in one.get(key, {}).get(fact, [])]
        if values:
            once: dict[str, str] = {}
            for value in values:
                once.setdefault(fold_key(value), value)
            told[fact] = list(once.values())
    return told


def differs(values: Sequence[str], stated: str) -> bool:
    """Whether a log speaks of other devices than the one that is stated."""
    wanted = fold_key(stated)
    return all(wanted not in (key := fold_key(value)) and key not in wanted for value in values)


@lru_cache(maxsize=MOST_PATTERNS * 2)
def _compiled(text: str) -> re.Pattern[str]:
    # Words that touch are one: two would share its letters in every way there is.
    tokens = [token for token in _TOKENS.split(re.sub(r"(?:\{語\})+", _WORD, text)) if token]
    parts = [_part(token, following) for token, following in zip(tokens, [*tokens[1:], ""], strict=True)]
    return re.compile(r"(?<![A-Za-z0-9])" + "".join(parts), re.IGNORECASE)


def _part(token: str, following: str) -> str:
    if token == _VALUE:
        return _GROUP
    if token == _WORD:
        return _ANY_WORD.format(_first_sign(following))
    if not token.strip(" \t:："):
        return _COLON if ":" in token or "：" in token else _BLANKS
    return re.escape(token)


def _first_sign(token: str) -> str:
    """With what `token` may begin, within the brackets of an expression; "" where that is a blank."""
    if token == _VALUE:
        return "A-Za-z0-9"
    if not token.strip(" \t:："):
        return ":：" if ":" in token or "：" in token else ""
    return re.escape(token[0])
