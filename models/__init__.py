"""The tables, with their named selects beside them."""

from __future__ import annotations

from models import (
    calendars,
    contracts,
    email_changes,
    figures,
    images,
    import_corrections,
    import_mapping,
    imports,
    journal,
    mail_templates,
    outbox,
    people,
    presence,
    questions,
    radar,
    reminders,
    renewals,
    requests,
    search,
    staging,
    tickets,
)

TABLES = (
    calendars,
    contracts,
    email_changes,
    figures,
    images,
    import_corrections,
    import_mapping,
    imports,
    journal,
    mail_templates,
    outbox,
    people,
    presence,
    questions,
    radar,
    reminders,
    renewals,
    requests,
    search,
    staging,
    tickets,
)
"""Every module of tables: one that is loaded alone would not know the others its foreign keys name."""
