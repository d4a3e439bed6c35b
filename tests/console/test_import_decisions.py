"""The review's decisions in the console: a conflict, a missing line, a second person's approval, and undoing it all."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update
from starlette.types import ASGIApp

from asgi import application
from models.contracts import Certificate, ContractLine, Party
from models.database import transaction
from rules.rights import Role
from settings import Settings
from tests.clock import Clock
from tests.console.test_imports import Center
from tests.workbooks import LINE
from web.wiring import Wiring


@pytest.fixture
def strict(wiring: Wiring, settings: Settings, clock: Clock) -> Center:
    """A desk whose imports take a second person."""
    strict = replace(wiring, settings=replace(settings, import_approval="required"))
    return Center(application(strict), strict, clock)


def test_a_plan_that_withdraws_waits_for_a_second_person_and_can_be_undone(strict: Center) -> None:
    strict.client.get(strict.planned({"serial": "A1"}, {"serial": "A2"}))
    assert strict.client.submit("/application").says("証書 1件（2行）を反映しました。")
    path = strict.planned({"serial": "A1"})
    page = strict.client.get(f"{path}?show=missing")
    box = page.root.first("input", name="ticked")
    assert box
    chosen = strict.client.submit("/confirmations", button="選んだ明細を取り下げる", ticked=box.attributes["value"])
    assert chosen.says("反映には、もう 1 人の承認が必要です。", "明細 1件を取り下げます。", "取り下げ 1件。")

    asked = strict.client.submit("/approval-request")
    assert asked.says("もう 1 人の承認を待っています。", "ご自身の取込は承認できません。")
    second = strict.sign_in("kondo", Role.SERVICE_CENTER)
    second.get(path)
    done = second.submit("/approval")
    assert done.says("証書 1件（1行）を反映しました。", "が承認しました。")
    assert lines(strict) == ["A1"]

    preview = second.click("この取込を元に戻す…")
    assert preview.says("取込を元に戻す", "戻る明細", "A2", "まだ何も変わっていません。")
    undone = second.submit("/undo")
    assert undone.says("取込を元に戻しました。", "戻った明細 1件")
    assert lines(strict) == ["A1", "A2"]
    assert second.get(path).says("この取込は、元に戻しています。", "取消の記録を開く")
    assert second.get("/console/imports").says("取消済", "の取消")


def test_a_second_person_may_decline(strict: Center) -> None:
    strict.client.get(strict.planned({}))
    strict.client.submit("/application")
    path = strict.planned({"end_user_email": "kiban@elsewhere.example"})
    page = strict.client.get(path)
    assert page.says("登録可能ドメインが変わる保守登録メール", "kiban@elsewhere.example", "保守登録メールの登録可能ドメインが変わります。")
    strict.client.submit("/approval-request")
    second = strict.sign_in("kondo", Role.SERVICE_CENTER)
    second.get(path)

    assert second.submit("/approval-refusal", reason="証書と違います").says("内容の確認に戻しました。")

    assert strict.client.get(path).says("取込内容の確認")


def test_a_conflict_is_asked_and_decided(app: ASGIApp, wiring: Wiring, clock: Clock) -> None:
    center = Center(app, wiring, clock)
    center.client.get(center.planned({}))
    center.client.submit("/application")
    with transaction(center.engine) as session:
        ours = {"email": "hand@osaka.tozai.example", "email_key": "hand@osaka.tozai.example", "set_at": clock(), "set_by": "中村"}
        session.execute(update(Party).where(Party.role == "end_user").values(ours))
        session.execute(update(Certificate).values(updated_at=clock() + timedelta(minutes=1)))
    page = center.client.get(center.planned({}))
    assert page.says("保守登録メールが競合しています。", "いまの値を残す（hand@osaka.tozai.example）", "反映できる証書はありません")
    choice = page.root.first("input", type="radio", value="theirs")
    assert choice

    chosen: dict[str, Any] = {choice.attributes["name"] or "": "theirs"}
    told = center.client.submit("/confirmations", button="この画面の選択を保存する", **chosen)

    assert told.says("証書 1件（1行）を反映します")
    found = center.client.get(f"{told.path}?q=kiban&show=all&columns=all")
    assert found.says("問合せ先", "すべての行") and not center.client.get(f"{told.path}?q=nowhere").says("競合しています")
    for word in (LINE["starts_on"][:7], LINE["contract"][:6].lower(), LINE["service"][2:6]):
        assert center.client.get(f"{told.path}?q={word}&show=all").says("競合しています"), word


def test_several_kinds_of_rows_are_shown_at_once_and_each_choice_is_an_address(app: ASGIApp, wiring: Wiring, clock: Clock) -> None:
    center = Center(app, wiring, clock)
    center.client.get(center.planned({"serial": "STAYS"}, {"serial": "MOVES"}, {"serial": "GOES"}))
    center.client.submit("/application")
    moved = {"serial": "MOVES", "ends_on": "2028-03-31"}
    fresh = {"contract": "NEW26A", "serial": "STAYS", "starts_on": "2027-04-01", "ends_on": "2028-03-31"}
    path = center.planned({"serial": "STAYS"}, moved, fresh, {"contract": "BAD26A", "serial": "WRONG", "ends_on": "いつか"})

    def shown(address: str) -> list[str]:
        return [cell.text for cell in center.client.get(address).root.all("td", data_l="シリアル")]

    def pressed(tile: str, address: str) -> str:
        return next(each for each in center.client.get(address).root.all("a", class_="tile") if tile in each.text).attributes["href"]

    assert shown(path) == ["MOVES", "STAYS", "WRONG"]
    assert center.client.get(path).link("契約 JSC26040123A を開く") == "/console/contracts?q=JSC26040123A"
    assert shown(f"{path}?show=changed&show=error") == ["MOVES", "WRONG"]
    assert center.client.get(f"{path}?show=changed&show=error").says("エラー・変更の行")
    assert (shown(f"{path}?show=warning,unchanged"), shown(f"{path}?show=renewal")) == (["STAYS", "STAYS"], ["STAYS"])
    assert shown(f"{path}?show=all") == ["STAYS", "MOVES", "STAYS", "WRONG"]
    without = pressed("変わる前と後", path)
    assert shown(without) == ["STAYS", "WRONG"] and pressed("変わる前と後", without) == path
    assert shown(pressed("反映しても変わりません", without)) == ["STAYS", "STAYS", "WRONG"]

    mixed = center.client.get(f"{path}?show=missing,changed")
    assert shown(mixed.path + "?show=missing,changed") == ["MOVES", "GOES"]
    box = mixed.root.first("input", name="ticked")
    assert box and center.client.submit("/confirmations", button="この画面の選択を保存する", ticked=box.attributes["value"]).says("取り下げ 1件。")


def lines(center: Center) -> list[str]:
    with transaction(center.engine, readonly=True) as session:
        assert session.scalar(select(func.count()).select_from(Certificate)) == 1
        return list(session.scalars(select(ContractLine.serial).order_by(ContractLine.serial)))
