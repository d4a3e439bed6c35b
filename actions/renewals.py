"""更新: finding the line that a new one carries on, and keeping what a person confirmed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Integer, String, and_, insert, literal, select, update
from sqlalchemy.orm import Session, aliased

from models.base import Moment
from models.contracts import Certificate, ContractLine, Party
from models.database import among
from models.imports import ImportRow
from models.renewals import Renewal
from rules.lines import EMAIL_FIELDS, FIELDS, Values
from rules.renewals import Entering, Standing, propose

_CONTRACT, _PRODUCT, _SERIAL, _STARTS, _ENDS = (FIELDS.index(name) for name in ("contract", "product_number", "serial", "starts_on", "ends_on"))
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
    """By index of a new row (`new`), the line that it seems to carry on, or the other new row; `holders` are the lines with its serials."""
    standing = [Standing(each.line_id, each.contract, each.product_number, each.serial, each.ends_on, frozenset()) for each in holders]
    standing += _among_new(values, new)
    known = {line.serial for line in standing}
    known.add("")
    entering = [_entering(index, values[index]) for index in new if values[index][_SERIAL] in known]
    standing += _without_serial(session, [line for line in entering if not line.serial])
    return propose(entering, standing) if standing else {}


def link(session: Session, batch_id: int, *, by: str, now: datetime) -> None:
    """Keep the renewals that were confirmed among what a plan writes: its new lines are in the database by now."""
    confirmed = and_(ImportRow.batch_id == batch_id, ImportRow.status == "new", ImportRow.confirmed.is_(True))
    old, old_row, home, old_home = aliased(ContractLine), aliased(ImportRow), aliased(Certificate), aliased(Certificate)
    told = (literal(batch_id, Integer), literal(by, String), literal(now, Moment))
    # A row that is held back brought no line: neither it nor what it renews is linked.
    chosen = select(ContractLine.id, old.id, *told).select_from(ImportRow)
    chosen = chosen.join(home, home.contract_key == ImportRow.contract_key).join(ContractLine, _line_of(ImportRow, ContractLine, home))
    standing = chosen.join(old, old.id == ImportRow.renews_id).where(confirmed, ImportRow.renews_id.is_not(None))
    before = and_(old_row.batch_id == batch_id, old_row.position == ImportRow.renews_position, old_row.status == "new")
    beside = chosen.join(old_row, before).join(old_home, old_home.contract_key == old_row.contract_key).join(old, _line_of(old_row, old, old_home))
    beside = beside.where(confirmed, ImportRow.renews_position.is_not(None))
    for renewed in (standing, beside):
        columns = ["line_id", "renews_id", "batch_id", "confirmed_by", "confirmed_at"]
        session.execute(insert(Renewal).from_select(columns, renewed.order_by(ImportRow.position), include_defaults=False))


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


def _line_of(row: type[ImportRow], line: type[ContractLine], home: type[Certificate]) -> ColumnElement[bool]:
    """The line that applying the plan made of a new row, found by way of its certificate: the lines of a batch are too many to walk for each."""
    # The sum keeps a planner from the index of the batches.
    return and_(line.certificate_id == home.id, line.batch_id + 0 == row.batch_id, line.sheet == row.sheet, line.row == row.row)


def _among_new(values: Sequence[Values], new: Sequence[int]) -> list[Standing]:
    """The new rows that another new one may carry on: of a serial that comes more than once, or without one of a product that starts the day after."""
    serials = [values[index][_SERIAL] for index in new]
    if "" not in serials and len(set(serials)) == len(serials):
        return []
    counted = Counter(filter(None, serials))
    eves = {(values[index][_PRODUCT], _eve(values[index][_STARTS])) for index in new if not values[index][_SERIAL]}
    chosen = [index for index in new if counted[values[index][_SERIAL]] > 1 or (values[index][_PRODUCT], values[index][_ENDS]) in eves]
    return [_standing(index, values[index]) for index in chosen]


def _eve(day: str) -> str:
    return date.fromordinal(date.fromisoformat(day).toordinal() - 1).isoformat() if day != date.min.isoformat() else ""


def _standing(index: int, values: Values) -> Standing:
    starts, ends = date.fromisoformat(values[_STARTS]), date.fromisoformat(values[_ENDS])
    return Standing(0, values[_CONTRACT], values[_PRODUCT], values[_SERIAL], ends, _parties(values), index=index, starts_on=starts)


def _parties(values: Values) -> frozenset[str]:
    return frozenset(values[at].lower() for at in _EMAILS if values[at])


def _entering(index: int, values: Values) -> Entering:
    return Entering(index, values[_CONTRACT], values[_PRODUCT], values[_SERIAL], date.fromisoformat(values[_STARTS]), _parties(values))


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
