"""House rules of the code that no linter knows (STYLE)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from tests.shape.tree import files, name, python_files, templates, text, tree

LONGEST_FILE = 400
LONGEST_FUNCTION = 60
ALLOWED_LONG_FUNCTIONS: dict[str, str] = {}
"""`file:function` -> why this one reads better in one piece."""
_EMPTY_WORDS = re.compile(r"(Manager|Service|Helper|Util|Utils)$|^(helpers?|utils?|services?|managers?|misc|common|manager|service)$")
_EMPTY_VARIABLES = frozenset({"data", "info", "obj", "tmp"})
_NOTES = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
_MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|Users/\w+)/")


def test_a_file_fits_in_the_head() -> None:
    long = {name(path): lines for path in [*_living(), *templates()] if (lines := text(path).count("\n")) > LONGEST_FILE}

    assert long == {}


def test_a_function_is_one_thought() -> None:
    long = {f"{name(path)}:{found.name}": length for path in _living() for found in _functions(path) if (length := _length(found)) > LONGEST_FUNCTION}

    assert set(long) - set(ALLOWED_LONG_FUNCTIONS) == set(), long
    assert set(ALLOWED_LONG_FUNCTIONS) <= set(long), "an allowance nobody needs any more"


def test_nobody_leaves_notes_for_later() -> None:
    assert [
        name(path)
        for path in files()
        if path != Path(__file__) and path.suffix in {".py", ".html", ".txt", ".css", ".md", ".toml"} and _NOTES.search(text(path))
    ] == []


def test_nobody_catches_what_nobody_can_answer() -> None:
    caught = [f"{name(path)}:{handler.lineno}" for path in python_files(product_only=True) for handler in _handlers(path) if _catches_everything(handler)]

    assert caught == []


def test_names_say_what_a_thing_is() -> None:
    modules = [
        name(path) for path in python_files() if _EMPTY_WORDS.search(path.stem) or (path.name == "__init__.py" and _EMPTY_WORDS.search(path.parent.name))
    ]
    classes = [
        f"{name(path)}:{node.name}"
        for path in python_files()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef) and _EMPTY_WORDS.search(node.name)
    ]
    variables = sorted(
        {f"{name(path)}:{node.lineno} {node.id}" for path in python_files(product_only=True) for node in _stored(path) if node.id in _EMPTY_VARIABLES}
    )

    assert [module for module in modules if module != "tests/services/__init__.py"] == []
    assert classes == []
    assert variables == []


def test_nothing_names_a_place_of_one_machine() -> None:
    assert [name(path) for path in files() if path.suffix not in {".svg", ".js"} and _MACHINE_PATHS.search(text(path))] == []


def test_every_python_file_says_what_it_is_for() -> None:
    assert [name(path) for path in python_files() if text(path).strip() and ast.get_docstring(tree(path)) is None] == []


def test_models_alone_know_which_database_it_is() -> None:
    knowing = {name(path) for path in python_files(product_only=True) if re.search(r"dialect\.name|sqlalchemy\.dialects", text(path))}

    assert knowing <= {"models/database.py", "models/search.py", "models/base.py"}


def _living() -> list[Path]:
    """The code that is still changed: a migration is written once and tells the whole of its step."""
    return [path for path in python_files() if not name(path).startswith("migrations/")]


def _functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _handlers(path: Path) -> list[ast.ExceptHandler]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.ExceptHandler)]


def _catches_everything(handler: ast.ExceptHandler) -> bool:
    named = handler.type
    raises_again = any(isinstance(node, ast.Raise) and node.exc is None for node in handler.body)
    return not raises_again and (named is None or (isinstance(named, ast.Name) and named.id in {"Exception", "BaseException"}))


def _stored(path: Path) -> list[ast.Name]:
    return [node for node in ast.walk(tree(path)) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
