"""Every setting stands in the README, and the README names no other."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from settings import Settings

README = Path(__file__).resolve().parents[2] / "README.md"


def test_every_setting_is_documented() -> None:
    text = README.read_text()
    families = [match.group(1) for match in re.finditer(r"`(JTICKETS_[A-Z0-9]+_)[A-Z_0-9]+`(?: `_)", text)]

    def named(variable: str) -> bool:
        return f"`{variable}`" in text or any(variable.startswith(family) and f"`_{variable.removeprefix(family)}`" in text for family in families)

    assert [field.name for field in fields(Settings) if not named(f"JTICKETS_{field.name.upper()}")] == []
