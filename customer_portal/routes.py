"""The portal's routing table."""

from __future__ import annotations

from customer_portal import (
    copies,
    email_changes,
    exception_requests,
    home,
    profile,
    recovery,
    registration,
    session,
    ticket_changes,
    tickets,
    totp,
    uploads,
)
from customer_portal import help as help_pages
from web.endpoint import Page

PAGES: list[Page] = [
    *home.PAGES,
    *registration.PAGES,
    *exception_requests.PAGES,
    *session.PAGES,
    *recovery.PAGES,
    *tickets.PAGES,
    *uploads.PAGES,
    *profile.PAGES,
    *email_changes.PAGES,
    *totp.PAGES,
    *ticket_changes.PAGES,
    *help_pages.PAGES,
    *copies.PAGES,
]
