"""The tables, with their named selects beside them. A process maps those that its pages, jobs or commands import."""

from __future__ import annotations

from importlib import import_module

TABLES = (
    "admission",
    "bulk_changes",
    "calendars",
    "canned",
    "contracts",
    "email_changes",
    "figures",
    "handed_back",
    "images",
    "import_corrections",
    "import_mapping",
    "imports",
    "job_runs",
    "journal",
    "log_patterns",
    "masters",
    "mail_templates",
    "neighbours",
    "outbox",
    "people",
    "presence",
    "questions",
    "radar",
    "reading",
    "reminders",
    "renewals",
    "requests",
    "saved_views",
    "search",
    "service_types",
    "staging",
    "tickets",
)
"""Every module of tables."""


def load(*modules: str) -> None:
    """Have the tables of `modules` mapped.

    A module that names another's table in a foreign key, which is a text, begins with this: whatever writes a row by the ORM looks its keys up.
    """
    for module in modules:
        import_module(f"models.{module}")
