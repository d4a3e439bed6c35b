"""The tables, with their named selects beside them."""

from __future__ import annotations

from models import contracts, images, import_corrections, import_mapping, imports, journal, outbox, people, renewals, staging, tickets

TABLES = (contracts, images, import_corrections, import_mapping, imports, journal, outbox, people, renewals, staging, tickets)
"""Every module of tables: one that is loaded alone would not know the others its foreign keys name."""
