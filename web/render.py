"""Templates: one environment a language, whole pages and their blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from jinja2_fragments import render_block
from markupsafe import Markup

from models.places import find
from web.present import install
from wording.catalog import NC_, gettext_for, ngettext_for, pgettext_for

LANGUAGES = ("ja", "en")


class Renderer:
    """Renders a page, or one block of it when htmx asked for a part."""

    def __init__(self) -> None:
        self._environments = {language: _environment(language) for language in LANGUAGES}

    def page(self, name: str, language: str, context: dict[str, Any]) -> str:
        """The whole page `name`."""
        return self._environments[language].get_template(name).render(context)

    def block(self, name: str, block: str, language: str, context: dict[str, Any]) -> str:
        """One block of the page `name`."""
        return render_block(self._environments[language], name, block, context)


@cache
def _environment(language: str) -> Environment:
    """One a process: compiling the templates takes 0.2 s a page, and an environment keeps nothing of a request."""
    environment = _Environment(
        loader=FileSystemLoader(find("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    translate = gettext_for(language)
    environment.translate = translate
    environment.install_gettext_callables(translate, ngettext_for(language), newstyle=True, pgettext=pgettext_for(language))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by the i18n extension
    environment.globals["asset"] = asset
    install(environment)
    return environment


class _Environment(Environment):
    """Translates constant texts once, when a template is compiled, instead of at every rendering (a page has a hundred of them)."""

    translate: Callable[[str], str]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _Translating(self.translate).visit(super()._parse(source, name, filename))


class _Translating(NodeTransformer):
    """Replaces ``_("text")``, ``pgettext("context", "text")`` and ``{% trans %}text{% endtrans %}`` without variables by the translated text."""

    def __init__(self, translate: Callable[[str], str]) -> None:
        self._translate = translate

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the visitor's own naming
        self.generic_visit(node)
        called = node.node.name if isinstance(node.node, nodes.Name) else ""
        given: list[str] = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if node.kwargs or len(given) != len(node.args) or len(given) != {"_": 1, "gettext": 1, "pgettext": 2}.get(called):
            return node
        return nodes.Const(Markup(self._translate(NC_(*given) if called == "pgettext" else given[0]) % {}), lineno=node.lineno)  # noqa: S704 - our own texts, from templates and catalogue


@cache
def asset(path: str) -> str:
    """The URL of a static file, with its content's mark so that browsers may keep it for ever."""
    content = (Path(find("static")) / path).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:10]}"
