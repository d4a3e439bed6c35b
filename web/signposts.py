"""Finds the page of a path by the path's first parts, before any pattern is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from starlette.routing import BaseRoute, Match, Route
from starlette.types import Receive, Scope, Send

_FOUND = "jtickets.route"


class Signposts(BaseRoute):
    """All pages as one route. Asked one after the other, two hundred patterns cost more than a statement of the page.

    `pages` are the paths with what makes their routes: a pattern is read when somebody comes near it, so that a process answers sooner.
    """

    def __init__(self, pages: Iterable[tuple[str, Callable[[], Route]]]) -> None:
        self._makers: dict[tuple[str, ...], list[Callable[[], Route]]] = defaultdict(list)
        self._near: dict[tuple[str, ...], list[Route]] = {}
        for path, make in pages:
            self._makers[_constant_parts(path)].append(make)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first page of this path and method; else one of this path, which answers for the method."""
        best: tuple[Match, Scope] = Match.NONE, {}
        parts = tuple(scope["path"].split("/", 3)[1:3])
        # A written part goes before one that may be anything: /tickets/new before /tickets/{number}.
        for place in dict.fromkeys((parts, parts[:1], ())):
            for route in self._near.get(place) or self._made(place):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    return match, {**found, _FOUND: route}
                if match is Match.PARTIAL and best[0] is Match.NONE:
                    best = match, {**found, _FOUND: route}
        return best

    def _made(self, place: tuple[str, ...]) -> list[Route]:
        made = [make() for make in self._makers.get(place, ())]
        if made:
            self._near[place] = made
        return made

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by the page that `matches` found."""
        await scope[_FOUND].handle(scope, receive, send)


def _constant_parts(path: str) -> tuple[str, ...]:
    """The first two parts of a path pattern, as far as they are written out."""
    parts: list[str] = []
    for part in path.split("/", 3)[1:3]:
        if "{" in part:
            break
        parts.append(part)
    return tuple(parts)
