"""Who may do what in the console."""

from __future__ import annotations

import pytest

from rules.rights import Area, Right, Role, may, right

ROLES = (Role.SUPPORT, Role.LEAD, Role.SERVICE_CENTER, Role.DESK, Role.ADMIN, Role.AUDITOR)
TABLE = {
    Area.TICKETS: "w w o r r r",
    Area.BULK: "o w - - w r",
    Area.CONTRACTS: "r r w r r r",
    Area.IMPORTS: "- - w - r r",
    Area.EXCEPTIONS: "r r r w r r",
    Area.ACCOUNTS: "r r r w w r",
    Area.DELIVERY: "r w r r w r",
    Area.MASTERS: "- - - - w r",
    Area.JOURNAL: "o r o o r r",
}
SIGNS = {"-": Right.NONE, "o": Right.OWN, "r": Right.READ, "w": Right.WRITE}
CASES = [(role, area, SIGNS[sign]) for area, row in TABLE.items() for role, sign in zip(ROLES, row.split(), strict=True)]


@pytest.mark.parametrize(("role", "area", "expected"), CASES)
def test_each_role_has_the_rights_of_the_table(role: Role, area: Area, expected: Right) -> None:
    assert right([role], area) is expected


def test_every_area_stands_in_the_table() -> None:
    assert set(TABLE) == set(Area)


def test_of_several_roles_the_strongest_right_counts() -> None:
    assert right([Role.AUDITOR, Role.SERVICE_CENTER], Area.IMPORTS) is Right.WRITE
    assert right([], Area.TICKETS) is Right.NONE


def test_the_auditor_writes_nothing() -> None:
    assert not any(may([Role.AUDITOR], area, Right.WRITE) for area in Area)


def test_a_right_includes_the_weaker_ones() -> None:
    assert may([Role.LEAD], Area.TICKETS, Right.READ)
    assert may([Role.SUPPORT], Area.JOURNAL, Right.OWN)
    assert not may([Role.SUPPORT], Area.JOURNAL, Right.READ)
    assert not may([Role.SUPPORT], Area.MASTERS, Right.OWN)
