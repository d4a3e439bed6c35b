"""A small IMAP server for the tests: one folder, the commands a poller gives, and a way to break off."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, cast


@dataclass
class ImapServer:
    """The folder's mails by UID, which of them are marked as seen, and the command that breaks the connection off, which mails it withholds."""

    port: int = 0
    user: str = "tickets"
    password: str = "Brief-2026"
    validity: int = 7
    mails: dict[int, bytes] = field(default_factory=dict[int, bytes])
    seen: set[int] = field(default_factory=set[int])
    breaks_at: str = ""
    withheld: set[int] = field(default_factory=set[int])
    """UIDs whose FETCH is answered with NO."""

    @property
    def url(self) -> str:
        return f"imap://{self.user}:{self.password}@127.0.0.1:{self.port}/INBOX"

    def receive(self, raw: bytes) -> int:
        """Put a mail into the folder; its UID."""
        uid = max(self.mails, default=0) + 1
        self.mails[uid] = raw
        return uid


@contextmanager
def imap_server() -> Iterator[ImapServer]:
    """A running server on a free port of the loopback."""
    server = ImapServer()
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        server.port = listening.getsockname()[1]
        thread = threading.Thread(target=_listen, args=(listening, server, ended), daemon=True)
        thread.start()
        yield server
        ended.set()
        thread.join(5)


def _listen(listening: socket.socket, server: ImapServer, ended: threading.Event) -> None:
    while not ended.is_set():
        with suppress(TimeoutError):
            connection, _ = listening.accept()
            threading.Thread(target=_talk, args=(connection, server), daemon=True).start()


def _talk(connection: socket.socket, server: ImapServer) -> None:
    with connection, connection.makefile("rb") as lines, suppress(OSError):
        connection.settimeout(30)
        connection.sendall(b"* OK ready\r\n")
        for line in cast("BinaryIO", lines):
            tag, _, command = line.decode("ascii").strip().partition(" ")
            if server.breaks_at and server.breaks_at in command:
                return
            said, status = _answer(server, command)
            connection.sendall(said + f"{tag} {status} done\r\n".encode())
            if command.startswith("LOGOUT"):
                return


def _answer(server: ImapServer, command: str) -> tuple[bytes, str]:
    """(what is told, the word that ends it)."""
    verb = " ".join(command.split(" ")[: 2 if command.startswith("UID") else 1])
    if verb == "CAPABILITY":
        return b"* CAPABILITY IMAP4rev1\r\n", "OK"
    if verb == "LOGIN":
        return b"", "OK" if command == f'LOGIN {server.user} "{server.password}"' else "NO wrong"
    if verb == "SELECT":
        return f"* {len(server.mails)} EXISTS\r\n* OK [UIDVALIDITY {server.validity}] valid\r\n".encode(), "OK [READ-WRITE]"
    if verb == "UID SEARCH":
        return f"* SEARCH {' '.join(str(uid) for uid in sorted(server.mails) if uid not in server.seen)}\r\n".encode(), "OK"
    if verb == "UID FETCH":
        found = re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command)
        assert found, command
        if int(found.group(1)) in server.withheld:
            return b"", "NO [SERVERBUG]"
        raw = server.mails[int(found.group(1))][: int(found.group(2))]
        return f"* {found.group(1)} FETCH (UID {found.group(1)} BODY[]<0> {{{len(raw)}}}\r\n".encode() + raw + b")\r\n", "OK"
    if verb == "UID STORE":
        server.seen.add(int(command.split(" ")[2]))
    return b"", "OK"
