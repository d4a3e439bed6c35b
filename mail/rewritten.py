"""Texts of mails that an administrator wrote: a small part of the template language, checked before it is kept and again when it is used.

What a text may name is listed here, and nothing behind those names can be reached: no calls, no arithmetic, no loops but over the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mail.compose import SUBJECT_CHARACTERS, Text, clean_body
from rules.refusal import Refused
from rules.text import one_line
from wording.dates import size

REWRITABLE = ("ticket_opened", "ticket_updated", "answered")
"""The notices whose text may be rewritten: those about a customer's ticket."""
NAMES = ("ticket", "product", "category", "company", "person", "post", "cut", "files", "link", "stop_link", "opens", "desk")
_ATTRIBUTES = {"ticket": {"id", "subject"}, "file": {"name", "size"}, "desk": {"base_url", "desk_address"}}
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.For, nodes.Filter, nodes.Const,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_FILTERS = frozenset({"one_line", "size"})
_BODY_CHARACTERS = 20_000
_FOLDER = Path(__file__).resolve().parent.parent / "templates" / "mail"
_INCLUDE = re.compile(r'\{% include "(_\w+\.txt)" %\}')
_OPENING = re.compile(r'\{% set opening = "([^"]*)" %\}\n')


@dataclass(frozen=True)
class TicketFacts:
    """What a text may say of the ticket."""

    id: int
    subject: str


@dataclass(frozen=True)
class FileFacts:
    """A file's name and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class DeskFacts:
    """What a text may say of the desk."""

    base_url: str
    desk_address: str


def shipped(notice: str) -> tuple[str, str]:
    """(subject, body) the notice came with, as one may rewrite them."""
    subject, body = ((_FOLDER / f"{notice}.{part}.txt").read_text() for part in ("subject", "body"))
    opening = _OPENING.search(body)
    whole = _INCLUDE.sub(lambda found: (_FOLDER / found.group(1)).read_text(), _INCLUDE.sub(lambda found: (_FOLDER / found.group(1)).read_text(), body))
    whole = _OPENING.sub("", whole).replace("{{ opening }}", opening.group(1) if opening else "")
    return subject, whole.replace('{{ desk.link("/tickets/" ~ ticket.id) }}', "{{ link }}")


def check(subject: str, body: str) -> None:
    """Refuse a text that cannot be sent.

    At either field template_empty, template_long(max), template_syntax(line), template_construct(line), template_name(name); at ``subject``
    template_lines; at ``body`` template_link (without the link nobody finds the ticket) and template_fails(words).
    """
    if "\n" in subject.strip("\n"):
        raise Refused("template_lines", "subject")
    for field, source, most in (("subject", subject, SUBJECT_CHARACTERS), ("body", body, _BODY_CHARACTERS)):
        if not source.strip():
            raise Refused("template_empty", field)
        if len(source) > most:
            raise Refused("template_long", field, max=most)
        _check_source(field, source)
    if not re.search(r"\{\{\s*link\s*\}\}", body):
        raise Refused("template_link", "body")
    for facts in samples():
        rendered = render(subject, body, facts)
        if not rendered.subject:
            raise Refused("template_empty", "subject")


def render(subject: str, body: str, facts: Mapping[str, object]) -> Text:
    """The text for `facts` (by NAMES). Refuses template_fails."""
    try:
        line = one_line(_template(subject.strip("\n")).render(facts))[:SUBJECT_CHARACTERS]
        return Text(line, clean_body(_template(body).render(facts)))
    except (TemplateError, TypeError, ValueError) as fault:
        raise Refused("template_fails", "body", words=str(fault)[:200]) from fault


def samples() -> Iterator[dict[str, object]]:
    """Facts of every shape a letter can have."""
    plain: dict[str, object] = {
        "ticket": TicketFacts(10482, "SRX300 で IPsec VPN が切断される"),
        "product": "Juniper-SRX",
        "category": "障害",
        "company": "東西ネットワーク株式会社",
        "person": "木村 はるか",
        "post": "本日 9 時ごろから切断されます。\nログを添付します。",
        "cut": False,
        "files": [FileFacts("tech-support.txt", 1_204_224)],
        "link": "https://tickets.example.jp/tickets/10482",
        "stop_link": "https://tickets.example.jp/copies/10482-…",
        "opens": "11月24日(火) 9:00",
        "desk": DeskFacts("https://tickets.example.jp", "tickets-admin@jscom.co.jp"),
    }
    yield plain
    yield {**plain, "files": [], "stop_link": "", "opens": "", "cut": True}
    yield {**plain, "ticket": TicketFacts(1, "{{ 7*7 }}\r\nBcc: a@b.example"), "post": "", "company": "", "person": "{% x %}"}


def _check_source(field: str, source: str) -> None:
    try:
        tree = _environment().parse(source)
        written = list(tree.find_all(nodes.Node))
        # Before anything else: looking for the names already works out what is constant, a text a thousand million characters long too.
        _refuse_any(field, written, lambda node: not isinstance(node, _ALLOWED))
        unknown = sorted(meta.find_undeclared_variables(tree) - set(NAMES))
    except TemplateSyntaxError as fault:
        raise Refused("template_syntax", field, line=fault.lineno) from fault
    if unknown:
        raise Refused("template_name", field, name=unknown[0])
    _refuse_any(field, written, lambda node: not _is_harmless(node))


def _refuse_any(field: str, written: Iterable[nodes.Node], forbidden: Callable[[nodes.Node], bool]) -> None:
    node = next(filter(forbidden, written), None)
    if node is not None:
        raise Refused("template_construct", field, line=node.lineno)


def _is_harmless(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Getattr):
        return isinstance(node.node, nodes.Name) and node.attr in _ATTRIBUTES.get(node.node.name, set())
    if isinstance(node, nodes.For):
        over_files = isinstance(node.iter, nodes.Name) and node.iter.name == "files" and isinstance(node.target, nodes.Name) and node.target.name == "file"
        return over_files and not node.recursive and not any(isinstance(part, nodes.For) or part.find(nodes.For) is not None for part in node.body)
    return not isinstance(node, nodes.Filter) or (node.name in _FILTERS and not node.args and not node.kwargs)


@lru_cache(maxsize=64)
def _template(source: str) -> Any:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)
    cast("dict[str, Any]", environment.globals).clear()
    cast("dict[str, Any]", environment.filters).update(one_line=one_line, size=size)
    return environment
