"""保守登録メール変更: its states, who may move it where, and what each account can be given (DOMAIN, "Maintenance e-mail change")."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from rules.addresses import Address, registrable, shared_entry


class ChangeState(StrEnum):
    RECEIVED = "received"
    CHECKED = "checked"
    """The request is genuine: whoever asked was called back or wrote from a known address."""
    REVIEWED = "reviewed"
    """The impact was looked at and a choice made for each account."""
    APPROVED = "approved"
    APPLIED = "applied"
    """Done, and somebody must still be told by another way than mail."""
    NOTIFIED = "notified"
    RETURNED = "returned"
    """Back to whoever asked: something is missing."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REVERSED = "reversed"


class Decision(StrEnum):
    CHECK = "check"
    REVIEW = "review"
    APPROVE = "approve"
    APPLY = "apply"
    NOTIFY = "notify"
    RETURN = "return"
    RESUME = "resume"
    DECLINE = "decline"
    WITHDRAW = "withdraw"
    REVERSE = "reverse"


class Choice(StrEnum):
    """What becomes of an account that hangs on the old address."""

    MOVE = "move"
    ASK = "ask"
    SUSPEND = "suspend"


class Received(StrEnum):
    """How the request came."""

    PORTAL = "portal"
    MAIL = "mail"
    PHONE = "phone"


OPEN = frozenset({ChangeState.RECEIVED, ChangeState.CHECKED, ChangeState.REVIEWED, ChangeState.APPROVED, ChangeState.RETURNED})
"""What still waits for somebody."""
DONE = frozenset({ChangeState.APPLIED, ChangeState.NOTIFIED})
"""What can be reversed."""
TARGETS = {
    Decision.CHECK: ChangeState.CHECKED,
    Decision.REVIEW: ChangeState.REVIEWED,
    Decision.APPROVE: ChangeState.APPROVED,
    Decision.APPLY: ChangeState.APPLIED,
    Decision.NOTIFY: ChangeState.NOTIFIED,
    Decision.RETURN: ChangeState.RETURNED,
    Decision.RESUME: ChangeState.RECEIVED,
    Decision.DECLINE: ChangeState.DECLINED,
    Decision.WITHDRAW: ChangeState.WITHDRAWN,
    Decision.REVERSE: ChangeState.REVERSED,
}
_ENDS = (Decision.RETURN, Decision.DECLINE, Decision.WITHDRAW)
_ANSWERED = frozenset({Decision.RETURN, Decision.DECLINE})


def decisions(state: ChangeState, *, second_due: bool) -> tuple[Decision, ...]:
    """What staff may decide now, the usual one first. Where no second person is due, one press reviews, approves and applies."""
    if state is ChangeState.RECEIVED:
        return (Decision.CHECK, *_ENDS)
    if state is ChangeState.CHECKED:
        return (Decision.REVIEW, *_ENDS) if second_due else (Decision.APPLY, *_ENDS)
    if state is ChangeState.REVIEWED:
        return (Decision.APPLY, Decision.APPROVE, *_ENDS)
    if state is ChangeState.APPROVED:
        return (Decision.APPLY, *_ENDS)
    if state is ChangeState.RETURNED:
        return (Decision.RESUME, Decision.DECLINE, Decision.WITHDRAW)
    return (Decision.NOTIFY,) if state is ChangeState.APPLIED else ()


def wants_text(decision: Decision) -> bool:
    """Whether whoever asked must be told something in words."""
    return decision in _ANSWERED


def second_due(old: Address, new: Address, shared: Collection[str]) -> bool:
    """Whether a second person must approve: the registrable domain changes, or one of two different addresses stands on a shared domain."""
    if shared_entry(old.host, shared) or shared_entry(new.host, shared):
        return old.key != new.key
    return registrable(old.host) != registrable(new.host)


def suggested(*, passes: bool) -> Choice:
    """The choice that a page begins with: move along whoever passes with the new address, ask the others."""
    return Choice.MOVE if passes else Choice.ASK
