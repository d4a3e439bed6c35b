"""What a plan would write, certificate by certificate, so that applying it is a handful of set-based statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, Text, UniqueConstraint, and_, false, func, or_, select, text
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column
from models.contracts import Certificate
from models.imports import ImportRow

PROBLEM = text("(status = 'error' OR kind IN ('warning', 'conflict'))")
"""Rows with errors, with warnings (ticked or not) or with a conflict; spelled as the indexes below are."""
TOLD = text("(status IN ('changed', 'error') OR kind <> '')")
"""Those, renewals, and lines that change: with the new ones all that a person should look at."""

# Both are partial. Their conditions stand in the migration alone: here they would load the dialects of both databases into every process.
Index("ix_import_row_problem", ImportRow.batch_id, ImportRow.position)
Index("ix_import_row_told", ImportRow.batch_id, ImportRow.position)


class ImportCertificate(Base):
    """One certificate of a plan that is written or held back; those without any change have no row.

    The lines that go with it are the `ImportRow`s of its key. `certificate_id` and `seen_at` (its `updated_at`) say what the plan
    was compared with: another value at applying means that somebody was quicker.
    """

    __tablename__ = "import_certificate"
    __table_args__ = (UniqueConstraint("batch_id", "contract_key"), Index("ix_import_certificate_ready", "batch_id", "held_by"))
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    contract_key: Mapped[str] = mapped_column(String(80))
    certificate_id: Mapped[int | None]
    seen_at: Mapped[datetime | None]
    new_lines: Mapped[int]
    changed_lines: Mapped[int]
    unchanged_lines: Mapped[int]
    error_lines: Mapped[int]
    withdrawn_lines: Mapped[int] = mapped_column(default=0, server_default="0")
    """Lines that the workbook does not name and that a person chose to withdraw."""
    moves_domain: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a party's e-mail gets another registrable domain."""
    held_by: Mapped[int] = mapped_column(default=0)
    """The first row that holds it back (0: none)."""
    issued_on: Mapped[date | None]
    """Of this and the parties: the workbook's values; None and "" where nothing can be written."""
    agent_name: Mapped[str] = mapped_column(String(200))
    agent_email: Mapped[str] = mapped_column(String(254))
    operator_name: Mapped[str] = mapped_column(String(200))
    operator_email: Mapped[str] = mapped_column(String(254))
    end_user_name: Mapped[str] = mapped_column(String(200))
    end_user_email: Mapped[str] = mapped_column(String(254))
    facts: Mapped[dict[str, Any]]
    """For the journal: how many lines are new, and each change as [before, after]."""


class ImportConflict(Base):
    """A value that was corrected by hand since the last import and that the workbook would set otherwise: ours stays unless a person chooses theirs.

    `field` is one of `rules.lines.CERTIFICATE_FIELDS` (`line_id` 0) or of the line's own fields; `position` is the row in which it is asked.
    """

    __tablename__ = "import_conflict"
    __table_args__ = (UniqueConstraint("batch_id", "contract_key", "line_id", "field"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    contract_key: Mapped[str] = mapped_column(String(80))
    line_id: Mapped[int]
    field: Mapped[str] = mapped_column(String(20))
    position: Mapped[int]
    ours: Mapped[str] = mapped_column(Text)
    theirs: Mapped[str] = mapped_column(Text)
    set_at: Mapped[datetime]
    set_by: Mapped[str] = mapped_column(String(100))
    take_theirs: Mapped[bool] = mapped_column(default=False)


def ready(batch_id: int) -> ColumnElement[bool]:
    """The certificates of a plan that applying it writes."""
    lines = ImportCertificate.new_lines + ImportCertificate.changed_lines + ImportCertificate.withdrawn_lines
    return and_(ImportCertificate.batch_id == batch_id, ImportCertificate.held_by == 0, lines > 0)


def ready_counts(session: Session, batch_id: int) -> AnyRow:
    """What applying would write: certificates, new, changed, withdrawn; and how many certificates of moved domains."""
    statement = select(
        func.count().label("certificates"),
        func.coalesce(func.sum(ImportCertificate.new_lines), 0).label("new"),
        func.coalesce(func.sum(ImportCertificate.changed_lines), 0).label("changed"),
        func.coalesce(func.sum(ImportCertificate.withdrawn_lines), 0).label("withdrawn"),
        func.count().filter(ImportCertificate.moves_domain).label("domains"),
    )
    return session.execute(statement.where(ready(batch_id))).one()


def held_counts(session: Session, batch_id: int) -> AnyRow:
    """What waits: certificates, rows of them (all in the workbook)."""
    lines = ImportCertificate.new_lines + ImportCertificate.changed_lines + ImportCertificate.unchanged_lines + ImportCertificate.error_lines
    statement = select(func.count().label("certificates"), func.coalesce(func.sum(lines), 0).label("rows"))
    return session.execute(statement.where(ImportCertificate.batch_id == batch_id, ImportCertificate.held_by != 0)).one()


def outdated(session: Session, batch_id: int) -> Sequence[str]:
    """The keys of certificates that were changed, made or removed since the plan looked at them."""
    moved = or_(Certificate.id.is_distinct_from(ImportCertificate.certificate_id), Certificate.updated_at.is_distinct_from(ImportCertificate.seen_at))
    statement = (
        select(ImportCertificate.contract_key)
        .outerjoin(Certificate, Certificate.contract_key == ImportCertificate.contract_key)
        .where(ready(batch_id), moved)
        .order_by(ImportCertificate.id)
    )
    return session.scalars(statement).all()
