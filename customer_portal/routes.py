"""The portal's routing table."""

from __future__ import annotations

from web.nouns import Noun

_MODULES: dict[str, tuple[str, ...]] = {
    "": ("home",),
    "privacy": ("home",),
    "accessibility": ("home",),
    "language": ("home",),
    "register": ("registration",),
    "exceptions": ("exception_requests",),
    "login": ("session",),
    "logout": ("session",),
    "recover": ("recovery",),
    "tickets": ("tickets", "ticket_changes"),
    "attachments": ("tickets",),
    "uploads": ("uploads",),
    "profile": ("profile", "exception_requests", "email_changes", "totp"),
    "help": ("help",),
    "copies": ("copies",),
}
NOUNS = [Noun(f"/{place}", tuple(f"customer_portal.{module}" for module in modules)) for place, modules in _MODULES.items()]
