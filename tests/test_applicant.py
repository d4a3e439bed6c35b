"""One applicant after another at the gate: every branch of the rule over HTTP, each letter received at a real SMTP server."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select
from starlette.types import ASGIApp

from jobs.deliver_mail import Mailer
from models.database import transaction
from models.outbox import Recipient
from models.requests import ExceptionRequest
from rules.rights import Role
from tests.client import BASE_URL, Client, Page
from tests.clock import Clock
from tests.jobs.mailroom import mailer_for, parts_for
from tests.people import add_certificate, add_staff, sign_in_staff
from tests.services.smtp import Received, SmtpSink

PASSWORD = "Tsubaki-no-Hana-2026"
HOUSE = "kiban@kita.minato-denki.example"
_LINK = re.compile(rf"{re.escape(BASE_URL)}(/\S+)")


@dataclass
class Gate:
    """The desk as applicants meet it, who come from a new place each and are known to nobody."""

    engine: Engine
    app: ASGIApp
    sink: SmtpSink
    mailer: Mailer
    member: Client
    places: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    opened: dict[str, Client] = field(default_factory=dict[str, Client])

    def browser(self) -> Client:
        return Client(self.app, address=f"198.51.100.{next(self.places)}")

    def apply(self, email: str, maintenance: str, contract: str, *, expect: int = 422, user_id: str = "") -> Page:
        """Fill in the form in a fresh browser."""
        visitor = self.opened[email] = self.browser()
        visitor.get("/register")
        fields: dict[str, Any] = {
            "company_name": "港電機株式会社",
            "person_name": "三浦 さつき",
            "user_id": user_id or email,
            "password": PASSWORD,
            "password_confirmation": PASSWORD,
            "email": email,
            "maintenance_email": maintenance,
            "contract_key": contract,
            "consent": True,
        }
        return visitor.submit("/register", expect=expect, **fields)

    def letters(self, email: str, count: int) -> list[Received]:
        """What the server has for `email`: exactly `count` letters once everything waiting has left."""
        self.mailer.deliver()
        held = self.sink.to(email)
        assert len(held) == count, [letter.subject for letter in held]
        assert all(letter.recipients == (email,) for letter in held)
        return held

    def path(self, email: str, count: int) -> str:
        """The link in the newest letter."""
        return _LINK.findall(self.letters(email, count)[-1].text)[0]

    def signs_in(self, email: str) -> bool:
        visitor = self.browser()
        visitor.get("/login")
        return visitor.submit("/login", user_id=email, password=PASSWORD).path == "/tickets"

    def request(self) -> int:
        with transaction(self.engine, readonly=True) as session:
            return session.scalars(select(ExceptionRequest.id).order_by(ExceptionRequest.id.desc()).limit(1)).one()

    def decide(self, decision: str, **fields: Any) -> Page:
        number = self.request()
        self.member.get(f"/console/exceptions/{number}")
        return self.member.submit("/decision", decision=decision, reason="証書の会社の支店と確認した", **fields)


@pytest.fixture
def gate(engine: Engine, app: ASGIApp, clock: Clock, tmp_path: Path, smtp_sink: SmtpSink) -> Iterator[Gate]:
    parts = parts_for(engine, clock, tmp_path, smtp_url=smtp_sink.url)
    with closing(mailer_for(parts)) as mailer:
        gate = Gate(engine, app, smtp_sink, mailer, Client(app))
        with transaction(engine) as session:
            sign_in_staff(gate.member, session, add_staff(session, "sato", name="佐藤", roles=(Role.DESK,)))
        yield gate


def test_an_applicant_goes_through_every_branch_of_the_rule(gate: Gate) -> None:
    with transaction(gate.engine) as session:
        add_certificate(session, "JSC26110501M", end_user=HOUSE)
        add_certificate(session, "JSC26110502M", end_user="nw@minato-denki.example")
        add_certificate(session, "JSC26110503M", end_user="minato.denki@gmail.com")
        add_certificate(session, "JSC26120101M", end_user=HOUSE, issued_on=date(2026, 12, 1))
        add_certificate(session, "JSC20040101M", end_user=HOUSE, starts_on=date(2020, 4, 1), ends_on=date(2021, 3, 31))
        add_certificate(session, "JSC26110504M", end_user=HOUSE, contact="maker-support@other.example")

    passes(gate, "miura@kita.minato-denki.example", HOUSE, "JSC26110501M")
    passes(gate, "miura@minami.minato-denki.example", "nw@minato-denki.example", "JSC26110502M")
    passes(gate, "Minato.Denki@gmail.com", "minato.denki@gmail.com", "JSC26110503M")
    is_asked_and_let_in(gate, "oda@minami.minato-denki.example", HOUSE, "JSC26110501M", "サブドメインが異なる")
    is_asked_and_let_in(gate, "oda@gmail.com", "minato.denki@gmail.com", "JSC26110503M", "多くの方が使うメール")
    is_declined(gate, "seki@higashi.minato-denki.example", HOUSE, "JSC26110501M")
    everyone_else_is_told_why(gate)
    nobody_wrote_to_the_maintenance_address(gate)


def passes(gate: Gate, email: str, maintenance: str, contract: str) -> None:
    """The same organisation: the link, its button, the letter of completion, the login."""
    assert gate.apply(email, maintenance, contract, expect=200).path == "/register/sent"
    path = gate.path(email, 1)
    gate.opened[email].get(path)
    assert gate.opened[email].submit(path).heading == "登録が完了しました"
    assert "本登録の完了" in gate.letters(email, 2)[-1].subject
    assert gate.signs_in(email)


def asks(gate: Gate, email: str, maintenance: str, contract: str, verdict: str) -> Client:
    """Refused by the domain alone: one press, and the address proved by a link."""
    assert verdict in gate.apply(email, maintenance, contract).fault_of("email")
    visitor = gate.opened[email]
    assert visitor.submit("/exceptions").says(email)
    visitor.get(gate.path(email, 1))
    assert visitor.submit("/proof").says("担当者が確認しています")
    gate.letters(email, 2)
    return visitor


def is_asked_and_let_in(gate: Gate, email: str, maintenance: str, contract: str, verdict: str) -> None:
    """The desk asks, the applicant answers, the desk allows: complete without a word typed again."""
    visitor = asks(gate, email, maintenance, contract, verdict)
    gate.decide("ask", message="どちらの事業所の方でしょうか。")
    question = gate.letters(email, 3)[-1]
    assert "どちらの事業所の方でしょうか。" in question.text
    visitor.get(_LINK.findall(question.text)[0])
    assert visitor.submit("/answer", answer="南事業所です。").says("お返事をお送りしました。")
    assert gate.member.get("/console/exceptions").says("南事業所です。")
    gate.decide("grant_account", message="南事業所の方のご利用を承りました。")
    approved = gate.letters(email, 4)[-1]
    assert "南事業所の方のご利用を承りました。" in approved.text
    assert "支店と確認した" not in approved.text
    assert gate.signs_in(email)


def is_declined(gate: Gate, email: str, maintenance: str, contract: str) -> None:
    asks(gate, email, maintenance, contract, "サブドメインが異なる")
    gate.decide("decline", message="保守登録メールの変更をお申し込みください。")
    assert "保守登録メールの変更をお申し込みください。" in gate.letters(email, 3)[-1].text
    visitor = gate.browser()
    visitor.get("/login")
    visitor.submit("/login", user_id=email, password=PASSWORD, expect=422)


def everyone_else_is_told_why(gate: Gate) -> None:
    """Refusals: at the right field, one text for whatever is wrong with the pair, and no letter at all."""
    sent = len(gate.sink.letters)
    assert (
        gate.apply("hori@minato-setsubi.example", HOUSE, "JSC26110501M")
        .fault_of("email")
        .startswith("「メールアドレス」と「保守登録メール」の @ より後ろが異なります。")
    )
    assert gate.apply("hori@co.jp", HOUSE, "JSC26110501M").fault_of("email")
    own = gate.apply("hori@jscom.co.jp", HOUSE, "JSC26110501M").fault_of("email")
    assert "当社のドメイン" in own
    refused = [
        gate.apply(f"hori-{number}@kita.minato-denki.example", maintenance, contract).fault_of("contract_key")
        for number, (maintenance, contract) in enumerate(
            [
                (HOUSE, "JSC29999999Z"),
                ("nobody@kita.minato-denki.example", "JSC26110501M"),
                (HOUSE, "JSC26120101M"),
                (HOUSE, "JSC20040101M"),
                (HOUSE, "JSC26110504M"),
            ]
        )
    ]
    assert len({re.sub(r"26-\d+", "26-…", text) for text in refused}) == 1, refused
    assert len(set(refused)) == len(refused), "each has a 受付番号 of its own"
    taken = gate.apply("hori@kita.minato-denki.example", HOUSE, "JSC26110501M", user_id="miura@kita.minato-denki.example")
    assert "すでに使われています" in taken.fault_of("user_id")
    gate.mailer.deliver()
    assert len(gate.sink.letters) == sent


def nobody_wrote_to_the_maintenance_address(gate: Gate) -> None:
    with transaction(gate.engine, readonly=True) as session:
        addressed = set(session.scalars(select(Recipient.address)))
    assert not addressed & {HOUSE, "nw@minato-denki.example", "minato.denki@gmail.com"}
