"""A light Markdown: what people wrote reads as they meant it, and nothing of it does anything."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.html import audit, read
from web.prose import paragraphs

LINK = '<a href="https://x.example/a" rel="noopener nofollow">https://x.example/a</a>'
ALLOWED = {"p", "a", "div", "strong", "code", "ul", "ol", "li", "blockquote", "details", "summary"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**至急** お願いします", "<p><strong>至急</strong> お願いします</p>"),
        ("**a `b` https://x.example/a**", f"<p><strong>a <code>b</code> {LINK}</strong></p>"),
        ("`show **version**` を", "<p><code>show **version**</code> を</p>"),
        ("[手順](https://x.example/a) を", f"<p>手順（{LINK}） を</p>"),
        ("- 一つ\n- **二つ**\n  続き", "<ul><li>一つ</li><li><strong>二つ</strong>\n続き</li></ul>"),
        ("1. a\n3. b\n    - c", '<ol><li value="1">a</li><li value="3">b</li></ol><ul><li class="in">c</li></ul>'),
        ("> 前の文\n> - a\n返事", "<blockquote><p>前の文</p><ul><li>a</li></ul></blockquote><p>返事</p>"),
        ("```junos\nset a\n\n  b\n```\n後", '<div class="log" tabindex="0" role="group" aria-label="コード">set a\n\n  b</div><p>後</p>'),
    ],
)
def test_marks_read_as_meant(text: str, html: str) -> None:
    assert paragraphs(text) == html


@pytest.mark.parametrize(
    "text", ["2 ** 3", "**未完", "a** b**", "****", "`未完", "``", "[名前](ftp://x)", "__init__", "-- \n山田", "5 * 3 = 15", "**/*.log and **/*.txt"]
)
def test_a_mark_without_its_counterpart_stays_as_it_was_written(text: str) -> None:
    assert re.sub(r"</?p>", "", paragraphs(text)) == text


def test_long_quotations_are_folded_and_log_lines_stay_in_their_box() -> None:
    folded = paragraphs("\n".join(f"> {n} 行目" for n in range(9)))
    assert folded.startswith("<details><summary>引用 9行</summary><blockquote>")
    assert "<details>" not in paragraphs("\n".join(f"> {n} 行目" for n in range(8)))

    mixed = paragraphs("**ログ**\nNov 12 08:01:17 fw01 kernel: - **x** <b>\nおわり")
    assert mixed.startswith('<p><strong>ログ</strong></p><div class="log"')
    assert "- **x** &lt;b&gt;" in mixed


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name == "href"]


NASTY = (
    "<script>alert(1)</script>", "**<img src=x onerror=alert(1)>**", "`<svg/onload=alert(1)>`", "[x](javascript:alert(1))", "[x](JaVaScRiPt://%0aalert(1))",
    "[<b>](https://x.example/\"onmouseover=alert(1))", "[x](https://x.example/'><script>)", "[x](data:text/html,<script>)", "javascript:alert(1)//http://x",
    "> > > > <script>", "- > ```\n<script>", "```\n</div><script>\n```", "```\n<b>", "[a](https://x.example/`b`)", "**[x**](https://x.example/a)",
    "1. <hx-partial>", "[[x](https://a.example)](https://b.example)", "** `a** b` **", "> ```\n> <i>\nx", "[x](https://x.example/a\u202e)", "&lt;script&gt;",
)  # fmt: skip


@pytest.mark.parametrize("text", [*NASTY, "\n".join(NASTY), "**".join(NASTY), "`".join(NASTY)])
def test_d66_nothing_of_a_text_is_markup_of_its_own(text: str) -> None:
    _check(text)


@given(st.lists(st.sampled_from([*"*`[]()<>&\"'- \n>1.a", "**", "```", "\n> ", "\n- ", "https://x", "](https://", "<b>"]), max_size=40).map("".join))
def test_any_mixture_of_marks_is_well_formed_and_harmless(text: str) -> None:
    _check(text)


def _check(text: str) -> None:
    html = paragraphs(text)
    reader = _Reader()
    reader.feed(html)
    assert reader.tags <= ALLOWED
    assert reader.attributes <= {"href", "rel", "class", "tabindex", "role", "aria-label", "value"}
    assert all(address.startswith(("http://", "https://")) for address in reader.addresses)
    document: Any = read(f"<main>{html}</main>")
    assert [fault for fault in audit(document, whole=False) if "nest" in fault or "clos" in fault] == []
    assert document.faults == []
