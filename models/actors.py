"""Who acts: a customer's session, a staff member's session, or the desk itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from rules.rights import Area, Right, Role, may


@cache
def _may(roles: frozenset[Role], area: str, wanted: str) -> bool:
    """Kept: a page asks a dozen times, and there are few combinations."""
    return may(roles, Area(area), Right(wanted))


@dataclass(frozen=True)
class Actor:
    """Whoever an act is recorded under."""

    id: int | None
    name: str
    client: str = ""
    kind: str = "system"


@dataclass(frozen=True)
class Customer(Actor):
    """A signed-in account."""

    kind: str = "customer"
    session_id: int = 0
    user_id: str = ""
    company_name: str = ""
    email: str = ""
    maintenance_email: str = ""
    contract_key: str = ""
    privacy_version: int = 0


@dataclass(frozen=True)
class StaffMember(Actor):
    """A signed-in member of the staff with roles."""

    kind: str = "staff"
    session_id: int = 0
    user_id: str = ""
    email: str = ""
    roles: frozenset[Role] = field(default_factory=frozenset)

    def may(self, area: str, wanted: str) -> bool:
        """Whether the roles give at least the right `wanted` ("own", "r", "w") in `area`."""
        return _may(self.roles, area, wanted)


SYSTEM = Actor(id=None, name="システム")
"""The jobs and the command line where no person is named."""
