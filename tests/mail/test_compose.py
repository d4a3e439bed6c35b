"""A letter's message: headers that nothing typed can break, and a text that arrives as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from types import SimpleNamespace

import pytest

from mail.compose import NOTICES, Envelope, Unsendable, clean_body, compose, mask_links, to_bytes, to_email
from mail.desk import Desk

DESK = Desk("https://tickets.example.jp", "J's チケットシステム <tickets@jscom.example>", "tickets-admin@jscom.example", "center@jscom.example")
ENVELOPE = Envelope(
    header_id="<0123abcd@jscom.example>",
    thread_ids=("<ticket-10482@jscom.example>",),
    subject="[J's チケット #10482] [Juniper-SRX] VPN が切断される",
    body="本文です。\n.点から始まる行\n",
    created_at=datetime(2026, 12, 1, 1, 0, tzinfo=UTC),
    to=("kimura@tozai.example",),
    cc=("sato@tozai.example", "suzuki@tozai.example"),
)
AWKWARD = {
    "a line break": "切断\r\nBcc: evil@evil.example",
    "a lone carriage return": "切断\rBcc: evil@evil.example",
    "NUL": "切断\x00される",
    "a vertical tab": "切断\x0bBcc: evil@evil.example",
    "NEL": "切断\x85Bcc: evil@evil.example",
    "a line separator": "切断\u2028Bcc: evil@evil.example",
    "a paragraph separator": "切断\u2029Bcc: evil@evil.example",
    "a mark that turns the direction": "切断\u202egnp.exe",
    "ten thousand characters": "長" * 10_000,
    "ten thousand letters": "x" * 10_000,
    "an encoded word": "=?utf-8?q?a=0D=0ABcc:_evil=40evil.example?=",
    "nothing but blanks": " \t ",
}


def arrived(envelope: Envelope) -> EmailMessage:
    return message_from_bytes(to_bytes(to_email(envelope, DESK)), policy=default)


def test_the_headers_say_who_what_and_in_which_thread() -> None:
    mail = arrived(ENVELOPE)

    assert str(mail["From"]) == "J's チケットシステム <tickets@jscom.example>"
    assert str(mail["To"]) == "kimura@tozai.example"
    assert str(mail["Cc"]) == "sato@tozai.example, suzuki@tozai.example"
    assert mail["Message-ID"] == "<0123abcd@jscom.example>"
    assert mail["References"] == "<ticket-10482@jscom.example>"
    assert mail["Date"] == "Tue, 01 Dec 2026 10:00:00 +0900"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert mail["Content-Transfer-Encoding"] == "base64"


def test_the_text_arrives_as_it_was() -> None:
    body = "①髙﨑 様\n.\n.点\n\u3000全角\t<b>太字</b>\n" + "長い行" * 500 + "\n"

    assert arrived(replace(ENVELOPE, body=body)).get_content().replace("\r\n", "\n") == body


def test_a_repeat_is_the_same_message_to_the_byte() -> None:
    assert to_bytes(to_email(ENVELOPE, DESK)) == to_bytes(to_email(ENVELOPE, DESK))


def test_no_line_is_longer_than_servers_take() -> None:
    wire = to_bytes(to_email(replace(ENVELOPE, subject="件" * 400, body="x" * 20_000), DESK))

    assert max(len(line) for line in wire.split(b"\r\n")) <= 998
    assert b"\n" not in wire.replace(b"\r\n", b"")


@pytest.mark.parametrize("typed", AWKWARD.values(), ids=AWKWARD)
def test_nothing_typed_into_a_subject_makes_a_header(typed: str) -> None:
    text = compose("ticket_opened", desk=DESK, **facts(subject=typed))

    mail = arrived(replace(ENVELOPE, subject=text.subject))

    assert sorted(mail.keys()) == sorted(arrived(ENVELOPE).keys())
    assert "\n" not in text.subject
    assert len(text.subject) <= 400
    assert mail["Bcc"] is None
    assert str(mail["To"]) == "kimura@tozai.example"


@pytest.mark.parametrize("subject", ["VPN が切断される", "①髙﨑㈱ " * 20, "a" * 300, '[J\'s] "引用" <a@b>, c;', "👨‍👩‍👧 葛󠄀城"])
def test_a_subject_arrives_letter_for_letter(subject: str) -> None:
    mail = to_bytes(to_email(replace(ENVELOPE, subject=subject.strip()), DESK))
    raw = message_from_bytes(mail)["Subject"].replace("\r\n", "")

    assert str(make_header(decode_header(raw))) == subject.strip()


def test_an_address_that_cannot_stand_in_a_header_is_the_letters_own_fault() -> None:
    with pytest.raises(Unsendable):
        to_email(replace(ENVELOPE, to=("a@b, c@d",)), DESK)


def test_control_characters_leave_the_text_and_line_ends_are_plain() -> None:
    assert clean_body("a\r\nb\rc\x00\x07d\te") == "a\nb\nc" + "d\te\n"


def test_a_ticket_letter_says_what_the_manual_lists() -> None:
    text = compose("answered", desk=DESK, **facts())

    assert text.subject == "[J's チケット #10482] [Juniper-SRX] VPN が切断される"
    for said in (
        "東西ネットワーク株式会社\n木村 はるか 様",
        "件名　　　：VPN が切断される",
        "チケットID：#10482",
        "カテゴリ　：障害",
        "製品　　　：Juniper-SRX",
    ):
        assert said in text.body
    assert "回答の本文です。" in text.body
    assert "・tech-support.txt（1 kB）" in text.body
    assert "https://tickets.example.jp/tickets/10482\n" in text.body


def test_the_registration_letter_holds_nothing_that_was_typed() -> None:
    text = compose("registration_link", desk=DESK, token="t0ken", expires_at=ENVELOPE.created_at)

    assert "https://tickets.example.jp/register/confirm/t0ken" in text.body
    assert "様" not in text.body


def test_a_missing_fact_is_told_loudly() -> None:
    with pytest.raises(KeyError):
        compose("registration_link", desk=DESK, token="t0ken")


def test_every_notice_has_its_two_templates() -> None:
    everything = {
        **facts(),
        "ticket_id": 10482,
        "tickets": [{"id": 10482, "subject": "件名"}],
        "number": "26-104001",
        "message": "承りました。",
        "kind": "registration",
        "contract_key": "JSC26040123A",
        "failures": 20,
        "change": SimpleNamespace(id=7, old_email="old@osaka.tozai.example", new_email="new@osaka.tozai.example", due_on=date(2026, 12, 3)),
        "changes": [
            SimpleNamespace(
                id=7, old_email="old@osaka.tozai.example", new_email="new@osaka.tozai.example", company="東西ネットワーク株式会社", due_on="2026/12/03"
            )
        ],
        "requests": [
            SimpleNamespace(
                id=7, number="EX-0007", company="東西ネットワーク株式会社", waits="9 時間", since=ENVELOPE.created_at, proved_at=ENVELOPE.created_at
            )
        ],
        "found": [{"kind": kind, "count": 2} for kind in ("fails_edit", "no_live_line", "address_gone")],
        "choice": "move",
        "declined": False,
        "enrolled": True,
        "text": "承りました。",
        "token": "t0ken",
        "expires_at": ENVELOPE.created_at,
        "at": ENVELOPE.created_at,
        "due_at": ENVELOPE.created_at,
        "user_id": "kimura",
        "hours": 1,
        "entries": [{"user_id": "kimura", "token": "t0ken"}],
        "customer": "東西ネットワーク株式会社 木村 はるか 様",
        "by": "中村",
        "since": "2026/11/20",
        "closes_on": "2026/12/15",
        "endings": [{"contract": "JSC26040123A", "company": "東西ネットワーク株式会社", "ends_on": "2027/03/31", "lines": 4}],
        "count": 3,
        "more": 2,
        "name": "中村",
        "today": "12/1(火)",
        "sections": [SimpleNamespace(title="担当のチケット", count="2件", lines=["#10482 VPN が切断される"], path="/console/tickets?view=mine")],
        "known_until": "2026/12/31",
        "year": 2027,
        "letters": [{"id": 7, "subject": "件名"}],
        "quotas": [{"what": what, "who": "東西ネットワーク株式会社", "used": "81", "limit": "100"} for what in ("storage", "account_bytes", "tickets", "cc")],
        "jobs": [{"title": "期限切れの整理", "since": ENVELOPE.created_at}],
    }

    for notice in NOTICES:
        text = compose(notice, desk=DESK, **everything)
        assert text.subject.startswith("[J's チケット"), notice
        assert "{{" not in text.body
        assert "\n\n\n" not in text.body, notice


def test_links_that_give_a_right_can_be_blotted_out() -> None:
    body = "https://t.example/register/confirm/aB-_3\nhttps://t.example/recover/xyz\nhttps://t.example/tickets/7\n"

    assert mask_links(body) == "https://t.example/register/confirm/…\nhttps://t.example/recover/…\nhttps://t.example/tickets/7\n"


def facts(subject: str = "VPN が切断される") -> dict[str, object]:
    return {
        "ticket": SimpleNamespace(id=10482, subject=subject),
        "product": "Juniper-SRX",
        "category": "障害",
        "company": "東西ネットワーク株式会社",
        "person": "木村 はるか",
        "post": "回答の本文です。",
        "cut": False,
        "stop_link": "",
        "opens": "",
        "files": [SimpleNamespace(name="tech-support.txt", size=1024)],
    }
