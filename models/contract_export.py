"""The lines of contracts as they leave in a file: some certificates at a time, so that 100,000 lines are never held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, String, cast, select
from sqlalchemy.orm import Session

from models.contract_lists import ContractFilter
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import transaction
from models.masters import ProductFamily
from rules.lines import Values

CERTIFICATES_AT_ONCE = 500


def exported_lines(engine: Engine, wanted: ContractFilter) -> Iterator[Values]:
    """The lines of the certificates that `wanted` finds, in the order of `rules.lines.FIELDS`, the oldest certificate first.

    Each portion is a short transaction of its own: a slow reader of the file holds nothing. A certificate is whole, as it was at its moment.
    """
    after = 0
    while True:
        with transaction(engine, readonly=True) as session:
            certificates = _certificates(session, wanted, after)
            lines = list(_lines(session, certificates)) if certificates else []
        yield from lines
        if len(certificates) < CERTIFICATES_AT_ONCE:
            return
        after = certificates[-1][0]


def _certificates(session: Session, wanted: ContractFilter, after: int) -> Sequence[tuple[int, str, str]]:
    statement = (
        select(Certificate.id, Certificate.contract_key, cast(Certificate.issued_on, String))
        .where(Certificate.id > after, *wanted.conditions())
        .order_by(Certificate.id)
        .limit(CERTIFICATES_AT_ONCE)
    )
    return [(number, key, issued) for number, key, issued in session.execute(statement)]


def _lines(session: Session, certificates: Sequence[tuple[int, str, str]]) -> Iterator[Values]:
    heads = {number: (issued, key) for number, key, issued in certificates}
    parties: dict[tuple[int, str], tuple[str, str]] = {}
    told = select(Party.certificate_id, cast(Party.role, String), Party.name, Party.email).where(Party.certificate_id.in_(heads))
    for number, role, name, email in session.execute(told):
        parties[number, role] = (name, email)
    line = ContractLine
    statement = (
        select(
            line.certificate_id,
            ProductFamily.name,
            line.product_number,
            line.serial,
            cast(line.starts_on, String),
            cast(line.ends_on, String),
            line.service,
            line.contact,
        )
        .join(ProductFamily, ProductFamily.id == line.family_id)
        .where(line.certificate_id.in_(heads))
        .order_by(line.certificate_id, line.id)
    )
    for number, *values in session.execute(statement):
        printed = [text for role in PartyRole for text in parties.get((number, role.value), ("", ""))]
        yield (*heads[number], *values, *printed)
