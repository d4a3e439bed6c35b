"""The verdict of a ticket's contract: how it was found, whose it is, whether the desk answers for it today."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rules.contracts import CONTACT, AccountFacts, CertificateFacts, Judgement, LineFacts, PartyFacts, Path, Reason, Verdict, judge

TODAY = date(2026, 11, 20)
LINE = LineFacts(1, "CV001", date(2026, 6, 1), date(2027, 5, 31), CONTACT)
OTHER_LINE = LineFacts(2, "CV002", date(2025, 6, 1), date(2026, 5, 31), CONTACT)
CERTIFICATE = CertificateFacts(
    "JSC26050233A",
    date(2026, 5, 20),
    (PartyFacts("agent", "hoshu@hanbai.example.com"), PartyFacts("end_user", "kiban@example.co.jp")),
    (LINE, OTHER_LINE),
)
TANAKA = AccountFacts("tanaka@mail.example.co.jp", "kiban@example.co.jp")
STRANGER = AccountFacts("x@other.co.jp", "hoshu@other.co.jp")


def _judge(
    contract: str = "JSC26050233A",
    serial: str = "不明",
    *,
    certificate: CertificateFacts | None = CERTIFICATE,
    by_serial: tuple[CertificateFacts, ...] = (),
    account: AccountFacts | None = TANAKA,
    today: date = TODAY,
) -> Judgement:
    return judge(
        contract,
        serial,
        certificate=certificate,
        serial_certificates=by_serial,
        account=account,
        mailboxes={"ns_support@jscom.co.jp"},
        shared_domains={"gmail.com"},
        today=today,
    )


def test_contract_and_serial_of_one_live_line_are_active() -> None:
    assert _judge(serial="ｃｖ001") == Judgement(Verdict.ACTIVE, Reason.CONTRACT_AND_SERIAL, (1,), Path.BOTH, "JSC26050233A")


def test_without_a_serial_one_live_line_makes_the_contract_active() -> None:
    assert _judge() == Judgement(Verdict.ACTIVE, Reason.CONTRACT_ONLY, (1, 2), Path.CONTRACT, "JSC26050233A")


def test_the_ended_line_of_the_serial_decides_not_its_live_neighbour() -> None:
    judged = _judge(serial="CV002")

    assert (judged.verdict, judged.line_ids) == (Verdict.EXPIRED, (2,))


def test_a_serial_that_is_not_in_the_contract_is_named_and_the_contract_counts() -> None:
    judged = _judge(serial="CV999")

    assert (judged.verdict, judged.reason, judged.path) == (Verdict.ACTIVE, Reason.SERIAL_NOT_IN_CONTRACT, Path.CONTRACT)


@pytest.mark.parametrize(
    ("today", "verdict"),
    [
        (date(2026, 5, 31), Verdict.NOT_STARTED),
        (date(2026, 6, 1), Verdict.ACTIVE),
        (date(2027, 5, 31), Verdict.ACTIVE),
        (date(2027, 6, 1), Verdict.EXPIRED),
    ],
)
def test_the_verdict_follows_the_period(today: date, verdict: Verdict) -> None:
    assert _judge(serial="CV001", today=today).verdict is verdict


def test_a_line_of_another_contact_is_not_eligible() -> None:
    elsewhere = replace(CERTIFICATE, lines=(replace(LINE, contact="ns_support@jscom.co.jp"),))

    assert _judge(certificate=elsewhere).verdict is Verdict.NOT_ELIGIBLE


def test_a_contract_without_lines_is_not_eligible() -> None:
    assert _judge(certificate=replace(CERTIFICATE, lines=())).verdict is Verdict.NOT_ELIGIBLE


def test_a_contract_of_other_companies_is_another_partys() -> None:
    assert _judge(account=STRANGER).verdict is Verdict.OTHER_PARTY


def test_a_ticket_of_nobody_yet_is_judged_by_the_contract_alone() -> None:
    assert _judge(account=None).verdict is Verdict.ACTIVE


def test_on_a_shared_domain_only_the_own_maintenance_address_counts() -> None:
    certificate = replace(CERTIFICATE, parties=(PartyFacts("end_user", "shop@gmail.com"),))

    assert _judge(certificate=certificate, account=AccountFacts("shop@gmail.com", "shop@gmail.com")).verdict is Verdict.ACTIVE
    assert _judge(certificate=certificate, account=AccountFacts("other@gmail.com", "other@gmail.com")).verdict is Verdict.OTHER_PARTY


def test_a_grants_holder_is_a_party_by_the_maintenance_address() -> None:
    assert _judge(account=AccountFacts("tanaka@partner.example.org", "kiban@example.co.jp")).verdict is Verdict.ACTIVE


def test_empty_addresses_are_nobodys() -> None:
    certificate = replace(CERTIFICATE, parties=(PartyFacts("agent", ""),))

    assert _judge(certificate=certificate, account=AccountFacts("", "")).verdict is Verdict.OTHER_PARTY


def test_an_unknown_contract_with_a_known_serial_is_judged_by_the_serials_certificate() -> None:
    judged = _judge("不明", "CV001", certificate=None, by_serial=(CERTIFICATE,))

    assert judged == Judgement(Verdict.ACTIVE, Reason.SERIAL_ONLY, (1,), Path.SERIAL, "JSC26050233A")


def test_of_two_certificates_of_one_serial_the_better_verdict_counts() -> None:
    old = replace(CERTIFICATE, key="JSC25050001A", lines=(replace(LINE, id=9, starts_on=date(2025, 6, 1), ends_on=date(2026, 5, 31)),))

    for order in ((old, CERTIFICATE), (CERTIFICATE, old)):
        judged = _judge("不明", "CV001", certificate=None, by_serial=order)
        assert (judged.verdict, judged.certificate_key) == (Verdict.ACTIVE, "JSC26050233A")


def test_a_contract_that_nobody_has_is_not_found_even_with_a_known_serial() -> None:
    assert _judge("JSC999", certificate=None) == Judgement(Verdict.NOT_FOUND, Reason.CONTRACT_NOT_FOUND, (), Path.NONE)

    judged = _judge("JSC999", "CV001", certificate=None, by_serial=(CERTIFICATE,))
    assert (judged.verdict, judged.reason, judged.line_ids) == (Verdict.NOT_FOUND, Reason.CONTRACT_NOT_FOUND_SERIAL_KNOWN, (1,))


@pytest.mark.parametrize(("serial", "reason"), [("不明", Reason.BOTH_UNKNOWN), ("CV999", Reason.SERIAL_NOT_FOUND)])
def test_what_is_unknown_stays_unknown(serial: str, reason: Reason) -> None:
    assert _judge("不明", serial, certificate=None) == Judgement(Verdict.UNKNOWN, reason, (), Path.NONE)


def test_a_dealers_thousands_of_lines_are_not_all_named() -> None:
    many = replace(CERTIFICATE, lines=tuple(replace(LINE, id=number) for number in range(1000)))

    assert len(_judge(certificate=many).line_ids) == 20
