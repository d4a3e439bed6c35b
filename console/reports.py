"""集計: first answers, resolutions, waiting, backlog and 不明 by month, product, engineer or category, drawn and as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from actions import journal
from console.charts import WIDTH
from console.contract_search import day_of
from console.frame import frame
from console.report_charts import Group, charts_of, in_hours
from importers.export import table_csv, table_xlsx
from models.base import AnyRow
from models.reports import By, Period, backlog_at, figures_by, names_of, spread_by
from rules.calendar import TOKYO, tokyo_date
from rules.rights import Area, Right
from web.access import staff
from web.call import Call
from web.downloads import disposition
from web.endpoint import Page, get, post
from web.errors import NotFound
from wording import dates
from wording.catalog import N_, translate
from wording.workbook import REPORT, REPORT_SHEET

PATH = "/console/reports"
MOST_MONTHS = 36
_USUAL_MONTHS = 6
_FIRST_DAY = date(1970, 1, 1)
"""Nobody asks for earlier ones, and months before them have no year in the end."""
_BY_WORDS = {By.MONTH: N_("月"), By.PRODUCT: N_("製品"), By.ENGINEER: N_("担当"), By.CATEGORY: N_("カテゴリ")}
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS = {"xlsx": (_XLSX, "xlsx", ""), "csv": ("text/csv; charset=utf-8", "csv", "utf-8"), "csv_cp932": ("text/csv; charset=shift_jis", "csv", "cp932")}
_HEADS = (
    N_("受付（件）"),
    N_("解決（件）"),
    N_("最初の回答：平均（時間）"),
    N_("最初の回答：中央値（時間）"),
    N_("最初の回答：目標内（%）"),
    N_("解決まで：平均（時間）"),
    N_("解決まで：中央値（時間）"),
    N_("お客様の待ち：平均（時間）"),
    N_("メーカーの待ち：平均（時間）"),
    N_("契約確認の待ち：平均（時間）"),
    N_("不明（件）"),
    N_("不明（%）"),
)
_NOBODY = N_("未割り当て")


@dataclass(frozen=True)
class Choice:
    """What is asked for: the groups, the days (both counted), and whether a typed day was none."""

    by: By
    since: date
    until: date
    typed: dict[str, str]
    misread: bool
    too_long: bool

    def url(self, by: By) -> str:
        """The same days by something else."""
        return f"{PATH}?{urlencode({'by': by.value, 'since': dates.day(self.since), 'until': dates.day(self.until)})}"


def index(call: Call) -> Response:
    """The page."""
    choice = _choice(call, call.query)
    period, language = _period(call, choice), call.basis.language
    groups = _groups(call, choice, period)
    total = _total(groups)
    backlog = list(zip(_month_names(period, language), backlog_at(call.session, period), strict=True)) if groups else []
    return call.page(
        "console/reports/index.html",
        **frame(call),
        choice=choice,
        own=not call.staff.may("bulk", "r"),
        groups=groups,
        total=total,
        backlog=backlog,
        charts=charts_of(groups, backlog, language) if groups else [],
        width=WIDTH,
        by_word=translate(_BY_WORDS[choice.by], language),
        tabs=[(translate(text, language), choice.url(by)) for by, text in _BY_WORDS.items()],
        most_months=MOST_MONTHS,
    )


def export(call: Call) -> Response:
    """The table as a file; the journal notes who took what."""
    kind = call.form.value("kind")
    if kind not in _KINDS:
        raise NotFound
    media, ending, encoding = _KINDS[kind]
    choice = _choice(call, call.form.value)
    groups, language = _groups(call, choice, _period(call, choice)), call.basis.language
    heads = [translate(text, language) for text in (_BY_WORDS[choice.by], *_HEADS)]
    rows = [_cells(group) for group in groups]
    conditions = [translate(_BY_WORDS[choice.by], language), f"{dates.day(choice.since)}〜{dates.day(choice.until)}"]
    journal.record(call.session, "export_report", "report", None, by=call.staff, now=call.now, kind=kind, conditions=conditions)
    name = REPORT.format(by=choice.by, since=f"{choice.since:%Y%m%d}", until=f"{choice.until:%Y%m%d}", ending=ending)
    pieces = [table_csv(heads, rows, encoding=encoding)] if encoding else table_xlsx(REPORT_SHEET, heads, rows)
    headers = {"content-disposition": disposition(name), "x-content-type-options": "nosniff", "cache-control": "private, no-store"}
    return StreamingResponse(iter(pieces), media_type=media, headers=headers)


def _choice(call: Call, value: Callable[[str], str]) -> Choice:
    """What was asked for; days that are none, or too many, give way to the usual six months."""
    typed = {name: value(name).strip()[:20] for name in ("since", "until")}
    days = {name: day if (day := day_of(text)) and day >= _FIRST_DAY else None for name, text in typed.items()}
    misread = any(typed[name] and days[name] is None for name in typed)
    today = tokyo_date(call.now)
    until = min(days["until"] or today, today)
    since = days["since"] or _months_before(until, _USUAL_MONTHS - 1)
    too_long = since > until or since < _months_before(until, MOST_MONTHS - 1)
    if misread or too_long:
        since, until = _months_before(today, _USUAL_MONTHS - 1), today
    by = next((one for one in By if one == value("by")), By.MONTH)
    return Choice(by, since, until, typed if misread or too_long else {"since": dates.day(since), "until": dates.day(until)}, misread, too_long)


def _period(call: Call, choice: Choice) -> Period:
    edges: list[datetime] = []
    first, end = choice.since.replace(day=1), choice.until + timedelta(days=1)
    while (first := (first + timedelta(days=32)).replace(day=1)) < end:
        edges.append(_midnight(first))
    mine = None if call.staff.may("bulk", "r") else call.staff.id or 0
    return Period(_midnight(choice.since), _midnight(end), (*edges, _midnight(end)), mine)


def _groups(call: Call, choice: Choice, period: Period) -> list[Group]:
    found = {row.part: row for row in figures_by(call.session, choice.by, period)}
    if not found:
        return []
    medians = _medians(spread_by(call.session, choice.by, period))
    names: dict[int | None, str] = (
        dict(enumerate(_month_names(period, call.basis.language))) if choice.by is By.MONTH else {**names_of(call.session, choice.by)}
    )
    names[None] = translate(_NOBODY, call.basis.language)
    # A month without tickets is told too, or the months would not stand side by side.
    return [_group(name, found.get(part), medians, part) for part, name in names.items() if part in found or (choice.by is By.MONTH and part is not None)]


def _medians(spread: Sequence[AnyRow]) -> dict[tuple[str, int | None], float]:
    """The median of each group in seconds, to the minute; `spread` comes the shortest first."""
    groups: dict[tuple[str, int | None], list[tuple[int, int]]] = defaultdict(list)
    for row in spread:
        groups[row.what, row.part].append((row.minutes, row.tickets))
    found: dict[tuple[str, int | None], float] = {}
    for key, pairs in groups.items():
        size, passed, middle = sum(tickets for _, tickets in pairs), 0, list[int]()
        for minutes, tickets in pairs:
            # The middle one, or the two that the middle lies between.
            middle += [minutes for place in {(size - 1) // 2, size // 2} if passed <= place < passed + tickets]
            passed += tickets
        found[key] = sum(middle) / len(middle) * 60
    return found


def _group(name: str, row: AnyRow | None, medians: dict[tuple[str, int | None], float], part: int | None) -> Group:
    if row is None:
        return Group(name, 0, 0, 0, 0, 0, None, None, None, None, (None, None, None))
    waits = tuple(None if value is None else float(value) for value in (row.waited_customer, row.waited_vendor, row.waited_center))
    return Group(
        name=name,
        opened=row.opened,
        resolved=int(row.resolved),
        unknown=int(row.unknown),
        answered=row.answered,
        in_time=int(row.in_time),
        first_answer=None if row.first_answer is None else float(row.first_answer),
        first_median=medians.get(("first_answer", part)),
        resolution=None if row.resolution is None else float(row.resolution),
        resolution_median=medians.get(("resolution", part)),
        waits=(waits[0], waits[1], waits[2]),
    )


def _total(groups: Sequence[Group]) -> dict[str, float | None]:
    """What the tiles say of all groups together."""
    opened, answered = sum(group.opened for group in groups), sum(group.answered for group in groups)
    spent = sum((group.first_answer or 0) * group.answered for group in groups)
    return {
        "opened": opened,
        "resolved": sum(group.resolved for group in groups),
        "first_answer": spent / answered if answered else None,
        "in_time": sum(group.in_time for group in groups) * 100 / answered if answered else None,
        "unknown": sum(group.unknown for group in groups) * 100 / opened if opened else 0,
    }


def _cells(group: Group) -> list[str | float | None]:
    times = (group.first_answer, group.first_median, group.resolution, group.resolution_median, *group.waits)
    first, first_median, resolution, resolution_median, *waits = (None if hours is None else round(hours, 2) for hours in in_hours(*times))
    in_time = None if group.in_time_share is None else round(group.in_time_share, 1)
    head = [group.name, group.opened, group.resolved, first, first_median, in_time, resolution, resolution_median]
    return [*head, *waits, group.unknown, round(group.unknown_share, 1)]


def _month_names(period: Period, language: str) -> list[str]:
    """The months of a period, each by its last moment."""
    return [dates.month((edge - timedelta(seconds=1)).astimezone(TOKYO), language) for edge in period.edges]


def _months_before(day: date, months: int) -> date:
    """The first of the month so many months before a day's."""
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), TOKYO)


_MAY = staff(Area.BULK, Right.OWN)
PAGES: list[Page] = [get(PATH, index, _MAY), post(f"{PATH}/export", export, _MAY)]
