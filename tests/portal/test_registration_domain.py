"""The domain rule and the forms of addresses at the registration page (SECURITY, attack list A, rows 1 to 10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from models.admission import PendingRegistration
from models.database import transaction
from tests import people
from tests.clock import Clock
from tests.portal.visit import FILLED, Visit, visit

PAIRS = [
    ("a@example.co.jp", "b@EXAMPLE.co.jp", "accepted"),
    ("a@example.co.jp", "b@mail.example.co.jp", "accepted"),
    ("a@a.example.co.jp", "b@b.example.co.jp", "サブドメインが異なる"),
    ("a@a.example.co.jp", "b@x.a.example.co.jp", "サブドメインが異なる"),
    ("a@a.co.jp", "b@b.co.jp", "@ より後ろが異なります"),
    ("a@example.co.jp", "b@example.co.jp.evil.com", "@ より後ろが異なります"),
    ("a@foo.sakura.ne.jp", "b@bar.sakura.ne.jp", "@ より後ろが異なります"),
    ("a@gmail.com", "b@gmail.com", "多くの方が使うメール"),
    ("a@abc.ocn.ne.jp", "b@ocn.ne.jp", "多くの方が使うメール"),
    ("a@gmail.com", "A@gmail.com", "accepted"),
]


@pytest.fixture
def portal(engine: Engine, clock: Clock, tmp_path: Path) -> Visit:
    return visit(engine, clock, tmp_path, registrations_per_hour=1000, confirmation_mails=1000)


@pytest.mark.parametrize(("one", "other", "verdict"), PAIRS)
def test_a1_pairs_of_addresses_both_ways_round(portal: Visit, one: str, other: str, verdict: str) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "ONE", end_user=one)
        people.add_certificate(session, "OTHER", end_user=other)

    for number, (email, maintenance, key) in enumerate(((other, one, "ONE"), (one, other, "OTHER"))):
        accepted = verdict == "accepted"
        page = portal.register(user_id=f"applicant-{number}", email=email, maintenance_email=maintenance, contract_key=key, expect=200 if accepted else 422)

        assert page.path == "/register/sent" if accepted else verdict in page.fault_of("email")


def test_held_pairs_offer_to_ask_the_desk_and_refused_ones_name_the_center(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_certificate(session, "SUB", end_user="kiban@a.example.co.jp")

    held = portal.register(email="b@b.example.co.jp", maintenance_email="kiban@a.example.co.jp", contract_key="SUB", expect=422)
    refused = portal.register(email="b@other.co.jp", maintenance_email="kiban@a.example.co.jp", contract_key="SUB", expect=422).fault_of("email")

    assert "「担当者に確認を依頼する」を押すと" in held.fault_of("email")
    assert held.form("/exceptions")
    assert "service_admin@jscom.co.jp" in refused
    assert "2 営業日" in refused


@pytest.mark.parametrize(
    "typed", [" kimura@osaka.tozai.example", "kimura@osaka.tozai.example\u3000", "ｋｉｍｕｒａ@ｏｓａｋａ.tozai.example", "kimura＠osaka．tozai．example"]
)
def test_a2_a3_blanks_outside_and_full_width_letters_are_repaired(portal: Visit, typed: str) -> None:
    portal.register(email=typed)

    assert [to for to, _ in portal.letters("registration_link")] == [people.EMAIL]


REFUSED = [
    "kimura@osaka.tozai.example.",
    "kimura@osaka.tozai.example。",
    "kim ura@osaka.tozai.example",
    "kimura@osaka\n.tozai.example",
    "kimura\u200b@osaka.tozai.example",
    "kimura\x00@osaka.tozai.example",
    "kimura@osaka。tozai。example",
    "kimura@osaka.tozаi.example",
    "kimura@例え.jp",
    '"a@evil.example"@osaka.tozai.example',
    "a@evil.example(@osaka.tozai.example)",
    "<a@evil.example>b@osaka.tozai.example",
    "@evil.example:a@osaka.tozai.example",
    "a@evil.example,b@osaka.tozai.example",
    "=?utf-8?q?a=40evil.example=3e=00?=@osaka.tozai.example",
    "a%evil.example@osaka.tozai.example",
    "a!evil@osaka.tozai.example",
    ".a..b@osaka.tozai.example",
    "a@192.168.0.1",
    "a@[127.0.0.1]",
    "a@localhost",
    "a@x.local",
    "a@example.invalid",
    "a@co.jp",
    "a@kawasaki.jp",
]


@pytest.mark.parametrize("typed", REFUSED)
def test_a2_to_a8_no_other_form_of_an_address_gets_in(portal: Visit, typed: str) -> None:
    page = portal.register(email=typed, expect=422)

    assert page.fault_of("email")
    assert portal.count(PendingRegistration) == 0
    assert portal.letters("registration_link") == []


def test_a6_a_list_in_brackets_is_another_field(portal: Visit) -> None:
    portal.client.get("/register")
    fields = {name: value for name, value in FILLED.items() if isinstance(value, str)}
    portal.client.post("/register", {**fields, "consent": "1", "email[]": "b@evil.example", "csrf_token": portal.client.csrf_token()})

    assert [to for to, _ in portal.letters("registration_link")] == [people.EMAIL]


def test_a9_plus_signs_and_case_of_the_local_part_stay_as_typed(portal: Visit) -> None:
    portal.register(email="Kimura+Desk@OSAKA.tozai.example")
    portal.complete()

    assert portal.account().email == "Kimura+Desk@osaka.tozai.example"
    assert [to for to, _ in portal.letters("registered")] == ["Kimura+Desk@osaka.tozai.example"]


def test_a9_several_accounts_may_share_an_address_and_a_contract(portal: Visit) -> None:
    with transaction(portal.engine) as session:
        people.add_account(session, "sato")

    assert portal.register().path == "/register/sent"


@pytest.mark.parametrize("field", ["email", "maintenance_email"])
def test_a10_the_desks_own_domains_are_refused(portal: Visit, field: str) -> None:
    typed: dict[str, Any] = {field: "nakamura@jscom.co.jp"}

    assert "当社のドメイン" in portal.register(expect=422, **typed).fault_of(field)
