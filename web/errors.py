"""How a request can fail, and the page that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.responses import Response

T = TypeVar("T")


class NotFound(Exception):
    """Not there, or not yours: the same answer."""


def or_not_found(found: T | None) -> T:
    """`found`; NotFound where nothing was."""
    if found is None:
        raise NotFound
    return found


class Forbidden(Exception):
    """The actor may look but not do this."""


@dataclass
class Answered(Exception):
    """The answer is known before the handler runs (too many tries, not signed in)."""

    response: Response = field(default_factory=Response)


class TooLong(Exception):
    """A page that is answered on the loop proves to be more than the loop may do; it begins anew in a thread."""


class StaleForm(Exception):
    """The form's token does not belong to this session.

    `fields` are what was typed (passwords and the token aside), offered again with a token for `cookie`; without a cookie nothing can be offered.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]] | None = None, cookie: str = "") -> None:
        super().__init__()
        self.fields = [(name, value) for name, values in (fields or {}).items() if name != "csrf_token" and "password" not in name for value in values]
        self.cookie = cookie


class SignedOut(StaleForm):
    """The session had ended when a form with something written came; `door` is where to sign in, in another tab."""

    def __init__(self, fields: Mapping[str, Sequence[str]], cookie: str, door: str) -> None:
        super().__init__(fields, cookie)
        self.door = door
