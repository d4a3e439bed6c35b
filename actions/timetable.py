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

    A slot is run once, by one process; missed ones are made up for by one run, unless the slot is older than `grace`.
    `shared` work is done by every process at once, and the database decides over each piece of it.
    """

    name: str
    title: str
    does: str
    rhythm: Every | Daily
    grace: timedelta = _DAY
    shared: bool = False


TIMETABLE: tuple[Line, ...] = (
    Line("deliver_mail", N_("メールの送信"), N_("送信待ちのメールを送り、失敗したメールを時間をおいて送り直します。"), Every(1), shared=True),
    Line("plan_import", N_("取込の読み取り"), N_("アップロードされたファイルを読み取り、反映の前の確認画面を用意します。"), Every(1)),
    Line(
        "first_answer_overdue",
        N_("最初の回答の督促"),
        N_("最初の回答が期限（営業時間で計算）を過ぎたチケットを、製品の担当者に 1 回だけ知らせます。"),
        Every(60),
    ),
    Line("answer_recoveries", N_("ログイン情報の案内"), N_("「ログイン情報を忘れた場合」の依頼に、アカウントがあればメールを用意します。"), Every(1)),
    Line(
        "check_accounts",
        N_("アカウントの点検"),
        N_("すべてのアカウントを確かめ、次のプロフィールの変更で断られるものなどを一覧にします。"),
        Daily(time(3, 30)),
    ),
    Line("expire", N_("期限切れの整理"), N_("期限の切れた仮登録・リンク・ログイン・回数の記録を消します。"), Every(600)),
    Line("sweep_uploads", N_("使われなかったファイルの整理"), N_("投稿されなかったファイルを、保管期間のあとに消します。"), Every(600)),
)
"""Every job there is."""


def line_of(name: str) -> Line | None:
    """The line of the job `name`."""
    return next((line for line in TIMETABLE if line.name == name), None)
