"""The tables, with their named selects beside them."""

from __future__ import annotations

from models import contracts, email_changes, imports, journal, outbox, people, radar, requests, staging, tickets

TABLES = (contracts, email_changes, imports, journal, outbox, people, radar, requests, staging, tickets)
"""Every module of tables: one that is loaded alone would not know the others its foreign keys name."""
