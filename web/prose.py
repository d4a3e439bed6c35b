"""What people wrote as safe HTML: paragraphs, web addresses as links, runs of log lines, and a light Markdown where a text holds its marks.

Everything is escaped; no HTML of a text's own survives, and no address but ``http(s)`` becomes a link. Each step goes over a text once:
the time grows with the length only. A text without marks goes the short way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup, escape

_URL = re.compile(r"https?://[A-Za-z0-9\[][^\s<>\"'`「」『』（）【】、。，．\u3000]*")
_URL_END = ".,;:!?*_~]}"
_LOG_LINE = re.compile(
    r"[ \t]{0,8}(?:<\d{1,3}>)?\[?(?:"
    r"(?:[A-Z][a-z]{2} )?[A-Z][a-z]{2} {1,2}\d{1,2} (?:\d{4} )?\d{1,2}:\d\d:\d\d"  # syslog
    r"|\d{4}[-/]\d{1,2}[-/]\d{1,2}[T ]\d{1,2}:\d\d:\d\d"  # ISO and most appliances
    r"|[\w.-]{1,64}@[\w.-]{1,64}[>#%] ?"  # a Junos prompt
    r")",
    re.ASCII,
)
_LOG_MORE = re.compile(r"\t| {2,}\S")
_BEGINNINGS = ("\n>", "\n- ", "\n* ", "\n1. ", "\n1) ", "`", "**", "](")
"""Without any of these a text holds no mark: looking for them costs less than one expression would."""
_ITEM = re.compile(r"( {0,8})(?:[-*]|(\d{1,3})[.)]) (?=\S)", re.ASCII)
_QUOTED = re.compile(r" {0,3}> ?")
_TOKEN = re.compile(rf"`([^`]+)`|\[([^\[\]]{{1,200}})\]\((https?://[^\s()<>\"'`]{{1,1000}})\)|({_URL.pattern})|(\*\*)")
_LONG_QUOTE = 8
"""Lines: a longer one is folded."""
_DEEPEST_QUOTE = 3


@dataclass(frozen=True)
class Names:
    """What boxes are called: of log lines, of code; a folded quotation's line, with {n} for its lines."""

    log: str = "ログの抜粋"
    code: str = "コード"
    quote: str = "引用 {n}行"


_NAMES = Names()


def paragraphs(text: str, log_name: str = _NAMES.log, code_name: str = _NAMES.code, quote_name: str = _NAMES.quote) -> Markup:
    """People's text as safe HTML.

    Line breaks and indents stay as written (the stylesheet keeps them). Marks: ``**bold**``, ``code`` between back-ticks and between lines of three,
    lists by ``- `` and ``1. ``, ``[name](address)`` with the address shown, ``>`` before quoted lines; long quotations are folded.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    whole = "\n" + text
    if any(beginning in whole for beginning in _BEGINNINGS):
        return _made(_blocks(lines, Names(log_name, code_name, quote_name)))
    parts: list[str] = []
    for kind, group in groupby(_told_apart(lines), key=lambda pair: pair[0]):
        content = "\n".join(line for _, line in group)
        if kind == "text":
            parts.append(f"<p>{_linked(content)}</p>")
        elif kind == "log":
            parts.append(_box(content, log_name))
    return _made("".join(parts))


def _made(html: str) -> Markup:
    """HTML whose every variable part was escaped below."""
    return Markup(html)  # noqa: S704 # nosec B704 - see the docstring


def _told_apart(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Each line with its kind: "text", "log" or "blank"; an indented line below a log line belongs to it."""
    kind = "blank"
    for line in lines:
        if not line.strip():
            kind = "blank"
        elif not (_LOG_LINE.match(line) or (kind == "log" and _LOG_MORE.match(line))):
            kind = "text"
        else:
            kind = "log"
        yield kind, line


def _linked(text: str) -> str:
    """`text` escaped, its web addresses as links."""
    parts: list[str] = []
    done = 0
    for found in _URL.finditer(text):
        url = _whole(found.group())
        parts.append(escape(text[done : found.start()]))
        parts.append(_link(url))
        done = found.start() + len(url)
    return "".join([*parts, escape(text[done:])])


def _whole(url: str) -> str:
    """An address without the signs that end the sentence around it."""
    url = url.rstrip(_URL_END)
    return url.rstrip(")").rstrip(_URL_END) if url.endswith(")") and "(" not in url else url


def _link(url: str) -> str:
    address = escape(url)
    return f'<a href="{address}" rel="noopener nofollow">{address}</a>'


def _box(content: str, name: str) -> str:
    return f'<div class="log" tabindex="0" role="group" aria-label="{escape(name)}">{escape(content)}</div>'


def _blocks(lines: Sequence[str], names: Names, depth: int = 0) -> str:
    """The blocks of a text with marks."""
    parts: list[str] = []
    for (kind, _), group in groupby(_kinds(lines, depth), key=lambda pair: pair[0]):
        content = [line for _, line in group]
        if kind == "text":
            parts.append(f"<p>{_inline(content)}</p>")
        elif kind == "log":
            parts.append(_box("\n".join(content), names.log))
        elif kind == "code":
            parts.append(_box("\n".join(content), names.code))
        elif kind == "list":
            parts.append(_list(content))
        elif kind == "quote":
            parts.append(_quote(content, names, depth))
    return "".join(parts)


def _kinds(lines: Sequence[str], depth: int) -> Iterator[tuple[tuple[str, int], str]]:
    """Each line with its kind and the number of its code block; the fences around code are left out."""
    kind, fences = "blank", 0
    for line in lines:
        if line.lstrip().startswith("```"):
            fences += 1
            kind = "blank"
        elif fences % 2:
            yield ("code", fences), line
        else:
            kind = _kind(line, kind, depth)
            yield (kind, 0), line


def _kind(line: str, before: str, depth: int) -> str:
    if not line.strip():
        return "blank"
    if _QUOTED.match(line) and depth < _DEEPEST_QUOTE:
        return "quote"
    if _LOG_LINE.match(line) or (before == "log" and _LOG_MORE.match(line)):
        return "log"
    return "list" if _ITEM.match(line) or (before == "list" and line.startswith("  ")) else "text"


def _list(lines: Sequence[str]) -> str:
    """A list as it was numbered; an item's further lines are indented, and items indented by two or more stand a step in."""
    parts: list[str] = []
    item: list[str] = []
    opened = ""

    def put() -> None:
        if item:
            parts.append(f"{_inline(item)}</li>")
            item.clear()

    for line in lines:
        found = _ITEM.match(line)
        if found is None:
            item.append(line.strip())
            continue
        put()
        number = found.group(2)
        tag = "ol" if number else "ul"
        if tag != opened:
            parts.append(f"</{opened}><{tag}>" if opened else f"<{tag}>")
            opened = tag
        step = ' class="in"' if len(found.group(1)) > 1 else ""
        parts.append(f'<li{step} value="{int(number)}">' if number else f"<li{step}>")
        item.append(line[found.end() :])
    put()
    return f"{''.join(parts)}</{opened}>"


def _quote(lines: Sequence[str], names: Names, depth: int) -> str:
    inner = _blocks([_QUOTED.sub("", line, count=1) for line in lines], names, depth + 1)
    quote = f"<blockquote>{inner}</blockquote>"
    if len(lines) <= _LONG_QUOTE or depth:
        return quote
    return f"<details><summary>{escape(names.quote.format(n=len(lines)))}</summary>{quote}</details>"


def _inline(lines: Sequence[str]) -> str:
    """Lines of one paragraph or item with bold, code and links; a mark without its counterpart stays as it was written."""
    return "\n".join(_marks(line) for line in lines)


def _marks(line: str) -> str:
    parts: list[str] = []
    done, bold, bold_from = 0, -1, -1
    while found := _TOKEN.search(line, done):
        parts.append(escape(line[done : found.start()]))
        done = found.end()
        code, name, address, url, _ = found.groups()
        if code is not None:
            parts.append(f"<code>{escape(code)}</code>")
        elif address is not None:
            parts.append(f"{escape(name)}（{_link(address)}）")
        elif url is not None:
            whole = _whole(url)
            done = found.start() + len(whole)
            parts.append(_link(whole))
        elif bold < 0:
            if done < len(line) and not line[done].isspace():
                bold, bold_from = len(parts), done
            parts.append("**")
        elif found.start() > bold_from and not line[found.start() - 1].isspace():
            parts[bold] = "<strong>"
            parts.append("</strong>")
            bold = -1
        else:
            parts.append("**")
    return "".join([*parts, escape(line[done:])])
