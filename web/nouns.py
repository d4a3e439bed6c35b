"""Nouns: pages that lie below one place, imported module by module until the asked one is found. A worker loads what its people use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from web.endpoint import Page


@dataclass(frozen=True)
class Noun:
    """The pages at and below `place` (the first part of their paths, the first two in the console) that stand in the PAGES of `modules`.

    The modules asked for most often stand first: the others are loaded when none before them has the page.
    """

    place: str
    modules: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The place as web.signposts reads it."""
        return tuple(self.place.split("/")[1:])

    def pages_in(self, module: str) -> list[Page]:
        """The pages that one of the modules has here; this loads it."""
        found: Iterable[Page] = import_module(module).PAGES
        return [page for page in found if page.path == self.place or page.path.startswith(f"{self.place}/")]


def pages_of(nouns: Iterable[Noun]) -> list[Page]:
    """Every page of `nouns`."""
    return [page for noun in nouns for module in noun.modules for page in noun.pages_in(module)]
