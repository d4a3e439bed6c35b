"""The console's routing table."""

from __future__ import annotations

from console import (
    accounts,
    attachments,
    center_questions,
    contracts,
    drafts,
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
    ticket_edit,
)
from web.endpoint import Page

PAGES: list[Page] = [
    *sign_in.PAGES,
    *queue.PAGES,
    *ticket.PAGES,
    *replies.PAGES,
    *drafts.PAGES,
    *center_questions.PAGES,
    *ticket_edit.PAGES,
    *attachments.PAGES,
    *imports.PAGES,
    *contracts.PAGES,
    *accounts.PAGES,
    *mails.PAGES,
    *jobs.PAGES,
    *journal.PAGES,
    *masters.PAGES,
    *staff.PAGES,
]
