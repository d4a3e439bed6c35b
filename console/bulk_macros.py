"""定型アクション over many tickets: which may be chosen, and what one would do to each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from actions.canned import stamp, words_of
from actions.macros import assignee_of
from models.base import AnyRow
from models.canned import Canned, CannedKind, PostKind, macros_of
from models.masters import Category
from rules.bulk import Wish, check_complete, foresee
from rules.placeholders import Filled, fill
from rules.refusal import Refused
from rules.tickets import State, check_post
from web.call import Call
from wording import labels
from wording.catalog import N_


@dataclass(frozen=True)
class Plan:
    """The macro that was chosen; `offers` are those that suit at least one of the tickets, by (id, name)."""

    macro: Canned | None = None
    offers: Sequence[tuple[str, str]] = field(default_factory=tuple)
    category: str = ""
    """The name of the category that it sets."""

    @property
    def answers(self) -> bool:
        """Whether its text goes to the customers."""
        return self.macro is not None and self.macro.post is PostKind.ANSWER

    @property
    def seen(self) -> str:
        """What the form says it was filled with."""
        return stamp(self.macro) if self.macro else ""


def plan_for(call: Call, rows: Sequence[AnyRow], macro_id: int) -> Plan:
    """The macros for these tickets, and the one of `macro_id`; the first where that is none of them."""
    offers = [one for one in macros_of(call.session, call.staff.id) if any(_suits(one, row, call) for row in rows)]
    macro = next((one for one in offers if one.id == macro_id), offers[0] if offers else None)
    category = call.session.get(Category, macro.to_category_id) if macro and macro.to_category_id else None
    return Plan(macro, [(str(one.id), one.name) for one in offers], category.name if category else "")


def macro_in_form(session: Session, macro_id: int, seen: str) -> Canned:
    """The macro that was posted. Refuses at ``macro``: canned_gone, macro_changed(name) where it is not as the page showed it."""
    macro = session.get(Canned, macro_id)
    if macro is None or macro.kind != CannedKind.MACRO:
        raise Refused("canned_gone", "macro")
    if stamp(macro) != seen:
        raise Refused("macro_changed", "macro", name=macro.updated_by)
    return macro


def with_macro(wish: Wish, macro: Canned | None, call: Call) -> Wish:
    """What `macro` wants of a ticket."""
    if macro is None:
        return replace(wish, staff_id=None, state=None, macro_id=0)
    given_to = assignee_of(macro, None, call.staff)
    return replace(wish, staff_id=given_to, state=macro.to_state, macro_id=macro.id, answers=macro.post is PostKind.ANSWER)


def state_after(call: Call, row: AnyRow, wish: Wish, plan: Plan) -> State:
    """The state it leaves a ticket in. Refuses what running it would: canned_gone, state_move, answer_closed, macro_place_left, words_empty, text_long."""
    if plan.macro is None or not _suits(plan.macro, row, call):
        raise Refused("canned_gone")
    state = foresee(wish, State(row.state), assignee_id=row.assignee_id)
    if plan.answers:
        check_complete(filled_for(call, row, plan))
    if plan.macro.post is not PostKind.NOTHING:
        check_post(filled_for(call, row, plan).text, has_files=False, body_characters=call.limits.body_characters, takes_files=False)
    return state


def assignee_after(call: Call, row: AnyRow, plan: Plan) -> int | None:
    """Who has a ticket afterwards; who answers one that is nobody's takes it."""
    named = assignee_of(plan.macro, row.assignee_id, call.staff) if plan.macro else row.assignee_id
    return named or (call.staff.id if plan.answers else None)


def further(call: Call, row: AnyRow, plan: Plan) -> list[tuple[str, str, str]]:
    """(what, before, after) of what changes besides state and assignee."""
    macro, language = plan.macro, call.basis.language
    found: list[tuple[str, str, str]] = []
    if macro and macro.to_priority and macro.to_priority != row.priority:
        found.append((call.say(N_("優先度")), labels.priority(row.priority, language), labels.priority(macro.to_priority, language)))
    if macro and macro.to_category_id and macro.to_category_id != row.category_id:
        found.append((call.say(N_("カテゴリ")), row.category, plan.category))
    return found


def filled_for(call: Call, row: AnyRow, plan: Plan) -> Filled:
    """Its text in the words of one ticket."""
    return fill(plan.macro.body, words_of(row, by=call.staff, desk=call.desk)) if plan.macro else Filled("")


def _suits(macro: Canned, row: AnyRow, call: Call) -> bool:
    return macro.suits(family_id=row.family_id, category_id=row.category_id, staff_id=call.staff.id)
