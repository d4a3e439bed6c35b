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

    def __init__(self, routes: Iterable[Route], later: Mapping[Parts, Iterable[Callable[[], Iterable[Route]]]] | None = None) -> None:
        """`later` gives further routes below a place, some at a time, until a path that is asked for is among them."""
        self._near: dict[Parts, list[Route]] = defaultdict(list)
        self._later = {place: list(loads) for place, loads in (later or {}).items()}
        self._add(routes)

    def _add(self, routes: Iterable[Route]) -> None:
        for route in routes:
            self._near[_constant_parts(route.path)].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first page of this path and method; else one of this path, which answers for the method."""
        parts = tuple(scope["path"].split("/", 3)[1:3])
        # A written part goes before one that may be anything: /tickets/new before /tickets/{number}.
        places = dict.fromkeys((parts, parts[:1], ()))
        best = self._matches_near(places, scope)
        while best[0] is not Match.FULL and self._load_more(places):
            best = self._matches_near(places, scope)
        return best

    def _matches_near(self, places: Iterable[Parts], scope: Scope) -> tuple[Match, Scope]:
        best: tuple[Match, Scope] = Match.NONE, {}
        for place in places:
            for route in self._near.get(place, ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, FOUND: route}
                if match is Match.PARTIAL and best[0] is Match.NONE:
                    best = match, {**found, FOUND: route}
        return best

    def _load_more(self, places: Iterable[Parts]) -> bool:
        """Add the next routes that are still to come at one of `places`; False when there are none."""
        for place in places:
            loads = self._later.get(place)
            if loads:
                self._add(loads[0]())
                del loads[0]  # only now: what cannot be loaded is tried again
                return True
        return False

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
