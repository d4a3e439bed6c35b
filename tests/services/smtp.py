"""A real SMTP server for the tests: it keeps what it accepts and refuses what it is told to refuse."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller


@dataclass(frozen=True)
class Received:
    """One accepted letter with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        return cast("str", body.get_content()) if body else ""


@dataclass
class SmtpSink:
    """What arrived, and what the server answers."""

    letters: list[Received] = field(default_factory=list[Received])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    down: str = ""
    port: int = 0

    @property
    def url(self) -> str:
        """The value of JTICKETS_SMTP_URL that leads here."""
        return f"smtp://127.0.0.1:{self.port}"

    def refuse(self, address: str, answer: str = "550 5.1.1 no such user") -> None:
        """Answer `answer` to RCPT TO `address` from now on; a 4xx asks to try again."""
        self.refused[address] = answer

    def fail(self, answer: str = "451 4.3.0 try again later") -> None:
        """Answer `answer` to every DATA; `recover` ends it."""
        self.down = answer

    def recover(self) -> None:
        """Accept everything again."""
        self.down = ""
        self.refused.clear()

    def to(self, address: str) -> list[Received]:
        """The letters that were delivered to `address`, in order."""
        return [letter for letter in self.letters if address in letter.recipients]

    def wait(self, count: int, seconds: float = 10) -> list[Received]:
        """The letters as soon as `count` of them are there; fails after `seconds`."""
        until = time.monotonic() + seconds
        while len(self.letters) < count:
            assert time.monotonic() < until, f"{len(self.letters)} of {count} letters after {seconds} s"
            time.sleep(0.02)
        return self.letters

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if self.down:
            return self.down
        message = message_from_bytes(envelope.content, policy=default)
        self.letters.append(Received(envelope.mail_from, tuple(envelope.rcpt_tos), message, envelope.content))
        return "250 OK"


@contextmanager
def smtp_server() -> Iterator[SmtpSink]:
    """A running server on a free port of the loopback."""
    sink = SmtpSink(port=free_port())
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port)
    controller.start()
    try:
        yield sink
    finally:
        controller.stop()


def free_port() -> int:
    """A port of the loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
