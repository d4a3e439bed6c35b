"""What undoing a batch would do, as selects: the same ones count it, show it and write it.

A batch left a record as it is now if the record names the batch that it was left with and nobody corrected it by hand since. What was edited
since is kept. A batch of kind `undo` left what the batch that it undid had found, and `images` of that one say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party
from models.images import CertificateImage, Deed, LineImage
from models.imports import BatchKind, ImportBatch

KEPT_NAMED = 100
"""Records that stay as they are, named on the page; the rest is counted."""


@dataclass(frozen=True)
class Undoing:
    """The batch to undo."""

    batch_id: int
    undoes_id: int | None
    applied_at: datetime
    is_import: bool

    @classmethod
    def of(cls, batch: ImportBatch) -> Undoing:
        """Of a batch that was applied."""
        assert batch.applied_at
        return cls(batch.id, batch.undoes_id, batch.applied_at, batch.kind == BatchKind.IMPORT)

    def image(self, deed: Deed) -> ColumnElement[bool]:
        """The lines to which the batch did `deed`."""
        return and_(LineImage.batch_id == self.batch_id, LineImage.deed == deed)

    def certificates(self, deed: Deed) -> ColumnElement[bool]:
        """The certificates to which the batch did `deed`."""
        return and_(CertificateImage.batch_id == self.batch_id, CertificateImage.deed == deed)

    def untouched(self, table: type[ContractLine | Certificate | Party]) -> ColumnElement[bool]:
        """Whether nobody corrected a record by hand since."""
        return or_(table.set_at.is_(None), table.set_at <= self.applied_at)

    def left_line(self) -> ColumnElement[bool]:
        """Whether a line is as the batch left it."""
        if self.is_import:
            return and_(ContractLine.batch_id == self.batch_id, self.untouched(ContractLine))
        earlier = aliased(LineImage)
        found = select(earlier.id).where(
            earlier.batch_id == self.undoes_id, earlier.line_id == ContractLine.id, earlier.origin_id.is_not_distinct_from(ContractLine.batch_id)
        )
        return and_(found.correlate(ContractLine).exists(), self.untouched(ContractLine))

    def left_head(self) -> ColumnElement[bool]:
        """Whether the head of a certificate is as the batch left it."""
        if self.is_import:
            return and_(Certificate.batch_id == self.batch_id, self.untouched(Certificate))
        earlier = aliased(CertificateImage)
        same = earlier.origin_id.is_not_distinct_from(Certificate.batch_id)
        found = select(earlier.id).where(earlier.batch_id == self.undoes_id, earlier.certificate_id == Certificate.id, same)
        return and_(found.correlate(Certificate).exists(), self.untouched(Certificate))

    def added_lines(self) -> ColumnElement[bool]:
        """The lines that the batch added, whoever edited them since."""
        own = aliased(LineImage)
        if not self.is_import:
            return ContractLine.id.in_(select(own.line_id).where(own.batch_id == self.batch_id, own.deed == Deed.ADDED))
        mine = select(own.line_id).where(own.batch_id == self.batch_id)
        later = select(own.line_id).where(own.origin_id == self.batch_id)
        return and_(or_(ContractLine.batch_id == self.batch_id, ContractLine.id.in_(later)), ContractLine.id.not_in(mine))

    def removable_lines(self) -> ColumnElement[bool]:
        """The added lines that go: those of a certificate whose head or parties were corrected by hand stay with it."""
        mine = and_(self.certificates(Deed.ADDED), CertificateImage.certificate_id == Party.certificate_id)
        corrected = select(Party.certificate_id).where(mine, ~self.untouched(Party))
        heads = select(Certificate.id).where(self._corrected_heads()).correlate(None)
        return and_(self.added_lines(), self.left_line(), ContractLine.certificate_id.not_in(corrected), ContractLine.certificate_id.not_in(heads))

    def changed_lines(self) -> ColumnElement[bool]:
        """Of `ContractLine` and `LineImage`: the changed lines that change back."""
        return and_(self.image(Deed.CHANGED), LineImage.line_id == ContractLine.id, self.left_line())

    def returning_lines(self) -> ColumnElement[bool]:
        """Of `LineImage`: the removed lines that come back, with their certificate where that was removed as well."""
        there = select(Certificate.id).where(Certificate.id == LineImage.certificate_id, Certificate.contract_key == self.key_of_line())
        removed = select(CertificateImage.id).where(self.returning_certificates(), CertificateImage.certificate_id == LineImage.certificate_id)
        return and_(self.image(Deed.REMOVED), or_(there.correlate(LineImage).exists(), removed.correlate(LineImage).exists()), ~self._stands_again())

    def kept(self) -> AnySelect:
        """What stays as it is: id, contract_key, product_number, serial of lines that were edited, removed or imported again since.

        A certificate whose own head was edited since is one of them, with its id and without product and serial.
        """
        of_line = select(ContractLine.id, Certificate.contract_key, ContractLine.product_number, ContractLine.serial).join(
            Certificate, Certificate.id == ContractLine.certificate_id
        )
        of_image = select(LineImage.line_id, self.key_of_line(), LineImage.product_number, LineImage.serial)
        there = select(ContractLine.id).where(self.changed_lines()).correlate(LineImage)
        restored = select(Certificate.id).where(self.restorable_heads()).correlate(CertificateImage)
        head = select(CertificateImage.certificate_id, CertificateImage.contract_key, literal(""), literal(""))
        kept = union_all(
            of_line.where(self.added_lines(), ~self.removable_lines()),
            of_image.where(self.image(Deed.CHANGED), ~there.exists()),
            of_image.where(self.image(Deed.REMOVED), ~self.returning_lines()),
            head.where(self.certificates(Deed.CHANGED), ~restored.exists()),
            head.where(self._corrected_heads()),
        ).subquery("kept")
        return select(kept)

    def removable_certificates(self) -> ColumnElement[bool]:
        """Of `Certificate`: the added ones of which nothing was edited since, so that none of their lines stays."""
        edited = select(ContractLine.id).where(ContractLine.certificate_id == Certificate.id, ~self.removable_lines())
        mine = Certificate.id.in_(select(CertificateImage.certificate_id).where(self.certificates(Deed.ADDED)))
        return and_(mine, self.left_head(), ~edited.correlate(Certificate).exists())

    def _corrected_heads(self) -> ColumnElement[bool]:
        """Of `Certificate` and `CertificateImage`: the added ones whose head was corrected by hand since."""
        return and_(self.certificates(Deed.ADDED), CertificateImage.certificate_id == Certificate.id, ~self.untouched(Certificate))

    def restorable_heads(self) -> ColumnElement[bool]:
        """Of `Certificate` and `CertificateImage`: the changed ones whose head and parties change back."""
        return and_(self.certificates(Deed.CHANGED), CertificateImage.certificate_id == Certificate.id, self.left_head())

    def returning_certificates(self) -> ColumnElement[bool]:
        """Of `CertificateImage`: the removed ones whose key nobody took since."""
        there = select(Certificate.id).where(Certificate.contract_key == CertificateImage.contract_key).correlate(CertificateImage)
        return and_(self.certificates(Deed.REMOVED), ~there.exists())

    def key_of_line(self) -> ColumnElement[str]:
        """Of `LineImage`: the key of its certificate, `contract_key`."""
        image = aliased(CertificateImage)
        key = select(image.contract_key).where(image.batch_id == self.batch_id, image.certificate_id == LineImage.certificate_id)
        return key.correlate(LineImage).scalar_subquery().label("contract_key")

    def _stands_again(self) -> ColumnElement[bool]:
        """Whether a line was imported again in the meantime."""
        same = and_(ContractLine.product_number == LineImage.product_number, ContractLine.serial == LineImage.serial, ContractLine.service == LineImage.service)
        found = select(ContractLine.id).join(Certificate, Certificate.id == ContractLine.certificate_id)
        return found.where(Certificate.contract_key == self.key_of_line(), same).correlate(LineImage).exists()


def counts(session: Session, undoing: Undoing) -> dict[str, int]:
    """How much would change back: `removed`, `changed`, `returned` lines, `kept` ones, `certificates` that go, come back or change back."""

    def count(statement: AnySelect) -> int:
        return session.scalar(statement) or 0

    counting = select(func.count())
    return {
        "removed": count(counting.select_from(ContractLine).where(undoing.removable_lines())),
        "changed": count(counting.select_from(ContractLine).join(LineImage, LineImage.line_id == ContractLine.id).where(undoing.changed_lines())),
        "returned": count(counting.select_from(LineImage).where(undoing.returning_lines())),
        "kept": count(counting.select_from(undoing.kept().subquery())),
        "certificates_removed": count(counting.select_from(Certificate).where(undoing.removable_certificates())),
        "certificates_changed": count(
            counting.select_from(Certificate).join(CertificateImage, CertificateImage.certificate_id == Certificate.id).where(undoing.restorable_heads())
        ),
        "certificates_returned": count(counting.select_from(CertificateImage).where(undoing.returning_certificates())),
    }


def going(session: Session, undoing: Undoing, *, after: int, limit: int) -> Sequence[AnyRow]:
    """The lines that go, above the id `after`: id, contract_key, product_number, serial, service, starts_on, ends_on."""
    line = ContractLine
    columns = (line.id, Certificate.contract_key, line.product_number, line.serial, line.service, line.starts_on, line.ends_on)
    statement = select(*columns).join(Certificate, Certificate.id == line.certificate_id).where(undoing.removable_lines(), line.id > after)
    return session.execute(statement.order_by(line.id).limit(limit)).all()


def returning(session: Session, undoing: Undoing, *, after: int, limit: int) -> Sequence[AnyRow]:
    """The lines that come back, above the line id `after`; columns as `going`."""
    image = LineImage
    columns = (image.line_id.label("id"), undoing.key_of_line(), image.product_number, image.serial, image.service, image.starts_on, image.ends_on)
    return session.execute(select(*columns).where(undoing.returning_lines(), image.line_id > after).order_by(image.line_id).limit(limit)).all()


def changing_back(session: Session, undoing: Undoing, *, after: int, limit: int) -> Sequence[AnyRow]:
    """The lines that change back, above the id `after`: id, contract_key, and of each field its value now and (`old_…`) before."""
    fields = ("product_number", "serial", "service", "contact", "starts_on", "ends_on", "family_id")
    now = [getattr(ContractLine, name) for name in fields]
    before = [getattr(LineImage, name).label(f"old_{name}") for name in fields]
    statement = (
        select(ContractLine.id, Certificate.contract_key, *now, *before)
        .join(LineImage, LineImage.line_id == ContractLine.id)
        .join(Certificate, Certificate.id == ContractLine.certificate_id)
        .where(undoing.changed_lines(), ContractLine.id > after)
    )
    return session.execute(statement.order_by(ContractLine.id).limit(limit)).all()


def kept(session: Session, undoing: Undoing) -> Sequence[AnyRow]:
    """The first of what stays as it is: id, contract_key, product_number, serial."""
    return session.execute(undoing.kept().limit(KEPT_NAMED)).all()
