"""What came back to the demo's sender: a copy that reached nobody, an answer written by mail, and one that names no letter."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from actions.returned_mail import take
from mail.desk import Desk
from mail.returned import Fate, Returned
from models.base import NEVER
from models.outbox import Letter, LetterState, Recipient, RecipientState
from models.people import Account
from rules.limits import Limits

_LIMITS = Limits()
_UNKNOWN_USER = "550 5.1.1 <{address}>: Recipient address rejected: User unknown"
_REPORT = "This is the mail system at host mx.mihon-shoji.example.\n\nYour message could not be delivered to one or more recipients.\n\n{words}\n"
_ANSWER = "{name}です。\n\n添付の手順で復旧しました。ありがとうございました。\nこのままクローズで問題ありません。\n"


def add_returned(session: Session, *, desk: Desk, now: datetime) -> None:
    """A report about a letter's copy, the answer of a customer to another letter, and a mail that staff must place."""
    copy = session.execute(
        select(Letter.id, Letter.header_id, Letter.created_at, Recipient.address)
        .join(Recipient, Recipient.letter_id == Letter.id)
        .where(Recipient.place == "cc")
        .order_by(Letter.id)
        .limit(1)
    ).one()
    _hand_over(session, copy.id, copy.created_at)
    words = _UNKNOWN_USER.format(address=copy.address)
    report = Returned(
        (copy.header_id,),
        "mailer-daemon@mx.mihon-shoji.example",
        "Undelivered Mail Returned to Sender",
        _REPORT.format(words=words),
        automatic=True,
        report=True,
        fates=(Fate((copy.address,), failed=True, words=words),),
    )
    take(session, "demo:1", report, desk=desk, limits=_LIMITS, now=copy.created_at + timedelta(minutes=1))
    answered = session.execute(
        select(Letter.id, Letter.header_id, Letter.created_at, Letter.subject, Account.email, Account.person_name)
        .join(Account, Account.id == Letter.account_id)
        .where(Letter.kind == "answered")
        .order_by(Letter.id)
        .limit(1)
    ).one()
    _hand_over(session, answered.id, answered.created_at)
    body = _ANSWER.format(name=answered.person_name)
    reply = Returned((answered.header_id,), answered.email, f"Re: {answered.subject}", body, automatic=False, report=False)
    stray = Returned(
        (), "tanabe@aozora-gakuen.example", "シリアル番号の件", "先日お電話した件です。シリアル番号は CV0219AF0087 でした。", automatic=False, report=False
    )
    take(session, "demo:2", stray, desk=desk, limits=_LIMITS, now=now - timedelta(minutes=50))
    take(session, "demo:3", reply, desk=desk, limits=_LIMITS, now=now - timedelta(minutes=20))


def _hand_over(session: Session, letter_id: int, at: datetime) -> None:
    """The mail server took the letter for all its recipients."""
    values = {"state": RecipientState.ACCEPTED, "answer": "250 2.0.0 Ok", "updated_at": at}
    session.execute(update(Recipient).where(Recipient.letter_id == letter_id).values(**values))
    session.execute(update(Letter).where(Letter.id == letter_id).values(state=LetterState.DONE, sent_at=at, try_at=NEVER, fence=1))
