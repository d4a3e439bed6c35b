"""Sizes, parts and broken bodies: accepted to the byte, cut while they stream, nothing left behind (attack list 59, 68)."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import select as rows_of

from models.database import transaction
from models.tickets import Attachment, Message
from tests.attacks.conftest import Process
from tests.attacks.house import House, Visitor, furnished
from tests.attacks.wire import status
from tests.services.databases import Database
from web.prose import paragraphs
from web.wiring import Wiring

MIB = 1024 * 1024
FORM = "/tickets/new/juniper-srx"
FILLED = {"subject": "件名", "contract_key": "不明", "serial": "不明", "category": "障害", "body": "本文"}


@pytest.fixture
def database(sqlite: Database) -> Database:
    """No size depends on the database: one is enough."""
    sqlite.reset()
    return sqlite


@pytest.fixture
def small(engine: Engine, wiring: Wiring) -> Iterator[House]:
    """A house that takes 1,000 bytes a file and 2 MiB a post."""
    with furnished(engine, wiring, attachment_bytes=1000, post_bytes=2 * MIB) as built:
        yield built


def kept(house: House) -> tuple[int, int]:
    """How many files the table and the storage have."""
    return house.rows(Attachment), len(list(house.wiring.store.listing()))


def multipart(*parts: bytes, boundary: bytes = b"x") -> bytes:
    return b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + boundary + b"--\r\n"


def text(name: str, value: bytes) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def file(name: bytes, content: bytes = b"x") -> bytes:
    return b'Content-Disposition: form-data; name="files"; filename="' + name + b'"\r\n\r\n' + content


def send(visitor: Visitor, body: bytes, *, path: str = FORM, kind: str = "multipart/form-data; boundary=x") -> Any:
    return visitor.post(path, content=body, headers={"content-type": kind})


@pytest.mark.parametrize(("size", "answered"), [(0, 200), (999, 200), (1000, 200), (1001, 413)])
def test_d59_a_file_is_taken_up_to_the_last_byte(small: House, size: int, answered: int) -> None:
    before = kept(small)

    answer = small.customer().post(FORM, FILLED, files=[("files", ("a.bin", b"x" * size))])

    assert answer.status_code == answered
    assert kept(small) == (before if answered == 413 else (before[0] + 1, before[1] + 1))


def test_d59_one_file_too_large_keeps_the_others_out_too(small: House) -> None:
    before = kept(small)

    answer = small.customer().post(FORM, FILLED, files=[("files", ("good", b"x" * 10)), ("files", ("「大」.log", b"x" * 1001))])

    assert answer.status_code == 413 and "「大」.log" in answer.text
    assert kept(small) == before


def test_d59_a_post_is_cut_at_its_total(engine: Engine, wiring: Wiring) -> None:
    with furnished(engine, wiring, attachment_bytes=3 * MIB, post_bytes=5 * MIB) as house:
        before = kept(house)
        answer = house.customer().post(FORM, FILLED, files=[("files", (f"{number}", b"x" * 3 * MIB)) for number in range(4)])

        assert answer.status_code == 413
        assert kept(house) == before


def test_d59_files_held_over_several_posts_count_together(engine: Engine, wiring: Wiring) -> None:
    with furnished(engine, wiring, attachment_bytes=1000, post_bytes=1500) as house:
        customer = house.customer()
        customer.post(FORM, FILLED, files=[("files", ("a", b"x" * 1000))])
        customer.post(FORM, FILLED, files=[("files", ("b", b"x" * 1000))])
        with transaction(engine, readonly=True) as session:
            held = list(session.scalars(rows_of(Attachment.token).where(Attachment.message_id.is_(None))))
        answer = customer.post(FORM, {**FILLED, "held": held, "confirmed": "1"})

        assert len(held) == 2
        assert answer.status_code == 422


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", multipart(text("body", b"x"))),
        ("multipart/form-data; boundary=", multipart(text("body", b"x"))),
        ("multipart/form-data; boundary=other", multipart(text("body", b"x"))),
        ("multipart/form-data; boundary=x", b"not a form at all"),
        ("multipart/form-data; boundary=x", multipart(b"Content-Disposition: form-data\r\n\r\nx")),
        ("multipart/form-data; boundary=x", multipart(b"\r\n\r\nx")),
        ("multipart/form-data; boundary=x", multipart(b"X" * 100_000 + b": y\r\n\r\nx")),
        ("multipart/form-data; boundary=x", multipart(text("body", b"\xff\xfe"))),
        ("multipart/form-data; boundary=x", multipart(file(b"a.txt"))[:-20]),
        ("multipart/form-data; boundary=x", multipart(*[text(f"f{number}", b"") for number in range(2001)])),
        ("multipart/form-data; boundary=x", multipart(*[file(b"a") for _ in range(101)])),
        ("application/x-www-form-urlencoded", b"&".join(b"f=1" for _ in range(2001))),
        ("application/x-www-form-urlencoded", b"body=%ff"),
        ("application/x-www-form-urlencoded", b"\xff\xfe"),
        ("application/json", b'{"body": "x"}'),
        ("text/plain", b"body=x"),
        ("text/xml", b"<body/>"),
    ],
)
def test_d59_f91_what_is_no_form_is_refused_and_leaves_nothing(small: House, kind: str, body: bytes) -> None:
    before = kept(small)

    answer = send(small.customer(), body, kind=kind)

    assert answer.status_code in (400, 403)
    assert kept(small) == before


@pytest.mark.parametrize("charset", ["unicode_escape", "undefined", "idna", "punycode", "utf-16", "utf-7", "zip", "hex", "no-such-thing"])
def test_a_form_is_utf8_whatever_it_calls_itself(small: House, charset: str) -> None:
    customer = small.customer()
    body = multipart(text("csrf_token", customer.csrf.encode()), text("body", "\\ud800 +2AA- 本文".encode()))

    answer = send(customer, body, path="/tickets/10001/replies", kind=f"multipart/form-data; boundary=x; charset={charset}")

    assert answer.status_code == 303
    with transaction(small.engine, readonly=True) as session:
        assert session.scalars(rows_of(Message.body).order_by(Message.id.desc())).first() == "\\ud800 +2AA- 本文"


@pytest.mark.parametrize("length", ["abc", "-1", "²", "1e3", "9" * 30, ""])
def test_d59_a_wrong_length_is_no_fault(small: House, length: str) -> None:
    customer = small.customer()
    body = multipart(text("csrf_token", customer.csrf.encode()), text("body", b"x"))

    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", length.encode("latin-1", "replace"))]
    headers += [(b"cookie", f"{customer.cookie}={customer.token}".encode()), (b"sec-fetch-site", b"same-origin")]
    answer = customer.http.post("/tickets/10001/replies", content=body, headers=headers)

    assert answer.status_code in (303, 400, 413)


@pytest.mark.parametrize("path", ["/login", "/console/sign-in", "/recover", "/register"])
@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73", "\uff9e\u0301", "a" + "\u0334\u0301\u0316" * 90])
def test_d68_piled_marks_hold_nobody_up(small: House, path: str, marks: str) -> None:
    began = time.monotonic()

    answer = small.visitor().post(path, dict.fromkeys(["user_id", "email"], marks * (200_000 // len(marks))))

    assert answer.status_code == 400
    assert time.monotonic() - began < 4


def test_d68_a_letter_may_carry_as_many_marks_as_any_writing_puts_on_it(small: House) -> None:
    answer = small.customer().post("/tickets/10001/replies", {"body": "がデ" + "Z" + "\u0301\u0316" * 100})

    assert answer.status_code == 303


@pytest.mark.parametrize(
    "nasty",
    [
        *("http://a", "(", "\n", "<", "a@b>", "\t", "http://x/)", "Dec  1 10:00:00\n", "\u0301"),
        *("`", "**", "[a](http://x", "> ", "- a\n", "[a`**"),
    ],
)
def test_d68_the_longest_post_is_shown_in_time_that_grows_with_its_length(nasty: str) -> None:
    began = time.monotonic()

    paragraphs(nasty * (200_000 // len(nasty)))
    paragraphs("http://" + nasty.strip() * (190_000 // len(nasty)))

    assert time.monotonic() - began < 3


def test_d59_an_endless_body_is_cut_while_it_streams(process: Process) -> None:
    head = (
        f"POST {FORM} HTTP/1.1\r\nHost: {process.desk.host}\r\nTransfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        + "\r\n".join(process.signed_in) + "\r\n\r\n"
    )  # fmt: skip
    sent = 0
    with process.desk.open() as wire:
        wire.sendall(head.encode() + _chunk(b"--x\r\n" + file(b"a.bin", b"")))
        while sent < 50 * MIB and not select.select([wire], [], [], 0)[0]:
            wire.sendall(_chunk(b"x" * 65536))
            sent += 65536
        answer = wire.recv(65536)

    assert sent < 20 * MIB
    assert status(answer) == 413
    assert files_of(process) == []


def test_d59_a_declared_length_is_refused_before_a_byte_is_read(process: Process) -> None:
    answer = process.desk.ask("POST", FORM, "Content-Length: 600000000", "Content-Type: multipart/form-data; boundary=x", *process.signed_in)

    assert status(answer) == 413


@pytest.mark.parametrize("first", ["Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4"])
def test_d59_a_body_with_two_ends_is_refused(process: Process, first: str) -> None:
    smuggled = f"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: {process.desk.host}\r\n\r\n"

    answer = process.desk.send(f"POST /login HTTP/1.1\r\nHost: {process.desk.host}\r\n{first}\r\n\r\n{smuggled}".encode(), seconds=1)

    assert status(answer) == 400
    assert answer.count(b"HTTP/1.1 ") == 1


def test_d59_headers_have_a_limit(process: Process) -> None:
    assert status(process.desk.ask("GET", "/", "X-Long: " + "a" * 1_000_000)) == 431


def test_d59_slow_and_broken_off_bodies_hold_up_nobody_and_leave_nothing(process: Process) -> None:
    head = f"POST {FORM} HTTP/1.1\r\nHost: {process.desk.host}\r\nContent-Length: 90000\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    opened = [process.desk.open() for _ in range(60)]
    for number, wire in enumerate(opened):
        wire.sendall((head + "\r\n".join(process.signed_in) + "\r\n\r\n").encode()[: 40 if number % 2 else None])
    for wire in opened[::2]:
        wire.sendall(b"--x\r\n" + file(b"slow.bin", b"x" * 1000))

    began = time.monotonic()
    answered = [status(process.desk.ask("GET", "/tickets/10001", *process.signed_in)) for _ in range(5)]
    took = time.monotonic() - began
    for wire in opened:
        wire.close()

    assert answered == [200] * 5
    assert took < 3
    assert files_of(process) == []
    time.sleep(0.2)
    assert "request failed" not in process.desk.log.read_text()


def files_of(process: Process) -> list[str]:
    """What lies in the process's folder for temporary files and in its storage."""
    found = [*process.desk.temporary.rglob("*"), *(process.folder / "state" / "attachments").rglob("*")]
    return [path.name for path in found if path.is_file()]


def _chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"
