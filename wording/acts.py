"""The journal in words: what was done, to what, and which facts changed. Acts and subjects are codes of `actions`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, cast

from wording import acts_queue, canned, center, dates, labels
from wording.act_facts import FACTS
from wording.catalog import N_, NC_, translate
from wording.imports import FIELD_LABELS, retell
from wording.ticket_acts import TICKET_ACTS

_ACTS = {
    **TICKET_ACTS,
    "refuse_access": N_("権限のない画面を開こうとしました"),
    "ask_exception": N_("例外申請を受け付けました"),
    "answer_exception": N_("例外申請の確認に返事をしました"),
    "withdraw_exception": N_("例外申請を取り下げました"),
    "decide_exception": N_("例外申請を判断しました"),
    "lapse_exception": N_("例外申請の期限が切れました"),
    "take_exception": N_("例外申請の担当を引き継ぎました"),
    "revoke_grant": N_("例外の許可を取り消しました"),
    "rehearse": N_("登録の条件を確かめました"),
    "send_explanation": N_("登録の条件の説明を送りました"),
    "register": N_("アカウントを登録しました"),
    "consent": N_("個人情報の取り扱いに同意しました"),
    "edit_profile": N_("プロフィールを編集しました"),
    "hold_profile": N_("プロフィールの変更が、新しいメールアドレスの確認を待っています"),
    "change_email": N_("メールアドレスを変更しました"),
    "change_password": N_("パスワードを変更しました"),
    "reset_password": N_("パスワードを設定し直しました"),
    "limit_reached": N_("登録の失敗が上限に達しました"),
    "suspend": N_("アカウントの利用を停止しました"),
    "reopen": N_("アカウントの利用を再開しました"),
    "upload": N_("証書のファイルを受け取りました"),
    "plan": N_("取込の計画を作りました"),
    "apply": N_("取込を反映しました"),
    "plan_again": N_("取込の計画を作り直しました"),
    "confirm_warnings": N_("取込の警告を確認しました"),
    "confirm_rows": N_("取込の行の選択を変えました"),
    "confirm_renewals": N_("取込の更新をまとめて確認しました"),
    "settle_conflicts": N_("取込の競合を決めました"),
    "ask_approval": N_("取込の承認を依頼しました"),
    "approve": N_("取込を承認しました"),
    "decline_approval": N_("取込の承認を見送りました"),
    "undo": N_("取込を元に戻しました"),
    "fail": N_("証書のファイルを読み込めませんでした"),
    "discard": N_("取込を破棄しました"),
    "hand_back": N_("取込の結果を書き込んだファイルを依頼しました"),
    "ask_mapping": N_("列の対応の確認を待っています"),
    "map_columns": N_("取込の列の対応を選びました"),
    "correct_cells": N_("取込のセルを直しました"),
    "withdraw_corrections": N_("取込のセルの修正を取り消しました"),
    "import": N_("証書を取り込みました"),
    "export": N_("契約明細を書き出しました"),
    "correct": N_("証書を訂正しました"),
    "resend": N_("メールを送り直しました"),
    "stop_copies": N_("CC の受取人が写しを止めました"),
    "resume_copies": N_("CC の受取人が写しを再開しました"),
    "offer_copies": N_("写しの再開のご案内を送りました"),
    "mail_reply": N_("メールで返信が届きました"),
    "read_service_as": N_("サービス種類の読み方を決めました"),
    "read_service_itself": N_("サービス種類の読み方を外しました"),
    "add_log_pattern": N_("ログの探し方を追加しました"),
    "remove_log_pattern": N_("ログの探し方を外しました"),
    "settle_returned_mail": N_("届いたメールを対応済みにしました"),
    "correct_address": N_("宛先を直して送り直しました"),
    "publish_mail_template": N_("メールの文面を変更しました"),
    "restore_mail_template": N_("メールの文面を初めの文に戻しました"),
    "suppress": N_("メールの送信を取りやめました"),
    "run_job": N_("ジョブを実行しました"),
    "add_staff": N_("職員を登録しました"),
    "change_staff": N_("職員の登録を変更しました"),
    "set_staff_password": N_("職員のパスワードを設定しました"),
    "reset_totp": N_("職員の確認コードを解除しました"),
    "enrol_totp": N_("確認コードを登録しました"),
    "bind_identity": N_("会社のアカウントを結び付けました"),
    "refuse_sign_in": N_("会社のサインインを断りました"),
    "add_family": N_("製品を追加しました"),
    "change_family": N_("製品を変更しました"),
    "add_alias": N_("製品の別名を追加しました"),
    "remove_alias": N_("製品の別名を外しました"),
    "add_mailbox": N_("以前の問合せ先を追加しました"),
    "remove_mailbox": N_("以前の問合せ先を外しました"),
    "add_category": N_("カテゴリを追加しました"),
    "change_category": N_("カテゴリを変更しました"),
    "add_domain": N_("メールのドメインを追加しました"),
    "remove_domain": N_("メールのドメインを外しました"),
    "export_report": N_("集計を書き出しました"),
    "add_calendar": N_("受付カレンダーを追加しました"),
    "change_calendar": N_("受付カレンダーを変更しました"),
    "add_company_day": N_("休業日を追加しました"),
    "remove_company_day": N_("休業日を外しました"),
    "publish_privacy_text": N_("個人情報の取り扱いを公開しました"),
    "record_email_change": N_("保守登録メールの変更を受け付けました"),
    "add_evidence": N_("変更の依頼に証拠を追加しました"),
    "check_email_change": N_("本人からの依頼であることを確認しました"),
    "review_email_change": N_("影響を確認し、承認を依頼しました"),
    "approve_email_change": N_("保守登録メールの変更を承認しました"),
    "apply_email_change": N_("保守登録メールの変更を適用しました"),
    "notify_email_change": N_("変更の完了を依頼者に伝えました"),
    "return_email_change": N_("変更の依頼を差し戻しました"),
    "resume_email_change": N_("変更の依頼を受付に戻しました"),
    "decline_email_change": N_("変更の依頼を却下しました"),
    "withdraw_email_change": N_("変更の依頼を取り下げました"),
    "reverse_email_change": N_("保守登録メールの変更を元に戻しました"),
    "change_party_email": N_("証書の保守登録メールを変更しました"),
    "move_account": N_("保守登録メールの変更にアカウントを合わせました"),
    "mark_finding": N_("点検の結果に印を付けました"),
    "export_person": N_("個人情報を書き出しました"),
    "erase_person": N_("個人情報を削除しました"),
    "enrol_customer_totp": N_("ログインの確認コードの利用を始めました"),
    "remove_customer_totp": N_("ログインの確認コードの利用をやめました"),
    "use_recovery_code": N_("予備コードでログインしました"),
    "restore": N_("控えから戻しました"),
    "switch_reminder": N_("自動のメールを切り替えました"),
    **acts_queue.ACTS,
    **canned.ACTS,
}
_SUBJECTS = {
    "ticket": NC_("subject", "チケット"),
    "exception_request": NC_("subject", "例外申請"),
    "account": N_("アカウント"),
    "contract": N_("契約"),
    "certificate": N_("証書"),
    "import_batch": N_("取込"),
    "letter": NC_("subject", "メール"),
    "returned_mail": N_("届いたメール"),
    "log_pattern": N_("ログの読み取り"),
    "service_type": N_("サービス種類"),
    "mail_template": N_("メールの文面"),
    "job": NC_("subject", "ジョブ"),
    "staff": N_("職員"),
    "family": N_("製品"),
    "category": N_("カテゴリ"),
    "domain": N_("ドメイン"),
    "company_day": NC_("subject", "休業日"),
    "service_calendar": N_("受付カレンダー"),
    "report": NC_("subject", "集計"),
    "privacy_text": N_("個人情報の文"),
    "reminder": N_("督促とお知らせ"),
    "desk": NC_("subject", "システム"),
    "page": NC_("subject", "画面"),
    "email_change": N_("保守登録メール変更"),
    **acts_queue.SUBJECTS,
    "canned": N_("定型文・定型アクション"),
}
_PAGES = {
    "ticket": "/console/tickets/{}",
    "exception_request": "/console/exceptions/{}",
    "account": "/console/accounts/{}",
    "certificate": "/console/contracts/{}",
    "import_batch": "/console/imports/{}",
    "letter": "/console/mails/{}",
    "returned_mail": "/console/mails/returned/{}",
    "staff": "/console/staff/{}",
    "family": "/console/masters/products/{}",
    "service_calendar": "/console/masters/calendars/{}",
    "privacy_text": "/console/masters/privacy-text/{}",
    "email_change": "/console/email-changes/{}",
    **acts_queue.PAGES,
    "canned": "/console/canned/{}",
}
_HIDDEN = frozenset({"message", "rows", "line_id"})
"""Facts that are numbers of rows: of use to a query, to no reader."""
_LISTS = frozenset({"contracts", "conditions", "kept"})
"""Facts that are lists, even where they hold two."""
_WHYS = {
    "state": N_("このブラウザーで始めた手続きではありませんでした"),
    "code": N_("認証の結果を受け取れませんでした"),
    "issuer": N_("別の発行者からの応答でした"),
    "refused_there": N_("会社のアカウントの側で取りやめました"),
    "id_token": N_("応答の署名または内容が正しくありませんでした"),
    "subject": N_("応答の識別子が正しくありませんでした"),
    "email_unverified": N_("メールアドレスが確認されていませんでした"),
    "oidc_unknown": N_("職員として登録されていないか、利用を停止しています"),
}
_KINDS = {
    "shared": N_("共有ドメイン"),
    "own": N_("当社のドメイン"),
    "xlsx": N_("xlsx"),
    "csv": N_("csv（UTF-8）"),
    "csv_cp932": N_("csv（Shift_JIS）"),
    **acts_queue.KINDS,
}
_TELLERS: Mapping[str, Callable[[str, str], str]] = {
    "change_state": center.change_state,
    "choice": center.change_choice,
    "received": center.change_received,
    "party_role": labels.party_role,
    "finding": center.finding,
    "mark": center.finding_mark,
    "decision": labels.decision,
    "verdict": labels.why,
}
_MOST_LINES = 10
_ROW, _MORE = N_("{row}行目の"), N_("ほか {n}行")
_YES, _NO, _NOTHING = N_("はい"), N_("いいえ"), N_("（なし）")
_LIST, _PAIR = N_("、"), N_("{key}：{value}")

Fact = tuple[str, str | None, str]
"""A label, the value before (None where nothing was changed but a fact is told) and the value."""


def sentence(act: str, language: str = "ja") -> str:
    """What was done, a sentence without its subject; the code itself for an act that has no words yet."""
    return translate(_ACTS.get(act, act), language)


def subject(kind: str, number: int | None, name: str, language: str = "ja") -> str:
    """To what: 「チケット #10482 SRX300 で…」「職員 佐藤」."""
    numbered = f"#{number}" if number is not None and (kind in ("ticket", "letter", "import_batch") or not name) else ""
    return " ".join(part for part in (subject_kind(kind, language), numbered, name) if part)


def subject_kind(kind: str, language: str = "ja") -> str:
    """A kind of subject."""
    return translate(_SUBJECTS.get(kind, kind), language)


def link(kind: str, number: int | None) -> str | None:
    """The console's page of a subject, None where it has none of its own."""
    return _PAGES[kind].format(number) if number is not None and kind in _PAGES else None


def facts(recorded: Mapping[str, Any], language: str = "ja") -> list[Fact]:
    """The facts of an entry as people read them; what stayed empty is left out."""
    told: list[Fact] = []
    for name, value in recorded.items():
        if name in _HIDDEN or value in (None, "", [], {}) or _is_no_change(name, value):
            continue
        if name == "lines" and isinstance(value, list):
            told += _lines(cast("list[dict[str, Any]]", value), language)
        else:
            told.append(_fact(name, value, language))
    return told


def _is_no_change(name: str, value: Any) -> bool:
    """Whether a [before, after] says the same twice: an act may note a state that it left alone."""
    if name in _LISTS or not isinstance(value, list):
        return False
    pair = cast("list[Any]", value)
    return len(pair) == 2 and pair[0] == pair[1]


def act_choices(language: str = "ja") -> list[tuple[str, str]]:
    """Every act for a select."""
    return [(code, translate(text, language)) for code, text in _ACTS.items()]


def subject_choices(language: str = "ja") -> list[tuple[str, str]]:
    """Every kind of subject for a select."""
    return [(code, translate(text, language)) for code, text in _SUBJECTS.items()]


def _fact(name: str, value: Any, language: str, before_label: str = "") -> Fact:
    label = before_label + translate(FACTS.get(name) or FIELD_LABELS.get(name, name), language)
    if name not in _LISTS and isinstance(value, list) and len(cast("list[Any]", value)) == 2:
        before, after = cast("list[Any]", value)
        return label, _word(name, before, language), _word(name, after, language)
    return label, None, _word(name, value, language)


def _lines(lines: list[dict[str, Any]], language: str) -> list[Fact]:
    """What an import changed in each line, by the row of its workbook; the rest is counted."""
    told: list[Fact] = []
    for line in lines[:_MOST_LINES]:
        row = translate(_ROW, language).format(row=line.get("row"))
        told += [_fact(name, pair, language, row) for name, pair in cast("dict[str, Any]", line.get("changes") or {}).items()]
    if len(lines) > _MOST_LINES:
        told.append((translate(FACTS["lines"], language), None, translate(_MORE, language).format(n=len(lines) - _MOST_LINES)))
    return told


def _word(name: str, value: Any, language: str) -> str:
    if value in (None, "", []):
        return translate(_NOTHING, language)
    if isinstance(value, bool):
        return translate(_YES if value else _NO, language)
    if isinstance(value, (list, tuple)):
        return translate(_LIST, language).join(_word(name, part, language) for part in cast("list[Any]", value))
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value).items()
        return translate(_LIST, language).join(translate(_PAIR, language).format(key=key, value=_word(name, part, language)) for key, part in pairs)
    return _coded(name, str(value), language)


def _coded(name: str, value: str, language: str) -> str:
    """A code as its word, a day as people write it, anything else as it is."""
    if name == "roles":
        return translate(_LIST, language).join(_told(code, (labels.role,), language) for code in value.split())
    if name in ("follows", "other"):
        return f"#{value}"
    if name in ("day", "at", "received_on"):
        return _dated(value, language)
    if name in _TELLERS:
        return _told(value, (_TELLERS[name],), language)
    words: Mapping[str, str] = {"why": _WHYS, "kind": _KINDS}.get(name, {})
    if value in words:
        return translate(words[value], language)
    if name == "state":
        return _told(value, (labels.state, labels.account_state, labels.batch_state), language)
    if name == "reason":
        return retell(value, language)
    return _told(value, (labels.priority,), language) if name == "priority" else value


def _told(code: str, tellers: tuple[Callable[[str, str], str], ...], language: str) -> str:
    """The word of a code; the journal outlives codes, so one that is gone is told as it is."""
    for tell in tellers:
        try:
            return tell(code, language)
        except (KeyError, ValueError):
            continue
    return code


def _dated(value: str, language: str) -> str:
    try:
        return dates.day(date.fromisoformat(value)) if len(value) == 10 else dates.moment(datetime.fromisoformat(value), language)
    except ValueError:
        return value
