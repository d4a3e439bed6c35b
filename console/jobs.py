"""ジョブ: the timetable, the last and the next run of each, what they did, and running one now."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from starlette.responses import Response

from actions.jobs import RunState, ask
from actions.lateness import late_jobs
from actions.timetable import TIMETABLE, Daily, Line, line_of
from console.frame import frame
from console.paging import address, pager, place_of
from models.base import AnyRow
from models.job_lists import failure_counts, jobs_processes, last_runs, run_list
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.endpoint import get, post
from web.errors import NotFound
from wording import labels
from wording.catalog import N_, translate

_PATH = "/console/jobs"
_ALIVE = timedelta(minutes=1)
"""A process that said nothing for so long is taken for dead."""
_FAILURES = timedelta(days=7)
_OTHER_STATES = {RunState.ASKED: N_("実行待ち"), RunState.SKIPPED: N_("見送り")}
_TOO_LATE = N_("予定の時刻を大きく過ぎていたため、行いませんでした。")
_COUNTS = {
    "letters": N_("メール {n}通"),
    "accepted": N_("受付済 {n}件"),
    "temporary": N_("一時失敗 {n}件"),
    "permanent": N_("恒久失敗 {n}件"),
    "unknown": N_("不明 {n}件"),
    "missed": N_("実行できなかった回 {n}回"),
    "reminded": N_("知らせた {n}件"),
    "dropped": N_("時機を過ぎた {n}件"),
    "nothing_to_tell": N_("知らせることのない {n}件"),
    "silent_reminder": N_("ご返信のお願い {n}件"),
    "silent_notice": N_("終了の予告 {n}件"),
    "silent_closed": N_("ご返信がなく終了 {n}件"),
    "closed": N_("解決済みから終了 {n}件"),
    "contracts": N_("契約 {n}件"),
    "accounts": N_("アカウント {n}件"),
    "mails": N_("送れなかったメール {n}通"),
    "quotas": N_("近い上限 {n}件"),
    "tickets": N_("数えたチケット {n}件"),
    "calendar": N_("営業日の一覧 {n}件"),
    "late": N_("遅れているジョブ {n}件"),
    "nobody_to_tell": N_("知らせる職員がいない {n}件"),
    "registrations": N_("仮登録 {n}件"),
    "links": N_("リンク {n}件"),
    "customer_sessions": N_("お客様のログイン {n}件"),
    "staff_sessions": N_("職員のログイン {n}件"),
    "counts": N_("回数の記録 {n}件"),
    "runs": N_("実行の記録 {n}件"),
    "secrets": N_("メールの中のリンク {n}通"),
    "held": N_("投稿されなかったファイル {n}件"),
    "orphans": N_("記録のないファイル {n}件"),
    "files": N_("照合したファイル {n}件"),
    "lost": N_("失われたファイル {n}件"),
    "sign_ins": N_("サインインの履歴 {n}件"),
    "refusals": N_("断った登録の記録 {n}件"),
    "reminders": N_("督促の記録 {n}件"),
    "drafts": N_("古い下書き {n}件"),
    "planned": N_("読み取った取込 {n}件"),
    "failed": N_("読み取れなかった取込 {n}件"),
    "answered": N_("案内の依頼 {n}件"),
    "checked": N_("確かめたアカウント {n}件"),
    "found": N_("新しく見つかった {n}件"),
    "solved": N_("解消した {n}件"),
    "unreadable": N_("読み取れなかったメール {n}通"),
    "standing": N_("残っている {n}件"),
}


def index(call: Call) -> Response:
    """The timetable and the runs; a job or 失敗 narrow the runs."""
    language = call.basis.language
    job = call.query("job") if line_of(call.query("job")) else ""
    failed = call.query("state") == RunState.FAILED
    last, failures = last_runs(call.session), failure_counts(call.session, since=call.now - _FAILURES)
    late = {one.line.name: one for one in late_jobs(call.session, now=call.now)}
    sheet = run_list(call.session, job=job, failed=failed, place=place_of(call), limit=call.limits.page_rows)
    kept = {"job": job, "state": RunState.FAILED if failed else ""}
    return call.page(
        "console/jobs/index.html",
        **frame(call),
        lines=[{**_line(call, line, last.get(line.name), language), "late": late.get(line.name), "failures": failures.get(line.name, 0)} for line in TIMETABLE],
        late=[translate(one.line.title, language) for one in late.values()],
        runs=[_run(row, language) for row in sheet.rows],
        page=pager(_PATH, kept, sheet),
        processes=jobs_processes(call.session, since=call.now - _ALIVE),
        jobs=[(line.name, translate(line.title, language)) for line in TIMETABLE],
        job=job,
        failed=failed,
        conditions=_conditions(job, failed, language),
        may_run=call.staff.may(Area.DELIVERY, Right.WRITE),
    )


def run(call: Call) -> Response:
    """Ask for a run now; a jobs process takes the request within a second."""
    line = line_of(call.param("name"))
    if line is None or line.shared:
        raise NotFound
    ask(call.session, line, by=call.staff, now=call.now)
    return call.redirect(_PATH, flash=call.say(N_("「{title}」の実行を依頼しました。"), title=call.say(line.title)))


def _line(call: Call, line: Line, last: AnyRow | None, language: str) -> dict[str, Any]:
    slot = line.rhythm.latest(call.now)
    return {
        "name": line.name,
        "title": translate(line.title, language),
        "does": translate(line.does, language),
        "rhythm": _rhythm(line, language),
        "shared": line.shared,
        "last": _run(last, language) if last else None,
        "next": None if line.shared else line.rhythm.after(slot),
    }


def _run(row: AnyRow, language: str) -> dict[str, Any]:
    line = line_of(row.job)
    seconds = (row.finished_at - row.started_at).total_seconds() if row.finished_at else None
    told = [translate(_COUNTS[name], language).format(n=count) for name, count in row.counts.items() if name in _COUNTS and count]
    skipped = row.state == RunState.SKIPPED
    return {
        "title": translate(line.title, language) if line else row.job,
        "state": row.state,
        "word": translate(_OTHER_STATES[row.state], language) if row.state in _OTHER_STATES else labels.run_state(row.state, language),
        "started_at": row.started_at,
        "seconds": None if skipped or (line and line.shared) else seconds,
        "told": translate(_TOO_LATE, language) if skipped else translate(N_("、"), language).join(told),
        "fault": row.fault,
        "worker": row.worker,
    }


def _rhythm(line: Line, language: str) -> str:
    if line.shared:
        return translate(N_("つねに"), language)
    if isinstance(line.rhythm, Daily):
        return translate(N_("毎日 {at}"), language).format(at=f"{line.rhythm.at.hour}:{line.rhythm.at.minute:02}")
    seconds = line.rhythm.seconds
    if seconds % 60:
        return translate(N_("{n}秒ごと"), language).format(n=seconds)
    if seconds % 3600 == 0:
        return translate(N_("{n}時間ごと"), language).format(n=seconds // 3600)
    return translate(N_("{n}分ごと"), language).format(n=seconds // 60)


def _conditions(job: str, failed: bool, language: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    line = line_of(job)
    if line:
        title = translate(line.title, language)
        found.append((translate(N_("ジョブ：{text}"), language).format(text=title), address(_PATH, {"state": RunState.FAILED if failed else ""})))
    if failed:
        word = labels.run_state(RunState.FAILED, language)
        found.append((translate(N_("状態：{text}"), language).format(text=word), address(_PATH, {"job": job})))
    return found


PAGES = [
    get(_PATH, index, staff(Area.DELIVERY, Right.READ)),
    post(f"{_PATH}/{{name:str}}/run", run, staff(Area.DELIVERY, Right.WRITE)),
]
