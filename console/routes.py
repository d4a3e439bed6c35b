"""The console's routing table."""

from __future__ import annotations

from console import (
    account_data,
    accounts,
    attachments,
    contracts,
    email_changes,
    imports,
    jobs,
    journal,
    mails,
    masters,
    queue,
    radar,
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
    *contracts.PAGES,
    *email_changes.PAGES,
    *accounts.PAGES,
    *account_data.PAGES,
    *radar.PAGES,
    *mails.PAGES,
    *jobs.PAGES,
    *journal.PAGES,
    *masters.PAGES,
    *staff.PAGES,
]
