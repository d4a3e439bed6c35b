"""まとめて操作: choosing what to do to many tickets, seeing what it would do to each, doing it, its result and its undoing."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from actions.bulk_changes import UNDONE, Hand, answers, change_many, may_undo, undo_many, undo_until
from console.bulk_macros import Plan, assignee_after, filled_for, further, macro_in_form, plan_for, state_after, with_macro
from console.frame import frame
from console.queue import PATH as QUEUE
from console.queue import Choice, read_choice, wanted_of
from console.replies import submission_of
from models.base import AnyRow
from models.bulk_changes import BulkChange, changed_tickets, queues_of, tickets_to_change
from models.queue import Masters, found_rows, queue_masters, queue_rows
from rules.bulk import BulkAct, Wish, check_reach, foresee
from rules.placeholders import pieces
from rules.refusal import Refused
from rules.rights import Area, Right, may_change
from rules.search import terms_of
from rules.tickets import State
from web.access import staff
from web.call import Call
from web.endpoint import Page, get, post
from web.errors import Forbidden
from web.forms import number_of
from wording import labels
from wording.catalog import N_, translate
from wording.refusals import say

PATH = f"{QUEUE}/bulk"
_TEMPLATE, _RESULT = "console/tickets/bulk.html", "console/tickets/bulk_result.html"
STATES = (State.OPEN, State.WAITING_CUSTOMER, State.WAITING_VENDOR, State.RESOLVED, State.CLOSED)
"""Those that a ticket is moved to by hand: the center's needs a question."""
NEXT_STATES = (State.WAITING_CUSTOMER, State.OPEN, State.WAITING_VENDOR, State.RESOLVED)
_ACT_WORDS = {
    BulkAct.ASSIGN: N_("担当を変更する"),
    BulkAct.STATE: N_("状態を変更する"),
    BulkAct.REPLY: N_("返信する"),
    BulkAct.MACRO: N_("定型アクションを実行する"),
}
_TITLES = {
    BulkAct.ASSIGN: N_("担当をまとめて変更"),
    BulkAct.STATE: N_("状態をまとめて変更"),
    BulkAct.REPLY: N_("まとめて返信"),
    BulkAct.MACRO: N_("定型アクションをまとめて実行"),
}


@dataclass(frozen=True)
class Outcome:
    """A chosen ticket and what the act would do to it."""

    row: AnyRow
    state: State
    """After the act."""
    assignee: str
    refused: str = ""
    """Why nothing would be done, a sentence."""
    further: Sequence[tuple[str, str, str]] = ()
    """(what, before, after) of what changes besides."""


@dataclass(frozen=True)
class Told:
    """Where the page's fields come from: the address, or the form that was refused."""

    value: Callable[[str], str]
    values: Callable[[str], list[str]]


def choose(call: Call) -> Response:
    """What is chosen, what can be done, and what that would do."""
    return _page(call, Told(call.query, call.queries))


def apply(call: Call) -> Response:
    """Do it; what could not be done stands on the page of the result. With `preview` only see what another choice would do."""
    if call.form.has("preview"):
        return _page(call, Told(call.form.value, call.form.values))
    if not may_change(call.staff.roles, Area.BULK):
        raise Forbidden
    told = Told(call.form.value, call.form.values)
    told.value("chosen")  # of use to the preview alone
    wish = _wish(call, told)
    if wish.act not in _acts(call):
        raise Forbidden
    chosen = {number_of(number): number_of(version) for number, _, version in (value.partition(".") for value in told.values("ticket"))}
    hand = Hand(call.staff, call.desk, call.limits, call.calendar(), call.now, submission_of(call) or secrets.token_hex(32), _queues(call))
    try:
        if wish.act is BulkAct.MACRO:
            wish = with_macro(wish, macro_in_form(call.session, wish.macro_id, told.value("macro_seen")), call)
        change = change_many(call.session, chosen, wish, hand=hand)
    except Refused as refused:
        call.take_back(refused)
        return _page(call, told, status=422)
    return call.redirect(f"{PATH}/{change.id}")


def result(call: Call) -> Response:
    """What became of each ticket, what failed first; the way back while there is one. Of anybody's change: the journal of each ticket tells the same."""
    change = call.named(BulkChange)
    language = call.basis.language
    rows = changed_tickets(call.session, change.id)
    return call.page(
        _RESULT,
        change=change,
        title=translate(_TITLES[BulkAct(change.act)], language),
        rows=[(row, _retold(row.refusal, row.facts, language), _retold(row.undone, {}, language) if row.undone != UNDONE else "") for row in rows],
        done=sum(not row.refusal for row in rows),
        left=sum(bool(row.refusal) for row in rows),
        back=sum(row.undone == UNDONE for row in rows),
        what=_what(change, language),
        answers=answers(change),
        undo_until=undo_until(change, call.limits) if may_undo(change, by=call.staff, limits=call.limits, now=call.now) else None,
        **frame(call),
    )


def undo(call: Call) -> Response:
    """Bring the tickets back."""
    change = call.named(BulkChange)
    try:
        count = undo_many(call.session, change, by=call.staff, limits=call.limits, now=call.now)
    except Refused as refused:
        call.session.rollback()
        return call.redirect(f"{PATH}/{change.id}", flash=say(refused, call.basis.language), kind="warn")
    return call.redirect(f"{PATH}/{change.id}", flash=call.say(N_("{n}件を元に戻しました。"), n=count))


def _page(call: Call, told: Told, *, status: int = 200) -> Response:
    masters = queue_masters(call.session)
    choice = read_choice(call, masters, told.value)
    wish = _wish(call, told)
    # Those that another choice would refuse stay on the page, and so do those that were left out.
    typed = told.value("chosen").split(",") if told.value("chosen") else told.values("ticket")
    ids = _all(call, choice, masters) if told.value("all") else [number_of(value.partition(".")[0]) for value in typed]
    ids = list(dict.fromkeys(ids))
    rows = tickets_to_change(call.session, ids[: call.limits.bulk_tickets])
    plan = plan_for(call, rows, wish.macro_id) if wish.act is BulkAct.MACRO else Plan()
    wish = with_macro(wish, plan.macro, call) if wish.act is BulkAct.MACRO else wish
    outcomes = _outcomes(call, rows, wish, masters, plan)
    sample = next((outcome.row for outcome in outcomes if not outcome.refused), None)
    language = call.basis.language
    ready = sum(not outcome.refused for outcome in outcomes)
    return call.page(
        _TEMPLATE,
        block="bulk",
        status=status,
        title=translate(_TITLES[wish.act], language),
        wish=wish,
        acts=[(act.value, translate(_ACT_WORDS[act], language)) for act in _acts(call)],
        outcomes=outcomes,
        plan=plan,
        answers=wish.act is BulkAct.REPLY or plan.answers,
        sample=(sample.id, list(pieces(filled_for(call, sample, plan).text))) if plan.macro and plan.macro.body and sample else None,
        ready=ready,
        cut=len(ids) > call.limits.bulk_tickets,
        button=_button(wish, masters, plan, language),
        kept=choice.kept,
        back=choice.url(),
        people=_people(call, masters),
        names=masters.staff,
        states=[(state.value, labels.state(state, language)) for state in STATES],
        next_states=[(state.value, labels.state(state, language)) for state in NEXT_STATES],
        submission=call.form.value("submission") or secrets.token_urlsafe(16),
        may_apply=may_change(call.staff.roles, Area.BULK),
        **({} if call.basis.is_htmx else frame(call, calendar=masters.calendar)),
    )


def _wish(call: Call, told: Told) -> Wish:
    """What is asked for; what nobody could choose counts as the usual."""
    act = told.value("act")
    typed = told.value("staff_id") or (str(call.staff.id) if call.staff.may("tickets", "w") else "none")
    state, following = told.value("to"), told.value("next_state")
    return Wish(
        BulkAct(act) if act in [*BulkAct] else _acts(call)[0],
        staff_id=None if typed == "none" else number_of(typed),
        state=State(state) if state in STATES else STATES[0],
        body=told.value("body"),
        next_state=State(following) if following in NEXT_STATES else NEXT_STATES[0],
        macro_id=number_of(told.value("macro")),
    )


def _acts(call: Call) -> list[BulkAct]:
    """Who may not answer one ticket may not answer many."""
    return [*BulkAct] if call.staff.may("tickets", "w") else [BulkAct.ASSIGN, BulkAct.STATE]


def _queues(call: Call) -> frozenset[int] | None:
    """The families whose tickets may be changed in bulk, None: all."""
    return None if call.staff.may("bulk", "w") else queues_of(call.session, call.staff.id or 0)


def _all(call: Call, choice: Choice, masters: Masters) -> list[int]:
    """The numbers of the list's first tickets, one more than may be changed at a time."""
    wanted, limit = wanted_of(choice, call, masters, masters.calendar), call.limits.bulk_tickets + 1
    if choice.q:
        return [row.id for row in found_rows(call.session, wanted, terms_of(choice.q), limit=limit)]
    return [row.id for row in queue_rows(call.session, wanted, choice.order, limit=limit)]


def _outcomes(call: Call, rows: Sequence[AnyRow], wish: Wish, masters: Masters, plan: Plan) -> list[Outcome]:
    queues = _queues(call)
    return [_outcome(call, row, wish, masters, plan, queues) for row in rows]


def _outcome(call: Call, row: AnyRow, wish: Wish, masters: Masters, plan: Plan, queues: frozenset[int] | None) -> Outcome:
    now_there = masters.staff.get(row.assignee_id, "")
    try:
        check_reach(row.family_id, row.assignee_id, by=call.staff.id, queues=queues)
        state = state_after(call, row, wish, plan) if wish.act is BulkAct.MACRO else foresee(wish, State(row.state))
    except Refused as refused:
        return Outcome(row, State(row.state), now_there, say(refused, call.basis.language))
    if wish.act is BulkAct.MACRO:
        return Outcome(row, state, masters.staff.get(assignee_after(call, row, plan) or 0, ""), further=further(call, row, plan))
    if wish.act is BulkAct.ASSIGN:
        return Outcome(row, state, masters.staff.get(wish.staff_id or 0, ""))
    return Outcome(row, state, now_there or (call.staff.name if wish.act is BulkAct.REPLY else ""))


def _people(call: Call, masters: Masters) -> list[tuple[str, str]]:
    me = [(str(call.staff.id), call.say(N_("自分（{name}）"), name=call.staff.name))] if call.staff.id in masters.holders else []
    others = [(str(number), name) for number, name in masters.holders.items() if number != call.staff.id]
    return [*me, ("none", call.say(N_("未割り当て"))), *others]


def _button(wish: Wish, masters: Masters, plan: Plan, language: str) -> str:
    """The words of the button, with {n} for the number of tickets."""
    if wish.act is BulkAct.MACRO:
        words = N_("{n}件で「{word}」を実行し、お客様へ返信する") if plan.answers else N_("{n}件で「{word}」を実行する")
        return translate(words, language).replace("{word}", plan.macro.name if plan.macro else "–")
    if wish.act is BulkAct.REPLY:
        return translate(N_("{n}件に返信する"), language)
    if wish.act is BulkAct.STATE:
        return translate(N_("{n}件を「{word}」にする"), language).replace("{word}", labels.state(wish.state or STATES[0], language))
    if wish.staff_id is None:
        return translate(N_("{n}件の担当を外す"), language)
    return translate(N_("{n}件の担当を「{word}」にする"), language).replace("{word}", masters.staff.get(wish.staff_id, "–"))


def _what(change: BulkChange, language: str) -> str:
    """What was chosen: the state's word, the assignee's name or the macro's."""
    if change.act == BulkAct.MACRO:
        return change.facts.get("macro", "")
    state = change.facts.get("state")
    if change.act == BulkAct.ASSIGN:
        return translate(N_("担当："), language) + (change.facts.get("assignee") or translate(N_("未割り当て"), language))
    return labels.state(state, language) if state else ""


def _retold(code: str, facts: dict[str, Any], language: str) -> str:
    """The sentence of a refusal that was kept, "" for none."""
    told = {name: State(value) if name in ("frm", "to") else value for name, value in facts.items()}
    return say(Refused(code, None, **told), language) if code else ""


_LOOK = staff(Area.BULK, Right.OWN)
PAGES: list[Page] = [
    get(PATH, choose, _LOOK),
    post(PATH, apply, _LOOK),
    get(f"{PATH}/{{id:int}}", result, _LOOK),
    post(f"{PATH}/{{id:int}}/undo", undo, _LOOK),
]
