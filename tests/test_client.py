"""The client of the tests behaves like a browser and refuses bad pages."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.client import Client
from tests.html import audit, read

_FORM = """
<form method="post" action="/tickets" enctype="multipart/form-data">
<input type="hidden" name="csrf_token" value="abc">
<label for="subject">件名</label> <input id="subject" name="subject" value="既定">
<label for="body">本文</label> <textarea id="body" name="body">
一行目</textarea>
<label><input type="checkbox" name="consent" value="3"> 同意</label>
<label for="kind">区分</label> <select id="kind" name="kind"><option value="a">A</option><option value="b" selected>B</option></select>
<label for="files">添付</label> <input id="files" type="file" name="files" multiple>
<button name="act" value="draft">下書き</button> <button name="act" value="send">送信する</button>
</form>
"""


def _page(body: str) -> str:
    return f'<!doctype html>\n<html lang="ja"><head><title>件</title></head><body><main><h1>題</h1>{body}</main></body></html>'


async def _take(request: Request) -> Response:
    async with request.form() as form:
        sent = [f"{name}={value if isinstance(value, str) else value.filename}" for name, value in form.multi_items()]
    sent.append(f"from {request.headers.get('origin')} {request.headers.get('sec-fetch-site')}")
    response = RedirectResponse("/sent", status_code=303)
    response.set_cookie("sent", "|".join(sent).encode().hex())
    return response


async def _sent(request: Request) -> Response:
    return HTMLResponse(_page(f"<p>{bytes.fromhex(request.cookies['sent']).decode()}</p>"))


async def _form(request: Request) -> Response:
    return HTMLResponse(_page(_FORM))


async def _crooked(request: Request) -> Response:
    return HTMLResponse(_page('<p style="color: red">赤</p>'))


_APP = Starlette(
    routes=[Route("/", _form), Route("/tickets", _take, methods=["POST"]), Route("/sent", _sent), Route("/crooked", _crooked)],
)


def test_a_submitted_form_sends_what_stands_in_it_and_what_was_typed() -> None:
    client = Client(_APP)
    client.get("/")

    page = client.submit("/tickets", button="送信する", subject="回線断", consent=True, files={"files": [("a.txt", b"1"), ("b.txt", b"2")]})

    assert page.passed == ["/tickets"]
    assert page.says("csrf_token=abc", "subject=回線断", "body=一行目", "consent=3", "kind=b", "act=send", "files=a.txt", "files=b.txt")
    assert page.says("from http://127.0.0.1:8720 same-origin")


def test_an_unticked_box_and_a_field_left_out_are_not_sent() -> None:
    client = Client(_APP)
    client.get("/")

    page = client.submit(subject=None)

    assert not page.says("consent=")
    assert not page.says("subject=")


def test_a_field_that_the_form_lacks_cannot_be_typed() -> None:
    client = Client(_APP)
    client.get("/")

    with pytest.raises(AssertionError, match="has no field"):
        client.submit(password="x")


def test_a_page_with_a_fault_fails_the_test_that_fetches_it() -> None:
    with pytest.raises(AssertionError, match="inline style"):
        Client(_APP).get("/crooked")


@pytest.mark.parametrize(
    ("fragment", "fault"),
    [
        ("<p>開いたまま", "<p> is not closed"),
        ("<ul><li>一</ul>", "is not closed before"),
        ("</div>", "closes nothing"),
        ('<p id="a">1</p><p id="a">2</p>', "stands twice"),
        ('<input name="x">', "has no label"),
        ('<form method="post" action="/x"></form>', "without csrf_token"),
        ('<button onclick="x()">x</button>', "inline script"),
        ("<script>x()</script>", "inline script"),
        ("<style>p {}</style>", "inline style"),
        ('<img src="/x.png">', "without alt"),
        ("<div/>", "closes itself"),
        ('<label for="nowhere">x</label>', "names no id"),
        ("<h1>もう一つ</h1>", "2 h1"),
    ],
)
def test_the_audit_names_the_fault(fragment: str, fault: str) -> None:
    assert fault in "; ".join(audit(read(_page(fragment))))


def test_a_sound_page_has_no_fault() -> None:
    assert audit(read(_page(_FORM))) == []
