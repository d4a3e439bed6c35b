"""サービス種類: an administrator says once what words mean that do not say their hours."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.journal import record
from models.actors import Actor
from models.contracts import ContractLine
from models.database import insert_on_conflict
from models.service_types import ServiceType
from rules.coverage import check_reading
from rules.refusal import Refused


def read_service_as(session: Session, service: str, reads_as: str, *, by: Actor, now: datetime) -> None:
    """Read the service type from now on as other words.

    Refuses at their fields: service_unknown (no line names it), and what `rules.coverage.check_reading` refuses.
    """
    if session.scalar(select(ContractLine.id).where(ContractLine.service == service).limit(1)) is None:
        raise Refused("service_unknown", "service")
    words = check_reading(reads_as)
    before = session.scalar(select(ServiceType.reads_as).where(ServiceType.service == service)) or ""
    wanted = insert_on_conflict(session, ServiceType).values(service=service, reads_as=words)
    # Two administrators at once: the later word counts, as it would a moment apart.
    number = session.execute(wanted.on_conflict_do_update(index_elements=["service"], set_={"reads_as": words}).returning(ServiceType.id)).scalar_one()
    record(session, "read_service_as", "service_type", number, by=by, now=now, subject_name=service, reads_as=[before, words])


def read_service_itself(session: Session, kept: ServiceType, *, by: Actor, now: datetime) -> None:
    """Read its own words again."""
    record(session, "read_service_itself", "service_type", kept.id, by=by, now=now, subject_name=kept.service, reads_as=[kept.reads_as, ""])
    session.delete(kept)
