"""Changes of maintenance e-mails that wait in the demo, and what its first nightly check found."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.email_changes import Request, Shown, decide_change, record_change
from actions.radar import check_accounts, keep_findings
from mail.desk import Desk
from models.actors import StaffMember
from models.people import Account
from rules.calendar import BusinessCalendar, tokyo_date
from rules.email_changes import Decision, Received
from rules.limits import Limits

_REQUESTS = (
    ("kimura", "joho@osaka.tozai-net.example", 6, True, "担当者の異動のため、保守登録メールを変更してください。（電話で受付）"),
    ("tsubame", "it@tsubame-group.example", 1, False, "グループ会社のドメインに統一します。（電話で受付）"),
    ("aozora", "ict@aozora-gakuen.example", 0, False, "部署の名前が変わりました。（電話で受付）"),
)


def add_requests(session: Session, center: StaffMember, *, desk: Desk, now: datetime) -> None:
    """Three requests that came by telephone, the oldest overdue and checked, and the findings of a first check."""
    accounts = {account.user_id: account for account in session.scalars(select(Account))}
    for user_id, new_email, days, checked, body in _REQUESTS:
        account, at = accounts[user_id], now - timedelta(days=days)
        request = Request(
            old_email=account.maintenance_email,
            new_email=new_email,
            received=Received.PHONE,
            received_on=tokyo_date(at),
            company=account.company_name,
            name=account.person_name,
            email=account.email,
            body=body,
        )
        change = record_change(session, request, files=[], by=center, calendar=BusinessCalendar(), desk=desk, limits=Limits(), now=at)
        if checked:
            decide_change(session, change, Decision.CHECK, Shown(change.version), reason="代表電話に折り返して確認", by=center, desk=desk, now=at)
    keep_findings(session, check_accounts(session, today=tokyo_date(now))[1], now=now)
