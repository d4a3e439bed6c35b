"""A way to a PostgreSQL server that breaks off when it is told to: for a database that is lost at any moment of a request."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.engine import make_url

_PIECE = 65536


@dataclass
class Way:
    """Connections through it end at the `left`-th thing that the desk says to the server from now on; None: they hold."""

    url: str
    left: int | None = None
    cut: int = 0
    """How many were."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def ends_here(self) -> bool:
        """Whether what was just said is lost, and the connection with it."""
        with self._turn:
            if self.left is None:
                return False
            self.left -= 1
            if self.left > 0:
                return False
            self.left, self.cut = None, self.cut + 1
            return True


@contextmanager
def breaking_way(database_url: str) -> Iterator[Way]:
    """A `Way` to the server of `database_url`."""
    url = make_url(database_url)
    listening = socket.create_server(("127.0.0.1", 0))
    there = f"{url.query['host']}/.s.PGSQL.{url.query.get('port', url.port or 5432)}"
    port = listening.getsockname()[1]
    way = Way(url.set(host="127.0.0.1", port=port, query={"sslmode": "disable"}).render_as_string(hide_password=False))
    threading.Thread(target=_accept, args=(listening, there, way), daemon=True).start()
    try:
        yield way
    finally:
        listening.close()


def _accept(listening: socket.socket, there: str, way: Way) -> None:
    while True:
        try:
            desk, _ = listening.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(there)
        threading.Thread(target=_carry, args=(desk, server, way), daemon=True).start()
        threading.Thread(target=_carry, args=(server, desk, None), daemon=True).start()


def _carry(said: socket.socket, heard: socket.socket, way: Way | None) -> None:
    with suppress(OSError):
        while piece := said.recv(_PIECE):
            if way is not None and way.ends_here():
                break
            heard.sendall(piece)
    for end in (said, heard):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
