"""Mails written to stop their reader: each is read in a moment, or counts as an automatic one without contents."""

from __future__ import annotations

import time

import pytest

from mail.returned import Returned, read_returned

HEAD = b"From: a@tozai.example\r\nSubject: x\r\n"
TEXT = b"Content-Type: text/plain; charset="
NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000))
NOTHING = Returned((), "", "", "", automatic=True, report=False)


def read(raw: bytes) -> Returned:
    began = time.process_time()
    returned = read_returned(raw, own=())
    assert time.process_time() - began < 3
    return returned


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + NESTED,
        b"From: a@tozai.example\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        HEAD + b"Content-Type: " + b"(" * 100_000 + b"\r\n\r\nx",
        HEAD + (b"--b\nContent-Type: text/plain" + b";a=" * 300 + b"\n\nx\n") * 1000,
    ],
    ids=["parts within parts", "letters within letters", "braces", "many parts"],
)
def test_what_cannot_be_read_is_an_automatic_mail_without_contents(raw: bytes) -> None:
    returned = read(raw)

    assert returned == NOTHING or (returned.sender, returned.subject) == ("a@tozai.example", "x")


@pytest.mark.parametrize("name", [b"From", b"Return-Path", b"References", b"Precedence", b"Content-Type", b"Content-Disposition"])
@pytest.mark.parametrize("sign", [b"(", b"a,", b'"', b"<a@b> ", b";a=", b"\\"])
def test_a_long_header_takes_no_time(name: bytes, sign: bytes) -> None:
    read(name + b": " + sign * 30_000 + b"\r\n\r\nx")


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (TEXT + b"idna\r\n\r\nabc", "abc"),
        (TEXT + b"undefined\r\n\r\nabc", "abc"),
        (TEXT + b'"\x00"\r\n\r\nabc', "abc"),
        (TEXT + b"punycode\r\n\r\na-" + b"b" * 20_000, "a-" + "b" * 19_998),
        (TEXT + b"utf-7\r\n\r\n+2AA-", "+2AA-"),
        (TEXT + b"unicode_escape\r\n\r\n\\ud800", "\\ud800"),
        (TEXT + b"iso-2022-jp\r\n\r\n" + "届きました".encode("iso-2022-jp"), "届きました"),
        (b"Content-Type: text/html\r\n\r\n" + b"<" * 900_000, "<" * 20_000),
        (b"Content-Type: text/html\r\n\r\n<p>1 &lt; 2</p>", "1 &lt; 2"),
        (b"\r\nx" + b"\n" * 900_000, "x"),
    ],
    ids=["idna", "undefined", "nul", "punycode", "utf-7", "escapes", "japanese", "tags", "html", "lines"],
)
def test_whatever_a_body_says_of_itself_it_is_read(body: bytes, read_as: str) -> None:
    returned = read(HEAD + body)

    assert returned.body == read_as
    assert not returned.automatic
