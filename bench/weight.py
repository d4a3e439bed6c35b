"""What a page costs besides time: SQL statements, HTML, bytes of the first load. Asked of the desk inside this process."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from bench.databases import Databases
from bench.desk_rows import staff_token
from bench.pages import DESK, KEY, PASSWORD
from settings import Settings
from web.csrf import token_for
from web.logs import configure

_ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')
_MAIN = re.compile(r"<main.*?</main>", re.DOTALL)


@dataclass(frozen=True)
class Weights:
    """Statements by page, and sizes in KiB."""

    database: str
    statements: dict[str, int]
    queue_kib: float
    """HTML of the queue's block, as htmx gets it."""
    ticket_kib: float
    """HTML of the ticket page's main part."""
    first_load_kib: float
    """The queue with its style, scripts and icons, gzipped."""


def weigh_pages(databases: Databases, ticket: int) -> Weights:
    """Count and weigh on the ticket `ticket`."""
    from asgi import application
    from web.wiring import wire

    configure("error")
    settings = Settings(database_url=databases.desk_url, base_url="http://testserver", secret_key=KEY, state_dir=databases.folder)
    wiring = wire(settings)
    cookies = {DESK.cookie_name: staff_token(9), "jtickets_visitor": "bench"}
    with TestClient(application(wiring), cookies=cookies, follow_redirects=False, headers={"sec-fetch-site": "same-origin"}) as client:
        client.get(DESK.queue)
        path = f"{DESK.queue}/{ticket}"
        with _counted(wiring.engine) as queue:
            page = client.get(DESK.queue).text
        with _counted(wiring.engine) as thread:
            shown = client.get(path).text
        reply = {"csrf_token": token_for(KEY.encode(), staff_token(9)), "last_seen": "999999999", "submission": "bench-weight", "body": "確認しました。"}
        with _counted(wiring.engine) as answer:
            _check(client.post(f"{path}/replies", data=reply).status_code, 303)
        login = {"csrf_token": token_for(KEY.encode(), "bench"), "user_id": "bench001", "password": PASSWORD}
        with _counted(wiring.engine) as door:
            _check(client.post("/login", data=login).status_code, 303)
        block = client.get(DESK.queue, headers={"hx-request": "true"}).text
        assets = sum(len(gzip.compress(client.get(url).content)) for url in sorted(set(_ASSET.findall(page))))
    wiring.engine.dispose()
    main = _MAIN.search(shown)
    return Weights(
        databases.kind,
        {"queue": len(queue), "ticket": len(thread), "reply": len(answer), "sign-in": len(door)},
        _kib(block),
        _kib(main.group() if main else shown),
        (len(gzip.compress(page.encode())) + assets) / 1024,
    )


@contextmanager
def _counted(engine: Engine) -> Iterator[list[str]]:
    """The statements sent meanwhile, those that only begin a transaction aside."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, _parameters: Any, _context: Any, _many: bool) -> None:
        if not statement.startswith("BEGIN"):
            sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def _check(status: int, wanted: int) -> None:
    if status != wanted:
        raise SystemExit(f"the page that is counted answered {status} instead of {wanted}")


def _kib(text: str | Sequence[str]) -> float:
    return len("".join(text).encode()) / 1024
