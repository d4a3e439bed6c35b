"""The places of a canned text that take a ticket's own words, and the marks of those that a ticket does not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from rules.refusal import Refused


class Placeholder(StrEnum):
    """What stands between braces in a canned text, as staff type it."""

    CUSTOMER = "お客様名"
    COMPANY = "会社名"
    TICKET = "チケット番号"
    SUBJECT = "件名"
    PRODUCT = "製品"
    CATEGORY = "カテゴリ"
    CONTRACT = "保守契約番号"
    SERIAL = "シリアル番号"
    MODEL = "機種"
    OS_VERSION = "OS Ver."
    ENGINEER = "担当者名"
    LINK = "チケットのURL"


_RAW = re.compile(r"[{｛]([^{}｛｝\n]{1,60})[}｝]")
_BLANKS = " \u3000"
_NAMES = frozenset(place.value for place in Placeholder)
_BEGIN, _END = "【要確認：", "】"
_LEFT = re.compile("|".join(rf"{_BEGIN}{re.escape(name)}{_END}|[{{｛][ \u3000]*{re.escape(name)}[ \u3000]*[}}｝]" for name in _NAMES))


@dataclass(frozen=True)
class Filled:
    """A text with the ticket's words in it; what the ticket does not say is marked in the text and named in `missing`."""

    text: str
    missing: tuple[str, ...] = ()


def unknown_place(text: str) -> str | None:
    """The first place in `text` that takes no word of ours. Braces of program text are none: between Japanese words they can only be misspelt."""
    return next((found for found in map(_named, _RAW.findall(text)) if found not in _NAMES and not found.isascii()), None)


def _named(found: str) -> str:
    """What stands between two braces, the blanks around it aside."""
    return found.strip(_BLANKS)


def fill(text: str, values: Mapping[str, str]) -> Filled:
    """`text` with `values` (by Placeholder) in its places."""
    missing: list[str] = []

    def word(found: re.Match[str]) -> str:
        name = _named(found.group(1))
        if name not in _NAMES:
            return found.group()
        if values.get(name, ""):
            return values[name]
        missing.append(name)
        return f"{_BEGIN}{name}{_END}"

    return Filled(_RAW.sub(word, text), tuple(dict.fromkeys(missing)))


def check_filled(text: str) -> None:
    """Refuse placeholder_left(name) at body where a place or its mark still stands: no customer shall read it."""
    left = _LEFT.search(text) if "{" in text or "｛" in text or _BEGIN in text else None
    if left is not None:
        raise Refused("placeholder_left", "body", name=left.group())


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """`text` in pieces: (words, whether they are a mark of what is missing)."""
    done = 0
    for found in _LEFT.finditer(text):
        if found.start() > done:
            yield text[done : found.start()], False
        yield found.group(), True
        done = found.end()
    if done < len(text):
        yield text[done:], False
