"""Calendars and reports in the journal: what was done, to what, and which facts changed."""

from __future__ import annotations

from wording.catalog import N_, NC_

ACTS = {
    "add_calendar": N_("受付カレンダーを追加しました"),
    "change_calendar": N_("受付カレンダーを変更しました"),
    "export_report": N_("集計を書き出しました"),
}
SUBJECTS = {"service_calendar": N_("受付カレンダー"), "report": NC_("subject", "集計")}
FACTS = {
    "hours_mon": N_("月曜の受付時間"),
    "hours_tue": N_("火曜の受付時間"),
    "hours_wed": N_("水曜の受付時間"),
    "hours_thu": N_("木曜の受付時間"),
    "hours_fri": N_("金曜の受付時間"),
    "hours_sat": N_("土曜の受付時間"),
    "hours_sun": N_("日曜の受付時間"),
    "rests_on_holidays": N_("祝日は休む"),
    "rests_at_year_end": N_("年末年始は休む"),
    "rests_on_company_days": N_("休業日は休む"),
    "target_first": N_("最初の回答の目標（緊急 / 高 / 中 / 低）"),
    "target_next": N_("次の回答の目標（緊急 / 高 / 中 / 低）"),
    "target_resolution": N_("解決の目標（緊急 / 高 / 中 / 低）"),
    "products": N_("製品"),
    "deadlines": N_("期限が動いたチケット"),
}
