"""States of exception requests and what may follow them (DOMAIN, "The staff's procedures")."""

from __future__ import annotations

from enum import StrEnum

from rules.refusal import Refused


class RequestState(StrEnum):
    """申請 → 確認中 → 承認 → 登録完了 ⤷ 情報待ち, 却下, 取下げ, 期限切れ, 失効."""

    HELD = "held"
    """Typed and refused by the domain rule alone; nobody has asked for anything yet."""
    UNPROVED = "unproved"
    """申請: the letter with the link is on its way; staff see nothing of it."""
    PENDING = "pending"
    """確認中: the address is proved, the desk decides."""
    ASKED = "asked"
    """情報待ち: the desk asked, the applicant answers."""
    COMPLETED = "completed"
    """承認, and with it 登録完了 (or the profile is changed): one transaction."""
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    VOID = "void"
    """失効: the grant was revoked later."""


class Decision(StrEnum):
    GRANT_ACCOUNT = "grant_account"
    GRANT_MAINTENANCE_EMAIL = "grant_maintenance_email"
    ASK = "ask"
    DECLINE = "decline"


OPEN = frozenset({RequestState.UNPROVED, RequestState.PENDING, RequestState.ASKED})
"""Whose applicant still waits."""
DECIDABLE = frozenset({RequestState.PENDING, RequestState.ASKED})


def check_decision(decision: Decision, reason: str, message: str) -> list[Refused]:
    """What a decision lacks: reason_empty(reason) always asks for one, message_empty(message) when the applicant must be told something."""
    faults: list[Refused] = []
    if not reason.strip():
        faults.append(Refused("reason_empty", "reason"))
    if decision in (Decision.ASK, Decision.DECLINE) and not message.strip():
        faults.append(Refused("message_empty", "message"))
    return faults
