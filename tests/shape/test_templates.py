"""House rules of the templates (STYLE, SECURITY): every one parses, nothing inline, every word can be translated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.shape.tree import name, templates, text

_INLINE = {
    "a style": re.compile(r"<style\b|\sstyle\s*="),
    "a script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>|\son[a-z]+\s*=\s*[\"']|\shx-on|javascript:"),
    "htmx evaluating text": re.compile(r"hx-vals\s*=\s*[\"']js:|hx-vars\b"),
}
_UNESCAPED = re.compile(r"(?<!['\"])\s*\|\s*safe\b|autoescape\s+false")
"""A literal of ours may be marked up, nothing else."""
_JAPANESE = re.compile(r"[\u3040-\u30fa\u30fc-\u30ff\u4e00-\u9fff]")
_OWN_NAME = 'lang="ja"'
"""The name of the language in itself is never translated."""
_ENVIRONMENT = Environment(autoescape=True, extensions=["jinja2.ext.i18n", "jinja2.ext.do"])


@pytest.mark.parametrize("path", templates(), ids=name)
def test_a_template_keeps_the_rules_of_the_house(path: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", text(path), flags=re.DOTALL)

    assert [what for what, pattern in _INLINE.items() if pattern.search(source)] == []
    assert not _UNESCAPED.search(source), "what people wrote is always escaped"
    assert _bare_words(source) == [], "these words cannot be translated"


def test_there_are_templates_to_check() -> None:
    assert len(templates()) > 10


def _bare_words(source: str) -> list[str]:
    pieces = _ENVIRONMENT.parse(source).find_all(nodes.TemplateData)
    return [found.strip() for piece in pieces for found in piece.data.splitlines() if _JAPANESE.search(found) and _OWN_NAME not in found]
