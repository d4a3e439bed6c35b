"""The page of a path is found by its first parts: the same page as if every pattern were asked in turn."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable
from functools import cache, partial
from importlib import import_module

import pytest
from starlette.routing import Match, Route

import console.routes
import customer_portal.routes
from web.endpoint import Page
from web.nouns import Noun, pages_of
from web.signposts import Signposts

NOUNS = [*customer_portal.routes.NOUNS, *console.routes.NOUNS]
PAGES = pages_of(NOUNS)
PATHS = sorted({page.path for page in PAGES})


async def _nobody() -> None: ...


def _routes(pages: Iterable[Page] = PAGES) -> list[Route]:
    return [Route(page.path, _nobody, methods=[page.method], name=f"{page.method} {page.path}") for page in pages]


@cache
def _routes_of(noun: Noun, module: str) -> list[Route]:
    return _routes(noun.pages_in(module))


def _fresh() -> Signposts:
    """As a process has it that nobody has asked yet."""
    return Signposts([], {noun.parts: [partial(_routes_of, noun, module) for module in noun.modules] for noun in NOUNS})


def _scope(path: str, method: str) -> dict[str, str]:
    return {"type": "http", "path": path, "method": method}


def _example(pattern: str) -> str:
    return "/".join("7" if part.startswith("{") else part for part in pattern.split("/"))


@pytest.mark.parametrize("on_use", [False, True])
def test_every_page_is_found_as_if_all_were_asked_in_turn(on_use: bool) -> None:
    routes = _routes()
    known = Signposts(routes)

    for method in ("GET", "POST"):
        for path in map(_example, PATHS):
            scope = _scope(path, method)
            expected = next((route.name for route in routes if route.matches(scope)[0] is Match.FULL), None)
            match, found = (_fresh() if on_use else known).matches(scope)
            assert (found["jtickets.route"].name if match is Match.FULL else None) == expected, (method, path)


def test_a_path_of_no_page_is_not_found_and_a_known_one_answers_for_its_methods() -> None:
    signposts = Signposts(_routes())

    assert [signposts.matches(_scope(path, "GET"))[0] for path in ("/", "/nothing", "/console/nothing", "/console/tickets/x/y/z", "//", "")][1:] == [
        Match.NONE
    ] * 5
    assert signposts.matches(_scope("/console/tickets", "DELETE"))[0] is Match.PARTIAL


def test_every_page_that_a_module_has_belongs_to_one_noun() -> None:
    modules = [import_module(f"{face.__name__}.{found.name}") for face in (console, customer_portal) for found in pkgutil.iter_modules(face.__path__)]
    written = {(page.method, page.path) for module in modules for page in getattr(module, "PAGES", ())}

    assert sorted(written) == sorted((page.method, page.path) for page in PAGES)


def test_a_nouns_modules_are_loaded_in_turn_until_one_has_the_page() -> None:
    loaded: list[str] = []

    def load(module: str) -> list[Route]:
        loaded.append(module)
        return _routes(import_module(module).PAGES)

    modules = ("console.queue", "console.ticket", "console.replies", "console.drafts")
    signposts = Signposts([], {("console", "tickets"): [partial(load, module) for module in modules]})

    assert signposts.matches(_scope("/console/imports", "GET"))[0] is Match.NONE
    assert loaded == []
    assert [signposts.matches(_scope("/console/tickets/7", "GET"))[0] for _ in range(2)] == [Match.FULL] * 2
    assert loaded == ["console.queue", "console.ticket"]
    assert signposts.matches(_scope("/console/tickets/7/notes", "POST"))[0] is Match.FULL
    assert loaded == ["console.queue", "console.ticket", "console.replies"]
    assert signposts.matches(_scope("/console/tickets/x", "GET"))[0] is Match.NONE
    assert loaded == list(modules)


def test_pages_that_could_not_be_loaded_are_loaded_the_next_time() -> None:
    loads = iter([MemoryError(), None])

    def load() -> list[Route]:
        fault = next(loads)
        if fault:
            raise fault
        return _routes(import_module("console.queue").PAGES)

    signposts = Signposts([], {("console", "tickets"): [load]})

    with pytest.raises(MemoryError):
        signposts.matches(_scope("/console/tickets", "GET"))
    assert signposts.matches(_scope("/console/tickets", "GET"))[0] is Match.FULL
