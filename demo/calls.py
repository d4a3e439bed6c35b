"""Telephone calls of the demo: one with a slip in its keys, a second one about the same matter, one of a caller without an account."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.merges import merge
from actions.openings import Caller, Opening
from actions.phone_tickets import open_phone_ticket
from actions.ticket_links import link
from mail.desk import Desk
from models.actors import StaffMember
from models.masters import Category, ProductFamily
from models.people import Account
from models.tickets import Ticket
from rules.calendar import BusinessCalendar
from rules.limits import Limits

_LIMITS = Limits()
_SLIP = ("kimura", "SRX300 の電源が二重化できない", "JSC26O40123A", "CV4126AFOO93", "増設した電源ユニットを認識しません。型番は SRX300-SYS-JB です。", 95)
_AGAIN = ("kimura", "SRX300 の電源の件（再度のお電話）", "JSC26O40123A", "不明", "先ほどの電源の件で、ランプは橙の点滅でした。", 60)
_NOBODY = (None, "保守の申し込み状況の確認", "不明", "不明", "先週購入した SRX300 を使い始めています。登録が済んでいるか知りたいとのことです。", 25)


def add_calls(session: Session, by: StaffMember, *, desk: Desk, calendar: BusinessCalendar, now: datetime) -> None:
    """Three calls that 中村 took; the second is merged into the first, which is linked to the customer's newest other ticket."""
    slip, again, _ = (_take(session, by, *call, desk=desk, calendar=calendar, now=now) for call in (_SLIP, _AGAIN, _NOBODY))
    other = session.scalars(select(Ticket.id).where(Ticket.account_id == slip.account_id, Ticket.id < slip.id).order_by(Ticket.id.desc()).limit(1)).one()
    link(session, slip, other, by=by, now=now - timedelta(minutes=50))
    merge(session, again, slip, by=by, limits=_LIMITS, calendar=calendar, now=now - timedelta(minutes=45))


def _take(
    session: Session,
    by: StaffMember,
    user_id: str | None,
    subject: str,
    contract: str,
    serial: str,
    body: str,
    minutes: int,
    *,
    desk: Desk,
    calendar: BusinessCalendar,
    now: datetime,
) -> Ticket:
    opening = Opening(
        family_id=session.scalars(select(ProductFamily.id).where(ProductFamily.slug == "juniper-srx")).one(),
        category_id=session.scalars(select(Category.id).order_by(Category.position).limit(1)).one(),
        subject=subject,
        contract_text=contract,
        serial_text=serial,
        body=body,
    )
    account = session.scalars(select(Account).where(Account.user_id == user_id)).one_or_none() if user_id else None
    caller = Caller(phone="06-0000-0123") if account else Caller("北浜テクノ株式会社", "三浦", "06-0000-0456")
    at = now - timedelta(minutes=minutes)
    mark = f"demo-call-{minutes}"
    return open_phone_ticket(
        session, opening, account=account, caller=caller, take=True, submission=mark, by=by, desk=desk, limits=_LIMITS, calendar=calendar, now=at
    )
