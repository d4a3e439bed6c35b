"""What a page asks of the database: a fixed number of statements, however much lies behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.attacks.house import House, Visitor, furnished, named, pages
from tests.browser.sweeping import pages_of_the_demo, visited
from tests.browser.test_pages import NOBODY, PAGES, cookies
from tests.console.counting import counted
from web.wiring import Wiring

__all__ = ["cookies"]
MOST = 12
"""Statements of a page that `MORE` does not name, the one that finds the session among them."""
MORE = {
    "GET /console/contracts/{id:int}": 20,
    "GET /console/email-changes/{id:int}": 17,
    "GET /console/tickets/{number:int}/match": 14,
}
"""Pages that show more different things, each with as many statements."""


def test_every_page_asks_a_bounded_number_of_statements(engine: Engine, wiring: Wiring) -> None:
    with furnished(engine, wiring) as house:
        asked = {named(page): statements(engine, house.fitting(page), house.path(page)) for page in pages("GET")}

    assert {what: number for what, number in asked.items() if number > MORE.get(what, MOST)} == {}


@pytest.mark.proof
def test_no_page_of_the_demo_asks_more_because_there_is_more(engine: Engine, wiring: Wiring, cookies: dict[str, tuple[str, str]]) -> None:
    with visited(engine, wiring, {}) as house:
        asked = dict(_asked(house, cookies))

    assert {what: number for what, number in asked.items() if number > max(MORE.values())} == {}


def statements(engine: Engine, visitor: Visitor, path: str) -> int:
    """How many statements one look at a page costs."""
    with counted(engine) as sent:
        visitor.get(path)
    return len(sent)


def _asked(house: House, cookies: dict[str, tuple[str, str]]) -> Iterator[tuple[str, int]]:
    for sight in pages_of_the_demo(house.visitor(), {NOBODY: None, **cookies}, {**dict.fromkeys(cookies, ()), **PAGES}):
        name, token = sight.cookie or ("", "")
        visitor = house.visitor()
        visitor.cookie, visitor.token = name, token
        yield sight.what, statements(house.engine, visitor, sight.path)
