"""A page as a strict reader sees it: a small tree, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_LABELLED = frozenset({"input", "select", "textarea"})
_UNLABELLED_TYPES = frozenset({"hidden", "submit", "button", "reset", "image"})
_REFERENCES = ("for", "aria-describedby", "aria-labelledby", "aria-controls", "form", "list", "popovertarget", "headers")


@dataclass
class Element:
    """One element: its name, attributes (values None become ""), children and parent."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict[str, str])
    children: list[Element | str] = field(default_factory=list["Element | str"])
    parent: Element | None = None

    def walk(self) -> Iterator[Element]:
        """This element and all below it, in reading order."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child.walk()

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """The elements below named `tag` that have all `attributes` (``class_="error"`` asks for one of the classes)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [found for found in self.walk() if found is not self and (not tag or found.tag == tag) and found.matches(wanted)]

    def first(self, tag: str = "", **attributes: str) -> Element | None:
        """The first of `all`, or None."""
        return next(iter(self.all(tag, **attributes)), None)

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
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in {"script", "style", "template"}:
                yield " " if child.tag == "br" else ""
                yield from child._pieces()
                yield "" if child.tag in {"a", "b", "strong", "em", "span", "code", "mark"} else " "


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
    reader.close()
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
    ids = [element.attributes["id"] for element in elements if "id" in element.attributes]
    for name in sorted({name for name in ids if ids.count(name) > 1}):
        yield f"id {name} stands twice"
    labelled = {element.attributes.get("for") for element in elements if element.tag == "label"}
    for element in elements:
        if whole:
            for attribute in _REFERENCES:
                yield from (f"{attribute} of <{element.tag}> names no id: {name}" for name in element.attributes.get(attribute, "").split() if name not in ids)
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


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open = [Element("#document")]
        self.faults: list[str] = []
        self.doctype = ""

    def handle_decl(self, decl: str) -> None:
        self.doctype = decl

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = self._add(tag, attrs)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(tag, attrs)
        if tag not in VOID and not any(around.tag in {"svg", "math"} for around in self.open):
            self.faults.append(f"<{tag}/> closes itself")

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if tag == self.open[-1].tag:
            self.open.pop()
        elif any(around.tag == tag for around in self.open):
            while self.open[-1].tag != tag:
                self.faults.append(f"<{self.open.pop().tag}> is not closed before </{tag}> in line {line}")
            self.open.pop()
        else:
            self.faults.append(f"</{tag}> closes nothing in line {line}")

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)

    def _add(self, tag: str, attrs: list[tuple[str, str | None]]) -> Element:
        names = [name for name, _value in attrs]
        self.faults.extend(f"attribute {name} of <{tag}> stands twice" for name in sorted({name for name in names if names.count(name) > 1}))
        element = Element(tag, {name: value or "" for name, value in attrs}, parent=self.open[-1])
        self.open[-1].children.append(element)
        return element
