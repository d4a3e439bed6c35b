"""Texts of mails that an administrator wrote: what may stand in them, and nothing else can be reached."""

from __future__ import annotations

import pytest

from mail.compose import NOTICES, compose
from mail.desk import Desk
from mail.facts import CONTENTS, project
from mail.rewritten import check, render, samples, shipped
from rules.refusal import Refused

DESK = Desk("https://tickets.example.jp", "tickets@jscom.example", "tickets-admin@jscom.co.jp", "center@jscom.co.jp")
SUBJECT, BODY = "[J's #{{ ticket.id }}] {{ ticket.subject }}", "{{ person|one_line }} 様\n{{ link }}\n{{ post }}\n"


def test_every_text_a_mail_came_with_may_be_kept_as_it_is() -> None:
    assert set(CONTENTS) == set(NOTICES)
    for notice in NOTICES:
        subject, body = shipped(notice)

        check(notice, subject, body)

        for facts in samples(notice):
            if not notice.startswith("silent_") or facts["since"]:
                assert render(subject, body, project(notice, facts, DESK)) == compose(notice, desk=DESK, **facts), notice


@pytest.mark.parametrize(
    ("subject", "body", "code"),
    [
        ("", BODY, "template_empty"),
        ("a\nb", BODY, "template_lines"),
        (SUBJECT, "本文だけ", "template_missing"),
        (SUBJECT, "{% if cut %}{{ link }}{% endif %}", "template_missing"),
        (SUBJECT, "{% if not cut %}{{ link }}{% endif %}", "template_missing_at_times"),
        ("{{ link }}", BODY, "template_name"),
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
        (SUBJECT, BODY + "{% for one in files %}{% endfor %}", "template_construct"),
        (SUBJECT, BODY + "{{ files.name }}", "template_construct"),
        (SUBJECT, BODY + "{{ post|moment }}", "template_fails"),
        (SUBJECT, BODY + "{{ post }}" * 5, "template_grows"),
        (SUBJECT, BODY + "{{ post|nothing }}", "template_syntax"),
        (SUBJECT, BODY + "x" * 20_001, "template_long"),
    ],
)
def test_what_may_not_stand_in_a_text_is_refused(subject: str, body: str, code: str) -> None:
    with pytest.raises(Refused) as told:
        check("answered", subject, body)

    assert told.value.code == code


@pytest.mark.parametrize(
    ("notice", "body", "code"),
    [
        ("registration_link", "{{ link }} {{ person }}", "template_name"),
        ("registration_link", "{{ link }} {{ token }}", "template_name"),
        ("login_ids", "{{ link }}", "template_missing"),
        ("login_ids", "{% for entry in entries %}{{ entry.user_id }}{{ entry.link }}{{ entry.token }}{% endfor %}", "template_construct"),
        ("staff_digest", "{% for section in sections %}{{ section.link }}{% for line in sections %}{% endfor %}{% endfor %}", "template_construct"),
        ("email_change_done", "{{ change.id }} {{ change.before }}", "template_construct"),
        ("totp_changed", "{{ user_id }}", "template_missing"),
    ],
)
def test_a_letter_names_its_own_facts_only_and_never_a_token(notice: str, body: str, code: str) -> None:
    with pytest.raises(Refused) as told:
        check(notice, "件名", body)

    assert told.value.code == code


def test_what_people_typed_is_text_and_the_subject_one_line() -> None:
    awkward = [*samples("answered")][2]

    text = render(SUBJECT, BODY, project("answered", awkward, DESK))

    assert text.subject == "[J's #10482] SRX300 で IPsec VPN が切断される {{ 7*7 }} Bcc: a@b.example {% x %}"
    assert "{% x %} 様" in text.body
