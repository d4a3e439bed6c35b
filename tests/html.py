"""A page as a strict reader sees it: a small tree, and what is wrong with it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_VALUE = r"""(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?"""
_ATTRIBUTE = re.compile(rf"""([^\s"'<>/=]+){_VALUE}""")
_TOKEN = re.compile(
    r"<!--.*?-->|<!(?P<declared>[a-zA-Z][^>]*)>|</(?P<closed>[a-zA-Z][^\s<>/]*)\s*>"
    rf"""|<(?P<opened>[a-zA-Z][^\s<>/]*)(?P<attributes>(?:\s+[^\s"'<>/=]+{_VALUE.replace("(", "(?:").replace("(?:?:", "(?:")})*)\s*(?P<itself>/)?>""",
    re.DOTALL,
)
_NO_TAG = re.compile(r"<[a-zA-Z/!?][^\n]{,40}")
_UNREAD = frozenset({"script", "style", "template"})
_WITHIN_WORDS = frozenset({"a", "b", "strong", "em", "span", "code", "mark"})
_LABELLED = frozenset({"input", "select", "textarea"})
_UNLABELLED_TYPES = frozenset({"hidden", "submit", "button", "reset", "image"})
_REFERENCES = frozenset({"for", "aria-describedby", "aria-labelledby", "aria-controls", "form", "list", "popovertarget", "headers"})


@dataclass
class Element:
    """One element: its name, attributes (values None become ""), children and parent."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: list[Element | str] = field(default_factory=list["Element | str"])
    parent: Element | None = None

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in reading order."""
        waiting = [self]
        while waiting:
            element = waiting.pop()
            yield element
            waiting += [child for child in reversed(element.children) if isinstance(child, Element)]

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements below named `tag` that have all `attributes` (``class_="error"`` asks for one of the classes)."""
        return list(self._found(tag, attributes))

    def first(self, tag: str = "", **attributes: str) -> Element | None:
        """The first of `all`, or None."""
        return next(self._found(tag, attributes), None)

    def _found(self, tag: str, attributes: dict[str, str]) -> Iterator[Element]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return (found for found in self.walk() if found is not self and (not tag or found.tag == tag) and found.matches(wanted))

    def matches(self, wanted: dict[str, str]) -> bool:
        """Whether every attribute of `wanted` is here with its value."""
        return all(self._has(name, value) for name, value in wanted.items())

    def _has(self, name: str, value: str) -> bool:
        held = self.attributes.get(name)
        return held is not None and (value in held.split() if name == "class" else value == held)

    def ancestors(self) -> Iterator[Element]:
        """The elements around this one, the nearest first."""
        around = self.parent
        while around:
            yield around
            around = around.parent

    @property
    def text(self) -> str:
        """What a person reads in it, blanks made single."""
        return " ".join("".join(self._pieces()).split())

    def _pieces(self) -> Iterator[str]:
        waiting: list[Element | str] = [*reversed(self.children)]
        while waiting:
            child = waiting.pop()
            if isinstance(child, str):
                yield child
            elif child.tag not in _UNREAD:
                waiting.append("" if child.tag in _WITHIN_WORDS else " ")
                waiting += reversed(child.children)
                waiting.append(" " if child.tag == "br" else "")


@dataclass
class Document:
    """The tree of one page and the faults that reading it met."""

    root: Element
    faults: list[str]
    doctype: str


def read(html: str) -> Document:
    """Read `html` strictly: every element that is not void is closed, in order."""
    reader = _Reader()
    reader.feed(html)
    for element in reader.open[1:]:
        reader.faults.append(f"<{element.tag}> is never closed")
    return Document(reader.open[0], reader.faults, reader.doctype)


def audit(document: Document, *, whole: bool = True) -> list[str]:
    """What is wrong with a page, or with a fragment of one (`whole=False`), a line each."""
    elements = list(document.root.walk())
    faults = [*document.faults, *_inline(elements), *_names(elements, whole=whole)]
    if whole:
        faults += _frame(document)
    for element in elements:
        faults += _form_faults(element) if element.tag == "form" else []
        faults += ["<img> without alt"] if element.tag == "img" and "alt" not in element.attributes else []
    return faults


def _inline(elements: list[Element]) -> Iterator[str]:
    for element in elements:
        if element.tag == "style" or "style" in element.attributes:
            yield f"inline style at <{element.tag}>"
        if element.tag == "script" and "src" not in element.attributes:
            yield "inline script"
        for name, value in element.attributes.items():
            if name.startswith(("on", "hx-on")) or value.strip().lower().startswith("javascript:"):
                yield f"inline script in {name} of <{element.tag}>"


def _frame(document: Document) -> Iterator[str]:
    root = document.root
    if document.doctype.lower() != "doctype html":
        yield "no <!doctype html>"
    html = root.first("html")
    if html is None or not html.attributes.get("lang"):
        yield "no language on <html>"
    titles = [element for element in root.all("title") if not any(around.tag == "svg" for around in element.ancestors())]
    if len(titles) != 1 or not titles[0].text:
        yield f"{len(titles)} titles"
    if len(root.all("h1")) != 1:
        yield f"{len(root.all('h1'))} h1"
    if len(root.all("main")) != 1:
        yield f"{len(root.all('main'))} main"


def _names(elements: list[Element], *, whole: bool) -> Iterator[str]:
    ids = Counter(element.attributes["id"] for element in elements if "id" in element.attributes)
    for name in sorted(name for name, times in ids.items() if times > 1):
        yield f"id {name} stands twice"
    labelled = {element.attributes.get("for") for element in elements if element.tag == "label"}
    for element in elements:
        if whole:
            for attribute in _REFERENCES.intersection(element.attributes):
                yield from (f"{attribute} of <{element.tag}> names no id: {name}" for name in element.attributes[attribute].split() if name not in ids)
        if element.tag in _LABELLED and element.attributes.get("type") not in _UNLABELLED_TYPES and not _is_labelled(element, labelled):
            yield f"<{element.tag} name={element.attributes.get('name')}> has no label"


def _is_labelled(element: Element, labelled: set[str | None]) -> bool:
    return (
        element.attributes.get("id", "") in labelled
        or any(name in element.attributes for name in ("aria-label", "aria-labelledby"))
        or any(around.tag == "label" for around in element.ancestors())
    )


def _form_faults(form: Element) -> Iterator[str]:
    action = form.attributes.get("action", "")
    if any(around.tag == "form" for around in form.ancestors()):
        yield f"form {action} stands in a form"
    if form.attributes.get("method", "get").lower() == "post" and not any(found.attributes.get("value") for found in form.all("input", name="csrf_token")):
        yield f"form {action} posts without csrf_token"


class _Reader:
    """Python's own HTML parser takes the tests' minutes: it feeds a pattern for every attribute, this one reads a tag at once."""

    def __init__(self) -> None:
        self.open = [Element("#document")]
        self.faults: list[str] = []
        self.doctype = ""

    def feed(self, html: str) -> None:
        """Read a whole page."""
        at = 0
        while found := _TOKEN.search(html, at):
            self._text(html[at : found.start()])
            at = found.end()
            if found["opened"]:
                at = self._start(found, html)
            elif found["closed"]:
                self._end(found["closed"].lower(), html, at)
            elif found["declared"]:
                self.doctype = found["declared"]
        self._text(html[at:])

    def _text(self, text: str) -> None:
        if text:
            self.faults += [f"no tag: {wrong}" for wrong in _NO_TAG.findall(text)]
            self.open[-1].children.append(unescape(text) if "&" in text else text)

    def _start(self, found: re.Match[str], html: str) -> int:
        """Take an opening tag; where the reading goes on, behind the whole of a script."""
        tag, told = found["opened"].lower(), _ATTRIBUTE.findall(found["attributes"])
        held = {name.lower(): unescape(value) if "&" in value else value for name, *values in told for value in ("".join(values),)}
        if len(held) < len(told):
            times = Counter(name.lower() for name, *_values in told)
            self.faults += [f"attribute {name} of <{tag}> stands twice" for name in sorted(times) if times[name] > 1]
        element = Element(tag, held, parent=self.open[-1])
        self.open[-1].children.append(element)
        if found["itself"]:
            if tag not in VOID and not any(around.tag in {"svg", "math"} for around in self.open):
                self.faults.append(f"<{tag}/> closes itself")
        elif tag in {"script", "style"}:
            close = html.find(f"</{tag}>", found.end())
            element.children += [html[found.end() : close]] if close > found.end() else []
            self.faults += [f"<{tag}> is never closed"] if close < 0 else []
            return len(html) if close < 0 else close + len(tag) + 3
        elif tag not in VOID:
            self.open.append(element)
        return found.end()

    def _end(self, tag: str, html: str, at: int) -> None:
        if tag == self.open[-1].tag:
            self.open.pop()
            return
        line = html.count("\n", 0, at) + 1
        if any(around.tag == tag for around in self.open):
            while self.open[-1].tag != tag:
                self.faults.append(f"<{self.open.pop().tag}> is not closed before </{tag}> in line {line}")
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes nothing in line {line}")
