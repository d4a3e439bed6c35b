"""Serving the pages: `jtickets serve`. Every web process loads this file and keeps what it imports: the least that is needed."""

from __future__ import annotations

import gc
import os
from collections.abc import Sequence
from typing import TypedDict

from cli_setup import open_database, settings_or_exit

FACES = ("both", "portal", "console")
HOST, PORT, FACE, WORKERS = "127.0.0.1", 8720, "both", 1
MOST_PORT, MOST_WORKERS = 65535, 64


class Asked(TypedDict):
    """What `jtickets serve` was asked for."""

    host: str
    port: int
    face: str
    workers: int


def plain_serve(words: Sequence[str]) -> Asked | None:
    """What the command line `words` ask of `serve`, None for any other command and whatever needs more explaining than a value."""
    names, values = words[1::2], words[2::2]
    if words[:1] != ["serve"] or len(names) != len(values) or len(set(names)) != len(names):
        return None
    given = dict(zip(names, values, strict=True))
    host, face = given.pop("--host", HOST), given.pop("--face", FACE)
    port, workers = _number(given.pop("--port", str(PORT)), MOST_PORT), _number(given.pop("--workers", str(WORKERS)), MOST_WORKERS)
    if given or host.startswith("-") or face not in FACES or not port or not workers:
        return None
    return Asked(host=host, port=port, face=face, workers=workers)


def serve_pages(*, host: str, port: int, face: str, workers: int) -> None:
    """Serve the pages of `face` until SIGTERM comes."""
    gc.disable()  # until all is loaded (asgi.create): a tenth of the start went into looking for garbage among modules
    import uvicorn

    settings = settings_or_exit()
    open_database(settings).dispose()
    os.environ["JTICKETS_FACE"] = face
    uvicorn.run(
        "asgi:create",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        log_level="warning",
        ws="none",
        timeout_graceful_shutdown=5,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies) or "",
        server_header=False,
        h11_max_incomplete_event_size=65536,
    )


def _number(word: str, most: int) -> int:
    """The number that `word` is, 0 for what is none between 1 and `most`."""
    number = int(word) if word.isascii() and word.isdecimal() and len(word) <= len(str(most)) else 0
    return number if number <= most else 0
