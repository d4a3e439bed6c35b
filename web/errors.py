"""How a request can fail, and the page that says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from starlette.responses import Response


class NotFound(Exception):
    """Not there, or not yours: the same answer."""


class Forbidden(Exception):
    """The actor may look but not do this."""


class Unavailable(Exception):
    """A part the desk needs (database, storage) does not answer."""


@dataclass
class Answered(Exception):
    """The answer is known before the handler runs (too many tries, not signed in)."""

    response: Response = field(default_factory=Response)


class StaleForm(Exception):
    """The form's token does not belong to this session."""
