"""What the pages of one import share: its address, its rights, the batch itself, its steps."""

from __future__ import annotations

from typing import Any

from console.frame import frame
from models.imports import BatchState, ImportBatch
from rules.rights import Area, Right
from web.access import staff
from web.call import Call

PATH = "/console/imports"
READ, WRITE = staff(Area.IMPORTS, Right.READ), staff(Area.IMPORTS, Right.WRITE)


def frame_of(call: Call) -> dict[str, Any]:
    """The console's frame, and whether one may import."""
    return {**({} if call.basis.is_htmx else frame(call)), "may_import": call.staff.may(Area.IMPORTS, Right.WRITE)}


def steps_of(batch: ImportBatch) -> list[str | None]:
    """The addresses of the four steps; None for one that is not reached yet."""
    here = f"{PATH}/{batch.id}"
    reached = bool(batch.summary) or batch.state == BatchState.PLANNED
    return [
        f"{here}/file",
        f"{here}/mapping" if batch.sheets else None,
        f"{here}/review" if reached else None,
        f"{here}/result" if batch.applied_at else None,
    ]
