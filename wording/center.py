"""The center's codes as words: a change of a maintenance e-mail, its decisions and choices, the findings of the nightly check."""

from __future__ import annotations

from collections.abc import Mapping

from rules.email_changes import ChangeState, Choice, Decision, Received
from rules.radar import Finding, Mark
from wording.catalog import N_, NC_, translate

_STATES: Mapping[str, str] = {
    ChangeState.RECEIVED: NC_("change", "受付"),
    ChangeState.CHECKED: NC_("change", "確認済み"),
    ChangeState.REVIEWED: N_("影響確認済み"),
    ChangeState.APPROVED: N_("承認済み"),
    ChangeState.APPLIED: N_("適用済み（通知待ち）"),
    ChangeState.NOTIFIED: N_("通知済み"),
    ChangeState.RETURNED: N_("差戻し"),
    ChangeState.DECLINED: N_("却下"),
    ChangeState.WITHDRAWN: N_("取下げ"),
    ChangeState.REVERSED: N_("元に戻した"),
}
_CUSTOMER_STATES: Mapping[str, str] = {
    **dict.fromkeys((ChangeState.RECEIVED, ChangeState.CHECKED, ChangeState.REVIEWED, ChangeState.APPROVED), N_("確認中")),
    **dict.fromkeys((ChangeState.APPLIED, ChangeState.NOTIFIED), N_("変更済み")),
    ChangeState.RETURNED: N_("お客様の確認待ち"),
    ChangeState.DECLINED: N_("お受けできませんでした"),
    ChangeState.WITHDRAWN: N_("取下げ"),
    ChangeState.REVERSED: N_("元に戻しました"),
}
_DECISIONS: Mapping[str, tuple[str, str]] = {
    Decision.CHECK: (N_("本人からの依頼であることを確認した"), N_("折り返しの電話や、登録のあるアドレスからのメールで確かめてください。")),
    Decision.REVIEW: (N_("影響を確認し、承認を依頼する"), N_("別の方の承認を待ちます。まだ何も変わりません。")),
    Decision.APPROVE: (N_("承認する（適用はあとで）"), N_("まだ何も変わりません。")),
    Decision.APPLY: (N_("変更を適用する"), N_("証書とアカウントを変更し、メールをお送りします。あとで元に戻せます。")),
    Decision.NOTIFY: (N_("お客様に伝えた"), N_("メールのない依頼者に、電話などで完了を伝えたことを記録します。")),
    Decision.RETURN: (N_("差し戻して、お客様に確認をお願いする"), N_("お返事があるまで残ります。")),
    Decision.RESUME: (N_("お返事を受け、受付に戻す"), N_("もう一度、確認から始めます。")),
    Decision.DECLINE: (N_("却下する"), N_("お客様への文をお送りして終わります。")),
    Decision.WITHDRAW: (N_("取下げとして終わる"), N_("依頼者から取下げの連絡があった場合です。")),
    Decision.REVERSE: (N_("元に戻す"), ""),
}
_TOLD: Mapping[str, str] = {
    Decision.CHECK: N_("確認済みにしました。影響を確かめてください。"),
    Decision.REVIEW: N_("承認を依頼しました。別の方が承認します。"),
    Decision.APPROVE: N_("承認しました。"),
    Decision.APPLY: N_("変更を適用し、お知らせのメールを用意しました。"),
    Decision.NOTIFY: N_("お客様に伝えたことを記録しました。"),
    Decision.RETURN: N_("差し戻しました。"),
    Decision.RESUME: N_("受付に戻しました。"),
    Decision.DECLINE: N_("却下しました。"),
    Decision.WITHDRAW: N_("取下げとして終わりました。"),
}
_CHOICES: Mapping[str, str] = {Choice.MOVE: N_("一緒に変更する"), Choice.ASK: N_("ご本人に変更をお願いする"), Choice.SUSPEND: N_("利用を停止する")}
_RECEIVED: Mapping[str, str] = {Received.PORTAL: N_("ポータル"), Received.MAIL: N_("メール"), Received.PHONE: N_("電話")}
_FINDINGS: Mapping[str, str] = {
    Finding.FAILS_EDIT: N_("次のプロフィールの変更で断られます"),
    Finding.NO_LIVE_LINE: N_("終了していない契約明細がありません"),
    Finding.ADDRESS_GONE: N_("保守登録メールが、どの証書にもありません"),
}
_MARKS: Mapping[str, str] = {Mark.OPEN: N_("未対応"), Mark.DONE: N_("対応済み"), Mark.IGNORED: N_("対応しない")}


def change_state(code: str, language: str = "ja") -> str:
    """Where a change of a maintenance e-mail stands, for staff."""
    return translate(_STATES[code], language)


def customer_change_state(code: str, language: str = "ja") -> str:
    """The same for whoever asked."""
    return translate(_CUSTOMER_STATES[code], language)


def decision(code: str, language: str = "ja") -> tuple[str, str]:
    """A decision as its button's words and what follows from it."""
    words, effect = _DECISIONS[code]
    return translate(words, language), translate(effect, language) if effect else ""


def decided(code: str) -> str:
    """The msgid told after a decision."""
    return _TOLD[code]


def change_choice(code: str, language: str = "ja") -> str:
    """What becomes of an account."""
    return translate(_CHOICES[code], language)


def change_received(code: str, language: str = "ja") -> str:
    """How a request came."""
    return translate(_RECEIVED[code], language)


def finding(code: str, language: str = "ja") -> str:
    """What the nightly check found, a sentence."""
    return translate(_FINDINGS[code], language)


def finding_mark(code: str, language: str = "ja") -> str:
    """What the center did about a finding."""
    return translate(_MARKS[code], language)
