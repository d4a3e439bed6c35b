"""The console's routing table."""

from __future__ import annotations

from console import (
    accounts,
    attachments,
    contract_corrections,
    contract_files,
    contracts,
    import_corrections,
    import_decisions,
    import_mapping,
    import_workbook,
    imports,
    jobs,
    journal,
    mails,
    masters,
    queue,
    replies,
    sign_in,
    staff,
    ticket,
)
from web.endpoint import Page

PAGES: list[Page] = [
    *sign_in.PAGES,
    *queue.PAGES,
    *ticket.PAGES,
    *replies.PAGES,
    *attachments.PAGES,
    *imports.PAGES,
    *import_mapping.PAGES,
    *import_corrections.PAGES,
    *import_decisions.PAGES,
    *import_workbook.PAGES,
    *contracts.PAGES,
    *contract_files.PAGES,
    *contract_corrections.PAGES,
    *accounts.PAGES,
    *mails.PAGES,
    *jobs.PAGES,
    *journal.PAGES,
    *masters.PAGES,
    *staff.PAGES,
]
