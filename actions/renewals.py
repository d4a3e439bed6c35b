"""更新: finding the line that a new one carries on, and keeping what a person confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Integer, String, and_, insert, literal, select, update
from sqlalchemy.orm import Session

from models.base import Moment
from models.contracts import Certificate, ContractLine, Party
from models.database import among
from models.imports import ImportRow
from models.renewals import Renewal
from models.staging import ImportCertificate, ready
from rules.lines import EMAIL_FIELDS, FIELDS, Values
from rules.renewals import Entering, Standing, propose

_CONTRACT, _PRODUCT, _SERIAL, _STARTS = (FIELDS.index(name) for name in ("contract", "product_number", "serial", "starts_on"))
_EMAILS = tuple(FIELDS.index(name) for name in EMAIL_FIELDS)
_QUIET = {"synchronize_session": False}


class SerialHolder(NamedTuple):
    """A line in the database with a serial that a workbook brings."""

    line_id: int
    contract: str
    product_number: str
    serial: str
    starts_on: date
    ends_on: date


def serial_holders(session: Session, serials: Sequence[str]) -> list[SerialHolder]:
    """The lines with one of `serials`, by line."""
    if not serials:
        return []
    line = ContractLine
    columns = (line.id, Certificate.contract_key, line.product_number, line.serial, line.starts_on, line.ends_on)
    statement = select(*columns).join(Certificate, Certificate.id == line.certificate_id).where(among(session, line.serial.expression, serials))
    return [SerialHolder(*row) for row in session.execute(statement.order_by(line.id))]


def propose_renewals(session: Session, values: Sequence[Values], new: Sequence[int], holders: Sequence[SerialHolder]) -> dict[int, Standing]:
    """By index of a new row (`new`), the line that it seems to carry on; `holders` are the lines with its serials."""
    standing = [Standing(each.line_id, each.contract, each.product_number, each.serial, each.ends_on, frozenset()) for each in holders]
    known = {line.serial for line in standing}
    entering = [_entering(index, values[index]) for index in new if not values[index][_SERIAL] or values[index][_SERIAL] in known]
    standing += _without_serial(session, [line for line in entering if not line.serial])
    return propose(entering, standing) if standing else {}


def link(session: Session, batch_id: int, *, by: str, now: datetime) -> None:
    """Keep the renewals that were confirmed among what a plan writes: its new lines are in the database by now."""
    same = and_(ImportCertificate.batch_id == ImportRow.batch_id, ImportCertificate.contract_key == ImportRow.contract_key)
    confirmed = and_(ImportRow.batch_id == batch_id, ImportRow.status == "new", ImportRow.confirmed.is_(True), ImportRow.renews_id.is_not(None))
    old = ContractLine.__table__.alias("old")
    line = and_(
        ContractLine.batch_id == batch_id,
        ContractLine.sheet == ImportRow.sheet,
        ContractLine.row == ImportRow.row,
    )
    chosen = (
        select(ContractLine.id, ImportRow.renews_id, literal(batch_id, Integer), literal(by, String), literal(now, Moment))
        .select_from(ImportRow)
        .join(ImportCertificate, same)
        .join(ContractLine, line)
        .join(old, old.c.id == ImportRow.renews_id)
        .where(confirmed, ready(batch_id))
        .order_by(ContractLine.id)
    )
    session.execute(insert(Renewal).from_select(["line_id", "renews_id", "batch_id", "confirmed_by", "confirmed_at"], chosen, include_defaults=False))


def drop_links(session: Session, batch_id: int) -> None:
    """Part the renewals of lines that are gone; `batch_id` is the batch that took them out."""
    there = select(ContractLine.id)
    gone = Renewal.line_id.not_in(there) | Renewal.renews_id.not_in(there)
    session.execute(update(Renewal).where(Renewal.dropped_by.is_(None), gone).values(dropped_by=batch_id), execution_options=_QUIET)


def restore_links(session: Session, batch_id: int) -> None:
    """Link again what `batch_id` had parted, where both lines are back."""
    there = select(ContractLine.id)
    back = and_(Renewal.dropped_by == batch_id, Renewal.line_id.in_(there), Renewal.renews_id.in_(there))
    session.execute(update(Renewal).where(back).values(dropped_by=None), execution_options=_QUIET)


def _entering(index: int, values: Values) -> Entering:
    parties = frozenset(values[at].lower() for at in _EMAILS if values[at])
    return Entering(index, values[_CONTRACT], values[_PRODUCT], values[_SERIAL], date.fromisoformat(values[_STARTS]), parties)


def _without_serial(session: Session, entering: Sequence[Entering]) -> list[Standing]:
    """The lines without a serial that end the day before one of `entering` starts, of the same products, with their parties."""
    if not entering:
        return []
    eves = {date.fromordinal(line.starts_on.toordinal() - 1) for line in entering}
    products = sorted({line.product_number for line in entering})
    line = ContractLine
    statement = (
        select(line.id, Certificate.contract_key, line.product_number, line.ends_on, Party.email_key)
        .join(Certificate, Certificate.id == line.certificate_id)
        .join(Party, Party.certificate_id == line.certificate_id)
        .where(line.serial == "", line.ends_on.in_(sorted(eves)), among(session, line.product_number.expression, products), Party.email_key != "")
        .order_by(line.id)
    )
    told: dict[int, tuple[str, str, date, set[str]]] = {}
    for line_id, key, product, ends_on, email in session.execute(statement):
        told.setdefault(line_id, (key, product, ends_on, set()))[3].add(email)
    return [Standing(line_id, key, product, "", ends_on, frozenset(emails)) for line_id, (key, product, ends_on, emails) in told.items()]
