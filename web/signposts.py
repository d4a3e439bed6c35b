"""Finds the page of a path by the path's first parts, before any pattern is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

FOUND = "jtickets.route"
"""Under which name a request's scope holds the route that answers it."""
Parts = tuple[str, ...]
"""The first one or two parts of a path."""


class Signposts(BaseRoute):
    """All pages as one route. Asked one after the other, two hundred patterns cost more than a statement of the page."""

    def __init__(self, routes: Iterable[Route], later: Mapping[Parts, Callable[[], Iterable[Route]]] | None = None) -> None:
        """`later` gives the routes below a place when a path there is first asked for."""
        self._near: dict[Parts, list[Route]] = defaultdict(list)
        self._later = {**(later or {})}
        self._add(routes)

    def _add(self, routes: Iterable[Route]) -> None:
        for route in routes:
            self._near[_constant_parts(route.path)].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first page of this path and method; else one of this path, which answers for the method."""
        best: tuple[Match, Scope] = Match.NONE, {}
        parts = tuple(scope["path"].split("/", 3)[1:3])
        # A written part goes before one that may be anything: /tickets/new before /tickets/{number}.
        for place in dict.fromkeys((parts, parts[:1], ())):
            if place in self._later:
                self._add(self._later.pop(place)())
        for place in dict.fromkeys((parts, parts[:1], ())):
            for route in self._near.get(place, ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, FOUND: route}
                if match is Match.PARTIAL and best[0] is Match.NONE:
                    best = match, {**found, FOUND: route}
        return best

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the page that `matches` found."""
        await scope[FOUND].handle(scope, receive, send)


def _constant_parts(path: str) -> Parts:
    """The first two parts of a path pattern, as far as they are written out."""
    parts: list[str] = []
    for part in path.split("/", 3)[1:3]:
        if "{" in part:
            break
        parts.append(part)
    return tuple(parts)
