"""The daily look whether bytes and rows agree."""

from __future__ import annotations

from dataclasses import replace

import structlog

from actions.files import check_files, repair
from actions.jobs import Counts, Run, confirm
from jobs.parts import Parts
from models.database import transaction

log = structlog.get_logger("jobs.check_files")


def check(parts: Parts, run: Run) -> Counts:
    """Compare rows and sizes, and forget unposted rows whose bytes are gone; what a post names and the storage has lost is told.

    Where such a file is lost nothing is forgotten: a folder that is not mounted comes back, and people's uploads with it.
    """
    found = check_files(parts.engine, parts.store, deep=False, now=parts.clock())
    for named in (*found.lost, *found.altered):
        if not named.held:
            log.error("a file is lost or altered", key=named.key, size=named.size)
    lost = sum(not named.held for named in (*found.lost, *found.altered))
    with transaction(parts.engine) as session:
        confirm(session, run)
    if not any(not named.held for named in found.lost):
        # Bytes without a row are the sweep's, which looks every ten minutes.
        repair(parts.engine, parts.store, replace(found, orphans=()))
    return {"files": found.checked, **({"lost": lost} if lost else {})}
