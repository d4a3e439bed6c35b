"""更新: which line carries on which, as a person confirmed it with an import (REQUIREMENTS, N12)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ForeignKey, Index, String, literal, select, union
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, aliased

from models import load
from models.base import AnyRow, AnySelect, Base, mapped_column
from models.contracts import Certificate, ContractLine, Party
from models.database import among_ids

load("imports")

MOST_LINKS = 20
"""Of a chain, either way."""


class Renewal(Base):
    """That `line_id` carries on `renews_id`. Where one of the two was taken out, `dropped_by` names the batch that did; undoing it links them again."""

    __tablename__ = "renewal"
    __table_args__ = (
        Index("ix_renewal_line", "line_id"),
        Index("ix_renewal_renews", "renews_id"),
        Index("ix_renewal_batch", "batch_id"),
        Index("ix_renewal_dropped", "dropped_by"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    line_id: Mapped[int]
    renews_id: Mapped[int]
    batch_id: Mapped[int] = mapped_column(ForeignKey("import_batch.id"))
    confirmed_by: Mapped[str] = mapped_column(String(100))
    confirmed_at: Mapped[datetime]
    dropped_by: Mapped[int | None]


def renewals_of(session: Session, certificate_id: int) -> tuple[Sequence[AnyRow], Sequence[AnyRow]]:
    """What the lines of a certificate carry on, and what carries them on.

    Each row: line_id (the certificate's own), other_id, other_certificate_id, other_key, product_number, serial, starts_on, ends_on of the other line.
    """
    before = _neighbours(Renewal.line_id, Renewal.renews_id, certificate_id)
    after = _neighbours(Renewal.renews_id, Renewal.line_id, certificate_id)
    return session.execute(before).all(), session.execute(after).all()


def links_in_sight(session: Session, line_ids: Collection[int], email_key: str) -> dict[int, Mapping[str, tuple[str, ...]]]:
    """Line → ``{"before": keys, "after": keys}`` of the certificates it carries on and that carry it on, on which `email_key` is a party too.

    In one statement; a certificate on which a customer does not stand is none of theirs to know.
    """
    if not line_ids:
        return {}
    walks = [_seen(way, own, other, among_ids(session, own.expression, line_ids), email_key) for way, own, other in _WAYS]
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for line_id, way, key in session.execute(union(*walks).order_by("line_id", "way", "contract_key")):
        told = found.setdefault(line_id, {})
        told[way] = (*told.get(way, ()), key)
    return dict(found)


_WAYS = (("before", Renewal.line_id, Renewal.renews_id), ("after", Renewal.renews_id, Renewal.line_id))


def _seen(way: str, own: InstrumentedAttribute[int], other: InstrumentedAttribute[int], chosen: ColumnElement[bool], email_key: str) -> AnySelect:
    stands = select(Party.id).where(Party.certificate_id == Certificate.id, Party.email_key == email_key)
    return (
        select(own.label("line_id"), literal(way, String).label("way"), Certificate.contract_key)
        .join(ContractLine, ContractLine.id == other)
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(chosen, Renewal.dropped_by.is_(None), stands.exists())
    )


def chain(session: Session, line_id: int) -> Sequence[AnyRow]:
    """The line with what it carries on and what carries it on, the oldest first: id, certificate_id, contract_key, serial, starts_on, ends_on.

    At most `MOST_LINKS` each way, in two statements and one for the lines.
    """
    back = _walk("back", line_id, Renewal.line_id, Renewal.renews_id)
    onward = _walk("onward", line_id, Renewal.renews_id, Renewal.line_id)
    statement = (
        select(
            ContractLine.id,
            ContractLine.certificate_id,
            Certificate.contract_key,
            ContractLine.product_number,
            ContractLine.serial,
            ContractLine.starts_on,
            ContractLine.ends_on,
        )
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(ContractLine.id.in_(back.union(onward)))
    )
    return session.execute(statement.order_by(ContractLine.starts_on, ContractLine.id)).all()


def _neighbours(own: Mapped[int], other: Mapped[int], certificate_id: int) -> AnySelect:
    mine, line, theirs = aliased(ContractLine), aliased(ContractLine), aliased(Certificate)
    return (
        select(
            mine.id.label("line_id"),
            line.id.label("other_id"),
            theirs.id.label("other_certificate_id"),
            theirs.contract_key.label("other_key"),
            line.product_number,
            line.serial,
            line.starts_on,
            line.ends_on,
        )
        .select_from(Renewal)
        .join(mine, mine.id == own)
        .join(line, line.id == other)
        .join(theirs, theirs.id == line.certificate_id)
        .where(mine.certificate_id == certificate_id, Renewal.dropped_by.is_(None))
        .order_by(theirs.contract_key, line.starts_on, line.id)
    )


def _walk(name: str, line_id: int, source: Mapped[int], target: Mapped[int]) -> AnySelect:
    """The ids reached from `line_id`, itself among them; the depth ends a ring."""
    walked = select(literal(line_id).label("id"), literal(0).label("depth")).cte(name, recursive=True)
    step = select(target, walked.c.depth + 1).join(walked, source == walked.c.id).where(Renewal.dropped_by.is_(None), walked.c.depth < MOST_LINKS)
    walked = walked.union(step)
    return select(walked.c.id)
