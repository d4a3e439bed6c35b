"""Style and scripts as browsers get them."""

from __future__ import annotations

from pathlib import Path

from models.places import find
from tests.client import Client
from web.assets import asset, served


def test_style_and_scripts_are_served_without_comments(client: Client) -> None:
    style, script = client.get(asset("app.css")), client.get(asset("app.js"))
    assert "/*" not in style.html and "\n  //" not in script.html
    assert style.headers["content-type"].startswith("text/css")
    assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
    client.get("/static/app.css", headers={"if-none-match": style.headers["etag"]}, expect=304)


def test_nothing_but_comments_is_left_out() -> None:
    style, script = (Path(find("static")) / name for name in ("app.css", "app.js"))
    assert served(style).count(b"{") == style.read_bytes().count(b"{") > 100
    lines = [line for line in script.read_bytes().splitlines() if not line.lstrip().startswith(b"//")]
    assert served(script).splitlines() == lines
