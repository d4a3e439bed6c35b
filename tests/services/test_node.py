"""The checkers that come from npm find planted faults and pass a sound page."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.services.node import html_faults, java, vnu_faults

pytestmark = pytest.mark.node

_SOUND = '<!DOCTYPE html>\n<html lang="ja">\n<head><meta charset="utf-8"><title>件</title></head>\n<body><main><h1>題</h1></main></body>\n</html>\n'


def test_html_validate_finds_a_planted_fault(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(_SOUND, encoding="utf-8")
    assert html_faults(tmp_path) == ""

    (tmp_path / "page.html").write_text(_SOUND.replace("<h1>題</h1>", "<h1>題<p>本文</p></h1>"), encoding="utf-8")
    assert "element-permitted-content" in html_faults(tmp_path)


def test_the_nu_checker_finds_a_planted_fault_where_java_is(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(_SOUND.replace("<h1>題</h1>", "<h1>題<p>本文</p></h1>"), encoding="utf-8")

    assert ("not allowed as child" in vnu_faults(tmp_path)) is (java() is not None)
