"""Who may register: one decision, told once to the applicant and in full to the staff."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta

import pytest

from rules.addresses import Verdict
from rules.contracts import CONTACT, CertificateFacts, LineFacts, PartyFacts
from rules.registration import Applicant, Facts, Grant, Rule, Trace, Why, decide, normalise

TODAY = date(2026, 11, 20)
TANAKA = Applicant(
    company_name="株式会社サンプル商事",
    person_name="田中 太郎",
    user_id="tanaka",
    email="tanaka@example.co.jp",
    maintenance_email="kiban@example.co.jp",
    contract_key="JSC26050233A",
    password="aB3xyz",
    password_confirmation="aB3xyz",
    consent=True,
)
LINE = LineFacts(1, "CV001", date(2026, 6, 1), date(2027, 5, 31), CONTACT)
CERTIFICATE = CertificateFacts(
    "JSC26050233A", date(2026, 5, 20), (PartyFacts("agent", "hoshu@hanbai.example.com"), PartyFacts("end_user", "kiban@example.co.jp")), (LINE,)
)
FACTS = Facts(
    certificate=CERTIFICATE,
    mailboxes=frozenset({"ns_support@jscom.co.jp"}),
    shared_domains=frozenset({"gmail.com", "ocn.ne.jp"}),
    own_domains=frozenset({"jscom.co.jp"}),
    grants=(),
    user_id_taken=False,
    privacy_version=3,
)


def _decide(applicant: Applicant = TANAKA, facts: Facts = FACTS, *, today: date = TODAY) -> Trace:
    return decide(normalise(applicant, password_required=True), facts, today=today)


def _told(trace: Trace) -> list[tuple[str | None, str]]:
    return [(refused.field, refused.code) for refused in trace.refusals("R-1")]


def test_a_colleague_of_the_same_domain_may_register() -> None:
    trace = _decide()

    assert trace.passed
    assert trace.refusals("R-1") == []
    assert trace.matched_party == "end_user"
    assert [result.rule for result in trace.results] == list(Rule)


def test_what_was_pasted_in_full_width_is_repaired_and_told() -> None:
    entries = normalise(replace(TANAKA, user_id="ｔａｎａｋａ", email="tanaka＠example.co.jp", contract_key=" ｊｓｃ26050233ａ "), password_required=True)

    assert (entries.user_id, entries.contract_key) == ("tanaka", "JSC26050233A")
    assert entries.repaired == ("user_id", "email", "contract_key")
    assert decide(entries, FACTS, today=TODAY).passed
    assert normalise(replace(TANAKA, user_id=" tanaka\u3000"), password_required=True).repaired == ()


def test_everything_wrong_with_the_form_is_told_at_once() -> None:
    empty = Applicant("", " ", "", "", "", "", password="", password_confirmation="x")

    assert _told(_decide(empty, replace(FACTS, certificate=None))) == [
        ("company_name", "company_name_empty"),
        ("person_name", "person_name_empty"),
        ("user_id", "user_id_empty"),
        ("password", "password_empty"),
        ("password_confirmation", "password_confirmation_differs"),
        ("email", "address_empty"),
        ("maintenance_email", "address_empty"),
        ("contract_key", "contract_key_empty"),
        ("consent", "consent_missing"),
    ]


def test_names_lose_line_breaks_and_may_not_be_endless() -> None:
    entries = normalise(replace(TANAKA, company_name="株式会社\r\nサンプル", person_name="田" * 101), password_required=True)

    assert entries.company_name == "株式会社 サンプル"
    assert [(fault.field, fault.code, fault.facts) for fault in entries.faults] == [("person_name", "text_long", {"max": 100, "n": 101})]


@pytest.mark.parametrize(
    ("applicant", "facts", "today", "why"),
    [
        (replace(TANAKA, contract_key="JSC99999999Z"), replace(FACTS, certificate=None), TODAY, Why.CONTRACT_NOT_FOUND),
        (replace(TANAKA, maintenance_email="other@example.co.jp"), FACTS, TODAY, Why.ADDRESS_NOT_ON_CERTIFICATE),
        (TANAKA, FACTS, date(2026, 5, 20), Why.ISSUE_DAY),
        (TANAKA, FACTS, date(2027, 6, 1), Why.ALL_ENDED),
        (TANAKA, replace(FACTS, certificate=replace(CERTIFICATE, lines=(replace(LINE, contact="サポートサイト"),))), TODAY, Why.NOT_ELIGIBLE),
        (TANAKA, replace(FACTS, certificate=replace(CERTIFICATE, lines=())), TODAY, Why.NOT_ELIGIBLE),
    ],
)
def test_whatever_is_wrong_with_the_pair_the_applicant_reads_one_text_and_staff_the_reason(applicant: Applicant, facts: Facts, today: date, why: Why) -> None:
    trace = _decide(applicant, facts, today=today)

    told = trace.refusals("R-17")
    assert [(refused.code, refused.field, refused.facts) for refused in told] == [("pair_refused", "contract_key", {"n": "R-17"})]
    assert trace.pair_refused
    assert why in {result.code for result in trace.results}
    assert not trace.passed


def test_a_certificate_opens_the_day_after_its_issue() -> None:
    assert not _decide(today=CERTIFICATE.issued_on).passed
    assert _decide(today=CERTIFICATE.issued_on + timedelta(days=1)).passed


def test_a_line_that_has_not_begun_yet_is_enough() -> None:
    assert _decide(today=date(2026, 5, 25)).passed


def test_the_line_counts_on_its_last_day() -> None:
    assert _decide(today=date(2027, 5, 31)).passed


def test_one_eligible_line_among_others_is_enough() -> None:
    lines = (replace(LINE, id=2, ends_on=date(2026, 10, 31)), replace(LINE, id=3, contact=""), LINE)

    assert _decide(facts=replace(FACTS, certificate=replace(CERTIFICATE, lines=lines))).passed


@pytest.mark.parametrize(
    ("email", "maintenance", "code", "facts"),
    [
        ("a@tokyo.example.co.jp", "kiban@osaka.example.co.jp", "subdomains_differ", {"a": "tokyo.example.co.jp", "b": "osaka.example.co.jp"}),
        ("a@gmail.com", "kiban@gmail.com", "shared_domain", {"host": "gmail.com"}),
        ("a@example.com", "kiban@example.co.jp", "domains_differ", {"email_host": "example.com", "maintenance_host": "example.co.jp"}),
    ],
)
def test_each_failure_of_the_domain_rule_has_its_own_text(email: str, maintenance: str, code: str, facts: dict[str, str]) -> None:
    certificate = replace(CERTIFICATE, parties=(PartyFacts("end_user", maintenance),))

    trace = _decide(replace(TANAKA, email=email, maintenance_email=maintenance), replace(FACTS, certificate=certificate))

    assert [(refused.code, refused.field, refused.facts) for refused in trace.refusals()] == [(code, "email", facts)]
    assert trace.held is (code != "domains_differ")
    assert trace.verdict == code


def test_a_shared_mail_address_registers_with_itself() -> None:
    certificate = replace(CERTIFICATE, parties=(PartyFacts("end_user", "shop@gmail.com"),))

    trace = _decide(replace(TANAKA, email="Shop@gmail.com", maintenance_email="shop@gmail.com"), replace(FACTS, certificate=certificate))

    assert trace.passed
    assert trace.verdict is Verdict.SHARED_DOMAIN


def test_nothing_is_held_while_the_pair_is_wrong_too() -> None:
    trace = _decide(replace(TANAKA, email="a@tokyo.example.co.jp", maintenance_email="x@osaka.example.co.jp"))

    assert _told(trace) == [("email", "subdomains_differ"), ("contract_key", "pair_refused")]
    assert not trace.held


@pytest.mark.parametrize(
    ("grant", "passes"),
    [
        (Grant(5, "partner.example.org", "kiban@example.co.jp"), True),
        (Grant(5, "partner.example.org", "kiban@example.co.jp", ends_on=TODAY), True),
        (Grant(5, "partner.example.org", "kiban@example.co.jp", ends_on=TODAY - timedelta(days=1)), False),
        (Grant(5, "sub.partner.example.org", "kiban@example.co.jp"), False),
        (Grant(5, "partner.example.org", "other@example.co.jp"), False),
    ],
)
def test_a_grant_lets_exactly_its_pair_pass_until_it_ends(grant: Grant, passes: bool) -> None:
    trace = _decide(replace(TANAKA, email="tanaka@partner.example.org"), replace(FACTS, grants=(grant,)))

    assert trace.passed is passes
    assert trace.grant_id == (5 if passes else None)


def test_our_own_domains_are_refused_at_each_field_even_with_a_grant() -> None:
    ours = replace(TANAKA, email="x@mail.jscom.co.jp", maintenance_email="y@jscom.co.jp")
    certificate = replace(CERTIFICATE, parties=(PartyFacts("end_user", "y@jscom.co.jp"),))

    trace = _decide(ours, replace(FACTS, certificate=certificate, grants=(Grant(5, "mail.jscom.co.jp", "y@jscom.co.jp"),)))

    assert _told(trace) == [("email", "own_domain"), ("maintenance_email", "own_domain")]


@pytest.mark.parametrize(
    ("applicant", "today", "told"),
    [
        (TANAKA, TODAY, [("user_id", "user_id_taken")]),
        (replace(TANAKA, email="tanaka@example.com"), TODAY, [("email", "domains_differ")]),
        (replace(TANAKA, maintenance_email="other@example.co.jp"), TODAY, [("contract_key", "pair_refused")]),
        (TANAKA, date(2027, 6, 1), [("contract_key", "pair_refused")]),
    ],
)
def test_a_taken_user_id_is_told_only_to_who_holds_the_pair_and_the_domain(applicant: Applicant, today: date, told: list[tuple[str, str]]) -> None:
    trace = _decide(applicant, replace(FACTS, user_id_taken=True), today=today)

    assert _told(trace) == told
    assert trace.result(Rule.USER_ID).code is Why.USER_ID_TAKEN


@pytest.mark.parametrize(("version", "told"), [(None, []), (3, []), (2, [("consent", "consent_old")])])
def test_consent_counts_for_the_version_that_was_shown(version: int | None, told: list[tuple[str, str]]) -> None:
    assert _told(_decide(replace(TANAKA, consent_version=version))) == told


def test_the_trace_keeps_values_and_results_and_no_password() -> None:
    trace = _decide(replace(TANAKA, password="GeheimNis7", password_confirmation="GeheimNis7", contract_key="JSC1"), replace(FACTS, certificate=None))

    kept = json.dumps(trace.as_json(), ensure_ascii=False)
    assert "GeheimNis7" not in kept + repr(TANAKA) + repr(trace)
    assert trace.result(Rule.CERTIFICATE).inputs == {"contract_key": "JSC1", "maintenance_email": "kiban@example.co.jp"}
    assert trace.result(Rule.ELIGIBLE_LINE).code is Why.NOT_CHECKED
    assert '"rule": "domain"' in kept


def test_the_trace_names_what_is_wrong_with_a_password_and_what_was_told() -> None:
    trace = _decide(replace(TANAKA, password="abc", password_confirmation="abd", contract_key="JSC1"), replace(FACTS, certificate=None))

    assert trace.result(Rule.PASSWORD).inputs == {"codes": "password_short password_upper password_digit password_confirmation_differs"}
    assert trace.result(Rule.PASSWORD).code is Why.PASSWORD
    assert trace.as_json()["told"] == [{"field": "contract_key", "code": "pair_refused"}]
    assert not trace.held


def test_who_was_asked_for_no_password_has_no_line_about_it() -> None:
    trace = decide(normalise(replace(TANAKA, password=None, password_confirmation=None), password_required=False), FACTS, today=TODAY)

    assert trace.passed
    assert Rule.PASSWORD not in {result.rule for result in trace.results}


def test_a_certificate_of_another_key_is_never_taken_for_the_typed_one() -> None:
    assert _told(_decide(replace(TANAKA, contract_key="JSC26050233B"))) == [("contract_key", "pair_refused")]


class TestProfile:
    """A profile change: registration's rules without 5, and no new consent."""

    stored = ("JSC26050233A", "kiban@example.co.jp")

    def change(self, applicant: Applicant, facts: Facts = FACTS, *, today: date = TODAY) -> Trace:
        unticked = replace(applicant, consent=False, password=applicant.password, password_confirmation=applicant.password_confirmation)
        return decide(normalise(unticked, password_required=False), replace(facts, stored_pair=self.stored), today=today, profile=True)

    def test_a_contract_that_has_ended_stays_valid(self) -> None:
        assert self.change(TANAKA, today=date(2030, 1, 1)).passed

    def test_the_password_may_stay_as_it_is(self) -> None:
        assert self.change(replace(TANAKA, password=None, password_confirmation=None)).passed
        assert self.change(replace(TANAKA, password="", password_confirmation="")).passed
        assert not self.change(replace(TANAKA, password="", password_confirmation="aB3xyz")).passed
        assert not self.change(replace(TANAKA, password="short", password_confirmation="short")).passed

    def test_an_unchanged_pair_that_left_the_certificates_is_named(self) -> None:
        gone = replace(CERTIFICATE, parties=(PartyFacts("end_user", "new@example.co.jp"),))

        told = self.change(TANAKA, replace(FACTS, certificate=gone)).refusals("R-9")

        assert [(refused.code, refused.field, refused.facts) for refused in told] == [
            ("pair_gone", "maintenance_email", {"m": "kiban@example.co.jp", "n": "R-9"})
        ]

    def test_a_changed_pair_gets_the_one_text(self) -> None:
        assert _told(self.change(replace(TANAKA, maintenance_email="rival@example.co.jp"))) == [("contract_key", "pair_refused")]

    def test_the_domain_rule_holds_here_too(self) -> None:
        assert _told(self.change(replace(TANAKA, email="tanaka@rival.co.jp"))) == [("email", "domains_differ")]
