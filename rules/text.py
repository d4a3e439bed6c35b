"""Normalising what people type (DOMAIN, "Normalising what people type")."""

from __future__ import annotations

import re
import unicodedata

UNKNOWN = "不明"
"""What a customer writes where the contract or the serial is not known."""

_HYPHENS = "‐‑‒–—―−ー－"
_HYPHEN_BETWEEN_ASCII = re.compile(f"(?<=[!-~])[{_HYPHENS}]+(?=[!-~])")
_RUN = 200
_LONG_RUN = re.compile(f"[^\u0000-\u007f\u3040-\u30ff\u4e00-\u9fff\uff00-\uffef]{{{_RUN},}}")
"""No text of people has so many signs in a row that are neither ASCII, kana, kanji nor full-width."""
# Controls, zero-width and direction marks, soft hyphen, fillers that draw nothing, variation selectors, tags.
_INVISIBLE = re.compile(
    r"[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e01ef]"
)


# One-line texts keep what writes a name (variation selectors, joiners) and lose what breaks a header or turns a line round.
_BREAKS = re.compile(r"[\u0000-\u001f\u007f-\u009f\u2028\u2029]")
_UNSEEN = re.compile(r"[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


def compatible(text: str) -> str:
    """NFKC in linear time: a run of combining marks is sorted in quadratic time, so one of more than 200 is taken in pieces."""
    if len(text) < _RUN or not _LONG_RUN.search(text):
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", text[start : start + _RUN]) for start in range(0, len(text), _RUN))


def fold(typed: str) -> str:
    """NFKC, outer blanks off, hyphen-like signs between ASCII made ``-``."""
    if typed.isascii():
        return typed.strip()
    text = compatible(typed).strip()
    if text.isascii():
        return text
    return _HYPHEN_BETWEEN_ASCII.sub(_as_hyphens, text)


def fold_key(typed: str) -> str:
    """The stored form of contract keys and serials: folded, upper-case."""
    return fold(typed).upper()


def invisible(text: str) -> str | None:
    """The first zero-width or control character in `text`, or None."""
    found = _INVISIBLE.search(text)
    return found.group() if found else None


def is_unknown(typed: str) -> bool:
    """Whether the customer wrote 不明 (blanks and brackets around it aside)."""
    return fold(typed).strip("「」()[]\"' ") == UNKNOWN


def searchable(text: str) -> str:
    """The form in which texts are compared by search: NFKC and lower-case."""
    return compatible(text).lower()


def one_line(text: str) -> str:
    """`text` without line breaks, controls and marks that turn the direction of writing; runs of blanks made one."""
    if text.isprintable() and "  " not in text:
        return text.strip()  # of what cannot be printed, and of what goes here, only the plain blank is printable
    return re.sub(r"\s+", " ", _UNSEEN.sub("", _BREAKS.sub(" ", text))).strip()


def _as_hyphens(run: re.Match[str]) -> str:
    """One hyphen for each sign: two serials that differ in their hyphens stay two."""
    return "-" * len(run.group())
