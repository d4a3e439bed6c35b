"""The console's routing table."""

from __future__ import annotations

from web.nouns import Noun

_MODULES: dict[str, tuple[str, ...]] = {
    "sign-in": ("sign_in",),
    "sign-out": ("sign_in",),
    "profile": ("sign_in",),
    "tickets": (
        "queue",
        "ticket",
        "replies",
        "hand_changes",
        "last_change",
        "drafts",
        "arrivals",
        "ticket_deadline",
        "ticket_renewals",
        "ticket_canned",
        "contract_match",
        "neighbours",
        "center_questions",
        "ticket_edit",
        "phone_tickets",
        "bulk",
        "ticket_export",
    ),
    "views": ("views",),
    "canned": ("canned",),
    "uploads": ("uploads",),
    "attachments": ("attachments",),
    "imports": ("imports", "import_mapping", "import_corrections", "import_decisions", "import_workbook"),
    "contracts": ("contracts", "contract_files", "contract_corrections"),
    "exceptions": ("exceptions",),
    "grants": ("grants",),
    "refusals": ("refusals",),
    "rehearsal": ("rehearsal",),
    "email-changes": ("email_changes",),
    "accounts": ("accounts", "account_data"),
    "radar": ("radar",),
    "mails": ("returned_mails", "mails"),
    "jobs": ("jobs",),
    "reports": ("reports",),
    "journal": ("journal",),
    "masters": ("masters",),
    "staff": ("staff",),
}
NOUNS = [Noun("/console", ("console.home",))] + [
    Noun(f"/console/{place}", tuple(f"console.{module}" for module in modules)) for place, modules in _MODULES.items()
]
