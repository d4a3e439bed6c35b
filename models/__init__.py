"""The tables, with their named selects beside them."""

from __future__ import annotations

from models import contracts, import_corrections, import_mapping, imports, journal, outbox, people, staging, tickets

TABLES = (contracts, import_corrections, import_mapping, imports, journal, outbox, people, staging, tickets)
"""Every module of tables: one that is loaded alone would not know the others its foreign keys name."""
