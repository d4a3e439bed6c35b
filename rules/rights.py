"""Who may do what in the console (DOMAIN, "Roles and acts")."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    SUPPORT = "support"
    LEAD = "lead"
    SERVICE_CENTER = "service_center"
    DESK = "desk"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Area(StrEnum):
    TICKETS = "tickets"
    BULK = "bulk"
    CONTRACTS = "contracts"
    IMPORTS = "imports"
    EXCEPTIONS = "exceptions"
    ACCOUNTS = "accounts"
    DELIVERY = "delivery"
    MASTERS = "masters"
    JOURNAL = "journal"


class Right(StrEnum):
    NONE = ""
    OWN = "own"
    """Only what one is asked or did oneself."""
    READ = "r"
    WRITE = "w"


_ROLES = (Role.SUPPORT, Role.LEAD, Role.SERVICE_CENTER, Role.DESK, Role.ADMIN, Role.AUDITOR)
_N, _O, _R, _W = Right.NONE, Right.OWN, Right.READ, Right.WRITE
_TABLE: dict[Area, tuple[Right, ...]] = {
    Area.TICKETS: (_W, _W, _O, _R, _R, _R),
    Area.BULK: (_O, _W, _N, _N, _W, _R),
    Area.CONTRACTS: (_R, _R, _W, _R, _R, _R),
    Area.IMPORTS: (_N, _N, _W, _N, _R, _R),
    Area.EXCEPTIONS: (_R, _R, _R, _W, _R, _R),
    Area.ACCOUNTS: (_R, _R, _R, _W, _W, _R),
    Area.DELIVERY: (_R, _W, _R, _R, _W, _R),
    Area.MASTERS: (_N, _N, _N, _N, _W, _R),
    Area.JOURNAL: (_O, _R, _O, _O, _R, _R),
}
_ORDER = (Right.NONE, Right.OWN, Right.READ, Right.WRITE)


def right(roles: Iterable[Role], area: Area) -> Right:
    """The strongest right that any of `roles` gives in `area`."""
    row = _TABLE[area]
    held = {Role(role) for role in roles}
    given = [row[index] for index, role in enumerate(_ROLES) if role in held]
    return max(given, key=_ORDER.index, default=Right.NONE)


def may(roles: Iterable[Role], area: Area, wanted: Right) -> bool:
    """Whether `roles` hold at least the right `wanted` in `area`."""
    return _ORDER.index(right(roles, area)) >= _ORDER.index(wanted)


def may_change(roles: Iterable[Role], area: Area) -> bool:
    """Whether any of `roles` lets change something in `area`, be it only one's own; looking at everything is not enough."""
    return any(right([role], area) in (Right.OWN, Right.WRITE) for role in roles)
