"""One request as a handler sees it: the session, the actor, the form, and the ways to answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from mail.desk import Desk
from models.actors import Actor, Customer, StaffMember
from models.base import Base
from models.calendars import business_calendar
from rules.calendar import BusinessCalendar
from rules.limits import Limits
from rules.refusal import Refused
from web.access import World
from web.csrf import token_for
from web.errors import NotFound, TooLong, or_not_found
from web.forms import BadRequest, Fields, Form
from web.wiring import Wiring
from wording.catalog import translate

T = TypeVar("T", bound=Actor)
Row = TypeVar("Row", bound=Base)

_LARGEST_ID = 2**31 - 1
_LOOP_CHARACTERS = 50_000
"""Of a page's posts: some milliseconds."""
_FLASH = "jtickets_flash"
_VISITOR = "jtickets_visitor"
_LANGUAGE = "jtickets_language"
_COOKIES = {World.PORTAL: "jtickets_portal", World.CONSOLE: "jtickets_console"}


@dataclass(frozen=True)
class Upload:
    """A file of this post that lies in the storage already, held for the actor until a message takes it."""

    id: int
    token: str
    name: str
    size: int


@dataclass
class Basis:
    """What is known of a request before its transaction opens."""

    wiring: Wiring
    request: Request
    world: World
    now: datetime
    client: str
    fields: Fields = field(default_factory=Fields)
    uploads: list[Upload] = field(default_factory=list)
    prepared: Any = None
    """What the route's preparing step worked out (a hash, a parsed file)."""
    on_loop: bool = False
    """Whether the loop itself answers, which serves nobody else meanwhile."""

    @property
    def limits(self) -> Limits:
        """The numbers in force."""
        return self.wiring.limits

    @property
    def language(self) -> str:
        """The language of the page: Japanese unless the visitor chose another."""
        return language_of(self.request)

    @property
    def is_htmx(self) -> bool:
        """Whether htmx asked for a part of the page."""
        headers = self.request.headers
        return headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"

    def cookie_name(self, name: str) -> str:
        """`name` as the browser keeps it: bound to this host where https allows it."""
        return f"__Host-{name}" if self.wiring.settings.https else name

    def session_cookie(self) -> str:
        """The session token that came, "" without one."""
        return self.cookie(_COOKIES[self.world]) if self.world in _COOKIES else ""

    def visitor_cookie(self) -> str:
        """The visitor token that came, "" without one."""
        return self.cookie(_VISITOR)

    def cookie(self, name: str) -> str:
        """The value of one of our cookies."""
        return self.request.cookies.get(self.cookie_name(name), "")

    def read_signed(self, name: str) -> str:
        """The value that `Call.signed` kept, "" when there is none or it was altered."""
        value, _, mark = self.cookie(name).rpartition(".")
        return value if value and hmac.compare_digest(mark.encode(), _sign(self.wiring.settings.key, name, value).encode()) else ""


class Call:
    """What a handler gets. Its transaction commits if and only if the answer's status is below 400."""

    def __init__(self, basis: Basis, session: Session, actor: Actor | None, half_signed_in: StaffMember | None = None) -> None:
        self.basis = basis
        self.session = session
        self.actor = actor
        self.half_signed_in = half_signed_in
        self.form = Form(basis.fields, language=basis.language)
        self.uploads = basis.uploads
        self.afterwards: list[Callable[[Session], None]] = []
        """Short writes of their own transaction, done after this one is closed, whatever its end."""
        self._cookies: list[Callable[[Response], None]] = []
        self._visitor = basis.visitor_cookie()
        self._flashes: list[tuple[str, str, dict[str, Any]]] = []

    @property
    def wiring(self) -> Wiring:
        """The process's parts."""
        return self.basis.wiring

    def expect(self, characters: int) -> None:
        """Tell how long a text the page will hold, before anything is made of it: a long one leaves the loop to others."""
        if self.basis.on_loop and characters > _LOOP_CHARACTERS:
            raise TooLong

    @property
    def now(self) -> datetime:
        """The request's moment."""
        return self.basis.now

    @property
    def limits(self) -> Limits:
        """The numbers in force."""
        return self.basis.wiring.limits

    @property
    def desk(self) -> Desk:
        """What letters say of the desk."""
        return self.basis.wiring.desk

    @property
    def client(self) -> str:
        """The client's address as far as the trusted proxies tell it."""
        return self.basis.client

    @property
    def customer(self) -> Customer:
        """The signed-in account (routes with access CUSTOMER)."""
        return _known(self.actor, Customer)

    @property
    def staff(self) -> StaffMember:
        """The signed-in staff member (routes with staff access)."""
        return _known(self.actor, StaffMember)

    def param(self, name: str) -> Any:
        """A typed part of the path. A number beyond any id names nothing: NotFound. Of a NUL, which no column takes, only its place is left."""
        value = self.basis.request.path_params[name]
        if isinstance(value, int) and value > _LARGEST_ID:
            raise NotFound
        return value.replace("\x00", "\ufffd") if isinstance(value, str) else value

    def named(self, kind: type[Row], name: str = "id") -> Row:
        """The row of `kind` whose number stands in the path as `name`. Raises NotFound."""
        return or_not_found(self.session.get(kind, self.param(name)))

    def query(self, name: str, default: str = "") -> str:
        """A value of the query string; the same name twice is a bad request."""
        values = self.basis.request.query_params.getlist(name)
        if len(values) > 1:
            raise BadRequest(f"query {name} came {len(values)} times")
        return values[0].replace("\x00", "") if values else default

    def queries(self, name: str) -> list[str]:
        """All values of a query name that may come several times."""
        return [value.replace("\x00", "") for value in self.basis.request.query_params.getlist(name)]

    def calendar(self) -> BusinessCalendar:
        """The desk's business calendar."""
        return business_calendar(self.session)

    @property
    def csrf_token(self) -> str:
        """The token of this page's forms; a visitor without a session gets a cookie to bind it to."""
        if self.actor or self.half_signed_in:
            return token_for(self.wiring.settings.key, self.basis.session_cookie())
        if not self._visitor:
            self._visitor = secrets.token_urlsafe(24)
            self._set_cookie(_VISITOR, self._visitor)
        return token_for(self.wiring.settings.key, self._visitor)

    def say(self, text: str, /, **facts: object) -> str:
        """The msgid `text` in the visitor's language, its facts filled in."""
        return translate(text, self.basis.language).format(**facts)

    def take_back(self, refused: Refused) -> None:
        """Undo what this request has written so far, and tell the refusal at its field."""
        self.session.rollback()
        self.form.refuse(refused)

    # -- answers

    def page(self, template: str, *, block: str | None = None, status: int = 200, **context: object) -> Response:
        """The page `template`, or its block when htmx asked for a part."""
        everything = {**self._frame(), **context}
        if "open_now" not in everything:
            everything["open_now"] = BusinessCalendar(frozenset()).is_open(self.now)
        renderer, language = self.wiring.renderer, self.basis.language
        if block and self.basis.is_htmx:
            text = renderer.block(template, block, language, everything)
        else:
            text = renderer.page(template, language, everything)
        return self.finish(HTMLResponse(text, status_code=status))

    def invalid(self, template: str, *, block: str | None = None, **context: object) -> Response:
        """The page again with what was typed and what is wrong (422): nothing is committed."""
        return self.page(template, block=block, status=422, **context)

    def redirect(self, path: str, flash: str = "", *, kind: str = "ok", **extra: Any) -> Response:
        """Go to `path` (303; by header for htmx), where `flash` is told once: a msgid, or what `say` made of one."""
        if flash:
            self._flashes.append((kind, translate(flash, self.basis.language), extra))
            self._cookies.append(lambda response: self._put_flash(response))
        if self.basis.is_htmx:
            return self.finish(Response(status_code=200, headers={"HX-Redirect": path}))
        return self.finish(RedirectResponse(quote(path, safe="/?&=#%:+,;@"), status_code=303))

    def finish(self, response: Response) -> Response:
        """`response` with this call's cookies."""
        response.headers.setdefault("vary", "HX-Request")
        for put in self._cookies:
            put(response)
        return response

    def start_session(self, token: str) -> None:
        """Hand the new session's token to the browser; the visitor's own token dies with it."""
        self._set_cookie(_COOKIES[self.basis.world], token)
        self._drop_cookie(_VISITOR)

    def end_session(self) -> None:
        """Let the browser forget its session."""
        self._drop_cookie(_COOKIES[self.basis.world])

    def set_language(self, language: str) -> None:
        """Remember the visitor's language for a year."""
        self._cookies.append(
            lambda response: response.set_cookie(_LANGUAGE, language, max_age=365 * 86400, path="/", samesite="lax", secure=self.wiring.settings.https)
        )

    def signed(self, name: str, value: str, *, minutes: int) -> None:
        """Keep `value` in a short-lived cookie that only we can write (the sign-in at the provider)."""
        self._set_cookie(name, f"{value}.{_sign(self.wiring.settings.key, name, value)}", max_age=minutes * 60)

    def read_signed(self, name: str) -> str:
        """The value that `signed` kept, "" when there is none or it was altered."""
        return self.basis.read_signed(name)

    def drop_signed(self, name: str) -> None:
        """Forget what `signed` kept."""
        self._drop_cookie(name)

    # -- inner parts

    def _frame(self) -> dict[str, Any]:
        settings = self.wiring.settings
        return {
            "call": self,
            "form": self.form,
            "me": self.actor,
            "csrf_token": self.csrf_token,
            "path": self.basis.request.scope["path"],
            "now": self.now,
            "language": self.basis.language,
            "limits": self.limits,
            "flash": self._take_flash(),
            "contact": {"desk": settings.desk_address, "center": settings.center_address},
        }

    def _take_flash(self) -> list[tuple[str, str, dict[str, Any]]]:
        kept = self.read_signed(_FLASH)
        if not kept:
            return []
        self._drop_cookie(_FLASH)
        return [tuple(entry) for entry in json.loads(base64.urlsafe_b64decode(kept))]

    def _put_flash(self, response: Response) -> None:
        value = base64.urlsafe_b64encode(json.dumps(self._flashes, ensure_ascii=False).encode()).decode()
        self._write(response, _FLASH, f"{value}.{_sign(self.wiring.settings.key, _FLASH, value)}", timedelta(minutes=5))

    def _set_cookie(self, name: str, value: str, *, max_age: int | None = None) -> None:
        self._cookies.append(lambda response: self._write(response, name, value, timedelta(seconds=max_age) if max_age else None))

    def _write(self, response: Response, name: str, value: str, max_age: timedelta | None) -> None:
        response.set_cookie(
            self.basis.cookie_name(name),
            value,
            max_age=int(max_age.total_seconds()) if max_age else None,
            path="/",
            secure=self.wiring.settings.https,
            httponly=True,
            samesite="lax",
        )

    def _drop_cookie(self, name: str) -> None:
        self._cookies.append(
            lambda response: response.delete_cookie(self.basis.cookie_name(name), path="/", secure=self.wiring.settings.https, httponly=True, samesite="lax")
        )


def private(response: Response) -> Response:
    """`response` of a page whose address is a secret: the browser tells it to nobody."""
    response.headers["referrer-policy"] = "no-referrer"
    return response


def language_of(request: Request) -> str:
    """The language a visitor chose, else Japanese."""
    return "en" if request.cookies.get(_LANGUAGE) == "en" else "ja"


def _sign(key: bytes, name: str, value: str) -> str:
    return hmac.new(key, f"{name}:{value}".encode(), hashlib.sha256).hexdigest()


def _known(actor: Actor | None, kind: type[T]) -> T:
    if not isinstance(actor, kind):
        raise TypeError(f"this route's access does not ask for a {kind.__name__}")
    return actor
