"""States, roles and other codes as words for people; every word is a msgid of the catalogue.

Each function takes the code (an enum's member or its stored text) and the language. A code without a word is a fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rules.calendar import Closed, ClosedReason
from rules.contracts import LineState, Reason, Verdict
from rules.registration import Rule, Why
from rules.requests import Decision
from rules.rights import Role
from rules.tickets import CustomerState, Priority, State, customer_state
from wording.catalog import N_, NC_, translate

Code = TypeVar("Code", bound=str)

_STATES = {
    State.NEW: N_("新規"),
    State.OPEN: N_("対応中"),
    State.WAITING_CUSTOMER: N_("お客様確認待ち"),
    State.WAITING_VENDOR: N_("メーカー確認中"),
    State.WAITING_CENTER: N_("契約確認中"),
    State.RESOLVED: N_("解決済み"),
    State.CLOSED: N_("終了"),
}
_CUSTOMER_STATES = {
    CustomerState.RECEIVED: N_("受付済み"),
    CustomerState.IN_PROGRESS: N_("対応中"),
    CustomerState.WAITING_REPLY: N_("お客様のご返信待ち"),
    CustomerState.RESOLVED: N_("解決済み"),
    CustomerState.CLOSED: N_("終了"),
}
_PRIORITIES = {Priority.URGENT: N_("緊急"), Priority.HIGH: N_("高"), Priority.NORMAL: N_("中"), Priority.LOW: N_("低")}
_ROLES = {
    Role.SUPPORT: N_("サポートエンジニア"),
    Role.LEAD: N_("サポートリーダー"),
    Role.SERVICE_CENTER: N_("サービス管理センター"),
    Role.DESK: N_("J's チケットシステム担当"),
    Role.ADMIN: N_("管理者"),
    Role.AUDITOR: N_("監査"),
}
_PARTY_ROLES = {"agent": N_("販売代理店"), "operator": N_("運用代行者"), "end_user": N_("エンドユーザー"), "": N_("なし")}
_VERDICTS = {
    Verdict.ACTIVE: N_("保守対象です"),
    Verdict.NOT_STARTED: N_("保守開始前です"),
    Verdict.EXPIRED: N_("保守期間が終了しています"),
    Verdict.NOT_ELIGIBLE: N_("窓口の対象ではない契約です"),
    Verdict.OTHER_PARTY: N_("ほかの会社の契約です"),
    Verdict.NOT_FOUND: N_("契約が見つかりません"),
    Verdict.UNKNOWN: N_("契約が不明です"),
}
_REASONS = {
    Reason.CONTRACT_AND_SERIAL: N_("契約番号とシリアル番号が明細に一致しました。"),
    Reason.CONTRACT_ONLY: N_("契約番号が一致しました。シリアル番号は不明です。"),
    Reason.SERIAL_NOT_IN_CONTRACT: N_("契約番号は一致しましたが、シリアル番号はこの契約の明細にありません。"),
    Reason.SERIAL_ONLY: N_("契約番号は不明ですが、シリアル番号が明細に一致しました。"),
    Reason.SERIAL_NOT_FOUND: N_("契約番号は不明で、シリアル番号もどの明細にもありません。"),
    Reason.CONTRACT_NOT_FOUND: N_("入力された契約番号の証書がありません。"),
    Reason.CONTRACT_NOT_FOUND_SERIAL_KNOWN: N_("入力された契約番号の証書はありませんが、シリアル番号は次の明細にあります。"),
    Reason.BOTH_UNKNOWN: N_("契約番号もシリアル番号も不明です。"),
    Reason.MATCHED: N_("サポートが契約を照合しました。お客様の入力はそのまま残っています。"),
    Reason.MATCHED_GONE: N_("サポートが照合した契約の証書が、いまはありません。もう一度照合してください。"),
}
_LINE_STATES = {LineState.NOT_STARTED: N_("開始前"), LineState.ACTIVE: N_("有効"), LineState.ENDED: NC_("line", "終了")}
_RULES = {
    Rule.USER_ID: N_("ユーザーIDが使われていない"),
    Rule.PASSWORD: N_("パスワードが条件に合う"),
    Rule.CERTIFICATE: N_("保守登録メールが、その契約の証書にある"),
    Rule.ISSUED_BEFORE_TODAY: N_("証書の発行日が今日より前である"),
    Rule.ELIGIBLE_LINE: N_("窓口の対象で、終了していない明細がある"),
    Rule.OWN_DOMAIN: N_("当社のドメインではない"),
    Rule.DOMAIN: N_("ドメインの規則に合う、または許可がある"),
    Rule.CONSENT: N_("個人情報の取り扱いに同意している"),
}
_WHYS = {
    Why.NOT_CHECKED: N_("前の条件が満たされないため、確かめていません。"),
    Why.FORM: N_("入力された値の形が正しくありません。"),
    Why.USER_ID_TAKEN: N_("このユーザーIDはすでに使われています。"),
    Why.PASSWORD: N_("パスワードが条件に合いません（パスワードそのものは残していません）。"),
    Why.CONTRACT_NOT_FOUND: N_("この契約番号（契約名）の証書がありません。"),
    Why.ADDRESS_NOT_ON_CERTIFICATE: N_("証書はありますが、この保守登録メールは書かれていません。"),
    Why.ISSUE_DAY: N_("証書の発行当日か、発行日より前です。"),
    Why.NOT_ELIGIBLE: N_("窓口の対象となる明細がありません。"),
    Why.ALL_ENDED: N_("窓口の対象となる明細は、すべて終了しています。"),
    Why.OWN_DOMAIN: N_("当社のドメインのメールアドレスです。"),
    Why.SUBDOMAINS_DIFFER: N_("サブドメインが異なります。例外申請の対象です。"),
    Why.SHARED_DOMAIN: N_("多くの方が使うメールのドメインです。例外申請の対象です。"),
    Why.DOMAINS_DIFFER: N_("ドメインが異なります。保守登録メールの変更が必要です。"),
    Why.INVALID: N_("メールのドメインとして使えません。"),
    Why.CONSENT_MISSING: N_("同意にチェックがありません。"),
    Why.CONSENT_OLD: N_("同意した個人情報の取り扱いは、以前の版です。"),
}
_DECISIONS = {
    Decision.GRANT_ACCOUNT: N_("許可する"),
    Decision.GRANT_MAINTENANCE_EMAIL: N_("保守登録メールの方全員に許可する"),
    Decision.ASK: N_("確認をお願いする"),
    Decision.DECLINE: N_("お断りする"),
}
_CLOSED = {Closed.WEEKEND: N_("土日"), Closed.HOLIDAY: N_("祝日"), Closed.YEAR_END: N_("年末年始"), Closed.COMPANY: N_("休業日"), Closed.WEEKLY: N_("定休日")}
_MESSAGE_KINDS = {"customer": N_("お客様"), "answer": N_("公開返信"), "note": N_("社内メモ（お客様には見えません）")}
_ACCOUNT_STATES = {"active": N_("利用中"), "suspended": N_("停止中"), "erased": N_("削除済み")}
_LETTER_STATES = {"waiting": N_("待機"), "sending": N_("送信中"), "done": N_("完了"), "parked": N_("送信を中止"), "withdrawn": N_("取り下げ")}
_RECIPIENT_STATES = {
    "waiting": N_("待機"),
    "sending": N_("送信中"),
    "accepted": N_("受付済"),
    "temporary": N_("一時失敗"),
    "permanent": N_("恒久失敗"),
    "unknown": N_("不明"),
    "suppressed": N_("抑止"),
}
_BATCH_STATES = {
    "received": N_("受領"),
    "planning": N_("読み込み中"),
    "mapping": N_("列の対応待ち"),
    "planned": N_("計画"),
    "waiting": N_("承認待ち"),
    "applied": N_("適用済"),
    "discarded": N_("破棄"),
    "failed": N_("失敗"),
    "undone": N_("取消済"),
}
_ROW_STATUSES = {
    "new": N_("新規"),
    "changed": N_("変更"),
    "unchanged": N_("変更なし"),
    "error": N_("エラー"),
    "warning": N_("警告"),
    "missing": N_("ファイルにない明細"),
    "renewal": N_("更新"),
    "conflict": N_("競合"),
    "withdrawn": N_("取り下げ"),
}
_RUN_STATES = {"running": N_("実行中"), "done": N_("完了"), "failed": N_("失敗")}
_SYSTEM = N_("システム")
_FIELDS = {
    "company_name": N_("会社名"),
    "person_name": N_("お名前"),
    "name": N_("お名前"),
    "user_id": N_("ユーザーID"),
    "password": N_("パスワード"),
    "password_confirmation": N_("パスワードの確認"),
    "email": N_("メールアドレス"),
    "maintenance_email": N_("保守登録メール"),
    "contract_key": N_("ご契約番号（または契約名）"),
    "consent": N_("個人情報の取り扱い"),
    "subject": N_("件名"),
    "serial": N_("シリアル番号"),
    "model": N_("機種"),
    "os_version": N_("OS Ver."),
    "cc": N_("メールCC"),
    "category": N_("カテゴリ"),
    "family": N_("製品"),
    "body": N_("お問合せ内容"),
    "files": N_("添付ファイル"),
    "state": N_("状態"),
    "code": N_("確認コード"),
    "new_password": N_("新しいパスワード"),
    "reason": N_("理由"),
    "slug": N_("URL の名前"),
    "alias": N_("別名"),
    "intake_hint": N_("受付時の案内"),
    "domain": N_("ドメイン"),
    "address": N_("アドレス"),
    "roles": N_("役割"),
    "families": N_("担当する製品"),
    "position": N_("表示順"),
    "day": N_("日付"),
    "old_email": N_("変更前の保守登録メール"),
    "new_email": N_("変更後の保守登録メール"),
    "received_on": N_("受付日"),
    "requester_email": N_("ご連絡先のメールアドレス"),
    "message": N_("お客様への文"),
    "": N_("入力欄"),
}


def state(code: str, language: str = "ja") -> str:
    """A ticket's state as staff read it."""
    return _word(_STATES, State(code), language)


def customer_state_of(code: str, language: str = "ja") -> str:
    """A ticket's state (the staff's code) as its customer reads it."""
    return _word(_CUSTOMER_STATES, customer_state(State(code)), language)


def priority(code: str, language: str = "ja") -> str:
    """A ticket's priority; for staff only."""
    return _word(_PRIORITIES, Priority(code), language)


def role(code: str, language: str = "ja") -> str:
    """A staff member's role."""
    return _word(_ROLES, Role(code), language)


def party_role(code: str, language: str = "ja") -> str:
    """A party of a certificate: 販売代理店, 運用代行者 or エンドユーザー."""
    return _word(_PARTY_ROLES, code, language)


def verdict(code: str, language: str = "ja") -> str:
    """The verdict of a ticket's contract."""
    return _word(_VERDICTS, Verdict(code), language)


def reason(code: str, language: str = "ja") -> str:
    """How the verdict's lines were found, a sentence."""
    return _word(_REASONS, Reason(code), language)


def line_state(code: str, language: str = "ja") -> str:
    """Where a contract line stands: 開始前, 有効 or 終了."""
    return _word(_LINE_STATES, LineState(code), language)


def rule(code: str, language: str = "ja") -> str:
    """A rule of the registration's trace, as what has to hold."""
    return _word(_RULES, Rule(code), language)


def why(code: str, language: str = "ja") -> str:
    """Why a rule of the trace failed, a sentence for staff."""
    return _word(_WHYS, Why(code), language)


def decision(code: str, language: str = "ja") -> str:
    """What the desk decided on an exception request."""
    return _word(_DECISIONS, Decision(code), language)


def closed(closing: ClosedReason, language: str = "ja") -> str:
    """Why the desk is closed on a day: the holiday's name (Japanese alone), 土日, 年末年始 or 休業日."""
    return (language == "ja" and closing.name) or _word(_CLOSED, closing.kind, language)


def message_kind(code: str, language: str = "ja") -> str:
    """What a post of a thread is."""
    return _word(_MESSAGE_KINDS, code, language)


def account_state(code: str, language: str = "ja") -> str:
    """Whether an account may sign in."""
    return _word(_ACCOUNT_STATES, code, language)


def letter_state(code: str, language: str = "ja") -> str:
    """How far a letter has come."""
    return _word(_LETTER_STATES, code, language)


def recipient_state(code: str, language: str = "ja") -> str:
    """How far a letter has come for one recipient."""
    return _word(_RECIPIENT_STATES, code, language)


def batch_state(code: str, language: str = "ja") -> str:
    """How far an import has come."""
    return _word(_BATCH_STATES, code, language)


def row_status(code: str, language: str = "ja") -> str:
    """What a row of an import plan would do."""
    return _word(_ROW_STATUSES, code, language)


def run_state(code: str, language: str = "ja") -> str:
    """How a job's run ended."""
    return _word(_RUN_STATES, code, language)


def field(name: str, language: str = "ja") -> str:
    """The label of a form field; 入力欄 where it has none of its own."""
    return translate(_FIELDS.get(name, _FIELDS[""]), language)


def actor(name: str, language: str = "ja") -> str:
    """Who did something: a person by name, the machine as a word."""
    return translate(name, language) if name == _SYSTEM else name


def _word(words: Mapping[Code, str], code: Code, language: str) -> str:
    return translate(words[code], language)
