"""Templates: one environment a language, whole pages and their blocks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block

from models.places import find
from web.present import install
from wording.catalog import gettext_for, ngettext_for

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


def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(find("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,
    )
    translate: Callable[[str], str] = gettext_for(language)
    environment.install_gettext_callables(translate, ngettext_for(language), newstyle=True)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType] - added by the i18n extension
    environment.globals["asset"] = asset
    install(environment)
    return environment


@cache
def asset(path: str) -> str:
    """The URL of a static file, with its content's mark so that browsers may keep it for ever."""
    content = (Path(find("static")) / path).read_bytes()
    return f"/static/{path}?v={hashlib.sha256(content).hexdigest()[:10]}"
