"""Sending one letter by SMTP over a connection that stays open, and what became of each recipient.

`smtplib.send_message` answers normally when some recipients were refused, and cannot say whether a broken connection lost
the server's 250; so the commands are given one by one here.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from urllib.parse import SplitResult, unquote, urlsplit

from mail.talk import END, Company, Parcel, Talk, commands_of, dotted, sayable, spelled
from rules.text import one_line

ANSWER_CHARACTERS = 500
_COMMAND_SECONDS = 60.0
_FINAL_SECONDS = 120.0
"""A server may think long before it takes a letter; a killed worker's letter waits as long for the next one."""
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_SERVICE_CLOSING = 421
_TOO_LARGE = 552


class Verdict(StrEnum):
    """What became of one recipient in one try."""

    ACCEPTED = "accepted"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"
    """The text was handed over and the server's word about it never came: it may have arrived."""


class Blame(StrEnum):
    """Whose fault an unsuccessful try was."""

    NOBODY = "nobody"
    LETTER = "letter"
    """The server took up the letter and failed at it; others may pass."""
    SERVER = "server"


@dataclass(frozen=True)
class Answer:
    verdict: Verdict
    text: str
    """The server's words, one line."""


@dataclass(frozen=True)
class Outcome:
    """One try: an answer per address; `fault` says what went wrong with the letter as a whole."""

    answers: dict[str, Answer] = field(default_factory=dict[str, Answer])
    blame: Blame = Blame.NOBODY
    fault: str = ""


class ServerDown(Exception):
    """No letter can leave now: the server is not there, not ready, or does not let us in."""


class Sender(Protocol):
    """Where letters go."""

    def ready(self) -> None:
        """Be able to send. Raises ServerDown."""
        ...

    def send(self, parcel: Parcel, sender: str, company: Company) -> Outcome:
        """Hand over one message; every recipient gets an answer."""
        ...

    def close(self) -> None:
        """Say goodbye."""
        ...


@dataclass(frozen=True)
class Server:
    """The parts of JTICKETS_SMTP_URL."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


def parse_smtp_url(url: str) -> Server:
    """The server of ``smtp://host:25``, ``smtp+starttls://user:password@host:587`` or ``smtps://host:465``. Raises ValueError."""
    parts: SplitResult = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("needs the form smtp://host:25, smtp+starttls://user:password@host:587 or smtps://host:465")
    return Server(parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme], unquote(parts.username or ""), unquote(parts.password or ""))


def probe(url: str) -> str:
    """Connect, sign in and hang up; which server it was. Raises OSError when no letter could leave."""
    post = Post(url)
    try:
        post.ready()
    except ServerDown as fault:
        raise OSError(str(fault)) from fault
    post.close()
    server = parse_smtp_url(url)
    return f"{server.scheme} {server.host}:{server.port}"


class Post:
    """One connection to one server, opened when first needed and kept."""

    def __init__(self, url: str, *, seconds: float = _COMMAND_SECONDS, trust: ssl.SSLContext | None = None) -> None:
        self._server = parse_smtp_url(url)
        self._seconds = seconds
        self._trust = trust
        self._smtp: smtplib.SMTP | None = None
        self._begun: Parcel | None = None
        """The letter whose commands went out with the text before it."""
        self._one_by_one = False
        """Whether a connection broke off after that: some servers say that they take it, and do not."""

    def ready(self) -> None:
        """An open connection that answers; a fresh one when the kept one died. Raises ServerDown."""
        if self._smtp is not None and self._begun is None and self._answers(self._smtp):
            return
        self._drop()
        try:
            self._smtp = self._connect()
        except OSError as fault:
            raise ServerDown(_words(fault)) from fault

    def send(self, parcel: Parcel, sender: str, company: Company) -> Outcome:
        """Hand over `parcel`. Raises ServerDown before the letter was begun, never afterwards; what `company` raises flies."""
        begun, self._begun = self._begun, None
        if begun is not None and begun != parcel:
            self._drop()  # it stands in the middle of a letter that is not sent
        if self._smtp is None:
            self.ready()
        if self._smtp is None:
            raise ServerDown("no connection")
        talk = Talk(self._smtp, self._seconds, company, begun=begun == parcel)
        answers: dict[str, Answer] = {}
        try:
            return self._transact(talk, parcel, sender, answers)
        except OSError as fault:
            self._one_by_one = self._one_by_one or talk.begun
            self._drop()
            return _broken(answers, parcel.recipients, _words(fault), Verdict.TEMPORARY)
        except BaseException:
            # The connection stands in the middle of a transaction that nobody follows up.
            self._drop()
            raise

    def close(self) -> None:
        """Say goodbye; a server that is gone is no fault."""
        if self._smtp is not None:
            if self._begun is None:
                with suppress(OSError):
                    self._smtp.quit()
            self._drop()

    def _transact(self, talk: Talk, parcel: Parcel, sender: str, answers: dict[str, Answer]) -> Outcome:
        """MAIL, RCPT for each, DATA. Fills `answers` as they come, so that a break leaves what is known."""
        recipients = sayable(parcel.recipients)
        answers |= {address: Answer(Verdict.PERMANENT, "not an address") for address in parcel.recipients if address not in recipients}
        if not recipients:
            return Outcome(answers)
        replies = talk.ask(commands_of(talk, parcel.mail, sender, recipients))
        code, said = next(replies)
        if code != 250:
            return self._refused_sender(talk, recipients, answers, code, said)
        for address in recipients:
            code, said = next(replies)
            if code == _SERVICE_CLOSING:
                self._drop()
                return _broken(answers, recipients, _line(code, said), Verdict.TEMPORARY, Blame.SERVER)
            if code not in (250, 251):
                answers[address] = _answer(code, said)
        taken = [address for address in recipients if address not in answers]
        if not taken:
            self._call_off(talk, replies)
            return Outcome(answers, Blame.NOBODY, "")
        code, said = next(replies)
        if code != 354:
            return self._refused_text(talk, taken, answers, code, said, Blame.SERVER)
        return self._hand_over(talk, parcel.mail, sender, taken, answers)

    def _hand_over(self, talk: Talk, mail: bytes, sender: str, taken: Sequence[str], answers: dict[str, Answer]) -> Outcome:
        talk.prepare_text()
        seconds = _FINAL_SECONDS if self._seconds >= _COMMAND_SECONDS else self._seconds
        talk.company.renew(seconds)
        next_one = talk.company.following() if talk.ahead and not self._one_by_one else None
        commands = commands_of(talk, next_one.mail, sender, sayable(next_one.recipients)) if next_one and sayable(next_one.recipients) else []
        self._begun = next_one if commands else None
        try:
            code, said = talk.finish(dotted(mail) + spelled(commands), seconds)
        except OSError as fault:
            self._one_by_one = self._one_by_one or bool(commands)
            self._drop()
            return _broken(answers, [*answers, *taken], _words(fault), Verdict.UNKNOWN)
        if code != 250:
            return self._refused_text(talk, taken, answers, code, said, Blame.LETTER)
        accepted = Answer(Verdict.ACCEPTED, _line(code, said))
        return Outcome({**answers, **dict.fromkeys(taken, accepted)})

    def _call_off(self, talk: Talk, replies: Iterator[tuple[int, bytes]]) -> None:
        """Nobody was taken. A DATA that went out ahead is answered all the same: an empty text, which nobody gets, ends it."""
        try:
            if talk.ahead and next(replies)[0] == 354:
                talk.finish(END, self._seconds)
        except OSError:
            self._drop()
        else:
            self._reset(talk)

    def _refused_sender(self, talk: Talk, recipients: Sequence[str], answers: dict[str, Answer], code: int, said: bytes) -> Outcome:
        """MAIL was refused: too large is the letter's fault, anything else (not logged in, busy) the server's."""
        if code == _SERVICE_CLOSING or talk.ahead:
            self._one_by_one = self._one_by_one or talk.begun
            self._drop()
        else:
            self._reset(talk)
        if code == _TOO_LARGE:
            return Outcome(answers | dict.fromkeys(recipients, _answer(code, said)), Blame.NOBODY, _line(code, said))
        return Outcome(answers | dict.fromkeys(recipients, Answer(Verdict.TEMPORARY, _line(code, said))), Blame.SERVER, _line(code, said))

    def _refused_text(self, talk: Talk, taken: Sequence[str], answers: dict[str, Answer], code: int, said: bytes, busy: Blame) -> Outcome:
        """A text was refused: before the server saw any of it (DATA) or afterwards; `busy` is whose fault it is when another time may do."""
        answer = _answer(code, said)
        if code == _SERVICE_CLOSING:
            self._drop()
            return _broken(answers, [*answers, *taken], answer.text, Verdict.TEMPORARY, Blame.SERVER)
        if self._begun is None:
            self._reset(talk)
        blame = busy if answer.verdict is Verdict.TEMPORARY else Blame.NOBODY
        return Outcome({**answers, **dict.fromkeys(taken, answer)}, blame, answer.text)

    def _connect(self) -> smtplib.SMTP:
        """Raises OSError, which smtplib's own faults are too."""
        server = self._server
        if server.scheme == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=self._seconds, context=self._context())
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._seconds)
        try:
            if smtp.sock:
                # A text that waits for the acknowledgement of the commands before it costs 40 ms each.
                smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            smtp.ehlo_or_helo_if_needed()
            if server.scheme == "smtp+starttls":
                smtp.starttls(context=self._context())
                smtp.ehlo_or_helo_if_needed()
            if server.user:
                smtp.login(server.user, server.password)
        except OSError:
            smtp.close()
            raise
        return smtp

    def _context(self) -> ssl.SSLContext:
        return self._trust or ssl.create_default_context()

    def _answers(self, smtp: smtplib.SMTP) -> bool:
        try:
            return smtp.noop()[0] == 250
        except OSError:
            return False

    def _reset(self, talk: Talk) -> None:
        """End the transaction; what the letter's recipients were told stands, even when the server goes now."""
        try:
            talk.smtp.rset()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = self._begun = None


def _broken(answers: dict[str, Answer], recipients: Sequence[str], words: str, verdict: Verdict, blame: Blame = Blame.LETTER) -> Outcome:
    """The outcome of a connection that ended in the middle: who was refused before stays so, the others get `verdict`."""
    rest = {address: Answer(verdict, words) for address in recipients if address not in answers}
    return Outcome({**answers, **rest}, blame, words)


def _answer(code: int, said: bytes) -> Answer:
    return Answer(Verdict.PERMANENT if code >= 500 else Verdict.TEMPORARY, _line(code, said))


def _line(code: int, said: bytes) -> str:
    return one_line(f"{code} {said.decode('utf-8', 'replace')}")[:ANSWER_CHARACTERS]


def _words(fault: Exception) -> str:
    """What broke, without the password that an authentication error may quote."""
    if isinstance(fault, smtplib.SMTPResponseException):
        said = fault.smtp_error
        return _line(fault.smtp_code, said if isinstance(said, bytes) else str(said).encode())
    return one_line(f"{type(fault).__name__}: {fault}")[:ANSWER_CHARACTERS]
