"""What a person submitted: raw values kept for the page, all errors at once, by field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from rules.refusal import Refused

T = TypeVar("T")


def sentence(refused: Refused, language: str) -> str:
    """What is wrong and how to put it right. The sentences, a megabyte of them, are loaded when the first thing is refused."""
    from wording.refusals import say

    return say(refused, language)


class BadRequest(Exception):
    """The request itself is malformed (one field twice, a broken body): answered with 400."""


class Fields(Mapping[str, list[str]]):
    """A post's values by field; remembers which fields anybody asked for."""

    def __init__(self, sent: Mapping[str, list[str]] | None = None) -> None:
        self._sent = sent or {}
        self._asked: set[str] = set()

    def __getitem__(self, name: str) -> list[str]:
        self._asked.add(name)
        return self._sent[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sent)

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def unasked(self) -> list[str]:
        """The names that came and that no form of ours has."""
        return sorted(self._sent.keys() - self._asked)


def number_of(value: str) -> int:
    """A number that a form of ours carries; what cannot be one is 0, which nothing has."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


class Form:
    """Submitted fields by name; `check` runs a rule on one and collects what it refuses."""

    def __init__(self, fields: Mapping[str, Sequence[str]] | None = None, *, language: str = "ja") -> None:
        self._fields = fields or {}
        self._refused: list[Refused] = []
        self._language = language
        self.notes: dict[str, str] = {}
        """Hints by field that are no errors (what was normalised)."""

    def value(self, name: str, default: str = "") -> str:
        """The one value of `name` as submitted. A field that came twice is refused as a bad request."""
        values = self._fields.get(name)
        if not values:
            return default
        if len(values) > 1:
            raise BadRequest(f"field {name} came {len(values)} times")
        if "\x00" in values[0]:
            self.refuse(Refused("text_control", name))
            return values[0].replace("\x00", "")
        return values[0].replace("\r\n", "\n")

    def values(self, name: str) -> list[str]:
        """All values of a field that may come several times."""
        return [value.replace("\x00", "") for value in self._fields.get(name, ())]

    def has(self, name: str) -> bool:
        """Whether `name` was submitted at all (a ticked box)."""
        return name in self._fields

    def names(self, beginning: str) -> list[str]:
        """The submitted names that begin with `beginning` (a row's field carries the row's number)."""
        return [name for name in self._fields if name.startswith(beginning)]

    def check(self, name: str, rule: Callable[[str], T]) -> T | None:
        """`rule` of the value, or None when it refuses; the refusal is told at `name` unless it names its own field."""
        try:
            return rule(self.value(name))
        except Refused as refused:
            self.refuse(refused if refused.field else refused.at(name))
            return None

    def attempt(self, act: Callable[[], T]) -> T | None:
        """What `act` made, or None when it refuses, which is told at the field that the refusal names."""
        try:
            return act()
        except Refused as refused:
            self.refuse(refused)
            return None

    def refuse(self, refused: Refused) -> None:
        """Add a refusal; one sentence a field is enough."""
        if refused.field is None or all(refused.field != other.field for other in self._refused):
            self._refused.append(refused)

    @property
    def failed(self) -> bool:
        """Whether anything was refused."""
        return bool(self._refused)

    def error(self, name: str) -> str:
        """The sentence told at the field `name`, "" when it is fine."""
        return next((sentence(refused, self._language) for refused in self._refused if refused.field == name), "")

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(field or "", sentence) in the order of checking, for the summary."""
        return [(refused.field or "", sentence(refused, self._language)) for refused in self._refused]

    @property
    def refusals(self) -> list[Refused]:
        """What was refused, for pages that offer more than a sentence."""
        return list(self._refused)
