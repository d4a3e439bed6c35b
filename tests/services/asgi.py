"""Requests to an application of this process, all on one event loop: a loop and a thread for every visitor cost more than the page."""

from __future__ import annotations

import asyncio
import threading
from functools import cache
from typing import Any
from urllib.parse import unquote

import httpx2
from starlette.types import ASGIApp, Message


class InProcess(httpx2.BaseTransport):
    """What carries a visitor's requests from `address` to `app`; a fault of the application `raises` here, even when a page tells of it."""

    def __init__(self, app: ASGIApp, address: str, *, raises: bool = True) -> None:
        self._app = app
        self._raises = raises
        self._client = (address, 50000)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Ask the application, and take its whole answer."""
        answer = asyncio.run_coroutine_threadsafe(self._ask(self._scope(request), request.read()), _loop()).result()
        answer.request = request
        return answer

    async def _ask(self, scope: dict[str, Any], body: bytes) -> httpx2.Response:
        sent = [{"type": "http.request", "body": body}]
        told: list[Message] = []

        async def receive() -> Message:
            if not sent:
                await asyncio.Event().wait()  # this visitor never goes away before the answer
            return sent.pop()

        async def send(message: Message) -> None:
            told.append(message)

        try:
            await self._app(scope, receive, send)
        except Exception:
            if self._raises or not told:
                raise
        assert told, f"{scope['path']}: no answer"
        content = b"" if scope["method"] == "HEAD" else b"".join(message.get("body", b"") for message in told)
        return httpx2.Response(told[0]["status"], headers=told[0]["headers"], stream=httpx2.ByteStream(content))

    def _scope(self, request: httpx2.Request) -> dict[str, Any]:
        url = request.url
        return {
            "type": "http",
            "http_version": "1.1",
            "method": request.method,
            "path": unquote(url.path),
            "raw_path": url.raw_path.split(b"?", 1)[0],
            "root_path": "",
            "scheme": url.scheme,
            "query_string": url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
            "client": self._client,
            "server": [url.host, url.port or {"http": 80, "https": 443}[url.scheme]],
            "extensions": {},
            "state": {},
        }


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="visitors", daemon=True).start()
    return loop
