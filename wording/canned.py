"""Canned texts and macros in the journal's words, and what a macro changes."""

from __future__ import annotations

from wording.catalog import N_, translate

ACTS = {
    "add_canned": N_("定型文を追加しました"),
    "change_canned": N_("定型文を変更しました"),
    "remove_canned": N_("定型文を削除しました"),
    "add_macro": N_("定型アクションを追加しました"),
    "change_macro": N_("定型アクションを変更しました"),
    "remove_macro": N_("定型アクションを削除しました"),
    "run_macro": N_("定型アクションを実行しました"),
}
FACTS = {"macro": N_("定型アクション")}
_POSTS = {
    "answer": N_("お客様への返信として公開し、メールでお知らせする"),
    "note": N_("社内メモとして残す（お客様には見えません）"),
    "nothing": N_("本文はなし（変更だけ）"),
}
_ASSIGNEES = {"": N_("変更しない"), "me": N_("実行した人"), "nobody": N_("未割り当て")}


def post_choices(language: str = "ja") -> list[tuple[str, str]]:
    """What becomes of a macro's text, for a choice."""
    return [(code, translate(text, language)) for code, text in _POSTS.items()]


def assignee_choices(language: str = "ja") -> list[tuple[str, str]]:
    """Whom a macro gives the ticket to, before the names of the staff."""
    return [(code, translate(text, language)) for code, text in _ASSIGNEES.items()]
