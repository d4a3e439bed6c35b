"""Templates: one environment a language, whole pages and their blocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, cast

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, nodes
from jinja2.visitor import NodeTransformer
from jinja2_fragments import render_block
from markupsafe import Markup

from models.places import find
from web.assets import asset
from web.compiled import Compiled, CompiledAhead
from web.generating import Generator, put_out
from web.inlining import PARTS, Inlining, Library, library_of
from web.present import install
from wording.catalog import NC_, gettext_for, ngettext_for, pgettext_for

LANGUAGES = ("ja", "en")
_UI = "ui.html"
_PLACE = re.compile(r"%\((\w+)\)s")


class Renderer:
    """Renders a page, or one block of it when htmx asked for a part. Compiled templates are kept in the folder `compiled`, if one is named.

    Those that were compiled when an image was made (`compile_ahead`) are taken from the folder `ahead`.
    """

    def __init__(self, compiled: Path | None = None, ahead: Path | None = None) -> None:
        self._compiled = compiled
        self._ahead = ahead

    def page(self, name: str, language: str, context: dict[str, Any]) -> str:
        """The whole page `name`."""
        environment = _environment(language, self._compiled, self._ahead)
        return environment.get_template(name).render(_with_macros(environment, context))

    def block(self, name: str, block: str, language: str, context: dict[str, Any]) -> str:
        """One block of the page `name`."""
        environment = _environment(language, self._compiled, self._ahead)
        return render_block(environment, name, block, _with_macros(environment, context))


def _with_macros(environment: Environment, context: dict[str, Any]) -> dict[str, Any]:
    """`context` and the macros of ui.html as `ui`."""
    return {**context, "ui": _Macros(environment, context)}


class _Macros:
    """The macros of ui.html, made when the first is called that web.inlining left a call, and then for the whole rendering."""

    def __init__(self, environment: Environment, context: dict[str, Any]) -> None:
        self._made_by = environment, context

    def __getattr__(self, name: str) -> Any:
        environment, context = self._made_by
        self.__dict__.update(environment.get_template(_UI).make_module(context).__dict__)
        if name not in self.__dict__:
            raise AttributeError(name)
        return self.__dict__[name]


@cache
def _environment(language: str, compiled: Path | None, ahead: Path | None) -> Environment:
    """One a process, made when its language is first asked for: compiling takes 0.2 s a page, and an environment keeps nothing of a request."""
    return _made_for(language, Compiled(compiled, language, ahead) if compiled else None)


def compile_ahead(folder: Path) -> int:
    """Compile every page in both languages into `folder`; how many that were."""
    pages = 0
    for language in LANGUAGES:
        environment = _made_for(language, CompiledAhead(folder, language))
        for name in environment.list_templates(extensions=["html"]):
            environment.get_template(name)
            pages += 1
    for file in folder.iterdir():
        file.chmod(0o644)  # another user than the one who made the image serves the pages
    return pages


def _made_for(language: str, kept: BytecodeCache | None) -> Environment:
    environment = _Environment(
        loader=FileSystemLoader(find("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
        bytecode_cache=kept,
    )
    translate = gettext_for(language)
    environment.translate = translate
    environment.install_gettext_callables(translate, ngettext_for(language), newstyle=True, pgettext=pgettext_for(language))  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by the i18n extension
    environment.globals["asset"] = asset
    install(environment, language)
    return environment


class _Environment(Environment):
    """Translates constant texts and writes macros out once, when a template is compiled, instead of at every rendering (a page has hundreds of them)."""

    translate: Callable[[str], str]
    code_generator_class = Generator
    put_out = staticmethod(put_out)

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._libraries: dict[str, Library] = {}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        translated: nodes.Template = _Translating(self.translate).visit(super()._parse(source, name, filename))
        libraries = {} if name == _UI else {"ui": self._library(_UI)}
        written: nodes.Template = Inlining(libraries, self._library, self.globals[PARTS]).visit(translated)
        written.set_environment(self)
        return written

    def _library(self, name: str) -> Library:
        """The macros of the template `name`."""
        if name not in self._libraries:
            source, filename, _ = cast("FileSystemLoader", self.loader).get_source(self, name)
            self._libraries[name] = library_of(name, self._parse(source, name, filename))
        return self._libraries[name]


class _Translating(NodeTransformer):
    """Replaces ``_("text")``, ``pgettext("context", "text")`` and ``{% trans %}text{% endtrans %}`` by the translated text.

    Where the text has places, ``_("%(name)s 様", name=…)``, its pieces and the values stand one after the other; what is put out escapes the values.
    """

    def __init__(self, translate: Callable[[str], str]) -> None:
        self._translate = translate

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - the visitor's own naming
        self.generic_visit(node)
        called = node.node.name if isinstance(node.node, nodes.Name) else ""
        given: list[str] = [argument.value for argument in node.args if isinstance(argument, nodes.Const)]
        if len(given) != len(node.args) or len(given) != {"_": 1, "gettext": 1, "pgettext": 2}.get(called):
            return node
        text = self._translate(NC_(*given) if called == "pgettext" else given[0])
        if not node.kwargs:
            return nodes.Const(_ours(text % {}), lineno=node.lineno)
        return _filled(text, {pair.key: pair.value for pair in node.kwargs}, node.lineno) or node

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        """Put out the pieces of a joined text one by one instead of joining them first."""
        self.generic_visit(node)
        node.nodes = [piece for child in node.nodes for piece in (child.nodes if isinstance(child, nodes.Concat) else [child])]
        return node

    def visit_Block(self, node: nodes.Block) -> nodes.Node:  # noqa: N802
        """Gather what a block writes and hand it on in one piece: else each piece climbs through every block and template around it."""
        self.generic_visit(node)
        written = "_written"
        gathered = nodes.AssignBlock(nodes.Name(written, "store"), None, node.body, lineno=node.lineno)
        node.body = [gathered, nodes.Output([nodes.Name(written, "load")], lineno=node.lineno)]
        return node


def _filled(text: str, values: dict[str, nodes.Expr], lineno: int) -> nodes.Expr | None:
    """`text` with the values at its places ``%(name)s``; None where that cannot be known before the rendering."""
    pieces = _PLACE.split(text)
    ours, names = pieces[::2], pieces[1::2]
    if not names or not all(name in values for name in names) or all(isinstance(value, nodes.Const) for value in values.values()):
        return None
    joined: list[nodes.Expr] = [nodes.Const(_ours(ours[0] % {}))]
    for name, piece in zip(names, ours[1:], strict=True):
        joined += [values[name], nodes.Const(_ours(piece % {}))]
    return nodes.Concat(joined, lineno=lineno)


def _ours(text: str) -> Markup:
    """A text of our own, from the templates or the catalogue: never people's."""
    return Markup(text)  # noqa: S704 # nosec B704 - see the docstring
