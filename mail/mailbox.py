"""The sender's own mailbox by IMAP: mails are fetched one at a time and marked as seen only when they are recorded."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import unquote, urlsplit

_PORTS = {"imap": 143, "imap+starttls": 143, "imaps": 993}
_SECONDS = 30.0
_MOST_BYTES = 1024 * 1024
"""Of one mail: a report or an answer says all that matters in its first megabyte."""


@dataclass(frozen=True)
class Place:
    """The parts of JTICKETS_IMAP_URL."""

    scheme: str
    host: str
    port: int
    user: str
    password: str
    folder: str


@dataclass(frozen=True)
class Fetched:
    """One mail of the mailbox; `key` names it for ever (UIDVALIDITY and UID)."""

    key: str
    uid: str
    raw: bytes


@dataclass(frozen=True)
class Withheld:
    """One mail that the server names and does not hand out."""

    key: str
    answer: str


class MailboxDown(Exception):
    """The mailbox cannot be read now; what is in it stays."""


def parse_imap_url(url: str) -> Place:
    """The mailbox of ``imaps://user:password@host:993/INBOX`` (also ``imap+starttls://``, ``imap://``). Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or not parts.username:
        raise ValueError("needs the form imaps://user:password@host:993/INBOX")
    folder = unquote(parts.path.strip("/")) or "INBOX"
    return Place(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], unquote(parts.username), unquote(parts.password or ""), folder)


def probe(url: str) -> str:
    """Sign in, open the folder and hang up; which mailbox it was. Raises OSError when it cannot be read."""
    try:
        with open_mailbox(url):
            place = parse_imap_url(url)
    except MailboxDown as fault:
        raise OSError(str(fault)) from fault
    return f"{place.scheme} {place.host}:{place.port}/{place.folder}"


class _Refusal(MailboxDown):
    """The server said NO to a command; the talk goes on."""


class Mailbox:
    """An open folder."""

    def __init__(self, imap: imaplib.IMAP4, validity: str) -> None:
        self._imap = imap
        self._validity = validity

    def unseen(self, limit: int) -> Iterator[Fetched | Withheld]:
        """Up to `limit` mails that are not marked as seen, the oldest first, and what is withheld on the way; fetching marks nothing. Raises MailboxDown."""
        left = limit
        for uid in (told.decode("ascii") for told in self._ask("SEARCH", "UNSEEN")[0].split()):
            if not left:
                return
            key = f"{self._validity}:{uid}"
            try:
                found = self._ask("FETCH", uid, f"(BODY.PEEK[]<0.{_MOST_BYTES}>)")
            except _Refusal as refusal:
                yield Withheld(key, str(refusal))
                continue
            literals = [cast("tuple[bytes, bytes]", part) for part in found if isinstance(part, tuple)]
            if literals:
                left -= 1
                yield Fetched(key, uid, literals[0][1])

    def mark_seen(self, fetched: Fetched) -> None:
        """It is recorded: do not show it again. Raises MailboxDown."""
        self._ask("STORE", fetched.uid, "+FLAGS.SILENT", "(\\Seen)")

    def _ask(self, command: str, *arguments: str) -> list[Any]:
        with _speaking():
            status, answer = self._imap.uid(command, *arguments)
        if status != "OK":
            raise _Refusal(f"{command}: {status}")
        return [part if part is not None else b"" for part in answer]


@contextmanager
def open_mailbox(url: str, *, trust: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """The folder that `url` names, for as long as the block lasts. Raises MailboxDown."""
    place = parse_imap_url(url)
    with _speaking():
        imap = _connect(place, trust or ssl.create_default_context())
    try:
        with _speaking():
            imap.login(place.user, place.password)
            status, _ = imap.select(f'"{place.folder}"')
            if status != "OK":
                raise MailboxDown(f"there is no folder {place.folder}")
            told = imap.response("UIDVALIDITY")[1][0]
        yield Mailbox(imap, told.decode("ascii") if isinstance(told, bytes) else "0")
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            imap.logout()
        with suppress(OSError):
            imap.shutdown()


def _connect(place: Place, trust: ssl.SSLContext) -> imaplib.IMAP4:
    if place.scheme == "imaps":
        return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=trust, timeout=_SECONDS)
    imap = imaplib.IMAP4(place.host, place.port, timeout=_SECONDS)
    if place.scheme == "imap+starttls":
        imap.starttls(trust)
    return imap


@contextmanager
def _speaking() -> Iterator[None]:
    """What goes wrong in a talk with the server, under one name and without what was said (a password may stand there)."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error) as fault:
        broken = isinstance(fault, (OSError, imaplib.IMAP4.abort))
        raise MailboxDown(f"the connection broke off ({type(fault).__name__})" if broken else "the server refused the login or a command") from None
