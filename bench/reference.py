"""The bare reference: Starlette, SQLAlchemy and Jinja2, a session look-up, two indexed queries and one page, `def` handlers.

It does what the reference of the performance paper does: lists and pages by Core, the reply by the ORM.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from threading import Semaphore
from typing import Any
from urllib.parse import parse_qsl

import anyio
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bench.corpus import PRODUCTS
from bench.reference_tables import COUNTER, CUSTOMER, MEMBER, MESSAGE, SESSION, TICKET, StoredMessage, StoredTicket, reference_engine, tickets_holding

_ROWS = 50
_TOKYO = timezone(timedelta(hours=9))
_COLUMNS = (
    TICKET.c.id,
    TICKET.c.subject,
    TICKET.c.product,
    TICKET.c.state,
    TICKET.c.created_at,
    TICKET.c.updated_at,
    CUSTOMER.c.company,
    CUSTOMER.c.email,
    MEMBER.c.name.label("member"),
)
_ME = select(MEMBER.c.name, SESSION.c.csrf).join(SESSION, SESSION.c.member_id == MEMBER.c.id)
_JOINED = select(*_COLUMNS).join(CUSTOMER, CUSTOMER.c.id == TICKET.c.customer_id).join(MEMBER, MEMBER.c.id == TICKET.c.member_id)
_QUEUE = _JOINED.where(TICKET.c.state == "open").order_by(TICKET.c.updated_at.desc(), TICKET.c.id.desc()).limit(_ROWS)
_OPEN = select(COUNTER.c.n).where(COUNTER.c.name == "open")
_MESSAGES = select(MESSAGE.c.author, MESSAGE.c.created_at, MESSAGE.c.body).order_by(MESSAGE.c.id)
_CUSTOMER = select(CUSTOMER.c.id, CUSTOMER.c.password_hash)


def create() -> Starlette:
    """The application of this process's environment: REFERENCE_DATABASE_URL, REFERENCE_THREADS."""
    threads = int(os.environ["REFERENCE_THREADS"])
    pages = _Pages(reference_engine(os.environ["REFERENCE_DATABASE_URL"], threads=threads + 1))

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None, None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = threads
        yield

    routes = [
        Route("/tickets", pages.queue),
        Route("/tickets/{number:int}", pages.ticket),
        Route("/search", pages.search),
        Route("/tickets/{number:int}/reply", _posting(pages.reply), methods=["POST"]),
        Route("/login", _posting(pages.sign_in), methods=["POST"]),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


class _Pages:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writers = engine.execution_options(writes=True)
        environment = Environment(loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, auto_reload=False)
        environment.filters["moment"] = _moment
        environment.filters["lines"] = _lines
        self._queue = environment.get_template("queue.html")
        self._ticket = environment.get_template("ticket.html")
        self._hasher = PasswordHasher(memory_cost=65536, time_cost=3, parallelism=1)
        self._turns = Semaphore(2)

    def queue(self, request: Request) -> Response:
        with Session(self._engine) as session:
            me = _me(session, request)
            count = session.execute(_OPEN).scalar_one()
            rows = session.execute(_QUEUE).all()
        return HTMLResponse(self._queue.render(me=me, count=count, tickets=rows, products=PRODUCTS))

    def search(self, request: Request) -> Response:
        with Session(self._engine) as session:
            me = _me(session, request)
            numbers = tickets_holding(session, request.query_params["q"], _ROWS)
            rows = session.execute(_JOINED.where(TICKET.c.id.in_(numbers)).order_by(TICKET.c.id.desc())).all()
        return HTMLResponse(self._queue.render(me=me, count=len(rows), tickets=rows, products=PRODUCTS))

    def ticket(self, request: Request) -> Response:
        number: int = request.path_params["number"]
        with Session(self._engine) as session:
            me = _me(session, request)
            found = session.execute(_JOINED.where(TICKET.c.id == number)).one()
            messages = session.execute(_MESSAGES.where(MESSAGE.c.ticket_id == number)).all()
        return HTMLResponse(self._ticket.render(me=me, ticket=found, messages=messages, products=PRODUCTS))

    def reply(self, request: Request, form: dict[str, str]) -> Response:
        number: int = request.path_params["number"]
        now = datetime.now(UTC)
        with Session(self._writers) as session:
            me = _me(session, request)
            if form["csrf"] != me.csrf:
                return PlainTextResponse("csrf", 403)
            ticket = session.get_one(StoredTicket, number)
            session.add(StoredMessage(ticket_id=number, author=me.name, created_at=now, body=form["body"]))
            ticket.updated_at = now
            session.commit()
        return RedirectResponse(f"/tickets/{number}", 303)

    def sign_in(self, _request: Request, form: dict[str, str]) -> Response:
        with Session(self._engine) as session:
            customer = session.execute(_CUSTOMER.where(CUSTOMER.c.user_id == form["user_id"])).one()
        try:
            with self._turns:
                self._hasher.verify(customer.password_hash, form["password"])
        except VerificationError:
            return PlainTextResponse("wrong", 403)
        token = secrets.token_urlsafe(32)
        with Session(self._writers) as session:
            session.execute(insert(SESSION).values(id=token, customer_id=customer.id, csrf=secrets.token_urlsafe(16)))
            session.commit()
        response = RedirectResponse("/tickets", 303)
        response.set_cookie("reference", token, httponly=True)
        return response


def _posting(handler: Callable[[Request, dict[str, str]], Response]) -> Callable[[Request], Any]:
    async def endpoint(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        return await run_in_threadpool(handler, request, form)

    return endpoint


def _me(session: Session, request: Request) -> Any:
    return session.execute(_ME.where(SESSION.c.id == request.cookies.get("reference", ""))).one()


def _moment(at: datetime) -> str:
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return aware.astimezone(_TOKYO).strftime("%Y/%m/%d %H:%M")


def _lines(text: str) -> Markup:
    return Markup(str(escape(text)).replace("\n", "<br>"))
