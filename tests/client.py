"""A visitor without script: fetches pages, fills the forms that stand on them, and audits everything it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlencode, urljoin, urlsplit

import httpx2
from starlette.types import ASGIApp

from tests.html import Document, Element, audit, read
from tests.services.asgi import InProcess

BASE_URL = "http://127.0.0.1:8720"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

File = tuple[str, bytes] | tuple[str, bytes, str]
"""A file to upload: its name, its bytes and, if wanted, its type."""
Value = str | bool | Sequence[str] | None
"""What a person does to a field: text, a box ticked or not, several choices, or None to send nothing of it."""


@dataclass
class Page:
    """One answer of the server."""

    path: str
    status: int
    headers: dict[str, str]
    content: bytes
    document: Document | None = None
    passed: list[str] = field(default_factory=list[str])
    """The paths whose redirects led here."""

    @property
    def html(self) -> str:
        """The answer as text."""
        return self.content.decode()

    @property
    def root(self) -> Element:
        """The page's tree."""
        assert self.document, f"{self.path} is no HTML page but {self.headers.get('content-type')}"
        return self.document.root

    @property
    def text(self) -> str:
        """What a person reads on the page."""
        return (self.root.first("body") or self.root).text

    @property
    def title(self) -> str:
        return self._text_of("title")

    @property
    def heading(self) -> str:
        return self._text_of("h1")

    @property
    def alerts(self) -> list[str]:
        """The texts announced at once (role alert): error summaries and the like."""
        return [element.text for element in self.root.all(role="alert")]

    def says(self, *texts: str) -> bool:
        """Whether a person reads all of `texts` on the page."""
        return all(text in self.text for text in texts)

    def fault_of(self, name: str) -> str:
        """The text that describes field `name` as wrong (aria-describedby of an invalid field); empty when it is right."""
        found = next((element for element in self.root.walk() if element.attributes.get("name") == name), None)
        if found is None or found.attributes.get("aria-invalid") != "true":
            return ""
        described = (self.root.first(id=part) for part in found.attributes.get("aria-describedby", "").split())
        return " ".join(element.text for element in described if element)

    def value_of(self, name: str) -> str:
        """What stands in field `name`."""
        form = next((form for form in self.root.all("form") if name in field_names(form)), None)
        assert form, f"no field {name} on {self.path}"
        return next((value for held, value in filled_in(form) if held == name), "")

    def form(self, wanted: str = "") -> Element:
        """The form whose action is (or ends with) `wanted`, or that has a button with that label; without a word the only posting one in <main>."""
        if wanted:
            forms = [form for form in self.root.all("form") if _is_called(form, wanted)]
        else:
            forms = [form for form in (self.root.first("main") or self.root).all("form") if form.attributes.get("method", "get").lower() == "post"]
        assert len(forms) == 1, f"{len(forms)} forms {wanted!r} on {self.path}: {[form.attributes.get('action') for form in self.root.all('form')]}"
        return forms[0]

    def link(self, label: str) -> str:
        """Where the link labelled `label` leads."""
        found = [element for element in self.root.all("a") if label in (element.text, element.attributes.get("aria-label"))]
        assert found, f"no link {label!r} on {self.path}"
        return urljoin(self.path, found[0].attributes["href"])

    def _text_of(self, tag: str) -> str:
        found = self.root.first(tag)
        return found.text if found else ""


class Client:
    """One browser: keeps cookies, says where its forms come from, follows redirects, remembers the last page."""

    def __init__(self, app: ASGIApp, *, base_url: str = BASE_URL, address: str = "203.0.113.7") -> None:
        headers = {"accept-language": "ja", "user-agent": "Mozilla/5.0"}
        self._http = httpx2.Client(transport=InProcess(app, address), base_url=base_url, follow_redirects=False, headers=headers)
        self._origin = base_url
        self.page: Page | None = None

    def __enter__(self) -> Client:
        self._http.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None) -> None:
        self._http.__exit__(kind, fault, trace)

    @property
    def cookies(self) -> Any:
        """The cookie jar."""
        return self._http.cookies

    def get(self, path: str, *, expect: int = 200, follow: bool = True, headers: dict[str, str] | None = None) -> Page:
        """Open `path` (a link's full address works too) and audit the page."""
        return self._send("GET", path, expect, follow=follow, headers={"sec-fetch-site": "none", **(headers or {})})

    def click(self, label: str, *, expect: int = 200) -> Page:
        """Follow the link `label` of the current page."""
        return self.get(self._current().link(label), expect=expect)

    def submit(
        self, form: str = "", *, button: str = "", files: dict[str, Sequence[File]] | None = None, expect: int = 200, follow: bool = True, **fields: Value
    ) -> Page:
        """Fill `fields` into a form of the current page and press a button.

        `form` is its action or a button's label (none: the page's only posting form), `button` the label of the button pressed
        (none: the first that sends the form to its own place).
        Everything else is sent as it stands on the page. A field that the form does not have fails the test: nobody could type it.
        """
        page = self._current()
        element = page.form(form)
        names = field_names(element)
        unknown = [name for name in [*fields, *(files or {})] if name not in names]
        assert not unknown, f"form {element.attributes.get('action')} has no field {unknown}, but {sorted(names)}"
        pairs = [*_typed(element, fields), *_pressed(element, button or (form if _button(element, form) else ""))]
        action = urljoin(page.path, element.attributes.get("action") or page.path)
        if element.attributes.get("method", "get").lower() == "get":
            return self.get(f"{action.partition('?')[0]}?{urlencode(pairs)}", expect=expect, follow=follow)
        return self.post(action, pairs, files=files, multipart=element.attributes.get("enctype") == "multipart/form-data", expect=expect, follow=follow)

    def post(
        self,
        path: str,
        fields: Sequence[tuple[str, str]] | dict[str, str] = (),
        *,
        files: dict[str, Sequence[File]] | None = None,
        multipart: bool = False,
        expect: int = 200,
        follow: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Page:
        """Post `fields` as they are, from our own pages' origin unless `headers` says otherwise (a value "" leaves that header out)."""
        pairs = list(fields.items()) if isinstance(fields, dict) else list(fields)
        sent = {"origin": self._origin, "sec-fetch-site": "same-origin", **(headers or {})}
        parts = [(name, file) for name, several in (files or {}).items() for file in several]
        if multipart and not parts:
            # A browser sends an empty part for an empty file field; the text fields still travel as multipart.
            parts = [("files", ("", b""))]
        return self._send("POST", path, expect, follow=follow, headers=sent, data=_grouped(pairs), files=parts or None)

    def csrf_token(self) -> str:
        """The token of the current page's forms, for posts that no form makes."""
        found = self._current().root.first("input", name="csrf_token")
        assert found, f"no form on {self._current().path}"
        return found.attributes["value"]

    def _current(self) -> Page:
        assert self.page, "no page is open"
        return self.page

    def _send(self, method: str, path: str, expect: int, *, follow: bool, headers: dict[str, str], **body: Any) -> Page:
        named = {name: value for name, value in headers.items() if value}
        page = self._take(method, path, named, **body)
        passed: list[str] = []
        while follow and page.status in _REDIRECTS:
            passed.append(page.path)
            assert len(passed) < 10, f"redirects without end: {passed}"
            page = self._take("GET", urljoin(page.path, page.headers["location"]), {"sec-fetch-site": named.get("sec-fetch-site", "none")})
        page.passed = passed
        wanted = expect if follow or expect != 200 else page.status
        assert page.status == wanted, f"{method} {path} answered {page.status}, not {wanted}: {page.text if page.document else page.content[:300]}"
        if page.document:
            faults = audit(page.document, whole="hx-request" not in named)
            assert not faults, f"{page.path}: " + "; ".join(faults)
            self.page = page
        return page

    def _take(self, method: str, path: str, headers: dict[str, str], **body: Any) -> Page:
        answer = self._http.request(method, path, headers=headers, **body)
        parts = urlsplit(str(answer.url))
        held = dict(answer.headers)
        page = Page(parts.path + (f"?{parts.query}" if parts.query else ""), answer.status_code, held, answer.content)
        if held.get("content-type", "").startswith("text/html") and answer.content:
            page.document = read(page.html)
        return page


def field_names(form: Element) -> set[str]:
    """The names that the fields of `form` carry."""
    return {element.attributes["name"] for element in _controls(form)}


def filled_in(form: Element) -> list[tuple[str, str]]:
    """The names and values that `form` would send untouched, in order, without buttons and files."""
    return [(element.attributes["name"], value) for element in _controls(form) for value in _standing(element)]


def _controls(form: Element) -> list[Element]:
    top = next((around for around in form.ancestors() if around.parent is None), form)
    own = [element for element in top.walk() if element.attributes.get("form") == form.attributes.get("id", "-")]
    inside = [element for element in form.walk() if "form" not in element.attributes]
    return [
        element
        for element in [*inside, *own]
        if element.tag in {"input", "select", "textarea"} and "name" in element.attributes and "disabled" not in element.attributes
    ]


def _standing(element: Element) -> list[str]:
    if element.tag == "textarea":
        # The first line break after <textarea> is the markup's, not the text's.
        text = "".join(child for child in element.children if isinstance(child, str))
        return [text.removeprefix("\n")]
    if element.tag == "select":
        options = element.all("option")
        chosen = [option for option in options if "selected" in option.attributes] or ([] if "multiple" in element.attributes else options[:1])
        return [option.attributes.get("value", option.text) for option in chosen]
    kind = element.attributes.get("type", "text")
    if kind in {"submit", "button", "reset", "image", "file"} or (kind in {"checkbox", "radio"} and "checked" not in element.attributes):
        return []
    return [element.attributes.get("value", "on" if kind in {"checkbox", "radio"} else "")]


def _typed(form: Element, fields: dict[str, Value]) -> list[tuple[str, str]]:
    pairs = [(name, value) for name, value in filled_in(form) if name not in fields]
    for name, value in fields.items():
        pairs += [(name, text) for text in _texts(form, name, value)]
    return pairs


def _texts(form: Element, name: str, value: Value) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        box = next(element for element in _controls(form) if element.attributes["name"] == name)
        return [box.attributes.get("value", "on")]
    return [value] if isinstance(value, str) else list(value)


def _pressed(form: Element, label: str) -> list[tuple[str, str]]:
    button = _button(form, label)
    assert button or not label, f"no button {label!r} in form {form.attributes.get('action')}"
    return [(button.attributes["name"], button.attributes.get("value", ""))] if button and "name" in button.attributes else []


def _button(form: Element, label: str) -> Element | None:
    buttons = [element for element in form.all("button") if element.attributes.get("type", "submit") == "submit" and "disabled" not in element.attributes]
    if not label:
        return next((button for button in buttons if "formaction" not in button.attributes), None)
    return next((element for element in buttons if label in (element.text, element.attributes.get("value"), element.attributes.get("aria-label"))), None)


def _is_called(form: Element, wanted: str) -> bool:
    action = form.attributes.get("action", "")
    return action == wanted or (wanted.startswith("/") and urlsplit(action).path.endswith(wanted)) or _button(form, wanted) is not None


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return cast("dict[str, Any]", grouped)
