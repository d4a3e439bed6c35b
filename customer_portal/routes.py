"""The portal's routing table."""

from __future__ import annotations

from customer_portal import email_changes, exception_requests, home, profile, recovery, registration, session, tickets, totp
from customer_portal import help as help_pages
from web.endpoint import Page

PAGES: list[Page] = [
    *home.PAGES,
    *registration.PAGES,
    *exception_requests.PAGES,
    *session.PAGES,
    *recovery.PAGES,
    *tickets.PAGES,
    *profile.PAGES,
    *email_changes.PAGES,
    *totp.PAGES,
    *help_pages.PAGES,
]
