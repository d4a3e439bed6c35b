"""What is said to a mail server about one letter, as RFC 5321 and RFC 2920 spell it."""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, cast

END = b".\r\n"
"""What ends a text."""
_DOT_LINES = re.compile(rb"(?m)^\.")
_SAYABLE = re.compile(r"[!-;=?-~]+")
"""What cannot end a command. Every address passed the grammar long ago; this is the last door."""
_LONGEST_ANSWER, _MOST_ANSWERS = 8192, 100


@dataclass(frozen=True)
class Parcel:
    """One message, and whom it goes to."""

    mail: bytes
    recipients: tuple[str, ...]


class Company:
    """What is asked of, and left to, whoever has a letter sent. This one has nothing else to do."""

    def renew(self, seconds: float) -> None:
        """Make sure of the letter for `seconds` more: so long the server may take. What this raises flies."""

    def before_text(self) -> None:
        """Do what must be done before any more text is handed over; where possible, the server is thinking at that moment. What this raises flies."""

    def meanwhile(self) -> None:
        """A moment for other work: the server has been told something and thinks."""

    def following(self) -> Parcel | None:
        """What is surely sent next over the connection: its commands may go out together with this letter's text."""
        return None


class Talk:
    """The commands of one letter over an open connection.

    A server that offers PIPELINING (RFC 2920) hears all commands up to DATA at once, and together with the text before them; others one by one.
    smtplib's own way of giving a command costs as much as all else that is done for a letter.
    """

    def __init__(self, smtp: smtplib.SMTP, seconds: float, company: Company, *, begun: bool) -> None:
        self.smtp = smtp
        self.company = company
        self.ahead = smtp.has_extn("pipelining")
        """Whether commands are given whose answers are not awaited."""
        self.begun = begun
        """Whether the commands went out with the text of the letter before."""
        self._prepared = False
        self._seconds = seconds

    def offers(self, extension: str) -> bool:
        """Whether the server told so in its greeting."""
        return self.smtp.does_esmtp and self.smtp.has_extn(extension)

    def ask(self, commands: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """(code, text) of each command's answer; without PIPELINING a command is given when its answer is asked for."""
        for number, command in enumerate(commands):
            self.company.renew(self._seconds)
            if not self.ahead:
                self._say(spelled([command]))
            elif number == 0 and not self.begun:
                self._say(spelled(commands))
            elif number == 0:
                self.prepare_text()  # the server has heard them already, and may think long
            yield self._hear()

    def prepare_text(self) -> None:
        """Have done what must be done before any more text."""
        if not self._prepared:
            self._prepared = True
            self.company.before_text()

    def finish(self, text: bytes, seconds: float) -> tuple[int, bytes]:
        """The answer to a whole text, for which the server may take `seconds`."""
        sock = self._sock()
        sock.settimeout(seconds)
        self._say(text)
        answer = self._hear()
        sock.settimeout(self._seconds)
        return answer

    def _say(self, words: bytes) -> None:
        self._sock().sendall(words)
        self.prepare_text()
        self.company.meanwhile()

    def _hear(self) -> tuple[int, bytes]:
        """One answer, its lines joined. Raises OSError when the connection ends or talks nonsense."""
        file = cast("BinaryIO", self.smtp.file)
        said: list[bytes] = []
        while line := file.readline(_LONGEST_ANSWER):
            words = line[4:].strip()
            if not line[:3].isdigit() or not line.endswith(b"\n") or len(said) >= _MOST_ANSWERS:
                raise smtplib.SMTPServerDisconnected("the server does not speak SMTP")
            if line[3:4] != b"-":
                return int(line[:3]), b"\n".join([*said, words]) if said else words
            said.append(words)
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    def _sock(self) -> socket.socket:
        if self.smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("no connection")
        return self.smtp.sock


def sayable(addresses: Sequence[str]) -> list[str]:
    """Those of `addresses` that can be said in a command."""
    return [address for address in addresses if _SAYABLE.fullmatch(address)]


def commands_of(talk: Talk, mail: bytes, sender: str, recipients: Sequence[str]) -> list[str]:
    """What comes before the text of a letter."""
    size = f" size={len(mail)}" if talk.offers("size") else ""
    return [f"MAIL FROM:<{sender}>{size}", *(f"RCPT TO:<{address}>" for address in recipients), "DATA"]


def spelled(commands: Sequence[str]) -> bytes:
    """`commands` as they go over the wire."""
    return "".join(f"{command}\r\n" for command in commands).encode("ascii")


def dotted(mail: bytes) -> bytes:
    """`mail` as a text that ends with a dot."""
    text = _DOT_LINES.sub(b"..", mail) if b"\n." in mail or mail.startswith(b".") else mail
    return text + (END if text.endswith(b"\r\n") else b"\r\n" + END)
