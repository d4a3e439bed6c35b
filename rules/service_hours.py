"""What a service calendar says (N9): hours of each weekday, days of rest, targets; as people type it, and as it is kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rules.calendar import ANSWER_MINUTES, OFFICE_HOURS, Hours, Span, Targets
from rules.refusal import Refused
from rules.text import fold
from rules.tickets import Priority

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""The fields of the hours, from Monday on: ``hours_mon`` …"""
GOALS = ("first", "next", "resolution")
"""What a target is for; the fields are ``first_urgent`` …"""
MOST_TARGET_HOURS = 999
MOST_TARGET_WEEKS = 104
"""Of the hours it is counted in: a target that needs more would be looked for day by day into later centuries."""
_DAY_MINUTES = 24 * 60
_MOST_SPANS = 6
_SPAN = re.compile(r"(\d{1,2}):(\d{2}) *- *(\d{1,2}):(\d{2})")
_DASHES = re.compile("[〜~–—―−ー－]")
_HOURS = re.compile(r"(\d{1,3})(?::([0-5]\d)|\.(\d{1,2}))?")


@dataclass(frozen=True)
class Terms:
    """One calendar's own words; the days of rest stay the desk's."""

    hours: Hours = OFFICE_HOURS
    rests_on_holidays: bool = True
    rests_at_year_end: bool = True
    rests_on_company_days: bool = True
    first: Mapping[Priority, int] = field(default_factory=lambda: ANSWER_MINUTES)
    """Business minutes, as the next two."""
    next: Mapping[Priority, int] = field(default_factory=lambda: ANSWER_MINUTES)
    resolution: Mapping[Priority, int] = field(default_factory=dict[Priority, int])

    @property
    def targets(self) -> Targets:
        """The targets as `rules.calendar` takes them."""
        return Targets(self.first, self.next, self.resolution)


def kept(terms: Terms) -> str:
    """`terms` as the table keeps them."""
    whole: dict[str, Any] = {"hours": terms.hours, "first": terms.first, "next": terms.next, "resolution": terms.resolution}
    switches = {"holidays": terms.rests_on_holidays, "year_end": terms.rests_at_year_end, "company_days": terms.rests_on_company_days}
    return json.dumps(whole | switches | {goal: dict(whole[goal]) for goal in GOALS}, sort_keys=True)


def read(text: str) -> Terms:
    """What `kept` wrote."""
    whole = json.loads(text)
    targets: dict[str, dict[Priority, int]] = {goal: {Priority(name): minutes for name, minutes in whole[goal].items()} for goal in GOALS}
    hours = tuple(tuple((opens, closes) for opens, closes in day) for day in whole["hours"])
    return Terms(hours, whole["holidays"], whole["year_end"], whole["company_days"], **targets)


def typed_terms(value: Mapping[str, str], *, holidays: bool, year_end: bool, company_days: bool) -> tuple[Terms, list[Refused]]:
    """The calendar somebody typed, by field, and all that is wrong with it.

    Codes: hours_form(x), hours_order(x), hours_many(max), hours_none (at hours_mon), target_empty, target_form(max),
    target_far(max).
    """
    faults: list[Refused] = []
    hours: list[tuple[Span, ...]] = []
    for day in WEEKDAYS:
        try:
            hours.append(parse_hours(value.get(f"hours_{day}", ""), f"hours_{day}"))
        except Refused as refused:
            faults.append(refused)
            hours.append(())
    if not faults and not any(hours):
        faults.append(Refused("hours_none", "hours_mon"))
    weekly = sum(closes - opens for day in hours for opens, closes in day)
    goals: dict[str, dict[Priority, int]] = {goal: {} for goal in GOALS}
    for goal in GOALS:
        for priority in Priority:
            name = f"{goal}_{priority}"
            try:
                minutes = parse_target(value.get(name, ""), name, required=goal != "resolution")
                if weekly and minutes > weekly * MOST_TARGET_WEEKS:
                    raise Refused("target_far", name, max=MOST_TARGET_WEEKS)
            except Refused as refused:
                faults.append(refused)
                continue
            if minutes:
                goals[goal][priority] = minutes
    return Terms(tuple(hours), holidays, year_end, company_days, **goals), faults


def parse_hours(typed: str, field: str) -> tuple[Span, ...]:
    """``9:00-12:00, 13:00-17:00`` of one day, in minutes; nothing is a closed day. 24:00 ends a day.

    Refuses at `field`: hours_form(x), hours_order(x), hours_many(max).
    """
    text = _DASHES.sub("-", fold(typed))
    pieces = [piece.strip() for piece in re.split("[,、，\n]", text) if piece.strip()]
    if len(pieces) > _MOST_SPANS:
        raise Refused("hours_many", field, max=_MOST_SPANS)
    spans = sorted(_span(piece, field) for piece in pieces)
    for (_, closes), (opens, _) in pairwise(spans):
        if opens < closes:
            raise Refused("hours_order", field, x=text[:40])
    return tuple(spans)


def _span(piece: str, field: str) -> Span:
    found = _SPAN.fullmatch(piece)
    if found is None:
        raise Refused("hours_form", field, x=piece[:40])
    hour, minute, last_hour, last_minute = map(int, found.groups())
    opens, closes = hour * 60 + minute, last_hour * 60 + last_minute
    if minute > 59 or last_minute > 59 or closes > _DAY_MINUTES:
        raise Refused("hours_form", field, x=piece[:40])
    if opens >= closes:
        raise Refused("hours_order", field, x=piece[:40])
    return opens, closes


def parse_target(typed: str, field: str, *, required: bool) -> int:
    """Hours as ``4``, ``0.5`` or ``1:30``, in minutes; 0 for an empty one. Refuses at `field`: target_empty, target_form(max)."""
    text = fold(typed).removesuffix("時間")
    if not text:
        if required:
            raise Refused("target_empty", field)
        return 0
    found = _HOURS.fullmatch(text)
    if found is None:
        raise Refused("target_form", field, max=MOST_TARGET_HOURS)
    hours, minutes, share = found.groups()
    whole = int(hours) * 60 + int(minutes or 0) + round(float(f"0.{share or 0}") * 60)
    if not 0 < whole <= MOST_TARGET_HOURS * 60:
        raise Refused("target_form", field, max=MOST_TARGET_HOURS)
    return whole


def hours_text(spans: Sequence[Span]) -> str:
    """The hours of a day as they are typed, "" for a closed one."""
    return ", ".join(f"{_clock(opens)}-{_clock(closes)}" for opens, closes in spans)


def target_text(minutes: int | None) -> str:
    """A target as it is typed: ``4``, ``1:30``, "" where there is none."""
    if not minutes:
        return ""
    return f"{minutes // 60}:{minutes % 60:02}" if minutes % 60 else str(minutes // 60)


def told(terms: Terms) -> dict[str, object]:
    """`terms` as the journal tells them, by fact."""
    days: Iterable[tuple[str, tuple[Span, ...]]] = zip(WEEKDAYS, terms.hours, strict=True)
    goals: dict[str, Mapping[Priority, int]] = {"first": terms.first, "next": terms.next, "resolution": terms.resolution}
    return {
        **{f"hours_{day}": hours_text(spans) for day, spans in days},
        "rests_on_holidays": terms.rests_on_holidays,
        "rests_at_year_end": terms.rests_at_year_end,
        "rests_on_company_days": terms.rests_on_company_days,
        **{f"target_{goal}": " / ".join(target_text(of.get(priority)) or "-" for priority in Priority) for goal, of in goals.items()},
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"
