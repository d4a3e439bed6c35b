"""Compiled templates are kept between starts, for exactly the text, language and place they were made from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from jinja2 import BytecodeCache, DictLoader, Environment

from web.compiled import Compiled, CompiledAhead


def render(folder: Path, source: str, *, language: str = "ja", ahead: Path | None = None) -> str:
    """The page as a process that starts now shows it."""
    return shown(source, Compiled(folder, language, ahead))


def shown(source: str, kept: BytecodeCache) -> str:
    return Environment(loader=DictLoader({"page.html": source}), autoescape=True, bytecode_cache=kept).get_template("page.html").render()


def kept(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_the_second_start_finds_what_the_first_compiled(tmp_path: Path) -> None:
    render(tmp_path, "お知らせ")
    (path,) = tmp_path.iterdir()
    first = path.read_bytes()
    assert "お知らせ".encode() in first
    path.write_bytes(first.replace("お知らせ".encode(), "お報らせ".encode()))

    assert render(tmp_path, "お知らせ") == "お報らせ"


def test_a_changed_template_is_compiled_anew_and_replaces_the_old(tmp_path: Path) -> None:
    render(tmp_path, "前")

    assert render(tmp_path, "後") == "後"
    assert len(kept(tmp_path)) == 1


def test_every_language_has_its_own(tmp_path: Path) -> None:
    render(tmp_path, "same", language="ja")
    render(tmp_path, "same", language="en")

    assert sorted(name[:3] for name in kept(tmp_path)) == ["en-", "ja-"]


def test_the_folder_is_nobody_elses(tmp_path: Path) -> None:
    Compiled(tmp_path / "var" / "templates", "ja")

    assert (tmp_path / "var" / "templates").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["missing/below/a-file", "a-file"])
def test_a_folder_that_cannot_be_written_costs_time_and_nothing_else(tmp_path: Path, name: str) -> None:
    (tmp_path / "missing").write_text("a file where a folder should be")
    (tmp_path / "a-file").write_text("")

    assert render(tmp_path / name, "お知らせ") == "お知らせ"


def test_a_file_that_was_cut_off_is_compiled_anew(tmp_path: Path) -> None:
    render(tmp_path, "お知らせ")
    (path,) = tmp_path.iterdir()
    os.truncate(path, 0)

    assert render(tmp_path, "お知らせ") == "お知らせ"


def test_what_an_image_brings_is_not_compiled_again_unless_it_is_of_another_text(tmp_path: Path) -> None:
    ahead, own = tmp_path / "ahead", tmp_path / "own"
    ahead.mkdir()
    shown("お知らせ", CompiledAhead(ahead, "ja"))
    (path,) = ahead.iterdir()
    path.write_bytes(path.read_bytes().replace("お知らせ".encode(), "お報らせ".encode()))

    assert render(own, "お知らせ", ahead=ahead) == "お報らせ"
    assert kept(own) == {}
    assert render(own, "後", ahead=ahead) == "後"
    assert len(kept(own)) == 1
    assert render(own, "お知らせ", ahead=tmp_path / "nowhere") == "お知らせ"
