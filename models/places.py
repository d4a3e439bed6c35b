"""Where the files beside the packages lie, in the source tree or in an installed wheel."""

from __future__ import annotations

from pathlib import Path


def find(name: str) -> Path:
    """The folder `name` (templates, static, migrations, locale) of this installation."""
    return Path(__file__).resolve().parent.parent / name
