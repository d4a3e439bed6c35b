"""The tables, with their named selects beside them."""

from __future__ import annotations

from models import contracts, imports, journal, outbox, people, reminders, staging, tickets

TABLES = (contracts, imports, journal, outbox, people, reminders, staging, tickets)
"""Every module of tables: one that is loaded alone would not know the others its foreign keys name."""
