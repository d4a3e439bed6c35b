"""Who may open a route. Every route names one; there is no default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rules.rights import Area, Right


class World(StrEnum):
    PORTAL = "portal"
    CONSOLE = "console"


@dataclass(frozen=True)
class Access:
    """`world` picks the cookie; `signed_in` asks for a session; `area` and `right` for a staff role."""

    world: World
    signed_in: bool
    area: Area | None = None
    right: Right = Right.NONE


VISITOR = Access(World.PORTAL, signed_in=False)
"""Everybody, in the portal."""
CUSTOMER = Access(World.PORTAL, signed_in=True)
"""A signed-in account."""
STAFF_VISITOR = Access(World.CONSOLE, signed_in=False)
"""Everybody, at the console's door."""
STAFF_MEMBER = Access(World.CONSOLE, signed_in=True)
"""Any signed-in member of the staff."""


def staff(area: Area, right: Right) -> Access:
    """A member of the staff whose roles give `right` in `area`."""
    return Access(World.CONSOLE, signed_in=True, area=area, right=right)
