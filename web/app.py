"""The ASGI application: routes, the edge that turns failures into pages, the headers every answer carries."""

from __future__ import annotations

import errno
import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import DBAPIError, OperationalError, StatementError
from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.database import is_embedded, is_unwritable
from models.places import find
from rules.refusal import Refused
from storage.store import StorageFault
from web.assets import Static
from web.call import language_of
from web.csrf import token_for
from web.endpoint import Page, Threads, serve
from web.errors import Forbidden, NotFound, SignedOut, StaleForm
from web.forms import BadRequest, sentence
from web.nouns import Noun
from web.signposts import FOUND, Signposts
from web.uploads import TooLarge
from web.wiring import Wiring
from wording.catalog import N_, translate
from wording.dates import size

log = structlog.get_logger("web")

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
"""What every answer says that does not say otherwise itself; names in small letters, as they are sent."""
_PROBES = frozenset({"/healthz", "/healthz/jobs", "/readyz", "/metrics"})
"""Asked by machines that know an address and no name; they answer nothing about a host."""
_OFF_PAGES = "none"
"""How requests are counted that were for no page: files of the desk's own, probes, addresses that are not there."""
_HEADER_BYTES = 64 * 1024
"""No browser sends as much; the server below takes any number."""
_STATUSES = frozenset({400, 403, 404, 413, 422, 429, 500, 503, 507})
"""Statuses with a page of their own under templates/errors."""
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})
"""What the system says where a file cannot be written."""
_MASKED = ("/register/confirm/", "/recover/", "/profile/email/", "/exceptions/")
"""Paths whose last part is a secret: access logs say so instead of it."""


def build(wiring: Wiring, pages: Iterable[Page], extra: Sequence[BaseRoute] = (), *, nouns: Iterable[Noun] = ()) -> ASGIApp:
    """The application of `pages` and those of `nouns`, which are loaded on use; `extra` routes (health) come first."""
    register_url_convertor("int", _Number())
    settings = wiring.settings
    # Writers wait for each other at the database: there the next one of this process finds the pages of the last in its hands.
    threads = Threads(settings.reading_threads, "reading", in_turn=is_embedded(wiring.engine)), Threads(settings.writing_threads, "writing")
    routed = partial(_routes, wiring, threads)
    signposts = Signposts(routed(pages), {noun.parts: [partial(_routes_of, noun, module, routed) for module in noun.modules] for noun in nouns})
    routes = [*extra, signposts, Mount("/static", Static(directory=find("static")), name="static")]
    edge = _Edge(wiring)
    handlers: dict[Any, Any] = {
        HTTPException: edge.http,
        NotFound: edge.not_found,
        Forbidden: edge.forbidden,
        BadRequest: edge.bad_request,
        TooLarge: edge.too_large,
        ClientDisconnect: edge.bad_request,
        StaleForm: edge.stale,
        Refused: edge.refused,
        OperationalError: edge.unavailable,
        DBAPIError: edge.broken,
        OSError: edge.unwritable,
        Exception: edge.broken,
    }
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return _Outermost(app, wiring)


class _Number(IntegerConvertor):
    """A number in a path: more digits than any id has are no number, and Python refuses to read some thousand of them."""

    regex = "[0-9]{1,18}"


def _routes(wiring: Wiring, threads: tuple[Threads, Threads], pages: Iterable[Page]) -> list[Route]:
    return [Route(page.path, _Serving(page, wiring, threads), methods=[page.method], name=f"{page.method} {page.path}") for page in pages]


def _routes_of(noun: Noun, module: str, routed: Callable[[Iterable[Page]], list[Route]]) -> list[Route]:
    return routed(noun.pages_in(module))


class _Serving:
    """A page as an application: Starlette wraps a function once more, and what fails is told by the edge all the same."""

    def __init__(self, page: Page, wiring: Wiring, threads: tuple[Threads, Threads]) -> None:
        self._parts = page, wiring, threads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await serve(*self._parts, Request(scope, receive, send))
        await response(scope, receive, send)


class _Edge:
    """Turns failures into pages that say what happened and what to do."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring

    def http(self, request: Request, fault: Exception) -> Response:
        status = fault.status_code if isinstance(fault, HTTPException) else 500
        return self._page(request, 404 if status == 405 else status)

    def not_found(self, request: Request, _fault: Exception) -> Response:
        return self._page(request, 404)

    def forbidden(self, request: Request, _fault: Exception) -> Response:
        return self._page(request, 403)

    def bad_request(self, request: Request, _fault: Exception) -> Response:
        return self._page(request, 400)

    def too_large(self, request: Request, fault: Exception) -> Response:
        named, limit = (fault.file, size(fault.limit)) if isinstance(fault, TooLarge) else ("", "")
        told = (
            N_("「{file}」は {limit} を超えています。外すか、分けてお送りください。")
            if named
            else N_("送信された内容が、合わせて {limit} を超えています。いくつか外して、続きは返信でお送りください。")
        )
        return self._page(request, 413, translate(told, language_of(request)).format(file=named, limit=limit))

    def stale(self, request: Request, fault: Exception) -> Response:
        """What was typed is kept: one press sends it again, now with a token of this session, or after a sign-in in another tab."""
        if not isinstance(fault, StaleForm) or not fault.cookie:
            return self._page(request, 403, template="stale", typed=[], csrf_token="")
        token = token_for(self._wiring.settings.key, fault.cookie)
        if isinstance(fault, SignedOut):
            return self._page(request, 403, template="signed_out", typed=fault.fields, csrf_token=token, door=fault.door)
        return self._page(request, 403, template="stale", typed=fault.fields, csrf_token=token)

    def refused(self, request: Request, fault: Exception) -> Response:
        return self._page(request, 422, sentence(fault, language_of(request)) if isinstance(fault, Refused) else "")

    def unavailable(self, request: Request, fault: Exception) -> Response:
        full = isinstance(fault, DBAPIError) and is_unwritable(fault)
        return self._page(request, 507 if full else 503, reference=_report(request, fault))

    def unwritable(self, request: Request, fault: Exception) -> Response:
        full = isinstance(fault, StorageFault) or (isinstance(fault, OSError) and fault.errno in _UNWRITABLE)
        return self._page(request, 507 if full else 500, reference=_report(request, fault))

    def broken(self, request: Request, fault: Exception) -> Response:
        return self._page(request, 500, reference=_report(request, fault))

    def _page(self, request: Request, status: int, told: str = "", *, template: str = "", reference: str = "", **more: object) -> Response:
        settings, language = self._wiring.settings, language_of(request)
        context = {
            "told": told,
            "reference": reference,
            "contact": {"desk": settings.desk_address, "center": settings.center_address},
            "language": language,
            "path": request.scope["path"],
            **more,
        }
        name = template or (str(status) if status in _STATUSES else "500")
        text = self._wiring.renderer.page(f"errors/{name}.html", language, context)
        return HTMLResponse(text, status_code=status, headers={"cache-control": "no-store"})


def _report(request: Request, fault: Exception) -> str:
    number = request.scope.get("request_id", "")
    if isinstance(fault, StatementError):
        fault.hide_parameters = True  # they hold what people typed, and the links of letters
    log.error("request failed", request=number, method=request.method, path=masked(request.scope["path"]), fault=type(fault).__name__, exc_info=fault)
    return number


def masked(path: str) -> str:
    """`path` without the secret that a link's path carries."""
    for prefix in _MASKED:
        if path.startswith(prefix):
            return f"{prefix}…"
    return path


class _Outermost:
    """What wraps every request: a number, known hosts only, the security headers, one log line."""

    def __init__(self, app: ASGIApp, wiring: Wiring) -> None:
        self._app = app
        self._hosts = wiring.settings.hosts
        self._tallies = wiring.tallies
        headers = dict(_HEADERS)
        if wiring.settings.https:
            headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = secrets.token_hex(4)
        scope["request_id"] = number
        began = time.perf_counter()
        status = 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: list[tuple[bytes, bytes]] = message["headers"]
                said = {name for name, _ in headers}
                headers += [header for header in self._headers if header[0] not in said]
                headers.append((b"x-request-id", number.encode()))
            await send(message)

        try:
            if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEADER_BYTES:
                await PlainTextResponse("リクエストヘッダーが大きすぎます。", status_code=431, headers={"connection": "close"})(scope, receive, answer)
            elif scope["path"] not in _PROBES and not self._knows(scope):
                await PlainTextResponse("このホスト名では利用できません。", status_code=400)(scope, receive, answer)
            else:
                await self._app(scope, receive, answer)
        finally:
            took = time.perf_counter() - began
            route = scope.get(FOUND)
            self._tallies.count(route.path if route is not None else _OFF_PAGES, status, took)
            log.info("request", request=number, method=scope["method"], path=masked(scope["path"]), status=status, ms=round(took * 1000))

    def _knows(self, scope: Scope) -> bool:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        if len(hosts) != 1:
            return False
        host = hosts[0].decode("latin-1").lower()
        name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
        return name.strip("[]") in self._hosts
