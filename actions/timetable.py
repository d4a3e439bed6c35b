"""The recurring work: name, rhythm, grace and what it does. `jobs.schedule` says which function does it; the console shows this table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from rules.calendar import TOKYO
from wording.catalog import N_

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Every:
    """A slot every `seconds`, counted from the epoch: all processes name a slot alike."""

    seconds: int

    def latest(self, now: datetime) -> datetime:
        """The slot that `now` lies in."""
        return _EPOCH + timedelta(seconds=int((now - _EPOCH).total_seconds()) // self.seconds * self.seconds)

    def after(self, slot: datetime) -> datetime:
        """The slot after `slot`."""
        return self.latest(slot) + timedelta(seconds=self.seconds)

    def between(self, slot: datetime, later: datetime) -> int:
        """How many slots lie between the two."""
        return max(0, int((later - slot).total_seconds()) // self.seconds - 1)


@dataclass(frozen=True)
class Daily:
    """A slot a day, at `at` in Tokyo."""

    at: time

    def latest(self, now: datetime) -> datetime:
        """The last slot that began up to `now`."""
        today = datetime.combine(now.astimezone(TOKYO).date(), self.at, TOKYO)
        return (today if today <= now else today - _DAY).astimezone(UTC)

    def after(self, slot: datetime) -> datetime:
        """The slot after `slot`."""
        return self.latest(slot) + _DAY

    def between(self, slot: datetime, later: datetime) -> int:
        """How many slots lie between the two."""
        return max(0, (later - slot).days - 1)


@dataclass(frozen=True)
class Line:
    """One line of the timetable.

    A slot is run once, by one process; missed ones are made up for by one run, unless the slot is older than `grace`. A job whose next slot
    is past its grace is late, a run that takes longer than `longest` is stuck: both alarm (`actions.lateness`).
    `shared` work is done by every process at once, and the database decides over each piece of it; `quiet` work leaves no run behind where
    there is nothing to do, and is late when something waits longer than its grace.
    """

    name: str
    title: str
    does: str
    rhythm: Every | Daily
    grace: timedelta = _DAY
    longest: timedelta = timedelta(hours=1)
    shared: bool = False
    quiet: bool = False


_SOON, _HOUR, _MORNING = timedelta(minutes=15), timedelta(hours=1), timedelta(hours=8)
TIMETABLE: tuple[Line, ...] = (
    Line(
        "deliver_mail", N_("メールの送信"), N_("送信待ちのメールを送り、失敗したメールを時間をおいて送り直します。"), Every(1), _SOON, shared=True, quiet=True
    ),
    Line(
        "read_mailbox",
        N_("戻ってきたメールの読み取り"),
        N_("送信元のメールボックスを読み、届かなかった宛先に印を付け、メールでの返信を担当者に見せます（設定したときだけ）。"),
        Every(120),
        _HOUR,
    ),
    Line("plan_import", N_("取込の読み取り"), N_("アップロードされたファイルを読み取り、反映の前の確認画面を用意します。"), Every(1), _HOUR, quiet=True),
    Line(
        "hand_back",
        N_("結果を書き込んだファイルの作成"),
        N_("取込の結果を書き込んだファイルを作ります。作る間も画面を閉じられます。"),
        Every(1),
        _HOUR,
        quiet=True,
    ),
    Line(
        "index_search",
        N_("検索の準備"),
        N_("公開された投稿を全文検索に加えます。それまでの投稿も 1 件ずつ調べるので、検索からもれません。"),
        Every(2),
        _HOUR,
        quiet=True,
    ),
    Line("head_tickets", N_("検索の更新"), N_("変わったプロフィールを、そのお客様のチケットの検索に反映します。"), Every(60), _HOUR),
    Line(
        "answer_recoveries",
        N_("ログイン情報の案内"),
        N_("「ログイン情報を忘れた場合」の依頼に、アカウントがあればメールを用意します。"),
        Every(1),
        _SOON,
        quiet=True,
    ),
    Line(
        "remind_answers",
        N_("回答の督促"),
        N_("最初の回答と次の回答の期限（営業時間で計算）が近いこと、過ぎたことを、担当者（超過はリーダーにも）に 1 回ずつ知らせます。"),
        Every(60),
        _SOON,
    ),
    Line(
        "remind_silent",
        N_("お客様への督促"),
        N_("ご返信のないお客様に、5・10 営業日でお知らせし、15 営業日でチケットを終了します。解決済みのチケットは 10 営業日で終了します。"),
        Daily(time(9)),
        _MORNING,
    ),
    Line("remind_contracts", N_("契約終了の予告"), N_("終了の 90・30・7 日前に、サービス管理センターに知らせます。"), Daily(time(8, 30)), _MORNING),
    Line(
        "remind_center",
        N_("サービス管理センターへの知らせ"),
        N_("保守登録メール変更の期限（前日・当日・超過）と、アカウントの点検の新しい結果（週に 1 回）を、サービス管理センターに知らせます。"),
        Daily(time(8, 30)),
        _MORNING,
    ),
    Line("remind_links", N_("本登録のお願い"), N_("確認のリンクの期限が近いお客様に、本登録が済んでいないことを知らせます。"), Every(600), _HOUR),
    Line("write_digests", N_("今日の一覧"), N_("職員それぞれに、選んだ時刻に今日の一覧を送ります。"), Every(600), _HOUR),
    Line(
        "remind_staff",
        N_("職員への知らせ"),
        N_("送れなかったメール、上限の近いアカウント、判断を待つ例外申請、営業日の一覧の終わりを知らせます。"),
        Every(3600),
        _MORNING,
    ),
    Line("watch_jobs", N_("ジョブの見張り"), N_("遅れているジョブと終わらないジョブを、管理者に知らせます。"), Every(600), _HOUR),
    Line(
        "check_accounts",
        N_("アカウントの点検"),
        N_("すべてのアカウントを確かめ、次のプロフィールの変更で断られるものなどを一覧にします。"),
        Daily(time(3, 45)),
        _MORNING,
    ),
    Line("measure_tickets", N_("集計の準備"), N_("変わったチケットの回答・解決・待ちの時間を受付時間で数え、集計に使えるようにします。"), Every(300), _HOUR),
    Line("expire", N_("期限切れの整理"), N_("期限の切れた仮登録・リンク・ログイン・回数の記録を消します。"), Every(600), _HOUR),
    Line("check_files", N_("ファイルの照合"), N_("添付ファイルと記録が合うかを確かめます。"), Daily(time(3, 30)), _MORNING),
    Line("sweep_uploads", N_("使われなかったファイルの整理"), N_("投稿されなかったファイルを、保管期間のあとに消します。"), Every(600), _HOUR),
)
"""Every job there is."""


def line_of(name: str) -> Line | None:
    """The line of the job `name`."""
    return next((line for line in TIMETABLE if line.name == name), None)
