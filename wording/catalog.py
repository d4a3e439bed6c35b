"""Translations: the Japanese text is the msgid, the English catalogue lies in `locale/`; a text without a translation stays Japanese."""

from __future__ import annotations

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LANGUAGES = ("ja", "en")
"""The languages people may choose; Japanese needs no catalogue."""
_BETWEEN = "\x04"
"""What stands between a context and its text in a catalogue."""
_FOLDER = Path(__file__).resolve().parent.parent / "locale"


def N_(text: str) -> str:  # noqa: N802 - gettext's own name, which the extractor looks for
    """Mark `text` as a msgid where it stands; it is translated when it is shown."""
    return text


def NC_(context: str, text: str) -> str:  # noqa: N802 - as above
    """Mark `text` as a msgid that means something of its own in `context`: 「終了」 of a contract line is not that of a ticket."""
    return context + _BETWEEN + text


def translate(text: str, language: str = "ja") -> str:
    """`text` in `language`; "" stays "" (gettext would answer with the catalogue's header)."""
    return _catalogue(language).gettext(text).rpartition(_BETWEEN)[2] if text else ""


def gettext_for(language: str) -> Callable[[str], str]:
    """The `gettext` of `language`, for the templates."""
    return lambda text: translate(text, language)


def pgettext_for(language: str) -> Callable[[str, str], str]:
    """The `pgettext` of `language`, for the templates: a context, then the text."""
    return lambda context, text: translate(NC_(context, text), language)


def ngettext_for(language: str) -> Callable[[str, str, int], str]:
    """The `ngettext` of `language`, for the templates."""
    return _catalogue(language).ngettext


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    known = language if language in LANGUAGES else "ja"
    return gettext.translation("messages", _FOLDER, languages=[known], fallback=True)
