"""The console's routing table."""

from __future__ import annotations

from console import (
    account_data,
    accounts,
    attachments,
    contracts,
    email_changes,
    exceptions,
    grants,
    imports,
    jobs,
    journal,
    mails,
    masters,
    queue,
    radar,
    refusals,
    rehearsal,
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
    *exceptions.PAGES,
    *grants.PAGES,
    *refusals.PAGES,
    *rehearsal.PAGES,
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
