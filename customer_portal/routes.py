"""The portal's routing table."""

from __future__ import annotations

from customer_portal import help as help_pages
from customer_portal import home, profile, recovery, registration, session, ticket_changes, tickets
from web.endpoint import Page

PAGES: list[Page] = [
    *home.PAGES,
    *registration.PAGES,
    *session.PAGES,
    *recovery.PAGES,
    *tickets.PAGES,
    *ticket_changes.PAGES,
    *profile.PAGES,
    *help_pages.PAGES,
]
