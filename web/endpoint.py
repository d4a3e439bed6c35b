"""One request: read the body, prepare, open the transaction, check access, run the handler, commit below 400."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import anyio
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.actors import Actor, Customer, StaffMember
from models.database import retrying, transaction
from rules.rights import right
from web.access import Access, World
from web.call import Basis, Call
from web.csrf import sent_by_us, token_matches
from web.errors import Answered, Forbidden, NotFound, SignedOut, StaleForm, TooLong
from web.forms import Fields
from web.refusals import note_refused
from web.sessions import NOBODY, Found, find_customer, find_staff, touch
from web.uploads import Body, read_body
from web.wiring import Wiring

T = TypeVar("T")
Handler = Callable[[Call], Response]
Prepare = Callable[[Basis], Any]

_SMALL_BODY = 1024 * 1024
_TURN_SECONDS = 0.02
_ADDRESS_CHARACTERS = 45
"""The longest form of an IPv6 address."""
_SHOWN_NAMES, _SHOWN_NAME = 10, 40
_WRITTEN = ("answer", "body", "message", "question", "reason", "text")
"""Fields in which people write at length."""
_BY_ITSELF = ("/drafts/answer", "/drafts/note", "/presence")
"""What a page sends by itself while somebody writes: it must not take the page away from them."""
log = structlog.get_logger("web")


@dataclass(frozen=True)
class Page:
    """A line of a routing table: path, method, handler and access.

    `prepare` does slow work that needs no open transaction (Argon2, parsing, another host); its result is `call.basis.prepared`.
    `uploads` lets the form carry files, which lie in the storage before the transaction opens.
    `quick` says that the page reads a bounded little, however much there is: on an embedded database it never leaves the loop.
    `writes` lets a GET write. One route needs it: the OpenID provider sends people back to us by a redirect, which is always a GET,
    and a page that posts itself would need a script. The signed state of the sign-in stands there in the place of the form's token.
    """

    path: str
    method: str
    handler: Handler
    access: Access
    prepare: Prepare | None = None
    uploads: bool = False
    writes: bool = False
    quick: bool = False


def get(path: str, handler: Handler, access: Access, *, prepare: Prepare | None = None, writes: bool = False, quick: bool = False) -> Page:
    """A page to read; its transaction cannot write (`Page` tells of the one exception)."""
    return Page(path, "GET", handler, access, prepare, writes=writes, quick=quick)


def post(path: str, handler: Handler, access: Access, *, prepare: Prepare | None = None, uploads: bool = False) -> Page:
    """A form to take."""
    return Page(path, "POST", handler, access, prepare, uploads)


class Threads:
    """Threads that answer, off the loop that reads and writes the sockets.

    With `in_turn` a second one begins only when the first has taken longer than pages do: whoever asks a database within this process gives the
    interpreter away at every row, and two threads that pass it to each other so cost half as much again as one after the other.
    """

    def __init__(self, number: int, name: str, *, in_turn: bool = False) -> None:
        self._pool = ThreadPoolExecutor(number, name)
        self._turn = asyncio.Semaphore(1) if in_turn else None

    @property
    def are_idle(self) -> bool:
        """Whether work of a few milliseconds is done soonest by the loop itself: with `in_turn`, while nobody has the turn.

        To wake a thread and be woken by it costs up to half of what a page does, and another core's caches.
        """
        return self._turn is not None and not self._turn.locked()

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises. Who stops waiting for it does not stop it."""
        if self._turn is None:
            return await self._run(work)
        await self._turn.acquire()
        give_back = _Once(self._turn.release)
        late = asyncio.get_running_loop().call_later(_TURN_SECONDS, give_back)
        try:
            return await self._run(work)
        finally:
            late.cancel()
            give_back()

    async def _run(self, work: Callable[[], T]) -> T:
        def told() -> T:
            try:
                return work()
            except StopIteration as fault:  # the one that no future takes: its request would wait for ever
                raise RuntimeError(repr(fault)) from fault

        return await asyncio.get_running_loop().run_in_executor(self._pool, told)


class _Once:
    """Calls `act` the first time it is called itself."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act

    def __call__(self) -> None:
        act, self._act = self._act, None
        if act:
            act()


async def serve(page: Page, wiring: Wiring, threads: tuple[Threads, Threads], request: Request) -> Response:
    """Answer `request` by `page`."""
    reading, writing = threads
    basis = Basis(wiring, request, page.access.world, wiring.clock(), client_of(request))
    if page.method == "GET":
        # A preparing GET waits for another host: neither readers nor writers shall stand behind it, so it takes a thread of its own.
        answered = await anyio.to_thread.run_sync(partial(_prepare, page, basis)) if page.prepare else None
        if answered:
            return answered
        if page.quick and reading.are_idle:
            return await _answer_here(page, basis, reading, writing)
        return await (writing if page.writes else reading).run(partial(_answer, page, basis))
    if not sent_by_us(request):
        raise StaleForm
    if page.uploads and not _is_small(request):
        # Nobody who may not post here shall fill the disk first.
        turned_away = await reading.run(partial(_check_ahead, page, basis))
        if turned_away is not None:
            return turned_away
    body = await read_body(request, limits=wiring.limits, uploads=page.uploads)
    try:
        basis.fields = Fields(body.fields)
        return await writing.run(partial(_take, page, basis, body))
    finally:
        body.close()


def _is_small(request: Request) -> bool:
    """Whether the body says that it is small; one that says nothing, or nonsense, is not."""
    declared = request.headers.get("content-length", "")
    return declared.isascii() and declared.isdecimal() and len(declared) < 10 and int(declared) <= _SMALL_BODY


def client_of(request: Request) -> str:
    """The client's address; uvicorn has put in what trusted proxies told, which need not be an address."""
    return request.client.host[:_ADDRESS_CHARACTERS] if request.client else ""


def find_actor(basis: Basis, session: Session) -> Found:
    """The actor behind this world's cookie."""
    token = basis.session_cookie()
    if not token:
        return NOBODY
    find = find_customer if basis.world is World.PORTAL else find_staff
    return find(session, token, client=basis.client, limits=basis.limits, now=basis.now)


def _take(page: Page, basis: Basis, body: Body) -> Response:
    if body.files:
        turned_away = _check_ahead(page, basis)
        if turned_away is not None:
            return turned_away
        from web.hold import hold  # reads logs, for which a worker that is sent no files has no use

        basis.uploads = hold(basis, body, lambda session: find_actor(basis, session).actor)
    response = _prepare(page, basis) or retrying(lambda: _answer(page, basis))
    if response.status_code < 400 and basis.fields.unasked:
        names = [name[:_SHOWN_NAME] for name in basis.fields.unasked[:_SHOWN_NAMES]]
        log.info("unknown fields ignored", request=basis.request.scope.get("request_id", ""), route=page.path, names=names)
    return response


def _prepare(page: Page, basis: Basis) -> Response | None:
    """Do the route's slow work; the answer, where that work knows it already."""
    try:
        basis.prepared = page.prepare(basis) if page.prepare else None
    except Answered as answered:
        return answered.response
    return None


def _check_ahead(page: Page, basis: Basis) -> Response | None:
    """Whether the actor may post here, before any file is stored; the way to the sign-in for whom it is not known."""
    afterwards: list[Callable[[Session], None]] = []
    try:
        with transaction(basis.wiring.engine, readonly=True) as session:
            _admit(page.access, basis, session, find_actor(basis, session), afterwards)
    except Answered as answered:
        return answered.response
    finally:
        _run(afterwards, basis)
    return None


async def _answer_here(page: Page, basis: Basis, reading: Threads, writing: Threads) -> Response:
    """As `_answer`, on the loop; what is to be written afterwards, which may have to wait, is not, nor what proves to be long."""
    afterwards: list[Callable[[Session], None]] = []
    basis.on_loop = True
    try:
        return _handled(page, basis, afterwards)
    except TooLong:
        afterwards.clear()
        basis.on_loop = False
        return await reading.run(partial(_answer, page, basis))
    finally:
        if afterwards:
            await writing.run(partial(_write_afterwards, afterwards, page, basis))


def _answer(page: Page, basis: Basis) -> Response:
    """The handler in its transaction, and then its short writes. Raises what the edge turns into a page."""
    afterwards: list[Callable[[Session], None]] = []
    try:
        return _handled(page, basis, afterwards)
    finally:
        _write_afterwards(afterwards, page, basis)


def _handled(page: Page, basis: Basis, afterwards: list[Callable[[Session], None]]) -> Response:
    """What the handler answers in its transaction; `afterwards` gets the writes that are to follow it."""
    readonly = _only_reads(page)
    try:
        with transaction(basis.wiring.engine, readonly=readonly) as session:
            found = find_actor(basis, session)
            if found.touch and found.actor:
                afterwards.append(partial(_touch, found.actor, basis.now))
            _admit(page.access, basis, session, found, afterwards)
            call = Call(basis, session, found.actor, found.half_signed_in)
            call.afterwards = afterwards
            if page.method != "GET":
                _check_token(basis, found)
            response = page.handler(call)
            if response.status_code >= 400 and not readonly:
                session.rollback()
    except Answered as answered:
        return answered.response
    return response


def _only_reads(page: Page) -> bool:
    return page.method == "GET" and not page.writes


def _write_afterwards(afterwards: list[Callable[[Session], None]], page: Page, basis: Basis) -> None:
    if _only_reads(page):
        _run_if_possible(afterwards, page, basis)
    else:
        _run(afterwards, basis)


def _run_if_possible(afterwards: list[Callable[[Session], None]], page: Page, basis: Basis) -> None:
    """Reading goes on where nothing can be written: that somebody was here, or looked for what is not theirs, stands in the log then."""
    try:
        _run(afterwards, basis)
    except OperationalError as fault:
        log.warning("not noted", request=basis.request.scope.get("request_id", ""), route=page.path, fault=type(fault).__name__)


def _run(afterwards: list[Callable[[Session], None]], basis: Basis) -> None:
    if afterwards:
        with transaction(basis.wiring.engine) as session:
            for write in afterwards:
                write(session)


def _touch(actor: Customer | StaffMember, now: datetime, session: Session) -> None:
    touch(session, actor, now=now)


def _check_token(basis: Basis, found: Found) -> None:
    cookie = basis.session_cookie() if found.actor or found.half_signed_in else basis.visitor_cookie()
    tokens = basis.fields.get("csrf_token") or [""]
    if len(tokens) != 1 or not token_matches(basis.wiring.settings.key, cookie, tokens[0]):
        raise StaleForm({**basis.fields, "held": [*basis.fields.get("held", ()), *(upload.token for upload in basis.uploads)]}, cookie)


def _admit(access: Access, basis: Basis, session: Session, found: Found, afterwards: list[Callable[[Session], None]]) -> None:
    """Let the actor pass, or raise: NotFound (no right at all), Forbidden (may only look), Answered (sign in first).

    Whoever is turned away with a name leaves a line in the journal.
    """
    if not access.signed_in:
        return
    if found.actor is None:
        stranger = _from_the_other_world(basis, session)
        if stranger is None:
            raise Answered(_to_sign_in(access, basis))
        afterwards.append(partial(note_refused, stranger, basis))
        raise NotFound
    if access.area is None or not isinstance(found.actor, StaffMember) or found.actor.may(access.area, access.right):
        return
    afterwards.append(partial(note_refused, found.actor, basis))
    if right(found.actor.roles, access.area):
        raise Forbidden
    raise NotFound


def _from_the_other_world(basis: Basis, session: Session) -> Actor | None:
    """The customer who knocks at the console, or the staff member at the portal: for them these pages do not exist."""
    other = Basis(basis.wiring, basis.request, World.PORTAL if basis.world is World.CONSOLE else World.CONSOLE, basis.now, basis.client)
    return find_actor(other, session).actor


def _to_sign_in(access: Access, basis: Basis) -> Response:
    """The way to the sign-in and back; raises SignedOut where something was written meanwhile."""
    door = "/login" if access.world is World.PORTAL else "/console/sign-in"
    target = _asked_from(basis)
    expired = "&expired=1" if basis.session_cookie() else ""
    path = f"{door}?next={quote(target, safe='')}{expired}"
    if basis.is_htmx:
        by_itself = basis.request.method == "POST" and basis.request.scope["path"].endswith(_BY_ITSELF)
        return Response(status_code=401) if by_itself else Response(status_code=200, headers={"HX-Redirect": path})
    if expired and any(value.strip() for name in _WRITTEN for value in basis.fields.get(name, ())):
        raise SignedOut(basis.fields, basis.session_cookie(), path)
    return RedirectResponse(path, status_code=303)


def _asked_from(basis: Basis) -> str:
    """The page that was asked for, or on which a form of ours was filled in; "" where that is unknown."""
    request = basis.request
    if request.method == "GET":
        path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    else:
        came = urlsplit(request.headers.get("referer", ""))
        if came.netloc != request.headers.get("host", ""):
            return ""
        path, query = came.path, came.query
    return f"{path}?{query}" if path and query else path
