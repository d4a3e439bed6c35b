"""A mail server that breaks off where it is told to: what a well-behaved server never does to a test."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, cast

RESET = "reset"


@dataclass
class AwkwardServer:
    """`at` names what happens at a command (MAIL, RCPT, DATA, END, …): an answer, or RESET to break the connection off.

    END is the dot that ends a text. A text that END resets was taken all the same: its 250 is lost.
    `poison` is a piece of text that resets every letter holding it; `unwelcome` one by which a letter is put off.
    """

    port: int = 0
    at: dict[str, str] = field(default_factory=dict[str, str])
    delay: float = 0.0
    poison: bytes = b"\0"
    unwelcome: bytes = b"\0"
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Answers to RCPT by address."""
    taken: list[bytes] = field(default_factory=list[bytes])
    """The texts that were taken, in order."""
    commands: list[str] = field(default_factory=list[str])
    connections: int = 0

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def awkward_server() -> Iterator[AwkwardServer]:
    """A running server on a free port of the loopback."""
    server = AwkwardServer()
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        server.port = listening.getsockname()[1]
        thread = threading.Thread(target=_listen, args=(listening, server, ended), daemon=True)
        thread.start()
        yield server
        ended.set()
        thread.join(5)


def _listen(listening: socket.socket, server: AwkwardServer, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            connection, _ = listening.accept()
            server.connections += 1
            threading.Thread(target=_talk, args=(connection, server), daemon=True).start()


def _talk(connection: socket.socket, server: AwkwardServer) -> None:
    with connection, connection.makefile("rb") as lines, suppress(OSError):
        connection.settimeout(30)
        _say(connection, "220 awkward ESMTP")
        while line := lines.readline():
            command = line.decode("ascii", "replace").strip()
            verb = command.split(" ")[0].upper()
            server.commands.append(command)
            time.sleep(server.delay)
            if server.at.get(verb) == RESET:
                return
            refusal = next((answer for address, answer in server.refused.items() if verb == "RCPT" and f"<{address}>" in command), None)
            _say(connection, refusal or server.at.get(verb) or {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 OK"))
            if verb == "QUIT":
                return
            if verb == "DATA" and server.at.get("DATA", "354").startswith("354") and not _take(connection, cast("BinaryIO", lines), server):
                return


def _take(connection: socket.socket, lines: BinaryIO, server: AwkwardServer) -> bool:
    """Read a text; False when the connection is to break off. A text whose dot never came was not taken."""
    text = b""
    while (line := lines.readline()) != b".\r\n":
        if not line:
            return False
        text += line
    if server.poison in text:
        return False
    answer = "451 another time" if server.unwelcome in text else server.at.get("END", "250 taken")
    if answer == RESET or answer.startswith("250"):
        server.taken.append(text)
    if answer == RESET:
        return False
    _say(connection, answer)
    return True


def _say(connection: socket.socket, text: str) -> None:
    connection.sendall(text.encode() + b"\r\n")
