"""Texts of mails that an administrator wrote: a small part of the template language, checked before it is kept and again when it is used.

What a text may name is declared for its letter (`mail.facts`), and nothing behind those names can be reached: no calls, no arithmetic, no loops
but over the letter's own lists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from mail.compose import SUBJECT_CHARACTERS, Text, clean_body, compose
from mail.desk import Desk
from mail.facts import CONTENTS, DESK, Fact, project, sample
from rules.refusal import Refused
from rules.text import one_line
from wording.dates import day, moment, size

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.For, nodes.Filter, nodes.Const,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not,
)  # fmt: skip
_FILTERS: Mapping[str, Callable[..., str]] = {"one_line": one_line, "size": size, "moment": moment, "day": day}
_BODY_CHARACTERS = 20_000
_MOST_RENDERED = 100_000
"""Characters of a letter for the longest facts there are: a post of 20,000, lists of 50."""
_LONGEST, _MOST_ITEMS = 20_000, 50
_LONG = frozenset({"post", "message", "text"})
_FOLDER = Path(__file__).resolve().parent.parent / "templates" / "mail"
_INCLUDE = re.compile(r'\{% include "(_\w+\.txt)" %\}\n?')
_OPENING = re.compile(r"\{% set opening %\}\n(.*?)\{% endset %\}\n", re.DOTALL)
_AWKWARD = "{{ 7*7 }}\r\nBcc: a@b.example {% x %}"
_DESK = Desk("https://tickets.example.jp", "tickets@jscom.example", "tickets-admin@jscom.co.jp", "support-center@jscom.co.jp")


def shipped(notice: str) -> tuple[str, str]:
    """(subject, body) the notice came with, as one may rewrite them."""
    subject, body = ((_FOLDER / f"{notice}.{part}.txt").read_text() for part in ("subject", "body"))
    whole = _included(_included(body))
    opening = _OPENING.search(whole)
    return subject, _OPENING.sub("", whole).replace("{{ opening|trim }}", opening.group(1).strip() if opening else "")


def text_of(notice: str, own: tuple[int, str, str] | None, *, desk: Desk, **facts: object) -> Text:
    """The letter's text for `facts`: as an administrator wrote it (`own`: version, subject, body), else the one it came with.

    A text that fails on these facts gives way to the one it came with: the mail still goes.
    """
    if own is not None:
        with suppress(Refused):
            version, subject, body = own
            return replace(render(subject, body, project(notice, facts, desk)), version=version)
    return compose(notice, desk=desk, **facts)


def check(notice: str, subject: str, body: str) -> None:
    """Refuse a text that cannot be sent.

    At either field template_empty, template_long(max), template_syntax(line), template_construct(line), template_name(name); at ``subject``
    template_lines; at ``body`` template_missing(name) (without its link or number a letter is of no use), template_grows and template_fails(words).
    """
    if "\n" in subject.strip("\n"):
        raise Refused("template_lines", "subject")
    for field, source, most in (("subject", subject, SUBJECT_CHARACTERS), ("body", body, _BODY_CHARACTERS)):
        if not source.strip():
            raise Refused("template_empty", field)
        if len(source) > most:
            raise Refused("template_long", field, max=most)
        _check_source(notice, field, source)
    for number, given in enumerate(samples(notice)):
        facts = project(notice, given, _DESK)
        rendered = render(subject, body, facts)
        if not rendered.subject:
            raise Refused("template_empty", "subject")
        missing = next((name for name in CONTENTS[notice].needs if not _stands(name, notice, facts, rendered.body)), None)
        if missing and not number:
            raise Refused("template_missing", "body", name=missing)
        if missing:
            raise Refused("template_missing_at_times", "body", name=missing)
        if len(rendered.body) > _MOST_RENDERED:
            raise Refused("template_grows", "body")


def render(subject: str, body: str, facts: Mapping[str, object]) -> Text:
    """The text for `facts` (as `mail.facts.project` gives them). Refuses template_fails."""
    try:
        line = one_line(_template(subject.strip("\n")).render(facts))[:SUBJECT_CHARACTERS]
        return Text(line, clean_body(_template(body).render(facts)))
    except (TemplateError, TypeError, ValueError, AttributeError) as fault:
        raise Refused("template_fails", "body", words=str(fault)[:200]) from fault


def samples(notice: str) -> Iterator[dict[str, Any]]:
    """Facts of every shape a letter can have: believable ones first, then empty, hostile and long ones."""
    plain = sample(notice)
    yield plain
    yield {name: value if name in _kept(notice) else _turned(value) for name, value in plain.items()}
    yield {name: _awkward(value) for name, value in plain.items()}
    yield {name: "長" * _LONGEST if name in _LONG else value * _MOST_ITEMS if isinstance(value, list) else value for name, value in plain.items()}


def _included(text: str) -> str:
    return _INCLUDE.sub(lambda found: (_FOLDER / found.group(1)).read_text(), text)


def _kept(notice: str) -> set[str]:
    """What is never empty: what the letter must say, and what is counted or dated."""
    return {name.partition(".")[0] for name in CONTENTS[notice].needs}


def _turned(value: Any) -> Any:
    """The other shape of a fact: no text, no items, the other answer."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return ""
    return [] if isinstance(value, list) else value


def _awkward(value: Any) -> Any:
    """The same with what a hostile person types in every text."""
    if isinstance(value, str):
        return f"{value} {_AWKWARD}"
    if isinstance(value, SimpleNamespace):
        return SimpleNamespace(**_awkward(vars(value)))
    if isinstance(value, dict):
        return {name: _awkward(one) for name, one in cast("dict[str, Any]", value).items()}
    return [_awkward(one) for one in cast("list[Any]", value)] if isinstance(value, list) else value


def _stands(name: str, notice: str, facts: Mapping[str, Any], body: str) -> bool:
    """Whether every value of a name that the letter must say is in its text."""
    first, _, part = name.partition(".")
    body, held = _shown(body), facts.get(first)
    if held is None:
        listed = next(fact for fact in CONTENTS[notice].facts if fact.each == first)
        return all(_shown(getattr(item, part)) in body for item in facts[listed.name])
    return _shown(getattr(held, part) if part else held) in body


def _shown(value: object) -> str:
    """As it stands in a text, however its lines are broken there."""
    return one_line(clean_body(str(value)))


def _check_source(notice: str, field: str, source: str) -> None:
    facts = (DESK, *CONTENTS[notice].facts)
    # Links are for the body: a subject stands in lists and on locked screens.
    allowed = {fact.name for fact in facts if fact.meaning and not (fact.path and field == "subject")}
    try:
        tree = _environment().parse(source)
        written = list(tree.find_all(nodes.Node))
        # Before anything else: looking for the names already works out what is constant, a text a thousand million characters long too.
        _refuse_any(field, written, lambda node: not isinstance(node, _ALLOWED))
        unknown = sorted(meta.find_undeclared_variables(tree) - allowed)
    except TemplateSyntaxError as fault:
        raise Refused("template_syntax", field, line=fault.lineno) from fault
    if unknown:
        raise Refused("template_name", field, name=unknown[0])
    lists = {(fact.name,): fact for fact in facts if fact.each}
    _refuse_any(field, written, lambda node: isinstance(node, nodes.Filter) and (node.name not in _FILTERS or bool(node.args or node.kwargs)))
    _check_parts(field, tree, {fact.name: fact for fact in facts if fact.meaning and not fact.each}, lists)


def _check_parts(field: str, node: nodes.Node, groups: Mapping[str, Fact], lists: Mapping[tuple[str, ...], Fact]) -> None:
    """Only declared parts of what is in sight, and loops over declared lists: one in another only where the list belongs to the other's item."""
    if isinstance(node, nodes.Getattr):
        group = groups.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        if group is None or all(part.name != node.attr or not part.meaning or (part.path and field == "subject") for part in group.parts):
            raise Refused("template_construct", field, line=node.lineno)
    if isinstance(node, nodes.For):
        listed = lists.get(_path_of(node.iter))
        if listed is None or node.recursive or not isinstance(node.target, nodes.Name) or node.target.name != listed.each:
            raise Refused("template_construct", field, line=node.lineno)
        inner = {(listed.each, part.name): part for part in listed.parts if part.each}
        for child in (*node.body, *([node.test] if node.test else [])):
            _check_parts(field, child, {**groups, listed.each: listed}, inner)
        for child in node.else_:
            _check_parts(field, child, groups, lists)
        return
    for child in node.iter_child_nodes():
        _check_parts(field, child, groups, lists)


def _path_of(node: nodes.Node) -> tuple[str, ...]:
    if isinstance(node, nodes.Getattr):
        return (*_path_of(node.node), node.attr)
    return (node.name,) if isinstance(node, nodes.Name) else ()


def _refuse_any(field: str, written: Iterable[nodes.Node], forbidden: Callable[[nodes.Node], bool]) -> None:
    node = next(filter(forbidden, written), None)
    if node is not None:
        raise Refused("template_construct", field, line=node.lineno)


@lru_cache(maxsize=64)
def _template(source: str) -> Any:
    return _environment().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False)
    cast("dict[str, Any]", environment.globals).clear()
    cast("dict[str, Any]", environment.filters).update(_FILTERS)
    return environment
