"""Mail servers that take everything and keep nothing: the lightest partner a sender can have. ``python -m bench.sink <servers> [plain]``."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from typing import cast

_GREETINGS = {True: b"250-sink\r\n250 PIPELINING\r\n", False: b"250 sink\r\n"}
"""As Postfix and Exim greet, and as a server that hears one command at a time."""
_ANSWERS = {b"EHLO": _GREETINGS["plain" not in sys.argv], b"DATA": b"354 go on\r\n", b"QUIT": b"221 bye\r\n"}
_OK = b"250 OK\r\n"
_END = b"\r\n.\r\n"


class Session(asyncio.Protocol):
    """One connection: commands line by line, texts up to their dot."""

    def __init__(self) -> None:
        self._held = b""
        self._in_text = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(b"220 sink\r\n")

    def data_received(self, data: bytes) -> None:
        """Answer what is complete, in one piece."""
        self._held += data
        answers: list[bytes] = []
        while True:
            found, _, rest = self._held.partition(_END if self._in_text else b"\r\n")
            if len(found) == len(self._held):
                break
            self._held = rest
            if self._in_text:
                self._in_text = False
                answers.append(_OK)
                continue
            verb = bytes(found[:4]).upper()
            self._in_text = bool(verb == b"DATA")
            answers.append(_ANSWERS.get(verb, _OK))
        if answers:
            self._transport.write(b"".join(answers))


def main() -> None:
    """Listen on free ports of the loopback, a process for each, as many as asked for; and print the ports."""
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
    print(*(each.getsockname()[1] for each in listening), flush=True)
    mine = next((each for each in listening[1:] if os.fork() == 0), listening[0])
    asyncio.run(_serve(mine))


async def _serve(listening: socket.socket) -> None:
    server = await asyncio.get_running_loop().create_server(Session, sock=listening)
    await server.serve_forever()


if __name__ == "__main__":
    main()
