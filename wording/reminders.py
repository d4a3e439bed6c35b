"""Each kind of reminder in words: its name, when it is due, whom it tells."""

from __future__ import annotations

from collections.abc import Mapping

from rules.limits import Limits
from rules.reminders import DIGEST_HOUR, Kind
from wording.catalog import N_, translate

_ASSIGNEE, _ASSIGNEE_AND_LEAD = N_("担当者（いなければ製品の担当者）"), N_("担当者（いなければ製品の担当者）とリーダー")
_CUSTOMER, _ADMIN, _CENTER = N_("お客様"), N_("管理者"), N_("サービス管理センター")
_WORDS: Mapping[Kind, tuple[str, str, str]] = {
    Kind.FIRST_ANSWER_NEAR: (N_("最初の回答の期限が近い"), N_("目標の時間の 4 分の 1 が残ったとき"), _ASSIGNEE),
    Kind.FIRST_ANSWER_OVERDUE: (N_("最初の回答が期限を過ぎた"), N_("期限を過ぎたとき"), _ASSIGNEE_AND_LEAD),
    Kind.NEXT_ANSWER_NEAR: (N_("次の回答の期限が近い"), N_("目標の時間の 4 分の 1 が残ったとき"), _ASSIGNEE),
    Kind.NEXT_ANSWER_OVERDUE: (N_("次の回答が期限を過ぎた"), N_("期限を過ぎたとき"), _ASSIGNEE_AND_LEAD),
    Kind.SILENT_REMINDER: (N_("ご返信のお願い"), N_("回答から {silent_reminder_days}営業日ご返信がないとき"), _CUSTOMER),
    Kind.SILENT_NOTICE: (N_("終了の予告"), N_("回答から {silent_notice_days}営業日ご返信がないとき"), _CUSTOMER),
    Kind.SILENT_CLOSED: (N_("チケットの終了"), N_("回答から {silent_close_days}営業日ご返信がないとき（チケットも終了します）"), _CUSTOMER),
    Kind.CONTRACT_ENDING: (
        N_("契約終了の予告"),
        N_("終了の {contract_end_first_days}・{contract_end_second_days}・{contract_end_last_days}日前"),
        _CENTER,
    ),
    Kind.CONTRACT_ENDING_ACCOUNT: (
        N_("契約終了のお知らせ"),
        N_("終了の {contract_end_first_days}・{contract_end_second_days}・{contract_end_last_days}日前"),
        N_("お客様（アカウントのメールアドレス）"),
    ),
    Kind.REGISTRATION_ENDING: (N_("本登録のお願い"), N_("確認のリンクの期限の {link_reminder_hours}時間前"), N_("仮登録のメールアドレス")),
    Kind.DIGEST: (N_("今日の一覧"), N_("個人設定で選んだ時刻（初めは {digest_hour}時）"), N_("職員")),
    Kind.CALENDAR_ENDING: (N_("営業日の一覧の終わり"), N_("分かっている日の終わりまで {calendar_months}か月になったとき"), _ADMIN),
    Kind.MAILS_FAILED: (N_("送れなかったメール"), N_("メールが届かなかったとき（1 時間ごとにまとめて）"), N_("リーダーと管理者")),
    Kind.QUOTA: (N_("上限が近い"), N_("上限の {quota_percent}% に達したとき"), N_("J's チケットシステム担当と管理者")),
    Kind.JOBS_LATE: (N_("遅れているジョブ"), N_("ジョブが決められた時間を過ぎても終わらないとき"), _ADMIN),
    Kind.EMAIL_CHANGE_TOMORROW: (N_("保守登録メール変更の期限の前日"), N_("期限の前の営業日"), _CENTER),
    Kind.EMAIL_CHANGE_DUE: (N_("保守登録メール変更の期限の日"), N_("期限の日"), _CENTER),
    Kind.EMAIL_CHANGE_OVERDUE: (N_("保守登録メール変更の期限の超過"), N_("期限を過ぎた次の営業日"), _CENTER),
    Kind.EXCEPTION_WAITING: (
        N_("例外申請の判断待ち"),
        N_("判断を待って {exception_waiting_hours}時間（営業時間）たったとき"),
        N_("J's チケットシステム担当と管理者"),
    ),
    Kind.ACCOUNTS_FOUND: (N_("アカウントの点検の結果"), N_("新しい結果があるとき（週の初めの営業日にまとめて）"), _CENTER),
}


def title(kind: Kind, language: str = "ja") -> str:
    """The name of a kind of reminder."""
    return translate(_WORDS[kind][0], language)


def when(kind: Kind, limits: Limits, language: str = "ja") -> str:
    """When it is due, with the numbers in force."""
    return translate(_WORDS[kind][1], language).format(**{**vars(limits), "digest_hour": DIGEST_HOUR})


def whom(kind: Kind, language: str = "ja") -> str:
    """Whom it tells."""
    return translate(_WORDS[kind][2], language)
