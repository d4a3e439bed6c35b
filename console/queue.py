"""The queue: every ticket list of the console, its views, filters, search, sort and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import Row
from starlette.responses import Response

from console.deadline import deadline_of
from console.findings import findings
from console.frame import frame, today_began
from console.queue_cursors import read_cursor, write_cursor
from models.queue import Masters, Order, Shelf, Wanted, cursor_of, found_rows, queue_masters, queue_rows
from models.saved_views import view_name
from rules.calendar import BusinessCalendar
from rules.reminders import near_edges
from rules.rights import Area, Right, may_change
from rules.search import terms_of
from rules.tickets import ENDED, Priority, State
from web.access import staff
from web.call import Call
from web.endpoint import Page, get
from wording import dates, labels
from wording.catalog import N_, NC_, translate
from wording.hours import opening_hours

PATH = "/console/tickets"
_BESIDE = ("after", "before", "open")
"""Parts of an address that are no conditions: the page of the list, and what is open on it (`tools`, `picks`)."""
_UNRESOLVED, _ALL, _DUE, _RESOLVED_TODAY = "unresolved", "all", "due", "resolved_today"
_STATE_WORDS = {_UNRESOLVED: N_("未解決"), _ALL: N_("すべて"), _DUE: N_("期限が近い"), _RESOLVED_TODAY: N_("本日解決")}
_VIEWS: Mapping[str, tuple[str, str]] = {
    "mine": (_UNRESOLVED, "me"),
    "unassigned": (_UNRESOLVED, "none"),
    "due": (_DUE, ""),
    "waiting_customer": (State.WAITING_CUSTOMER, ""),
    "waiting_vendor": (State.WAITING_VENDOR, ""),
    "waiting_center": (State.WAITING_CENTER, ""),
    "resolved_today": (_RESOLVED_TODAY, ""),
}
_TITLES = {
    "mine": N_("自分の担当"),
    "unassigned": N_("未割り当て"),
    "due": N_("期限が近い"),
    "waiting_customer": N_("お客様確認待ち"),
    "waiting_vendor": N_("メーカー確認中"),
    "waiting_center": N_("契約確認中"),
    "resolved_today": N_("本日解決"),
    "": N_("すべてのチケット"),
}
_SORT_WORDS = {
    Order.DUE: N_("期限が近い順"),
    Order.UPDATED: N_("更新が新しい順"),
    Order.CREATED: N_("受付が古い順"),
    Order.RESOLVED: N_("解決が新しい順"),
    Order.NUMBER: N_("番号が新しい順"),
}


@dataclass(frozen=True)
class Choice:
    """What the address asks for, in one form: `view` is only a name for a state and an assignee."""

    state: str = _UNRESOLVED
    assignee: str = ""
    """"" (anybody), ``me``, ``none`` or a staff member's id."""
    product: str = ""
    priority: str = ""
    q: str = ""
    sort: str = ""
    saved: str = ""
    """The number of the saved view whose name this list goes by, while it asks for what that one asks for."""

    @property
    def view(self) -> str:
        """The side menu's view that this is, "" for none."""
        if self.product or self.priority or self.q:
            return ""
        return next((name for name, pair in _VIEWS.items() if pair == (self.state, self.assignee)), "")

    @property
    def orders(self) -> tuple[Order, ...]:
        """The orders this list can be walked in, the default first."""
        if self.q:
            return (Order.NUMBER,)
        if self.state == _RESOLVED_TODAY or self.state in ENDED:
            return (Order.RESOLVED,)
        return (Order.UPDATED, Order.CREATED, Order.NUMBER) if self.state == _ALL else (Order.DUE, Order.UPDATED, Order.CREATED, Order.NUMBER)

    @property
    def order(self) -> Order:
        """The order in force."""
        return next((order for order in self.orders if order == self.sort), self.orders[0])

    @property
    def narrowed(self) -> bool:
        """Whether anything but the default is asked for."""
        return replace(self, sort="", saved="") != Choice()

    @property
    def place(self) -> str:
        """What the side menu marks where no view of its own is shown: a product's whole list."""
        return f"product:{self.product}" if self.product and replace(self, product="", saved="") == Choice() else self.view

    def url(self, **changed: str) -> str:
        """The address of this list with some parts changed."""
        other = replace(self, **{name: value for name, value in changed.items() if name not in _BESIDE})
        beside = {name: changed[name] for name in _BESIDE if name in changed}
        saved = {"saved": self.saved} if self.saved and other == self else {}
        query = urlencode(other.kept | saved | beside)
        return f"{PATH}?{query}" if query else PATH

    @property
    def kept(self) -> dict[str, str]:
        """The conditions as an address or a form carries them; what is usual is left out."""
        default = _ALL if self.q else _UNRESOLVED
        named: dict[str, str] = {"view": self.view} if self.view else {"state": "" if self.state == default else self.state, "assignee": self.assignee}
        named |= {"product": self.product, "priority": self.priority, "q": self.q, "sort": "" if self.sort == self.orders[0] else self.sort}
        return {name: value for name, value in named.items() if value}


class Line(NamedTuple):
    """A row of the list, every word ready: the template only sets it."""

    id: int
    subject: str
    meta: str
    state: str
    priority: str
    assignee: str
    updated: str
    kind: str = ""
    """running, near, over, stopped or "" (nothing is owed)."""
    left: str = ""
    due: str = ""
    due_at: str = ""
    used: int = 0
    """Tenths of the time that are gone."""


@dataclass(frozen=True)
class Turns:
    """The neighbouring pages, "" where there is none."""

    previous_url: str = ""
    next_url: str = ""


@dataclass(frozen=True)
class News:
    """Where a list asks what came since it was drawn, and how many it knows of."""

    url: str
    n: int

    @classmethod
    def of(cls, choice: Choice, since: datetime, n: int) -> News:
        """Of a list that was drawn at `since`; whole seconds, of which the last belongs to what is asked for."""
        query = urlencode({**choice.kept, **({"saved": choice.saved} if choice.saved else {}), "since": int(since.timestamp()), **({"n": n} if n else {})})
        return cls(f"{PATH}/arrivals?{query}", n)


def index(call: Call) -> Response:
    """The queue; who may only see what is asked of them gets that list."""
    if not call.staff.may("tickets", "r"):
        return _asked(call)
    masters = queue_masters(call.session)
    calendar = masters.calendar
    choice = read_choice(call, masters)
    rows, turns = load_page(call, choice, wanted_of(choice, call, masters, calendar))
    lines = lines_of(rows, masters, calendar, call.now, call.basis.language, timed=not choice.q)
    context = {} if call.basis.is_htmx else frame(call, calendar=calendar)
    name = _saved_name(call, choice, context.get("shelves"))
    whole = not (turns.previous_url or turns.next_url)
    opened = _known(call.query("open"), ("tools", "picks"))
    return call.page(
        "console/tickets/queue.html",
        block="queue",
        choice=choice,
        view=f"saved:{choice.saved}" if name else choice.place,
        q=choice.q,
        title=name or _title(choice, masters, call.basis.language),
        lines=lines,
        found=findings(call.session, rows, choice.q, language=call.basis.language) if choice.q else [],
        turns=turns,
        conditions=conditions_of(choice, call, masters),
        sorts=[(choice.url(sort=order), sort_word(order, call.basis.language), order == choice.order) for order in choice.orders],
        summary=_summary(rows, lines, call.now) if whole and choice.order is Order.DUE else None,
        count=len(rows) if whole else context.get("counts", {}).get(choice.view or ("all" if not choice.narrowed else "-")),
        options=_options(choice, masters, call.basis.language) if opened == "tools" else {},
        opened=opened,
        news=None if choice.q else News.of(choice, call.now, 0),
        may_pick=may_change(call.staff.roles, Area.BULK),
        hours=opening_hours(calendar, call.basis.language),
        **context,
    )


def read_choice(call: Call, masters: Masters, told: Callable[[str], str] | None = None) -> Choice:
    """What the query string (or `told`: a form) asks for; unknown values count as none."""
    told = told or call.query
    q = " ".join(told("q").split())[:200]
    state, assignee = _VIEWS.get(told("view"), (_ALL if q else _UNRESOLVED, ""))
    state = _known(told("state"), [*_STATE_WORDS, *State]) or state
    assignee = _known(told("assignee"), ["me", "none", *(str(number) for number in masters.staff)]) or assignee
    product = _known(told("product"), [slug for slug, _ in masters.families.values()])
    if assignee == str(call.staff.id):
        assignee = "me"
    saved = told("saved")
    priority = _known(told("priority"), [*Priority])
    return Choice(
        state, assignee, product, priority, q, _known(told("sort"), [*Order]), saved if saved.isascii() and saved.isdecimal() and len(saved) < 10 else ""
    )


def load_page(call: Call, choice: Choice, wanted: Wanted) -> tuple[Sequence[Row[Any]], Turns]:
    """The rows of the page that the address names and the ways to its neighbours."""
    limit, order = call.limits.page_rows, choice.order
    cursor = read_cursor(call)
    if choice.q:
        rows = found_rows(call.session, wanted, terms_of(choice.q), cursor=cursor, limit=limit + 1)
    else:
        rows = queue_rows(call.session, wanted, order, cursor=cursor, limit=limit + 1)
    more = len(rows) > limit
    backwards = cursor is not None and cursor.backwards
    if more:
        rows = rows[-limit:] if backwards else rows[:limit]
    if not rows:
        return rows, Turns()
    has_next, has_previous = (True, more) if backwards else (more, cursor is not None)
    return rows, Turns(
        previous_url=choice.url(before=write_cursor(cursor_of(rows[0], order))) if has_previous else "",
        next_url=choice.url(after=write_cursor(cursor_of(rows[-1], order))) if has_next else "",
    )


def lines_of(rows: Sequence[Row[Any]], masters: Masters, calendar: BusinessCalendar, now: datetime, language: str, *, timed: bool = True) -> list[Line]:
    """The rows as the list shows them, `timed` with their deadlines. What is the same in all of them (words, names, today) is worked out once."""
    here = now.astimezone(dates.TOKYO)
    dot = translate(_DOT, language)
    families = {number: f"{dot}{name}" for number, (_, name) in masters.families.items()}
    nobody = translate(_NO_ACCOUNT, language)
    clock = _Clock(calendar, now, here, language, left=translate(_LEFT, language), over=translate(_OVER, language), stopped=translate(_STOPPED, language))
    return [
        Line(
            row.id,
            row.subject,
            f"{row.company_name or nobody}{families.get(row.family_id, dot)}",
            row.state,
            row.priority,
            masters.staff.get(row.assignee_id, ""),
            dates.short(row.updated_at, here, language),
            *(clock.parts(row) if timed else _UNTIMED),
        )
        for row in rows
    ]


_NO_ACCOUNT, _DOT = N_("お客様未登録"), N_("・")
_UNTIMED = ("", "", "", "", 0)
_LEFT, _OVER, _STOPPED = N_("残り {span}"), N_("{span} 超過"), NC_("clock", "停止中")


@dataclass(frozen=True)
class _Clock:
    """What the deadlines of a page's lines have in common."""

    calendar: BusinessCalendar
    now: datetime
    here: datetime
    """`now` in Tokyo."""
    language: str
    left: str
    over: str
    stopped: str

    def parts(self, row: Row[Any]) -> tuple[str, str, str, str, int]:
        """A line's kind, left, due, due_at and used."""
        deadline = deadline_of(row, self.calendar, self.now, language=self.language)
        if deadline is None:
            return _UNTIMED
        if deadline.due_at is None:
            return "stopped", self.stopped, deadline.why, "", 0
        due_at = deadline.due_at.astimezone(dates.TOKYO)
        words = (self.over if deadline.kind == "over" else self.left).format(span=dates.span(deadline.left, self.language))
        return deadline.kind, words, dates.due(due_at, self.here, self.language), f"{deadline.due_at:%Y-%m-%dT%H:%MZ}", round(deadline.used / 10)


def wanted_of(choice: Choice, call: Call, masters: Masters, calendar: BusinessCalendar) -> Wanted:
    """The choice with ids and moments in the place of words."""
    state = choice.state
    return Wanted(
        unresolved=state == _UNRESOLVED,
        state=State(state) if state in [*State] else None,
        resolved_since=today_began(call.now) if state == _RESOLVED_TODAY else None,
        due_by=near_edges(calendar, call.now) if state == _DUE else None,
        assignee_id=call.staff.id if choice.assignee == "me" else int(choice.assignee) if choice.assignee.isdecimal() else None,
        unassigned=choice.assignee == "none",
        priority=choice.priority or None,
        family_id=next((number for number, (slug, _) in masters.families.items() if slug == choice.product), None),
    )


def _saved_name(call: Call, choice: Choice, shelves: Sequence[Shelf] | None) -> str:
    """The name of the saved view that this list is, "" for none; the menu knows it, and a fragment, which has no menu, looks it up."""
    if not choice.saved:
        return ""
    # Who is named in a shared view reads it as their own.
    alike = (choice, replace(choice, assignee=str(call.staff.id))) if choice.assignee == "me" else (choice,)
    queries = [urlencode(one.kept) for one in alike]
    if shelves is None:
        return view_name(call.session, int(choice.saved), queries, staff_id=call.staff.id or 0)
    return next((one.name for one in shelves if one.kind != "product" and one.key == choice.saved and one.query in queries), "")


def _title(choice: Choice, masters: Masters, language: str) -> str:
    if choice.q:
        return translate(N_("「{q}」の検索結果"), language).format(q=choice.q)
    if choice.place.startswith("product:"):
        return next(name for slug, name in masters.families.values() if slug == choice.product)
    return translate(_TITLES[choice.view], language)


def conditions_of(choice: Choice, call: Call, masters: Masters) -> list[tuple[str, str, str]]:
    """The conditions in force: name, value, the address without it."""
    language = call.basis.language
    found: list[tuple[str, str, str]] = []
    if choice.assignee:
        named = {"me": N_("自分"), "none": N_("未割り当て")}.get(choice.assignee)
        who = translate(named, language) if named else masters.staff[int(choice.assignee)]
        found.append((translate(N_("担当"), language), who, choice.url(assignee="")))
    if choice.state != _ALL:
        found.append((translate(N_("状態"), language), _state_word(choice.state, language), choice.url(state=_ALL, sort="")))
    if choice.product:
        name = next(name for slug, name in masters.families.values() if slug == choice.product)
        found.append((translate(N_("製品"), language), name, choice.url(product="")))
    if choice.priority:
        found.append((translate(N_("優先度"), language), labels.priority(choice.priority, language), choice.url(priority="")))
    if choice.q:
        found.append((translate(N_("検索"), language), choice.q, choice.url(q="", sort="")))
    return found


def _options(choice: Choice, masters: Masters, language: str) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer."""
    return {
        "state": _state_options(language),
        "sort": [(order.value, sort_word(order, language)) for order in choice.orders],
        "product": [(slug, name) for slug, name in masters.families.values()],
        "priority": [(priority.value, labels.priority(priority, language)) for priority in Priority],
        "assignee": [
            ("me", translate(N_("自分"), language)),
            ("none", translate(N_("未割り当て"), language)),
            *((str(number), name) for number, name in masters.staff.items()),
        ],
    }


def sort_word(order: Order, language: str) -> str:
    """An order as the list names it."""
    return translate(_SORT_WORDS[order], language)


@cache
def _state_options(language: str) -> list[tuple[str, str]]:
    return [(state, _state_word(state, language)) for state in (_UNRESOLVED, _DUE, *State, _RESOLVED_TODAY, _ALL)]


def _state_word(state: str, language: str) -> str:
    return translate(_STATE_WORDS[state], language) if state in _STATE_WORDS else labels.state(state, language)


def _summary(rows: Sequence[Row[Any]], lines: Sequence[Line], now: datetime) -> dict[str, int]:
    """How many of a list that fits one page are unresolved, due today, overdue."""
    today = now.astimezone(dates.TOKYO).date()
    due_today = [row for row, line in zip(rows, lines, strict=True) if line.due_at and row.due_at.astimezone(dates.TOKYO).date() <= today]
    return {"n": len(rows), "today": len(due_today), "over": sum(line.kind == "over" for line in lines)}


def _asked(call: Call) -> Response:
    """What the service center is asked: subject and contract fields of tickets that wait for it, nothing of the thread."""
    choice = Choice(state=State.WAITING_CENTER)
    rows, turns = load_page(call, choice, Wanted(state=State.WAITING_CENTER))
    calendar = call.calendar()
    waited = [dates.span(calendar.business_seconds(row.state_from, call.now), call.basis.language) for row in rows]
    return call.page("console/tickets/asked.html", view="waiting_center", rows=[*zip(rows, waited, strict=True)], turns=turns, **frame(call, calendar=calendar))


def _known(value: str, values: Sequence[str]) -> str:
    return value if value in values else ""


PAGES: list[Page] = [get(PATH, index, staff(Area.TICKETS, Right.OWN))]
