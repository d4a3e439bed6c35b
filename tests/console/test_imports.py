"""証書の取込 in the console: upload, wait, look, tick, apply; and who may."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select
from starlette.types import ASGIApp

from actions.jobs import begin, finish
from actions.timetable import line_of
from jobs import hand_back
from jobs.parts import Parts
from jobs.plan_import import has_received, plan_received
from jobs.schedule import Work
from models.contracts import Certificate
from models.database import transaction
from models.imports import BatchState, ImportBatch
from models.tickets import Attachment
from rules.rights import Role
from tests import people
from tests.client import Client
from tests.clock import Clock
from tests.workbooks import FAULTY, FIRST, csv_of
from web.wiring import Wiring

OLD_MAILBOX = {"contact": "srx_support@jscom.co.jp"}


class Center:
    """中村 of the service center before the console, and the jobs process beside her."""

    def __init__(self, app: ASGIApp, wiring: Wiring, clock: Clock) -> None:
        self.app, self.wiring, self.engine, self.clock = app, wiring, wiring.engine, clock
        self.client = self.sign_in("nakamura", Role.SERVICE_CENTER)

    def sign_in(self, user_id: str, role: Role) -> Client:
        client = Client(self.app)
        with transaction(self.engine) as session:
            people.sign_in_staff(client, session, people.add_staff(session, user_id, roles=[role]), now=self.clock())
        return client

    def upload(self, name: str, content: bytes) -> str:
        """The batch's path."""
        self.client.get("/console/imports")
        page = self.client.submit("読み込んで確認する", files={"files": [(name, content)]})
        assert re.fullmatch(r"/console/imports/\d+", page.path)
        return page.path

    def plan(self) -> dict[str, int]:
        """The job that reads and plans."""
        return self.work("plan_import", plan_received)

    def work(self, name: str, work: Work) -> dict[str, int]:
        """One run of a job."""
        wiring = self.wiring
        parts = Parts(wiring.settings, wiring.engine, wiring.clock, wiring.limits, wiring.store, wiring.desk)
        line = line_of(name)
        assert line
        self.clock.advance(seconds=2)
        with transaction(self.engine) as session:
            run = begin(session, line, worker="tests", now=self.clock())
        assert run
        counts = dict(work(parts, run))
        with transaction(self.engine) as session:
            finish(session, run, counts, now=self.clock())
        return counts

    def hand_back(self) -> dict[str, int]:
        """The job that writes the workbooks to hand back."""
        return self.work("hand_back", hand_back.hand_back)

    def planned(self, *lines: dict[str, str], name: str = "証書一覧.csv") -> str:
        path = self.upload(name, csv_of(*lines))
        self.plan()
        return path

    def count(self, table: type[Certificate] | type[Attachment] | type[ImportBatch]) -> int:
        with transaction(self.engine, readonly=True) as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def center(app: ASGIApp, wiring: Wiring, clock: Clock) -> Center:
    return Center(app, wiring, clock)


def test_a_workbook_is_uploaded_read_and_applied(center: Center) -> None:
    path = center.upload(FIRST.name, FIRST.read_bytes())
    assert center.client.get(path).says("ファイルの読み込み", "まだ何も反映されていません。")
    with transaction(center.engine, readonly=True) as session:
        assert has_received(session, center.clock())

    assert center.plan() == {"planned": 1}

    page = center.client.get(path)
    assert page.heading == "取込内容の確認" and page.says("証書 60件（215行）を反映します")
    done = center.client.submit("/application")
    assert done.says("証書 60件（215行）を反映しました。", "中村さんが")
    assert center.count(Certificate) == 60
    assert center.client.get("/console/imports").says(FIRST.name, "適用済", "証書 60件")


def test_the_file_belongs_to_the_batch_and_to_no_post(center: Center) -> None:
    center.upload("証書一覧.csv", csv_of({}))

    assert (center.count(Attachment), center.count(ImportBatch)) == (0, 1)


def test_nothing_is_received_without_a_file(center: Center) -> None:
    center.client.get("/console/imports")

    page = center.client.post("/console/imports", {"csrf_token": center.client.csrf_token()}, multipart=True, expect=422)

    assert page.says("ファイルを選んでください。")
    assert center.count(ImportBatch) == 0


def test_a_file_that_is_no_workbook_gets_one_clear_sentence(center: Center) -> None:
    path = center.upload("photo.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(range(256)))

    assert center.plan() == {"failed": 1}

    assert center.client.get(path).says("読み込めませんでした", "このファイルは Excel または CSV として開けません。", "何も反映されていません。")
    assert center.client.get("/console/imports").says("失敗")


def test_a_sheet_without_headings_is_named(center: Center) -> None:
    path = center.upload("memo.csv", "きょうは晴れ\n".encode())
    center.plan()

    assert center.client.get(path).says("取り込める行がありませんでした。")


def test_errors_are_told_below_their_row_and_hold_back_the_certificate(center: Center) -> None:
    path = center.planned({"serial": "A1"}, {"serial": "A2", "ends_on": "2026-02-30"})

    page = center.client.get(path)

    assert page.title.startswith("エラー 1行")
    assert page.says("終了日「2026-02-30」は存在しない日付です。", "反映待ち：", "同じ証書（JSC26040123A）の 3行目にエラー", "反映できる証書はありません")
    assert [row.text for row in center.client.get(f"{path}?show=problem").root.all("td", **{"data-l": "シリアル"})] == ["A2"]


def test_a_change_shows_old_and_new(center: Center) -> None:
    center.client.get(center.planned({"serial": "CV4126AFO093"}))
    center.client.submit("/application")

    page = center.client.get(center.planned({"serial": "CV4126AF0093", "end_user_name": "東西ネット"}))

    assert page.says("変更前：", "CV4126AFO093", "変更後：", "CV4126AF0093", "英字 O → 数字 0", "エンドユーザー(設置先)", "東西ネット")


def test_a_ticked_warning_lets_its_certificate_go(center: Center) -> None:
    path = center.planned(OLD_MAILBOX)
    page = center.client.get(path)
    assert page.says("この明細は窓口の対象になりません。", "確認するまで、この証書は反映されません。", "反映できる証書はありません")
    ticked = page.root.first("input", name="ticked")
    assert ticked

    told = center.client.submit("/confirmations", button="この画面の選択を保存する", ticked=ticked.attributes["value"])

    assert told.says("証書 1件（1行）を反映します")


def test_all_warnings_can_be_ticked_at_once(center: Center) -> None:
    center.client.get(center.planned(*({**OLD_MAILBOX, "contract": f"JSC2604000{n}A"} for n in range(3))))

    told = center.client.submit("/confirmations", button="すべての警告を確認済みにする")

    assert told.says("証書 3件（3行）を反映します")


def test_the_same_file_again_says_who_imported_it(center: Center) -> None:
    center.client.get(center.planned({}))
    center.client.submit("/application")

    page = center.client.get(center.planned({}))

    assert page.says("このファイルは 中村さんが", "に取り込み済みです。反映しても変わりません。")


def test_missing_lines_are_listed_and_kept(center: Center) -> None:
    center.client.get(center.planned({"serial": "A1"}, {"serial": "A2", "service": "ソフトウェア保守"}))
    center.client.submit("/application")

    path = center.planned({"serial": "A1"})

    assert center.client.get(f"{path}?show=missing").says(
        "ファイルにない明細が 1件あります。残します（取り下げる明細は選んでください）。", "A2", "ソフトウェア保守"
    )


def test_a_long_plan_is_paged_by_place(center: Center) -> None:
    path = center.planned(*({"serial": f"A{n:03}"} for n in range(120)))

    first = center.client.get(path)
    second = center.client.click("次のページ")
    third = center.client.click("次のページ")
    back = center.client.click("前のページ")

    assert ["A049" in page.text and "A050" not in page.text for page in (first, second, third, back)] == [True, False, False, False]
    assert "A119" in third.text and "A050" in back.text and "A099" in back.text


def test_a_discarded_batch_is_never_applied(center: Center) -> None:
    path = center.planned({})
    center.client.get(path)
    token = center.client.csrf_token()

    center.client.submit("/discard")

    assert center.client.post(f"{path}/application", {"csrf_token": token}).says("破棄")
    assert center.count(Certificate) == 0


def test_a_reading_that_is_called_off_leaves_nothing(center: Center) -> None:
    path = center.upload("証書一覧.csv", csv_of({}))
    center.client.get(path)
    center.client.submit("/discard")

    assert has_nothing_to_plan(center)
    assert center.client.get(path).says("破棄")


def test_auditors_look_and_do_not_touch(center: Center) -> None:
    path = center.planned({})
    auditor = center.sign_in("kansa", Role.AUDITOR)

    page = auditor.get(path)

    assert page.says("反映すると起きること") and not page.root.all("form", action=f"{path}/application")
    assert not auditor.get("/console/imports").root.all("input", type="file")
    auditor.post(f"{path}/application", {"csrf_token": auditor.csrf_token()}, expect=403)


def test_for_support_there_is_no_import(center: Center) -> None:
    path = center.planned({})
    support = center.sign_in("sasaki", Role.SUPPORT)

    support.get("/console/imports", expect=404)
    support.get(path, expect=404)


def test_the_progress_is_a_part_that_replaces_itself(center: Center) -> None:
    path = center.upload(FAULTY.name, FAULTY.read_bytes())

    waiting = center.client.get(path, headers={"hx-request": "true"})
    center.plan()
    done = center.client.get(path, headers={"hx-request": "true"})

    assert "<progress" in waiting.html and "<html" not in waiting.html
    assert done.headers["hx-redirect"] == path


def test_a_workbook_that_the_command_line_reads_is_shown_as_being_read_and_can_be_called_off(center: Center) -> None:
    path = center.upload(FAULTY.name, FAULTY.read_bytes())
    with transaction(center.engine) as session:
        session.scalars(select(ImportBatch)).one().state = BatchState.PLANNING

    page = center.client.get(path)
    assert "<progress" in page.html and "読み込み中：" in page.html and center.client.get("/console/imports").says("読み込み中")
    center.client.post(f"{path}/discard", {"csrf_token": center.client.csrf_token()})

    assert has_nothing_to_plan(center)


def test_a_batch_that_nobody_uploaded_is_not_there(center: Center) -> None:
    center.client.get("/console/imports/999999", expect=404)


def has_nothing_to_plan(center: Center) -> bool:
    with transaction(center.engine, readonly=True) as session:
        return not has_received(session, center.clock()) and session.scalar(select(ImportBatch.state)) == BatchState.DISCARDED
