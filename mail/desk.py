"""What every letter says of the desk itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Desk:
    """The links' base, the sender and the addresses people are sent to."""

    base_url: str
    mail_from: str
    desk_address: str
    center_address: str

    def link(self, path: str) -> str:
        """The absolute URL of a path of this desk; never from a request's Host header."""
        return f"{self.base_url}{path}"
