"""The portal's routing table."""

from __future__ import annotations

from customer_portal import copies, home, profile, recovery, registration, session, tickets
from customer_portal import help as help_pages
from web.endpoint import Page

PAGES: list[Page] = [*home.PAGES, *registration.PAGES, *session.PAGES, *recovery.PAGES, *tickets.PAGES, *profile.PAGES, *help_pages.PAGES, *copies.PAGES]
