"""サービス種類 whose words do not say their hours: what an administrator says they mean."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import String, func, select
from sqlalchemy.orm import Mapped, Session

from models.base import AnyRow, Base, mapped_column
from models.contracts import ContractLine

MOST_SERVICES = 500
"""So many of them are listed; houses print some dozens."""


class ServiceType(Base):
    """That a service type, as certificates print it, is read as other words (`rules.coverage.read_coverage`)."""

    __tablename__ = "service_type"
    id: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(String(200), unique=True)
    reads_as: Mapped[str] = mapped_column(String(200))


def service_rows(session: Session) -> Sequence[AnyRow]:
    """service, n (lines that name it), id and reads_as (None where its own words are read): the most frequent first."""
    counted = select(ContractLine.service, func.count().label("n")).where(ContractLine.service != "").group_by(ContractLine.service).subquery()
    statement = select(counted.c.service, counted.c.n, ServiceType.id, ServiceType.reads_as).outerjoin(ServiceType, ServiceType.service == counted.c.service)
    return session.execute(statement.order_by(counted.c.n.desc(), counted.c.service).limit(MOST_SERVICES)).all()
