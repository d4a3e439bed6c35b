"""Nouns: pages that lie below one place, imported when the first of them is asked for. A worker loads what its people use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module

from web.endpoint import Page


@dataclass(frozen=True)
class Noun:
    """The pages at and below `place` (the first part of their paths, the first two in the console) that stand in the PAGES of `modules`."""

    place: str
    modules: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """The place as web.signposts reads it."""
        return tuple(self.place.split("/")[1:])

    def pages(self) -> list[Page]:
        """The pages; this loads their modules."""
        found: Iterable[Page] = (page for module in self.modules for page in import_module(module).PAGES)
        return [page for page in found if page.path == self.place or page.path.startswith(f"{self.place}/")]


def pages_of(nouns: Iterable[Noun]) -> list[Page]:
    """Every page of `nouns`."""
    return [page for noun in nouns for page in noun.pages()]
