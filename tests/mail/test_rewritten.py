"""Texts of mails that an administrator wrote: what may stand in them, and nothing else can be reached."""

from __future__ import annotations

import pytest

from mail.rewritten import REWRITABLE, check, render, samples, shipped
from rules.refusal import Refused

SUBJECT, BODY = "[J's #{{ ticket.id }}] {{ ticket.subject }}", "{{ person|one_line }} 様\n{{ link }}\n{{ post }}\n"


@pytest.mark.parametrize("notice", REWRITABLE)
def test_the_text_a_mail_came_with_may_be_kept_as_it_is(notice: str) -> None:
    subject, body = shipped(notice)

    check(subject, body)

    text = render(subject, body, next(samples()))
    assert text.subject == "[J's チケット #10482] [Juniper-SRX] SRX300 で IPsec VPN が切断される"
    assert "https://tickets.example.jp/tickets/10482" in text.body
    assert "{%" not in body.replace("{% if", "").replace("{% endif", "").replace("{% for", "").replace("{% endfor", "")


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("", BODY, "template_empty"),
        ("a\nb", BODY, "template_lines"),
        (SUBJECT, "本文だけ", "template_link"),
        (SUBJECT, BODY + "{{ note }}", "template_name"),
        (SUBJECT, BODY + "{{ message.body }}", "template_name"),
        (SUBJECT, BODY + "{% if cut %}", "template_syntax"),
        (SUBJECT, BODY + "{{ ticket.cc }}", "template_construct"),
        (SUBJECT, BODY + "{{ desk.key }}", "template_construct"),
        (SUBJECT, BODY + "{{ ticket.__class__ }}", "template_construct"),
        (SUBJECT, BODY + "{{ ''.__class__.__mro__ }}", "template_construct"),
        (SUBJECT, BODY + "{{ post.upper() }}", "template_construct"),
        (SUBJECT, BODY + "{{ ticket['id'] }}", "template_construct"),
        (SUBJECT, BODY + "{{ 'a' * 1000000000 }}", "template_construct"),
        (SUBJECT, BODY + "{{ 9 ** 9 ** 9 }}", "template_construct"),
        (SUBJECT, BODY + "{% for x in post %}{% endfor %}", "template_construct"),
        (SUBJECT, BODY + "{% for file in files %}{% for file in files %}{% endfor %}{% endfor %}", "template_construct"),
        (SUBJECT, BODY + "{% for file in files recursive %}{{ loop(files) }}{% endfor %}", "template_construct"),
        (SUBJECT, BODY + '{% include "_foot.txt" %}', "template_construct"),
        (SUBJECT, BODY + "{% set x = 1 %}", "template_construct"),
        (SUBJECT, BODY + "{{ post|attr('x') }}", "template_construct"),
        (SUBJECT, BODY + "{{ post|replace('a', 'b') }}", "template_construct"),
        (SUBJECT, BODY + "{{ file.name }}", "template_name"),
        (SUBJECT, BODY + "{{ post|nothing }}", "template_syntax"),
        (SUBJECT, BODY + "x" * 20_001, "template_long"),
    ],
)
def test_what_may_not_stand_in_a_text_is_refused(subject: str, body: str, code: str) -> None:
    with pytest.raises(Refused) as told:
        check(subject, body)

    assert told.value.code == code


def test_what_people_typed_is_text_and_the_subject_one_line() -> None:
    awkward = list(samples())[-1]

    text = render(SUBJECT, BODY, awkward)

    assert text.subject == "[J's #1] {{ 7*7 }} Bcc: a@b.example"
    assert "{% x %} 様" in text.body
