"""The patterns by which logs are read: a master."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column, words
from models.masters import ProductFamily
from rules.logs import Fact, Pattern


class LogPattern(Base):
    """One pattern, for a product or (without one) for all."""

    __tablename__ = "log_pattern"
    id: Mapped[int] = mapped_column(primary_key=True)
    family_id: Mapped[int | None] = mapped_column(ForeignKey("product_family.id"), index=True)
    fact: Mapped[Fact] = mapped_column(words(Fact, 12))
    pattern: Mapped[str] = mapped_column(String(120))


def log_patterns(session: Session) -> list[Pattern]:
    """All of them, in the order in which they were added."""
    rows = session.execute(select(LogPattern.family_id, LogPattern.fact, LogPattern.pattern).order_by(LogPattern.id))
    return [Pattern(row.family_id, row.fact, row.pattern) for row in rows]


def pattern_rows(session: Session) -> Sequence[AnyRow]:
    """id, fact, pattern, family (its name, None for all), by product."""
    statement = select(LogPattern.id, LogPattern.fact, LogPattern.pattern, ProductFamily.name.label("family"))
    joined = statement.outerjoin(ProductFamily, ProductFamily.id == LogPattern.family_id)
    return session.execute(joined.order_by(ProductFamily.position.is_not(None), ProductFamily.position, LogPattern.fact, LogPattern.id)).all()
