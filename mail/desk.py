"""What every letter says of the desk itself."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Desk:
    """The links' base, the sender and the addresses people are sent to."""

    base_url: str
    mail_from: str
    desk_address: str
    center_address: str
    key: bytes = field(default=b"", repr=False)
    """What links are signed with."""

    def link(self, path: str) -> str:
        """The absolute URL of a path of this desk; never from a request's Host header."""
        return f"{self.base_url}{path}"

    def stop_token(self, ticket_id: int) -> str:
        """What a CC recipient of a ticket's mail shows to stop further copies: all of one letter hold the same."""
        return f"{ticket_id}-{hmac.new(self.key, f'copies:{ticket_id}'.encode(), hashlib.sha256).hexdigest()[:32]}"

    def ticket_of_stop_token(self, token: str) -> int | None:
        """The ticket whose mail held `token`; None for one we never made."""
        number = token.partition("-")[0]
        known = number.isascii() and number.isdecimal() and len(number) < 10 and hmac.compare_digest(self.stop_token(int(number)).encode(), token.encode())
        return int(number) if known else None
