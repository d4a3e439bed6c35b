"""The texts of mails as an administrator rewrote them; a notice without a row keeps the text it came with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, bindparam, func, select
from sqlalchemy.orm import Mapped, Session

from models import load
from models.base import AnyRow, AnySelect, Base, mapped_column
from models.kept import Kept

load("people")


class MailTemplate(Base):
    """One version of a notice's text; the newest is in force. An empty one means: the text it came with."""

    __tablename__ = "mail_template"
    __table_args__ = (Index("ix_mail_template_notice", "notice", "id"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    notice: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(1000))
    body: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    staff_name: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime]


def text_in_force(session: Session, notice: str) -> tuple[int, str, str] | None:
    """(version, subject, body) of a notice that was rewritten and not set back."""
    row = _NEWEST.one(session, {"notice": notice})
    return (row.id, row.subject, row.body) if row is not None and row.body else None


def newest_versions(session: Session) -> Mapping[str, AnyRow]:
    """By notice the newest version of each that has one: body ("": it was set back), staff_name, at."""
    newest = select(func.max(MailTemplate.id)).group_by(MailTemplate.notice)
    rows = session.execute(select(MailTemplate.notice, MailTemplate.body, MailTemplate.staff_name, MailTemplate.at).where(MailTemplate.id.in_(newest)))
    return {row.notice: row for row in rows}


_NEWEST = Kept(
    select(MailTemplate.id, MailTemplate.subject, MailTemplate.body).where(MailTemplate.notice == bindparam("notice")).order_by(MailTemplate.id.desc()).limit(1)
)


def versions_of(session: Session, notice: str, *, limit: int = 50) -> Sequence[AnyRow]:
    """The versions of a notice's text, the newest first: id, number (the first is 1), subject, body, staff_name, at."""
    statement = _VERSIONS.where(MailTemplate.notice == notice).order_by(MailTemplate.id.desc()).limit(limit)
    return session.execute(statement).all()


def version_of(session: Session, notice: str, version: int) -> AnyRow | None:
    """One version of a notice's text, with the columns of `versions_of`."""
    versions = _VERSIONS.where(MailTemplate.notice == notice).subquery()
    return session.execute(select(versions).where(versions.c.id == version)).one_or_none()


_VERSIONS: AnySelect = select(
    MailTemplate.id,
    func.row_number().over(order_by=MailTemplate.id).label("number"),
    MailTemplate.subject,
    MailTemplate.body,
    MailTemplate.staff_name,
    MailTemplate.at,
)
