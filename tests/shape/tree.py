"""The files of the repository, as the shape tests read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = frozenset(
    {".git", ".venv", "node_modules", "var", "dist", "build", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", ".import_linter_cache"}
)
PRODUCT = (
    "rules", "wording", "models", "storage", "mail", "importers", "actions", "web", "console", "customer_portal", "jobs", "demo",
    "asgi.py", "cli.py", "cli_accounts.py", "cli_commands.py", "cli_import_told.py", "cli_import_undo.py", "cli_imports.py", "cli_operations.py",
    "cli_serve.py", "cli_setup.py", "settings.py",
)  # fmt: skip


@cache
def files() -> tuple[Path, ...]:
    """Every file of ours, sorted."""
    return tuple(sorted(_walk(ROOT)))


def python_files(*, product_only: bool = False) -> list[Path]:
    """Every Python file; those that are shipped when `product_only`."""
    found = [path for path in files() if path.suffix == ".py"]
    return [path for path in found if path.relative_to(ROOT).parts[0] in PRODUCT] if product_only else found


def templates() -> list[Path]:
    """Every HTML template."""
    return [path for path in files() if path.suffix == ".html" and path.relative_to(ROOT).parts[0] == "templates"]


def name(path: Path) -> str:
    """`path` as people write it, from the root."""
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    """The text of `path`; "" for what is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of the Python file `path`."""
    return ast.parse(text(path))


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _NOT_OURS or path.name.endswith(".egg-info"):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path
