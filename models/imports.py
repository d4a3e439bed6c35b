"""取込: one uploaded workbook, its plan row by row, and what applying it did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, false, or_
from sqlalchemy.orm import Mapped, composite

from models import load
from models.base import Base, mapped_column, words
from rules.lines import FIELDS

load("people")


class BatchState(StrEnum):
    RECEIVED = "received"
    PLANNING = "planning"
    """Read by the command line, which keeps the plan itself: the job leaves it alone."""
    MAPPING = "mapping"
    """Waits until a person has said what its columns hold."""
    PLANNED = "planned"
    WAITING = "waiting"
    """For a second person's approval."""
    APPLIED = "applied"
    UNDONE = "undone"
    DISCARDED = "discarded"
    FAILED = "failed"


class BatchKind(StrEnum):
    IMPORT = "import"
    UNDO = "undo"
    """What undoing another batch did: it has no file and no rows, only before-images."""


class ImportBatch(Base):
    """One workbook. The bytes lie in the attachment storage under `storage_key`; `refusal` says why it could not be read."""

    __tablename__ = "import_batch"
    __table_args__ = (Index("ix_import_batch_state", "state", "id"), Index("ix_import_batch_sha256", "sha256"))
    id: Mapped[int] = mapped_column(primary_key=True)
    file_name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    storage_key: Mapped[str] = mapped_column(String(200))
    state: Mapped[BatchState] = mapped_column(words(BatchState, 12))
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"), index=True)
    uploaded_by: Mapped[str] = mapped_column(String(100))
    uploaded_at: Mapped[datetime]
    planned_at: Mapped[datetime | None]
    progress: Mapped[int] = mapped_column(default=0)
    sheets: Mapped[list[dict[str, Any]]]
    summary: Mapped[dict[str, Any]]
    """Counts of the plan, and after applying what was written and held back."""
    refusal: Mapped[str] = mapped_column(Text, default="")
    applied_at: Mapped[datetime | None]
    applied_by: Mapped[str] = mapped_column(String(100), default="")
    kind: Mapped[BatchKind] = mapped_column(words(BatchKind, 10), default=BatchKind.IMPORT, server_default="import")
    undoes_id: Mapped[int | None] = mapped_column(index=True)
    """The batch that this one undid."""
    revision: Mapped[int] = mapped_column(default=0, server_default="0")
    """Rises with every change of the plan."""
    asked_id: Mapped[int | None]
    """Who asked for the approval, and when; an approval names the second person."""
    asked_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    asked_at: Mapped[datetime | None]
    approved_by: Mapped[str] = mapped_column(String(100), default="", server_default="")
    approved_at: Mapped[datetime | None]


class Cells(dict[str, str]):
    """What a row says: a text for each of `rules.lines.FIELDS`, days as ISO dates."""

    @classmethod
    def of(cls, *texts: str) -> Cells:
        """From the texts in the order of the fields."""
        return cls(zip(FIELDS, texts, strict=True))

    def __composite_values__(self) -> tuple[str, ...]:
        return tuple(self[name] for name in FIELDS)


class ImportRow(Base):
    """One row of a plan. `held_by` names the row of the same certificate that holds it back (0: none).

    A line of a certificate that the workbook does not name is a row too, of status "missing" and row 0, after all others.
    The batch is no foreign key: asked for each of 100,000 rows it would cost a third of filling them.
    """

    __tablename__ = "import_row"
    __table_args__ = (
        Index("ix_import_row_batch", "batch_id", "status", "position"),
        Index("ix_import_row_contract", "batch_id", "contract_key"),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int]
    position: Mapped[int]
    """Order in the file, from 0, over all sheets."""
    sheet: Mapped[str] = mapped_column(String(120))
    row: Mapped[int]
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    status: Mapped[str] = mapped_column(String(12))
    line_id: Mapped[int | None]
    """The line in the database that this row matched."""
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    warnings: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    errors: Mapped[list[dict[str, Any]]] = mapped_column(default=list, server_default="[]")
    confirmed: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether a person ticked the row: its warnings, its renewal, or that a missing line is withdrawn."""
    held_by: Mapped[int] = mapped_column(default=0, server_default="0")
    kind: Mapped[str] = mapped_column(String(12), default="", server_default="")
    """What else is to be said of the row: "warning" (ticked or not), "conflict", "renewal" or ""."""
    renews_id: Mapped[int | None]
    """The line in the database that this new one seems to renew."""
    renews_position: Mapped[int | None]
    """The position of the row of this workbook that it seems to renew: both are new."""
    contract_key: Mapped[str] = mapped_column(String(80))
    """This and the following say what the workbook says; "" for what is absent or could not be read."""
    issued_on: Mapped[str] = mapped_column(Text, default="", server_default="")
    family: Mapped[str] = mapped_column(Text, default="", server_default="")
    product_number: Mapped[str] = mapped_column(Text, default="", server_default="")
    serial: Mapped[str] = mapped_column(Text, default="", server_default="")
    starts_on: Mapped[str] = mapped_column(Text, default="", server_default="")
    ends_on: Mapped[str] = mapped_column(Text, default="", server_default="")
    service: Mapped[str] = mapped_column(Text, default="", server_default="")
    contact: Mapped[str] = mapped_column(Text, default="", server_default="")
    agent_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    agent_email: Mapped[str] = mapped_column(Text, default="", server_default="")
    operator_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    operator_email: Mapped[str] = mapped_column(Text, default="", server_default="")
    end_user_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    end_user_email: Mapped[str] = mapped_column(Text, default="", server_default="")
    values: Mapped[Cells] = composite(Cells.of, *("contract_key" if name == "contract" else name for name in FIELDS))


CELL_COLUMNS = tuple("contract_key" if name == "contract" else name for name in FIELDS)
"""The columns of a row's cells, in the order of `rules.lines.FIELDS`."""


RENEWS = or_(ImportRow.renews_id.is_not(None), ImportRow.renews_position.is_not(None))
"""The rows that seem to renew something."""
