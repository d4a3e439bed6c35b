"""例外申請 of the demo: a branch's subdomain and a shared domain that wait, one that was asked about, and a grant."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.decisions import judge_new, keep_refusal
from actions.exception_decisions import Judgement, decide_request
from actions.exception_requests import ask, hold_registration, prove
from mail.desk import Desk
from models.actors import StaffMember
from models.contracts import Certificate, Party, PartyRole
from models.requests import ExceptionRequest
from rules.limits import Limits
from rules.registration import Applicant, normalise
from rules.requests import Decision

_PASSWORD = "Demo-Portal-2026"
_TOZAI = ("東西ネットワーク株式会社", "nw-kanri@osaka.tozai-net.example", "JSC26040123A")
_SHOP = ("やまと電設", "yamato.densetsu@gmail.com", "JSC26060201B")
"""(company, maintenance e-mail, contract)."""
_QUESTION = "「lab」は検証用のアドレスでしょうか。日ごろお使いになる方の範囲をお知らせください。"


def add_exceptions(session: Session, desk_member: StaffMember, password_hash: str, *, desk: Desk, now: datetime) -> None:
    """Four registrations that only the domain rule refused: one allowed, one asked about, two waiting."""
    contract = session.scalars(select(Certificate.id).where(Certificate.contract_key == _SHOP[2])).one()
    session.add(Party(certificate_id=contract, role=PartyRole.OPERATOR, name=_SHOP[0], email=_SHOP[1], email_key=_SHOP[1]))
    granted = Judgement(Decision.GRANT_MAINTENANCE_EMAIL, "神戸支社のドメイン。代表電話で在籍を確認した。", "", None, 0)
    asked = Judgement(Decision.ASK, "検証用のドメインを誰が使うのか分からない。", _QUESTION, None, 0)
    for at, company, person, email, judgement in (
        (now - timedelta(hours=52), _TOZAI, "藤田 翔", "fujita@kobe.tozai-net.example", granted),
        (now - timedelta(hours=27), _TOZAI, "西村 彩", "nishimura@lab.tozai-net.example", asked),
        (now - timedelta(hours=5), _SHOP, "坂本 健一", "sakamoto.kenichi@gmail.com", None),
        (now - timedelta(hours=2), _TOZAI, "伊藤 綾", "a-ito@nagoya.tozai-net.example", None),
    ):
        request = _ask(session, Applicant(company[0], person, email, email, *company[1:], _PASSWORD, _PASSWORD, consent=True), password_hash, desk, at)
        if judgement is not None:
            decide_request(session, request, replace(judgement, version=request.version), by=desk_member, desk=desk, now=at + timedelta(hours=1))


def _ask(session: Session, applicant: Applicant, password_hash: str, desk: Desk, at: datetime) -> ExceptionRequest:
    entries = normalise(applicant, password_required=True)
    trace, _ = judge_new(session, entries, now=at)
    assert trace.held, trace
    reference = keep_refusal(session, "registration", entries, trace, client="203.0.113.7", now=at)
    press = hold_registration(session, entries, trace, password_hash, reference=reference, privacy_version=1, client="203.0.113.7", now=at)
    request = ask(session, press, desk=desk, limits=Limits(), now=at)
    assert request is not None
    prove(session, request, desk=desk, now=at + timedelta(minutes=4))
    return request
