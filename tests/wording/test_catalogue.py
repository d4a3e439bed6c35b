"""The English catalogue is whole, and everything a person reads goes through it."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from starlette.types import ASGIApp

from asgi import application
from rules.refusal import Refused
from tests.client import Client
from web.wiring import Wiring
from wording import imports, labels
from wording.catalog import NC_, translate
from wording.refusals import say

ROOT = Path(__file__).resolve().parents[2]
PO = ROOT / "locale/en/LC_MESSAGES/messages.po"
JAPANESE = re.compile(r"[\u3041-\u30fa\u30fc-\u30ff\u3400-\u9fff\uff66-\uff9f]")
ON_PURPOSE = re.compile(
    r'<(div|button)[^>]* lang="ja".*?</\1>|“不明”|J.s チケットシステム|旧 Ironport'
    r"|\(ご契約番号,|(販売代理店|運用代行者|エンドユーザー)様 \(|〇〇(販売)?株式会社( 支店)?",
    re.DOTALL,
)
"""What English pages say in Japanese: parts marked as Japanese (the privacy text, the way back), what is typed where a number is not known,
names, and what a certificate prints."""
MARKS = {"N_", "NC_"}
MARKED_IN_TEMPLATES = {"_", "gettext", "ngettext", "pgettext", "npgettext"}
VALUES = {"不明", "日本語"}
"""Japanese in templates that is no text of a page: what a customer types, and the name of a language in itself."""


@pytest.fixture(scope="module")
def catalogue() -> Catalog:
    return read(PO)


def test_every_text_has_an_english_translation(catalogue: Catalog) -> None:
    assert len(catalogue) > 1_000
    assert [message.id for message in texts(catalogue) if not message.string or message.fuzzy] == []
    assert list(catalogue.obsolete) == []


def test_a_translation_has_the_blanks_and_the_tags_of_its_text(catalogue: Catalog) -> None:
    wrong = [message.id for message in texts(catalogue) if blanks(told(message)[0]) != blanks(told(message)[1])]

    assert wrong == []


def test_a_translation_cannot_break_the_attribute_it_stands_in(catalogue: Catalog) -> None:
    """Texts stand in attributes and in markup unescaped: a straight quote or an ampersand would end or change them."""
    english = [re.sub(r"<[^<>]+>", "", told(message)[1]) for message in texts(catalogue)]

    assert [text for text in english if set('"<&') & set(text)] == []


def test_the_compiled_catalogue_is_that_of_the_text(catalogue: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)

    assert compiled.getvalue() == PO.with_suffix(".mo").read_bytes(), "make words compiles it"


def test_the_catalogue_has_the_texts_of_code_and_templates_and_no_others(catalogue: Catalog, tmp_path: Path) -> None:
    found = tmp_path / "messages.pot"
    command = ["pybabel", "-q", "extract", "-F", str(ROOT / "babel.cfg"), "-k", "NC_:1c,2", "-o", str(found), str(ROOT)]
    CommandLineInterface().run(command)  # pyright: ignore[reportUnknownMemberType] - babel gives its parameter no type
    extracted = read(found)

    assert keys(extracted) - keys(catalogue) == set(), "make words collects them"
    assert keys(catalogue) - keys(extracted) == set(), "make words drops them"


def test_handlers_say_nothing_that_is_not_marked() -> None:
    bare = [f"{path.relative_to(ROOT)}: {text}" for room in ("console", "customer_portal") for path in (ROOT / room).rglob("*.py") for text in unmarked(path)]

    assert bare == []


def test_templates_say_nothing_that_is_not_marked() -> None:
    environment = Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"])
    bare: list[str] = []
    for path in (ROOT / "templates").rglob("*.html"):
        tree = environment.parse(path.read_text(encoding="utf-8"))
        bare += [f"{path.relative_to(ROOT)}: {text}" for text in unmarked_in(tree) if JAPANESE.search(text) and text not in VALUES]

    assert [text for text in bare if not re.search(r">日本語</button>", text)] == []


@pytest.mark.parametrize("path", ["/", "/login", "/register", "/help", "/recover", "/accessibility", "/console/sign-in"])
def test_a_page_in_english_is_english(app: ASGIApp, path: str) -> None:
    client = Client(app)
    client.get("/")
    client.submit("/language")

    page = client.get(path)

    root = page.root.first("html")
    assert root
    assert root.attributes["lang"] == "en"
    assert JAPANESE.findall(ON_PURPOSE.sub("", shown(page.html))) == []


@pytest.fixture
def app(wiring: Wiring) -> ASGIApp:
    return application(wiring)


def test_a_word_with_two_meanings_has_two_translations() -> None:
    assert labels.state("closed") == labels.line_state("ended") == "終了"
    assert (labels.state("closed", "en"), labels.line_state("ended", "en")) == ("Closed", "Ended")
    assert translate(NC_("nowhere", "訳のない文"), "en") == "訳のない文"


@pytest.mark.parametrize("text", [*imports.ROW_ERRORS.values(), *imports.ROW_WARNINGS.values(), *imports.SHEET_NOTES.values()])
def test_what_a_reading_said_in_japanese_is_retold_in_english(text: str) -> None:
    facts = {name: f"<{name}>" for _, name, _, _ in Formatter().parse(text) if name}

    assert imports.retell(text.format(**facts), "en") == translate(text, "en").format(**facts)


def test_a_retold_sentence_says_its_columns_and_rows_in_english_too() -> None:
    kept = imports.row_error("not_consistent", k="JSC1", column="終了日", first="シート「EX」の 4", a="空", row=9, b="2026/05/31")

    assert imports.retell(kept) == kept
    assert imports.retell(kept, "en") == (
        "Contract “JSC1”: End date differs between row 4 of sheet “EX” (empty) and row 9 (2026/05/31). Please make them what the certificate says."
    )
    assert imports.retell("だれかの書いた文。", "en") == "だれかの書いた文。"


def test_a_refusal_says_its_label_and_state_in_english() -> None:
    assert say(Refused("address_empty", "maintenance_email"), "en") == "Maintenance e-mail: please fill it in."
    assert say(Refused("batch_state", state="計画"), "en").startswith("This import is “Planned”")


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale="en")


def texts(catalogue: Catalog) -> list[Message]:
    return [message for message in catalogue if message.id]


def told(message: Message) -> tuple[str, str]:
    """The Japanese and the English of a message; ours have no plural forms."""
    assert isinstance(message.id, str)
    assert isinstance(message.string, str)
    return message.id, message.string


def keys(catalogue: Catalog) -> set[tuple[str | None, str]]:
    return {(message.context, told(message)[0]) for message in texts(catalogue)}


def blanks(text: str) -> list[str]:
    return sorted(re.findall(r"\{\w*\}|%\(\w+\)s|</?\w[^>]*>", text))


def unmarked(path: Path) -> Iterator[str]:
    """Japanese strings of a module outside docstrings and marks."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {id(part) for node in ast.walk(tree) for part in _said_otherwise(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and JAPANESE.search(node.value) and id(node) not in skipped:
            yield node.value


def _said_otherwise(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        yield node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
        yield from node.args


def unmarked_in(node: nodes.Node) -> Iterator[str]:
    """The texts and constants of a template outside what is translated."""
    if isinstance(node, nodes.TemplateData):
        yield node.data.strip()
    elif isinstance(node, nodes.Const):
        yield str(node.value)
    called = node.node if isinstance(node, nodes.Call) else None
    if isinstance(called, nodes.Name) and called.name in MARKED_IN_TEMPLATES:
        return
    for child in node.iter_child_nodes():
        yield from unmarked_in(child)


def shown(html: str) -> str:
    """A page with its attributes, without scripts, styles and comments."""
    return re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", "", html, flags=re.DOTALL)
