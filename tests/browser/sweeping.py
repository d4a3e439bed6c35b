"""What the sweeps look at: every page of both routing tables and every refused form, in a house with a thing behind each door, an empty one and the demo."""

from __future__ import annotations

import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Route
from sqlalchemy import Engine, String, func, select, update
from starlette.routing import compile_path

from actions.jobs import begin
from actions.timetable import line_of
from asgi import application
from jobs.parts import Parts
from jobs.plan_import import plan_received
from models.base import Base
from models.contracts import Party
from models.database import transaction
from models.outbox import Recipient
from models.people import Account
from models.tickets import Attachment, Message
from tests.attacks.house import House, Visitor, named, pages
from tests.client import BASE_URL
from tests.html import Element, read
from tests.services.asgi import InProcess
from tests.services.browser import axe_faults, new_context
from tests.services.node import ROOT
from web import endpoint
from web.assets import served
from web.wiring import Wiring

Cookie = tuple[str, str]
_ASKED = re.compile(rb'(?:href|src)="/static/([^"#?]+)')
LONG = "御見積" * 40 + "a" * 300
"""Longer than any field takes, without a place to break in its second half."""
_ADDRESS = f"{'hosyu-kanri-tantou.' * 3}{'x' * 24}@{'sapporo-kita-shisha.' * 3}toyo-network-shoji.example"
_STRETCHED = {
    **dict.fromkeys(("company_name", "contact_company", "requester_company"), "東洋日本橋総合情報通信ネットワーク機器販売保守株式会社" * 3),
    **dict.fromkeys(("person_name", "requester_name", "contact_name", "author_name", "set_by", "uploaded_by", "staff_name"), "長宗我部寿限無左衛門之助" * 2),
    **dict.fromkeys(("email", "maintenance_email", "old_email", "new_email", "requester_email", "sender", "contact"), _ADDRESS),
    **dict.fromkeys(("subject", "file_name", "service"), "障害切り分け用ログ一式" * 8 + "W" * 100 + ".tar.gz"),
    **dict.fromkeys(("contract_text", "serial_text", "model", "os_version", "product_number", "serial"), "JSC26O40123A" * 6),
}
"""Texts as long as people have, and longer, by the names of the columns that hold them."""
_MADE_OF = ("class", "role", "type", "aria-invalid")
_TYPED = frozenset({"text", "email", "tel", "search", "url", "password"})
_OF_ONE_KIND = 6
"""So many pages of one route and one set of query names are fetched for each person of the demo."""
_SCROLLS = """() => {
  const wide = [...document.querySelectorAll('body *')].filter((x) => x.clientWidth && x.scrollWidth > x.clientWidth + 1
    && ['auto', 'scroll'].includes(getComputedStyle(x).overflowX));
  const named = 'textarea, input, select, pre, dialog, .side .in, [aria-label], [aria-labelledby]';
  const over = [...document.querySelectorAll('body *')]
    .filter((x) => x.getBoundingClientRect().right > innerWidth + 1 && !x.closest('.scrollx, .side, .tabs, .vh'));
  const page = document.documentElement.scrollWidth > innerWidth
    ? [`the page is ${document.documentElement.scrollWidth} wide: ${over.slice(-1)[0]?.outerHTML.slice(0, 160)}`] : [];
  return page.concat(wide.filter((x) => !x.matches(named)).map((x) => `scrolls sideways without a name: ${x.outerHTML.slice(0, 120)}`));
}"""
_MOVED = """() => new Promise((done) => {
  let moved = 0;
  const add = (list) => { for (const x of list.getEntries()) if (!x.hadRecentInput) moved += x.value; };
  new PerformanceObserver(add).observe({type: 'layout-shift', buffered: true});
  setTimeout(() => done(moved > .1 ? [`what is read moves by ${moved.toFixed(2)} while the page comes`] : []), 50);
})"""
_SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important } p { margin-bottom: 2em !important }');
  document.adoptedStyleSheets = [sheet];
}"""


@dataclass(frozen=True)
class Sight:
    """Something to look at: a page at `path` as the desk gives it, or (`is_answer`) what it answered there to a form."""

    path: str
    cookie: Cookie | None
    what: str
    status: int = 200
    content: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    is_answer: bool = False

    @property
    def file_name(self) -> str:
        return re.sub(r"[^0-9A-Za-z]+", "-", self.what).strip("-") + ".html"


def pages_of_the_house(house: House) -> Iterator[Sight]:
    """Every page that is read, with what lies in the house."""
    return (sight for page in pages("GET") for sight in _seen(page, house.path(page), house.fitting(page)))


def pages_without_a_thing(house: House) -> Iterator[Sight]:
    """Every page whose path needs no number."""
    return (sight for page in pages("GET") if "{" not in page.path for sight in _seen(page, page.path, house.fitting(page)))


def stretch(engine: Engine) -> None:
    """Make every name, address, subject and file name in the house as long as the column and people allow."""
    with transaction(engine) as session:
        for table in Base.metadata.tables.values():
            found = [column for column in table.columns if column.name in _STRETCHED and isinstance(column.type, String) and not column.unique]
            if found:
                session.execute(update(table).values({column: _STRETCHED[column.name][: getattr(column.type, "length", None)] for column in found}))
        session.execute(update(Attachment).values(name="切断時の画面写真と設定の控え" * 10 + "W" * 56 + ".png"))
        first = select(func.min(Recipient.id)).group_by(Recipient.letter_id)
        session.execute(update(Recipient).where(Recipient.id.in_(first)).values(address=_ADDRESS))
        session.execute(update(Party).values(name=_STRETCHED["company_name"][:60]))
        session.execute(
            update(Message).values(body=f"{'W' * 400}\n{'長い文' * 200}\n```\n{'x ' * 300}\n```\n> {'引用' * 200}\nhttps://example.jp/{'a' * 300}\n")
        )


def read_the_workbook(wiring: Wiring) -> None:
    """Let the job read the workbook that waits in the demo, so that its plan can be looked at."""
    parts = Parts(wiring.settings, wiring.engine, wiring.clock, wiring.limits, wiring.store, wiring.desk)
    line = line_of("plan_import")
    assert line
    with transaction(wiring.engine) as session:
        run = begin(session, line, worker="tests", now=wiring.clock())
    assert run
    plan_received(parts, run)


def first_load(sight: Sight) -> int:
    """The compressed bytes of a page with all that it asks for before anybody touches it."""
    asked = {match.group(1) for match in _ASKED.finditer(sight.content)}
    files = (served(ROOT / "static" / name.decode()) for name in asked)
    return sum(len(gzip.compress(content)) for content in (sight.content, *files))


@contextmanager
def visited(engine: Engine, wiring: Wiring, numbers: dict[str, str]) -> Iterator[House]:
    """A house as it stands, with visitors who knock at it."""
    carrier = InProcess(application(wiring), "203.0.113.7", raises=False)
    with httpx2.Client(transport=carrier, base_url=BASE_URL, follow_redirects=False) as http:
        yield House(engine, wiring, numbers, http)


def refusals_of_the_house(house: House) -> Iterator[Sight]:
    """What every form answers when it is sent empty, and when its text fields hold too much. What a form takes changes the house: look at its pages first."""
    forms = _text_fields(pages_of_the_house(house))
    for page in pages("POST"):
        visitor, path = house.fitting(page), house.path(page)
        for how, fields in (("empty", {}), ("overlong", dict.fromkeys(forms[path], LONG))):
            if how == "empty" or fields:
                answer = visitor.post(path, fields)
                assert answer.status_code < 500, f"{named(page)} {how}: {answer.status_code}"
                if answer.status_code >= 400 and _is_page(answer):
                    yield replace(_sight(f"{named(page)} {how}", path, visitor, answer), is_answer=True)


def states_of_the_house(house: House) -> Iterator[Sight]:
    """What stands between the pages: check pages, what is told once after a form was taken, a colleague's draft, and an answer that crossed another."""
    customer, writer, reader = house.customer(), house.staff("support"), house.staff()
    own, ticket = (f"{face}/tickets/{house.numbers['tickets number']}" for face in ("", "/console"))
    with transaction(house.engine, readonly=True) as session:
        account = session.get_one(Account, int(house.numbers["account kimura"]))
        profile = {name: getattr(account, name) for name in ("company_name", "user_id", "email", "maintenance_email", "contract_key")}
    opening = {"subject": "VPN", "contract_key": "不明", "serial": "不明", "category": "障害", "body": "切断されます。"}
    answer = {"body": "確認します。", "last_seen": "999999", "next_state": "open"}
    yield _answered("check of a ticket", customer, "/tickets/new/juniper-srx", opening, 200)
    yield _answered("check of a profile", customer, "/profile/edit", {**profile, "person_name": "木村 遥"}, 200)
    yield _told("customer told", customer, customer.post(f"{own}/replies", {"body": "追記です。"}))
    writer.post(f"{ticket}/drafts/answer", {"body": "書きかけの返信", "last_seen": "999999"})
    yield replace(_sight("draft of a colleague", ticket, reader, reader.get(ticket)), is_answer=True)
    yield _told("staff told", writer, writer.post(f"{ticket}/replies", answer))
    yield _answered("crossed answer", reader, f"{ticket}/replies", {**answer, "last_seen": "1"}, 409)


def errors_of_the_house(house: House, templates: Iterable[str]) -> Iterator[Sight]:
    """The pages of faults, as both faces show them."""
    contact = {"desk": house.wiring.settings.desk_address, "center": house.wiring.settings.center_address}
    for name in templates:
        for path in ("/tickets/fault", "/console/tickets/fault"):
            typed = {"typed": [("body", "書きかけの文章")], "csrf_token": "x", "door": "/login"}
            more = typed if name in ("stale", "signed_out") else {"told": "" if name != "413" else LONG}
            context = {"reference": "1a2b3c4d", "contact": contact, "language": "ja", "path": path, **more}
            text = house.wiring.renderer.page(f"errors/{name}.html", "ja", context)
            yield Sight(
                path,
                None,
                f"fault {name} {path}",
                int(name) if name.isdecimal() else 403,
                text.encode(),
                (("content-type", "text/html; charset=utf-8"),),
                is_answer=True,
            )


def pages_of_the_demo(visitor: Visitor, people: dict[str, Cookie | None], starts: dict[str, tuple[str, ...]]) -> list[Sight]:
    """What each of `people` reaches from their `starts` by links: one page of each make, for the demo has many that are made alike."""
    routes = [(page, compile_path(page.path)[0]) for page in pages("GET")]
    shown: list[Sight] = []
    for user_id, cookie in people.items():
        known: Counter[tuple[str, ...]] = Counter()
        made: set[frozenset[tuple[str, ...]]] = set()
        waiting, met = list(starts[user_id]), set(starts[user_id])
        reader = replace(visitor, cookie=cookie[0], token=cookie[1]) if cookie else replace(visitor, cookie="", token="")
        while waiting:
            path = waiting.pop(0)
            answer = reader.get(path)
            if not _is_page(answer):
                continue
            root = read(answer.text).root
            make = _make(root)
            if make not in made:
                made.add(make)
                shown.append(_sight(f"demo {user_id} {path}", path, reader, answer))
            for link in _links(root, path):
                kind = _kind(link, routes)
                if kind and link not in met and known[kind] < _OF_ONE_KIND:
                    known[kind] += 1
                    met.add(link)
                    waiting.append(link)
    return shown


class Watcher:
    """A browser's page that notes what is wrong with each sight."""

    def __init__(self, browser: Browser, address: str, *, width: int, scheme: str) -> None:
        self._address, self._width = address, width
        self._context = new_context(browser, (width, 900), color_scheme=scheme)
        self._page = self._context.new_page()
        self._answer: Sight | None = None
        self._noted: list[str] = []
        self._page.on("pageerror", lambda error: self._noted.append(f"script: {error}"))
        self._page.on("console", self._note_console)
        self._page.on("request", self._note_request)
        self._page.route("**/*", self._serve)

    def close(self) -> None:
        """Let the browser forget everything."""
        self._context.close()

    def faults(self, sight: Sight) -> list[str]:
        """What is wrong with `sight`: words of the console, requests to elsewhere, a page that scrolls sideways or jumps, what axe-core finds."""
        page = self.show(sight)
        return [*axe_faults(page), *page.evaluate(_SCROLLS), *page.evaluate(_MOVED), *self._noted]

    def widths(self, sight: Sight) -> list[str]:
        """What of `sight` scrolls sideways when its text is spaced as widely as WCAG 1.4.12 asks."""
        page = self.show(sight)
        page.evaluate(_SPACED)
        return list(page.evaluate(_SCROLLS))

    def printed(self, sight: Sight) -> list[str]:
        """What is wrong with `sight` on paper."""
        self._page.emulate_media(media="print")
        return self.faults(sight)

    def show(self, sight: Sight) -> Page:
        """The page of the browser, at `sight`."""
        self._context.clear_cookies()
        if sight.cookie:
            self._context.add_cookies([{"name": sight.cookie[0], "value": sight.cookie[1], "url": self._address}])
        self._noted.clear()
        self._answer = sight if sight.is_answer else None
        self._page.goto(self._address + sight.path)
        return self._page

    def _serve(self, route: Route) -> None:
        sight = self._answer
        if sight and route.request.is_navigation_request():
            route.fulfill(status=sight.status, headers=dict(sight.headers), body=sight.content)
        else:
            route.continue_()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self._noted.append(f"console: {message.text}")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self._noted.append(f"asks elsewhere: {request.url}")


@contextmanager
def watching(browser: Browser, address: str, *, width: int, scheme: str) -> Iterator[Watcher]:
    """A watcher for a while."""
    watcher = Watcher(browser, address, width=width, scheme=scheme)
    yield watcher
    watcher.close()


def _seen(page: endpoint.Page, path: str, visitor: Visitor) -> Iterator[Sight]:
    answer = visitor.get(path)
    assert answer.status_code < 500, f"{named(page)}: {answer.status_code}"
    if _is_page(answer):
        yield _sight(named(page), path, visitor, answer)


def _is_page(answer: Any) -> bool:
    return bool(answer.headers.get("content-type", "").startswith("text/html") and answer.content)


def _sight(what: str, path: str, visitor: Visitor, answer: Any) -> Sight:
    headers = tuple((name, value) for name, value in answer.headers.items() if name not in {"content-length", "set-cookie"})
    return Sight(path, _cookie(visitor), what, answer.status_code, answer.content, headers)


def _cookie(visitor: Visitor) -> Cookie | None:
    return (visitor.cookie, visitor.token) if visitor.cookie else None


def _answered(what: str, visitor: Visitor, path: str, fields: dict[str, str], status: int) -> Sight:
    answer = visitor.post(path, fields)
    assert answer.status_code == status, f"{what}: {answer.status_code}"
    return replace(_sight(what, path, visitor, answer), is_answer=True)


def _told(what: str, visitor: Visitor, taken: Any) -> Sight:
    """The page that `taken` leads to, with what it tells once."""
    assert "jtickets_flash" in taken.cookies, f"{what}: {taken.status_code}"
    path = taken.headers["location"].partition("#")[0]
    cookies = {visitor.cookie: visitor.token, **taken.cookies}
    page = visitor.get(path, headers={"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})
    return replace(_sight(what, path, visitor, page), is_answer=True)


def _text_fields(sights: Iterable[Sight]) -> dict[str, list[str]]:
    """The names of the fields that take text, by where their form is sent to."""
    found: dict[str, list[str]] = defaultdict(list)
    for sight in sights:
        for form in read(sight.content.decode()).root.all("form", method="post"):
            fields = [each for each in form.walk() if each.tag == "textarea" or (each.tag == "input" and each.attributes.get("type", "text") in _TYPED)]
            found[urljoin(sight.path, form.attributes.get("action", ""))] += [each.attributes["name"] for each in fields if "name" in each.attributes]
    return found


def _make(root: Element) -> frozenset[tuple[str, ...]]:
    """How a page is made: the kinds of elements within its main part."""
    main = root.first("main") or root
    return frozenset((element.tag, *(element.attributes.get(name, "") for name in _MADE_OF)) for element in main.walk())


def _links(root: Element, path: str) -> list[str]:
    links = [urljoin(path, link.attributes.get("href", "")).partition("#")[0] for link in root.all("a")]
    return [link for link in links if link.startswith("/") and not link.startswith("//")]


def _kind(link: str, routes: list[tuple[endpoint.Page, re.Pattern[str]]]) -> tuple[str, ...]:
    """The route of a link and the names that it asks by; () when it leads out of the tables."""
    parts = urlsplit(link)
    page = next((page for page, pattern in routes if pattern.match(parts.path)), None)
    return (page.path, *sorted(name for name, _ in parse_qsl(parts.query))) if page else ()
