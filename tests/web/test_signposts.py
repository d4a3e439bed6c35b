"""The page of a path is found by its first parts: the same page as if every pattern were asked in turn."""

from __future__ import annotations

from starlette.routing import Match, Route

import console.routes
import customer_portal.routes
from web.signposts import Signposts

PATHS = sorted({page.path for page in [*customer_portal.routes.PAGES, *console.routes.PAGES]})


async def _nobody() -> None: ...


def _routes() -> list[Route]:
    return [Route(page.path, _nobody, methods=[page.method], name=f"{page.method} {page.path}") for page in customer_portal.routes.PAGES + console.routes.PAGES]


def _signposts() -> Signposts:
    return Signposts((route.path, lambda route=route: route) for route in _routes())


def _scope(path: str, method: str) -> dict[str, str]:
    return {"type": "http", "path": path, "method": method}


def _example(pattern: str) -> str:
    return "/".join("7" if part.startswith("{") else part for part in pattern.split("/"))


def test_every_page_is_found_as_if_all_were_asked_in_turn() -> None:
    routes = _routes()
    signposts = _signposts()

    for method in ("GET", "POST"):
        for path in map(_example, PATHS):
            scope = _scope(path, method)
            expected = next((route.name for route in routes if route.matches(scope)[0] is Match.FULL), None)
            match, found = signposts.matches(scope)
            assert (found["jtickets.route"].name if match is Match.FULL else None) == expected, (method, path)


def test_a_path_of_no_page_is_not_found_and_a_known_one_answers_for_its_methods() -> None:
    signposts = _signposts()

    assert [signposts.matches(_scope(path, "GET"))[0] for path in ("/", "/nothing", "/console/nothing", "/console/tickets/x/y/z", "//", "")][1:] == [
        Match.NONE
    ] * 5
    assert signposts.matches(_scope("/console/tickets", "DELETE"))[0] is Match.PARTIAL
