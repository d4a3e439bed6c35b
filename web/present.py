"""What templates may call: codes, dates and numbers as words, and people's text as safe paragraphs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, Protocol, cast

from jinja2 import Environment, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from models.tickets import MessageKind
from rules.calendar import TOKYO, tokyo_date
from rules.rights import Area, Right, Role, may
from rules.tickets import Priority, State
from web.generating import put_out
from web.prose import paragraphs
from wording import center, contracts, dates, labels
from wording.catalog import N_, translate
from wording.imports import retell

COUNTED = 99
"""Counts above this are told as 「99+」: the query stopped there."""

_LOOKALIKE = {"O": "0", "I": "1", "L": "1", "S": "5", "B": "8", "Z": "2"}
_LABELS: dict[str, Callable[[str, str], str]] = {
    "state": labels.state,
    "customer_state": labels.customer_state_of,
    "priority": labels.priority,
    "role": labels.role,
    "party_role": labels.party_role,
    "verdict": labels.verdict,
    "reason": labels.reason,
    "match_path": contracts.path,
    "clue": contracts.clue,
    "line_state": labels.line_state,
    "rule": labels.rule,
    "why": labels.why,
    "message_kind": labels.message_kind,
    "account_state": labels.account_state,
    "letter_state": labels.letter_state,
    "recipient_state": labels.recipient_state,
    "batch_state": labels.batch_state,
    "row_status": labels.row_status,
    "run_state": labels.run_state,
    "field": labels.field,
    "change_state": center.change_state,
    "customer_change_state": center.customer_change_state,
    "change_choice": center.change_choice,
    "change_received": center.change_received,
    "finding": center.finding,
    "finding_mark": center.finding_mark,
}
_STATE_KINDS = {"new": "info", "open": "blue", "waiting_customer": "warn", "resolved": "ok"}
_CUSTOMER_STATE_KINDS = {"new": "info", "waiting_customer": "warn", "resolved": "ok", "closed": ""}
_PRIORITY_KINDS = {"urgent": "solid", "high": "danger"}
_NOBODY, _PICK = N_("未割り当て"), N_("{number} を選択")
_ASSIGNEE, _UPDATED, _COLON = N_("担当"), N_("最終更新"), N_("：")
_TONES = ("", "b", "c", "d")
_KEPT_MENUS, _KEPT_TIMES = 512, 1024


Pieces = Iterable[tuple[str, bool]]
"""A text cut into pieces, each with whether it is a word that was looked for."""


class HasState(Protocol):
    """Anything with a ticket's state: a row of the queue, a ticket."""

    @property
    def state(self) -> str: ...


class QueueLine(HasState, Protocol):
    """A row of the queue, every word ready: console.queue.Line."""

    @property
    def id(self) -> int: ...
    @property
    def subject(self) -> str: ...
    @property
    def meta(self) -> str: ...
    @property
    def priority(self) -> str: ...
    @property
    def assignee(self) -> str: ...
    @property
    def updated(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def left(self) -> str: ...
    @property
    def due(self) -> str: ...
    @property
    def due_at(self) -> str: ...
    @property
    def used(self) -> int: ...


class Finding(Protocol):
    """Why a search found a ticket: console.findings.Finding."""

    @property
    def number(self) -> Pieces: ...
    @property
    def subject(self) -> Pieces: ...
    @property
    def kind(self) -> str: ...
    @property
    def post(self) -> Pieces: ...
    @property
    def facts(self) -> Iterable[tuple[str, Pieces]]: ...


def install(environment: Environment, language: str) -> None:
    """Add the filters and globals of the templates to `environment`, whose pages are in `language` (its `asset` must be there already)."""
    filters = cast("dict[str, Any]", environment.filters)
    filters |= {
        "hits": hits,
        "moment": partial(dates.moment, language=language),
        "short": partial(dates.short, language=language),
        "due": partial(dates.due, language=language),
        "day_name": partial(dates.day_name, language=language),
        "span": partial(dates.span, language=language),
        "day": dates.day,
        "stamp": dates.stamp,
        "size": dates.size,
        "number": dates.number,
        "paragraphs": paragraphs,
        "initial": initial,
        "label": partial(_label, language=language),
        "retold": partial(retell, language=language),
        "tone": tone,
    }
    names = cast("dict[str, Any]", environment.globals)
    names |= {"counted": COUNTED, "misread": misread, "marked": marked, "parts": Parts(environment, names["asset"]("icons.svg"), language)}


class Parts:
    """The small parts that lists repeat; ui.html hands them out under their names.

    Written here because a macro's call costs more than these parts themselves, and a queue has hundreds of them.
    """

    def __init__(self, environment: Environment, sprite: str, language: str) -> None:
        self._environment = environment
        self._icons: dict[str, Markup] = {}
        self._sprite = sprite
        self._language = language
        self._states: dict[str, Markup] = {state: self.chip(labels.state(state, language), _STATE_KINDS.get(state, "")) for state in State}
        self._priorities: dict[str, Markup] = {
            priority: self.chip(labels.priority(priority, language), _PRIORITY_KINDS.get(priority, "")) for priority in Priority
        }
        self._row_states: dict[str, str] = {state: _lean_chip(labels.state(state, language), _STATE_KINDS.get(state, "")) for state in State}
        self._row_priorities: dict[str, str] = {
            priority: _lean_chip(labels.priority(priority, language), _PRIORITY_KINDS.get(priority, "")) for priority in Priority if priority != Priority.NORMAL
        }
        self._row_priorities[Priority.NORMAL.value] = escape(labels.priority(Priority.NORMAL, language))
        self._nobody = f"<td>{escape(translate(_NOBODY, language))}</td>"
        self._colon = escape(translate(_COLON, language))
        self._by, self._at = (f'<td class="nowrap" data-l="{escape(translate(name, language))}">' for name in (_ASSIGNEE, _UPDATED))
        self._menu = lru_cache(maxsize=_KEPT_MENUS)(self._made_menu)
        self._time = lru_cache(maxsize=_KEPT_TIMES)(self._made_time)

    def icon(self, name: str) -> Markup:
        """An icon of static/icons.svg, always beside a word: it is hidden from screen readers."""
        made = self._icons.get(name)
        if made is None:
            made = self._icons[name] = Markup('<svg class="ic" aria-hidden="true"><use href="{}#i-{}"/></svg>').format(self._sprite, name)
        return made

    def chip(self, text: str, kind: str = "", icon_name: str | None = None) -> Markup:
        """A status word; `kind` is ok, warn, danger, info, blue, solid or ""."""
        look = f"chip {kind}" if kind else "chip"
        return _made(f'<span class="{look}">{self.icon(icon_name) if icon_name else ""}{escape(text)}</span>')

    def state_chip(self, ticket: HasState) -> Markup:
        """The staff's word for a ticket's state."""
        return self._states[ticket.state]

    def customer_state_chip(self, state: str) -> Markup:
        """The customer's word for the staff's code `state`: what the house waits for does not show."""
        return self.chip(labels.customer_state_of(state, self._language), _CUSTOMER_STATE_KINDS.get(state, "blue"))

    def priority_chip(self, priority: str) -> Markup:
        """The priority's word, for staff only."""
        return self._priorities[priority]

    def avatar(self, name: str, large: bool = False) -> Markup:
        """The badge with a name's first letter."""
        return _avatar(name, large)

    @pass_context
    def time(self, context: Context, at: datetime, how: str = "full") -> Markup:
        """`at` in a time element: in full, "short" as in lists, or "due" as a deadline (these two read `now` of the page)."""
        return self._time(at, how, None if how == "full" else tokyo_date(context["now"]))

    def _made_time(self, at: datetime, how: str, today: date | None) -> Markup:
        """A page tells the same few moments all over; what they read as changes with the day at most."""
        if today is None:
            exact, words = dates.stamped_moment(at, self._language)
        else:
            there, now = at.astimezone(TOKYO), datetime.combine(today, time(), TOKYO)  # once for the words and the stamp
            exact, words = dates.stamp(there), (dates.short if how == "short" else dates.due)(there, now, self._language)
        return _made(f'<time datetime="{exact}">{words}</time>')

    def menu(self, roles: frozenset[Role], path: str, here: str, tallies: Mapping[str, int], shelves: tuple[Any, ...] = ()) -> Markup:
        """The console's side menu at `path`, in the queue's view `here`: the same on thousands of pages, so it is kept by all that it shows."""
        return self._menu(roles, "/".join(path.split("/", 3)[:3]), here, tuple(tallies.items()), shelves)

    def _made_menu(self, roles: frozenset[Role], section: str, here: str, tallies: tuple[tuple[str, int], ...], shelves: tuple[Any, ...]) -> Markup:
        def allowed(area: str, wanted: str) -> bool:
            return may(roles, Area(area), Right(wanted))

        template = self._environment.get_template("console/menu.html")
        return _made(template.render(may=allowed, section=section, here=here, tallies=dict(tallies), shelves=shelves))

    def queue_rows(self, lines: Iterable[QueueLine], picks: bool = False) -> Markup:
        """The rows of the table of console/tickets/queue.html. Fifty of them are the page's weight: each is set lean, its link beside /console/tickets.

        `picks` puts a box into each, for browsers without scripts: static/queue.js makes them where there are scripts.
        """
        if not picks:
            return _made("".join(self._queue_row(line) for line in lines))
        words = translate(_PICK, self._language)
        return _made("".join(_picked(self._queue_row(line), line.id, words.format(number=f"#{line.id}")) for line in lines))

    def found_rows(self, lines: Iterable[QueueLine], findings: Iterable[Finding]) -> Markup:
        """The rows of console/tickets/found.html: each hit with the part of the post in which the words stand, and what else holds one."""
        return _made("".join(map(self._found_row, lines, findings)))

    def _found_row(self, line: QueueLine, hit: Finding) -> str:
        facts = "".join([f'<p class="small"><span class="mute">{put_out(name)}{self._colon}</span>{hits(value)}</p>' for name, value in hit.facts])
        if hit.post:
            lock = self.icon("lock") if hit.kind == MessageKind.NOTE else ""
            kind = put_out(labels.message_kind(hit.kind, self._language))
            facts += f'<p class="small">{lock}<span class="mute">{kind}{self._colon}</span>{hits(hit.post)}</p>'
        return (
            f'<tr data-row><td class="num mute">{hits(hit.number)}</td><td><a href="/console/tickets/{line.id}">{hits(hit.subject)}</a><br>'
            f'<span class="small mute">{put_out(line.meta)}</span>{facts}</td><td>{self._states[line.state]}</td>'
            f"{self._by}{put_out(line.assignee or translate(_NOBODY, self._language))}</td>{self._at}{line.updated}</td></tr>"
        )

    def _queue_row(self, line: QueueLine) -> str:
        number, name = line.id, line.assignee
        assignee = f'<td data-of="{put_out(name[0])}">{put_out(name)}</td>' if name else self._nobody
        return (
            f'<tr>{_deadline_cell(line)}<td>#{number}</td><td><a href="tickets/{number}">{put_out(line.subject)}</a>{put_out(line.meta)}</td>'
            f"<td>{self._row_states[line.state]}</td><td>{self._row_priorities[line.priority]}</td>{assignee}"
            f"<td>{line.updated}</td></tr>"
        )


def initial(name: str) -> str:
    """The letter of a person's badge: the first of the name, "–" without one."""
    return name.strip()[:1].upper() or "–"


def tone(name: str) -> str:
    """The colour class of a person's badge, the same for the same name everywhere."""
    return _TONES[sum(map(ord, name)) % len(_TONES)]


def misread(old: str, new: str) -> list[tuple[str, str]]:
    """The letters and digits of one look that changed, such as ("O", "0"), each pair once; nothing when the lengths differ."""
    if len(old) != len(new):
        return []
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b and (_LOOKALIKE.get(a.upper()) == b or _LOOKALIKE.get(b.upper()) == a)]
    return list(dict.fromkeys(changed))


def marked(text: str, other: str) -> Markup:
    """`text` with the characters that differ from `other` in ``<b>``, where both are of one length and differ in few places, half of them at most."""
    differs = [a != b for a, b in zip(text, other, strict=False)]
    if len(text) != len(other) or not 0 < sum(differs) <= min(max(2, len(text) // 4), len(text) // 2):
        return escape(text)
    runs = groupby(zip(differs, text, strict=True), key=lambda pair: pair[0])
    return Markup("").join((Markup("<b>{}</b>") if changed else Markup("{}")).format("".join(c for _, c in run)) for changed, run in runs)


def hits(pieces: Pieces) -> Markup:
    """A text in pieces, the words that were looked for marked."""
    return _made("".join([f"<mark>{put_out(piece)}</mark>" if hit else put_out(piece) for piece, hit in pieces]))


def _made(html: str) -> Markup:
    """HTML whose every variable part was escaped above."""
    return str.__new__(Markup, html)  # as Markup(html), which first asks whether it is Markup already


def _deadline_cell(line: QueueLine) -> str:
    """The time that is left as word and bar, below it the moment; "–" where nothing is owed."""
    if not line.kind:
        return "<td>–</td>"
    used = f" u{line.used}" if line.used and line.kind != "over" else ""
    due = f'<time datetime="{line.due_at}">{line.due}</time>' if line.due_at else put_out(line.due)
    return f'<td class="{line.kind}{used}"><b>{put_out(line.left)}</b>{due}</td>'


def _picked(row: str, number: int, words: str) -> str:
    """A row with a box before what stands in its first cell."""
    at = row.index(">", len("<tr>")) + 1
    return f'{row[:at]}<input class="check pick" type="checkbox" name="ticket" value="{number}" aria-label="{escape(words)}">{row[at:]}'


def _lean_chip(text: str, kind: str) -> str:
    """A chip by a shorter tag."""
    return f'<b class="chip{kind and " " + kind}">{escape(text)}</b>'


@lru_cache(maxsize=512)
def _avatar(name: str, large: bool) -> Markup:
    return _made(f'<span class="avatar{" lg" if large else ""}{tone(name) and " " + tone(name)}" aria-hidden="true">{escape(initial(name))}</span>')


@lru_cache(maxsize=1024)
def _label(code: str, kind: str, language: str) -> str:
    """The word for a code: ``{{ ticket.state|label("state") }}``; the kinds are the keys of `_LABELS`."""
    return _LABELS[kind](code, language)
