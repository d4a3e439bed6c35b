"""Style and scripts as browsers get them."""

from __future__ import annotations

import re
from pathlib import Path

from models.places import find
from tests.client import Client
from web.assets import asset, served

_STRING = re.compile(r"'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")


def test_style_and_scripts_are_served_without_comments(client: Client) -> None:
    style, script = client.get(asset("app.css")), client.get(asset("app.js"))
    assert "/*" not in style.html and "\n  //" not in script.html
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    client.get("/static/app.css", headers={"if-none-match": style.headers["etag"]}, expect=304)


def test_nothing_but_comments_and_blanks_is_left_out() -> None:
    style, script = (Path(find("static")) / name for name in ("app.css", "app.js"))
    assert served(style).count(b"{") == style.read_bytes().count(b"{") > 100
    kept = [re.sub(r" +// .*| ?/\* [^*]* \*/", "", line).lstrip() for line in script.read_text().splitlines() if not line.lstrip().startswith("//")]
    assert served(script).decode().splitlines() == [line for line in kept if line]
    whole = re.sub(r"/\*.*?\*/", "", style.read_text(), flags=re.DOTALL)
    assert re.sub(r"\s", "", served(style).decode()) == re.sub(r"\s", "", whole)


def test_no_string_loses_a_blank() -> None:
    style = (Path(find("static")) / "app.css").read_text()
    scripts = sorted(Path(find("static")).glob("*.js"))

    assert [text for text in re.findall(r'"[^"\n]*"', style) if re.search(r"[{};,]\s|\s[{}]", text)] == []
    assert [f"{path.name}: {text}" for path in scripts for text in re.findall(r"`[^`]*`", path.read_text()) if "\n" in text] == []


def test_no_string_of_a_script_looks_like_a_comment() -> None:
    scripts = sorted(Path(find("static")).glob("*.js"))
    assert len(scripts) > 5

    found = [f"{path.name}: {text}" for path in scripts for text in _STRING.findall(path.read_text()) if " // " in text or "/* " in text]

    assert found == []
