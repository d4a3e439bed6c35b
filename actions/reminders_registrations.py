"""Registrations whose confirmation link is about to end unused."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session, aliased

from actions import notices_reminders as notices
from actions import rates
from actions.reminders import note
from mail.desk import Desk
from models.admission import PendingRegistration
from models.reminders import Reminder
from rules.limits import Limits
from rules.reminders import Kind, Outcome


def remind_of_links(session: Session, *, desk: Desk, limits: Limits, now: datetime, limit: int = 200) -> Counter[Outcome]:
    """Remind applicants whose link ends within `limits.link_reminder_hours`, each once; how many reminders ended how.

    Only the newest link of an address counts. The letter is one of those the address may get in a while: where they are used up, it is dropped.
    """
    told: Counter[Outcome] = Counter()
    newer, soon = aliased(PendingRegistration), timedelta(hours=limits.link_reminder_hours)
    statement = (
        select(PendingRegistration)
        .where(PendingRegistration.expires_at > now, PendingRegistration.expires_at <= now + soon, PendingRegistration.completed_at.is_(None))
        .where(PendingRegistration.created_at <= now - soon)
        .where(~exists(select(newer.id).where(newer.email_key == PendingRegistration.email_key, newer.id > PendingRegistration.id)))
        .where(~exists(select(Reminder.id).where(Reminder.cause == Kind.REGISTRATION_ENDING + ":" + PendingRegistration.token_hash)))
    )
    window = timedelta(hours=limits.confirmation_mail_hours)
    for pending in session.scalars(statement.order_by(PendingRegistration.id).limit(limit)).all():
        cause = f"{Kind.REGISTRATION_ENDING}:{pending.token_hash}"
        outcome = Outcome.TOLD
        if rates.count_one(session, "confirmation_mail", pending.email_key, window=window, now=now) > limits.confirmation_mails:
            outcome = Outcome.DROPPED
        if note(session, Kind.REGISTRATION_ENDING, [cause], outcome, now=now):
            told[outcome] += 1
            if outcome is Outcome.TOLD:
                notices.registration_ending(session, pending, cause=cause, desk=desk, now=now)
    return told
