"""アカウントの点検: what the nightly check found, one row an account and kind, and the worklist's select."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, ForeignKey, Index, String, Text, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped, Session

from models.base import Base, mapped_column, words
from models.paging import Place, Sheet, newest_first
from models.people import Account
from rules.radar import Finding, Mark
from rules.text import fold, searchable


class AccountFinding(Base):
    """Something the center can put right before the customer meets it; the row goes when the next check finds it no more."""

    __tablename__ = "account_finding"
    __table_args__ = (UniqueConstraint("account_id", "kind"), Index("ix_account_finding_open", "mark", "kind", "id"))
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[Finding] = mapped_column(words(Finding, 20))
    why: Mapped[str] = mapped_column(String(40), default="")
    """The rule's reason (rules.registration.Why), "" for the other kinds."""
    ended_on: Mapped[date | None] = mapped_column(Date)
    """When the last line ended."""
    found_at: Mapped[datetime]
    checked_at: Mapped[datetime]
    mark: Mapped[Mark] = mapped_column(words(Mark, 10), default=Mark.OPEN)
    marked_by: Mapped[str] = mapped_column(String(100), default="")
    marked_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")


def finding_list(session: Session, *, kind: Finding | None, mark: Mark | None, text: str, place: Place, limit: int) -> Sheet:
    """The worklist, the newest findings first; every word of `text` must stand in the account."""
    statement = select(
        AccountFinding.id,
        AccountFinding.kind,
        AccountFinding.why,
        AccountFinding.ended_on,
        AccountFinding.found_at,
        AccountFinding.mark,
        AccountFinding.marked_by,
        AccountFinding.marked_at,
        AccountFinding.note,
        Account.id.label("account_id"),
        Account.company_name,
        Account.person_name,
        Account.user_id,
        Account.email,
        Account.maintenance_email,
        Account.contract_key,
        Account.state,
    ).join(Account, Account.id == AccountFinding.account_id)
    if kind is not None:
        statement = statement.where(AccountFinding.kind == kind)
    if mark is not None:
        statement = statement.where(AccountFinding.mark == mark)
    for term in text.split()[:5]:
        held = (Account.search_text.contains(searchable(term), autoescape=True), Account.maintenance_email_key.contains(fold(term).lower(), autoescape=True))
        statement = statement.where(or_(*held))
    return newest_first(session, statement, AccountFinding.id, place, limit=limit)
