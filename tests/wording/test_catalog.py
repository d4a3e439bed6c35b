"""Japanese is the msgid: without a translation a text stays Japanese."""

from __future__ import annotations

from wording.catalog import LANGUAGES, N_, gettext_for, ngettext_for, translate


def test_japanese_needs_no_catalogue() -> None:
    assert translate(N_("件名を入力してください。")) == "件名を入力してください。"


def test_an_untranslated_text_stays_japanese_in_every_language() -> None:
    assert [translate("訳のない文（検査）", language) for language in (*LANGUAGES, "xx")] == ["訳のない文（検査）"] * 3


def test_an_empty_text_stays_empty() -> None:
    assert [gettext_for(language)("") for language in LANGUAGES] == ["", ""]


def test_counts_choose_their_form() -> None:
    assert ngettext_for("ja")("{n}件の検査", "{n}件の検査", 3) == "{n}件の検査"
