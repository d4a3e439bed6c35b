"""A contract as it was on a past day (REQUIREMENTS, N15): today's records with everything taken back that was written since.

What imports wrote is taken back by their before-images (`models.images`), what was corrected by hand by the journal, which holds each value before.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.base import AnyRow
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.images import CertificateImage, Deed, LineImage, PartyImage
from models.imports import BatchKind, ImportBatch
from models.journal import JournalEntry
from models.masters import ProductFamily

CORRECT = "correct"
"""The act of a correction by hand."""
MOST_EVENTS = 50


@dataclass(frozen=True)
class PartyVersion:
    """A party as it stood then."""

    role: str
    name: str
    email: str
    email_key: str


@dataclass(frozen=True)
class LineVersion:
    """A line as it stood then."""

    id: int
    family: str
    product_number: str
    serial: str
    starts_on: date
    ends_on: date
    service: str
    contact: str
    batch_id: int | None
    sheet: str
    row: int


@dataclass
class ContractVersion:
    """A certificate with its parties by role and its lines by id."""

    issued_on: date
    parties: dict[str, PartyVersion] = field(default_factory=dict[str, PartyVersion])
    lines: dict[int, LineVersion] = field(default_factory=dict[int, LineVersion])


@dataclass(frozen=True)
class Event:
    """Something that wrote a contract."""

    at: datetime
    kind: str
    """added, import, undo, correct"""
    by: str
    batch_id: int | None = None
    file_name: str = ""
    facts: dict[str, Any] = field(default_factory=dict[str, Any])


def events_of(session: Session, certificate: Certificate, *, since: datetime | None = None, limit: int | None = MOST_EVENTS) -> list[Event]:
    """What wrote the contract (after `since`), the newest first; two statements.

    The key says which contract it is: an undoing may take a certificate away, and an embedded database gives its id to another one.
    """
    image, batch, entry = CertificateImage, ImportBatch, JournalEntry
    written = (
        select(batch.applied_at, image.deed, batch.kind, batch.applied_by, batch.id, batch.file_name)
        .join(batch, batch.id == image.batch_id)
        .where(image.contract_key == certificate.contract_key, batch.applied_at.is_not(None))
    )
    ids = select(image.certificate_id).where(image.contract_key == certificate.contract_key)
    corrected = select(entry.at, entry.actor_name, entry.facts).where(
        entry.subject_kind == "certificate",
        or_(entry.subject_id == certificate.id, entry.subject_id.in_(ids)),
        entry.act == CORRECT,
        entry.subject_name == certificate.contract_key,
    )
    if since is not None:
        written, corrected = written.where(batch.applied_at >= since), corrected.where(entry.at >= since)
    # The id settles what one moment holds, which only a fixed clock makes more than one of.
    found = [(row.applied_at, row.id, _written(row)) for row in session.execute(written.order_by(batch.applied_at.desc(), batch.id.desc()).limit(limit))]
    told = session.execute(corrected.order_by(entry.id.desc()).limit(limit)).all()
    found += [(at, 0, Event(at, CORRECT, name, facts=facts)) for at, name, facts in told]
    return [event for _, _, event in sorted(found, key=lambda each: each[:2], reverse=True)][:limit]


def _written(row: AnyRow) -> Event:
    kind = "undo" if row.kind == BatchKind.UNDO else "added" if row.deed == Deed.ADDED else "import"
    return Event(row.applied_at, kind, row.applied_by, row.id, row.file_name)


def contract_as_of(session: Session, certificate: Certificate, moment: datetime) -> ContractVersion | None:
    """The contract just before `moment`; None where it was not there. Eight statements, whatever happened since."""
    version = _now(session, certificate)
    since = events_of(session, certificate, since=moment, limit=None)
    images = _Images(session, certificate.contract_key, [event.batch_id for event in since if event.batch_id])
    there = certificate.created_at < moment or images.made_or_removed
    for event in since:
        if event.batch_id is None:
            _take_correction_back(version, event.facts)
        else:
            # An undoing may have taken the certificate away for some days.
            there = images.take_back(version, event)
    return version if there else None


def _now(session: Session, certificate: Certificate) -> ContractVersion:
    line = ContractLine
    columns = (line.product_number, line.serial, line.starts_on, line.ends_on, line.service, line.contact, line.batch_id, line.sheet, line.row)
    statement = select(line.id, ProductFamily.name, *columns).join(ProductFamily, ProductFamily.id == line.family_id)
    lines = {row[0]: LineVersion(*row) for row in session.execute(statement.where(line.certificate_id == certificate.id).order_by(line.id))}
    told = select(Party.role, Party.name, Party.email, Party.email_key).where(Party.certificate_id == certificate.id)
    parties = {row.role: PartyVersion(row.role, row.name, row.email, row.email_key) for row in session.execute(told)}
    return ContractVersion(certificate.issued_on, parties, lines)


class _Images:
    """The before-images of one contract by batch."""

    def __init__(self, session: Session, key: str, batches: Collection[int]) -> None:
        self._families: dict[int, str] = {row.id: row.name for row in session.execute(select(ProductFamily.id, ProductFamily.name))}
        heads = select(CertificateImage).where(CertificateImage.contract_key == key, CertificateImage.batch_id.in_(batches))
        self._heads = {image.batch_id: image for image in session.scalars(heads)}
        ids = {head.certificate_id for head in self._heads.values()}
        parties = select(PartyImage).where(PartyImage.certificate_id.in_(ids), PartyImage.batch_id.in_(batches))
        lines = select(LineImage).where(LineImage.certificate_id.in_(ids), LineImage.batch_id.in_(batches))
        self._parties = self._by_batch(session.scalars(parties).all())
        self._lines = self._by_batch(session.scalars(lines).all())

    @property
    def made_or_removed(self) -> bool:
        """Whether a batch made the contract, or took it away."""
        return any(head.deed != Deed.CHANGED for head in self._heads.values())

    def take_back(self, version: ContractVersion, event: Event) -> bool:
        """Make `version` what it was before the batch of `event`; False where it was not there."""
        batch_id = cast(int, event.batch_id)
        head = self._heads[batch_id]
        if head.deed == Deed.ADDED:
            version.parties, version.lines = {}, {}
            return False
        version.issued_on = head.issued_on
        version.parties = {image.role: PartyVersion(image.role, image.name, image.email, image.email_key) for image in self._parties.get(batch_id, ())}
        images = {image.line_id: image for image in self._lines.get(batch_id, ())}
        if event.kind != "undo":
            # What an import added names it, and has no image of it.
            version.lines = {number: line for number, line in version.lines.items() if line.batch_id != batch_id or number in images}
        for number, image in images.items():
            if image.deed == Deed.ADDED:
                version.lines.pop(number, None)
            else:
                version.lines[number] = self._line(image)
        return True

    def _by_batch(self, images: Sequence[Any]) -> dict[int, list[Any]]:
        """Those of the certificate that had the key in that batch."""
        found: dict[int, list[Any]] = {}
        for image in images:
            if image.certificate_id == self._heads[image.batch_id].certificate_id:
                found.setdefault(image.batch_id, []).append(image)
        return found

    def _line(self, image: LineImage) -> LineVersion:
        return LineVersion(
            image.line_id,
            self._families[image.family_id],
            image.product_number,
            image.serial,
            image.starts_on,
            image.ends_on,
            image.service,
            image.contact,
            image.origin_id,
            image.sheet,
            image.row,
        )


def _take_correction_back(version: ContractVersion, facts: dict[str, Any]) -> None:
    before = {name: cast("list[str]", pair)[0] for name, pair in facts.items() if isinstance(pair, list)}
    line = version.lines.get(facts.get("line_id", 0))
    if line is not None:
        days = {name: date.fromisoformat(before[name]) for name in ("starts_on", "ends_on") if name in before}
        version.lines[line.id] = replace(line, **{**before, **days})
        return
    if "issued_on" in before:
        version.issued_on = date.fromisoformat(before["issued_on"])
    for role in PartyRole:
        party = version.parties.get(role) or PartyVersion(role, "", "", "")
        name, email = before.get(f"{role}_name", party.name), before.get(f"{role}_email", party.email)
        version.parties[role] = PartyVersion(role, name, email, email.lower())
