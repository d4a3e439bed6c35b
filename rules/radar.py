"""アカウントの点検: what the nightly check can find, and what the center does about it."""

from __future__ import annotations

from enum import StrEnum


class Finding(StrEnum):
    FAILS_EDIT = "fails_edit"
    """The next change of the profile would be refused."""
    NO_LIVE_LINE = "no_live_line"
    """No line of any certificate with the account's maintenance e-mail has still to end."""
    ADDRESS_GONE = "address_gone"
    """The maintenance e-mail stands on no certificate any more."""


class Mark(StrEnum):
    OPEN = "open"
    DONE = "done"
    IGNORED = "ignored"
