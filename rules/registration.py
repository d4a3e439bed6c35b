"""Who may register: one decision that keeps every rule with its inputs and result (DOMAIN, "Who may register")."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TypeVar

from rules.addresses import Address, Verdict, compare, domain_allows, is_under, parse_address
from rules.contracts import CertificateFacts, LineState, eligible, line_state, parse_contract_key
from rules.credentials import parse_user_id, password_faults
from rules.refusal import Refused
from rules.text import fold, one_line

T = TypeVar("T")

COMPANY_NAME_CHARACTERS = 200
PERSON_NAME_CHARACTERS = 100


class Rule(StrEnum):
    """The numbered rules of DOMAIN, in the order in which the trace lists them."""

    USER_ID = "user_id"
    PASSWORD = "password"  # noqa: S105 - a name
    CERTIFICATE = "certificate"
    ISSUED_BEFORE_TODAY = "issued_before_today"
    ELIGIBLE_LINE = "eligible_line"
    OWN_DOMAIN = "own_domain"
    DOMAIN = "domain"
    CONSENT = "consent"


class Why(StrEnum):
    """What staff read beside a failed rule; the applicant never sees these."""

    NOT_CHECKED = "not_checked"
    """A rule before it has no answer."""
    FORM = "form"
    """What was typed is no user ID, address or contract key."""
    USER_ID_TAKEN = "user_id_taken"
    PASSWORD = "password"  # noqa: S105 - a name
    CONTRACT_NOT_FOUND = "contract_not_found"
    ADDRESS_NOT_ON_CERTIFICATE = "address_not_on_certificate"
    ISSUE_DAY = "issue_day"
    NOT_ELIGIBLE = "not_eligible"
    ALL_ENDED = "all_ended"
    OWN_DOMAIN = "own_domain"
    SUBDOMAINS_DIFFER = "subdomains_differ"
    SHARED_DOMAIN = "shared_domain"
    DOMAINS_DIFFER = "domains_differ"
    INVALID = "invalid"
    CONSENT_MISSING = "consent_missing"
    CONSENT_OLD = "consent_old"


@dataclass(frozen=True)
class Applicant:
    """What a person typed into the form, raw. `password` None means: keep the present one (profile)."""

    company_name: str
    person_name: str
    user_id: str
    email: str
    maintenance_email: str
    contract_key: str
    password: str | None = field(default=None, repr=False)
    password_confirmation: str | None = field(default=None, repr=False)
    consent: bool = False
    consent_version: int | None = None
    """The version of the privacy text that the form showed, None where the form did not say."""


@dataclass(frozen=True)
class Normalised:
    """The stored form of each entry, None (or "") where it is no such thing, and what is wrong with the form itself."""

    company_name: str
    person_name: str
    user_id: str | None
    email: Address | None
    maintenance_email: Address | None
    contract_key: str | None
    consent: bool
    consent_version: int | None
    faults: tuple[Refused, ...]
    repaired: tuple[str, ...]
    """Fields whose full-width letters were made half-width: told as a hint."""
    password_codes: tuple[str, ...] | None = None
    """What is wrong with the password, () for a good one, None where none was asked for; the password itself is nowhere."""


@dataclass(frozen=True)
class Grant:
    """An approved exception: a host of e-mails with one maintenance e-mail. Load those of this account or of everyone only."""

    id: int
    host: str
    maintenance_key: str
    ends_on: date | None = None


@dataclass(frozen=True)
class Facts:
    """What the caller looked up for `Normalised`."""

    certificate: CertificateFacts | None
    mailboxes: Collection[str]
    shared_domains: Collection[str]
    own_domains: Collection[str]
    grants: tuple[Grant, ...]
    user_id_taken: bool
    """By another account, or by another registration whose link still lives."""
    privacy_version: int
    stored_pair: tuple[str, str] | None = None
    """(contract key, key of the maintenance e-mail) of the account at a profile change."""


@dataclass(frozen=True)
class RuleResult:
    rule: Rule
    inputs: dict[str, str]
    passed: bool
    code: Why | None = None


@dataclass(frozen=True)
class Trace:
    """The decision: every rule with inputs and result, and what the applicant is told."""

    results: tuple[RuleResult, ...]
    faults: tuple[Refused, ...]
    verdict: Verdict | None
    """Of the domain rule, None while one of the addresses is none."""
    matched_party: str | None
    """The role whose printed e-mail is the maintenance e-mail."""
    grant_id: int | None
    told: tuple[Refused, ...]
    """What the rules refuse, without the form's own faults."""

    @property
    def passed(self) -> bool:
        """Whether the applicant may register (or the profile may be saved)."""
        return not self.faults and all(result.passed for result in self.results)

    @property
    def held(self) -> bool:
        """Whether only the domain rule stands in the way, with a verdict that an exception request can mend."""
        others = all(result.passed for result in self.results if result.rule is not Rule.DOMAIN)
        return not self.faults and others and not self.passed and self.verdict in _HELD

    @property
    def pair_refused(self) -> bool:
        """Whether the applicant gets the one text of rules 3, 4 and 5: it needs a 受付番号."""
        return any(refused.code in ("pair_refused", "pair_gone") for refused in self.told)

    def refusals(self, reference: str = "") -> list[Refused]:
        """Everything told to the applicant, all at once; `reference` is the 受付番号 of the kept trace."""
        numbered = [
            Refused(told.code, told.field, **{**told.facts, "n": reference}) if told.code in ("pair_refused", "pair_gone") else told for told in self.told
        ]
        return [*self.faults, *numbered]

    def result(self, rule: Rule) -> RuleResult:
        """The line of one rule (a rule that was not asked for raises StopIteration)."""
        return next(result for result in self.results if result.rule is rule)

    def as_json(self) -> dict[str, object]:
        """The trace as it is kept under its 受付番号; no password ever stood in it."""
        return {
            "passed": self.passed,
            "verdict": self.verdict.value if self.verdict else None,
            "matched_party": self.matched_party,
            "grant": self.grant_id,
            "faults": [{"field": fault.field, "code": fault.code} for fault in self.faults],
            "told": [{"field": told.field, "code": told.code} for told in self.told],
            "rules": [
                {"rule": result.rule.value, "inputs": result.inputs, "passed": result.passed, "code": result.code and result.code.value}
                for result in self.results
            ],
        }


_HELD = (Verdict.SUBDOMAINS_DIFFER, Verdict.SHARED_DOMAIN)
_PAIR_RULES = frozenset({Rule.CERTIFICATE, Rule.ISSUED_BEFORE_TODAY, Rule.ELIGIBLE_LINE})


def normalise(applicant: Applicant, *, password_required: bool) -> Normalised:
    """The entries in their stored form with all faults of the form itself.

    Codes beside those of the parsers: company_name_empty, person_name_empty, text_long(max, n), password_confirmation_differs.
    """
    faults: list[Refused] = []
    company = _name(applicant.company_name, "company_name", COMPANY_NAME_CHARACTERS, faults)
    person = _name(applicant.person_name, "person_name", PERSON_NAME_CHARACTERS, faults)
    user_id = _parsed(parse_user_id, applicant.user_id, "user_id", faults)
    of_password = _password_faults(applicant, required=password_required)
    faults += of_password or []
    email = _parsed(parse_address, applicant.email, "email", faults)
    maintenance = _parsed(parse_address, applicant.maintenance_email, "maintenance_email", faults)
    contract_key = _parsed(parse_contract_key, applicant.contract_key, "contract_key", faults)
    return Normalised(
        company_name=company,
        person_name=person,
        user_id=user_id,
        email=email,
        maintenance_email=maintenance,
        contract_key=contract_key,
        consent=applicant.consent,
        consent_version=applicant.consent_version,
        faults=tuple(faults),
        repaired=_repaired(applicant),
        password_codes=None if of_password is None else tuple(fault.code for fault in of_password),
    )


def decide(entries: Normalised, facts: Facts, *, today: date, profile: bool = False) -> Trace:
    """Whether the entries may register on `today` (Tokyo), or at `profile` change the account's profile.

    A profile is judged without rule 5 (a known certificate that has ended stays valid) and without asking for consent again.
    Told to the applicant: own_domain(host), domains_differ(email_host, maintenance_host), subdomains_differ(a, b),
    shared_domain(host), pair_refused(n), at an unchanged profile pair pair_gone(m, n), user_id_taken, consent_missing, consent_old.
    """
    certificate, role = _certificate_rule(entries, facts)
    results = [certificate, _issue_rule(facts.certificate, today)]
    if not profile:
        results.append(_line_rule(facts, today))
    own = _own_domain_rule(entries, facts)
    domain, verdict, grant = _domain_rule(entries, facts, today)
    results += [own, domain]
    pair_holds = all(result.passed for result in results)
    results[:0] = [_user_id_rule(entries, facts), *_password_rule(entries)]
    if not profile:
        results.append(_consent_rule(entries, facts))
    told = _told(entries, facts, {result.rule: result for result in results}, verdict, pair_holds=pair_holds)
    return Trace(tuple(results), entries.faults, verdict, role, grant.id if grant else None, tuple(told))


def _user_id_rule(entries: Normalised, facts: Facts) -> RuleResult:
    inputs = {"user_id": entries.user_id or ""}
    if entries.user_id is None:
        return RuleResult(Rule.USER_ID, inputs, False, Why.FORM)
    return RuleResult(Rule.USER_ID, inputs, not facts.user_id_taken, Why.USER_ID_TAKEN if facts.user_id_taken else None)


def _password_rule(entries: Normalised) -> list[RuleResult]:
    """Rule 2, told by its codes alone; no line where no password was asked for (a link, a profile that keeps it, a rehearsal)."""
    if entries.password_codes is None:
        return []
    wrong = bool(entries.password_codes)
    return [RuleResult(Rule.PASSWORD, {"codes": " ".join(entries.password_codes)} if wrong else {}, not wrong, Why.PASSWORD if wrong else None)]


def _certificate_rule(entries: Normalised, facts: Facts) -> tuple[RuleResult, str | None]:
    """Rule 3, and the role of the party whose printed e-mail the maintenance e-mail is."""
    inputs = {"contract_key": entries.contract_key or "", "maintenance_email": _value(entries.maintenance_email)}
    if entries.contract_key is None or entries.maintenance_email is None:
        return RuleResult(Rule.CERTIFICATE, inputs, False, Why.FORM), None
    if facts.certificate is None or facts.certificate.key != entries.contract_key:
        return RuleResult(Rule.CERTIFICATE, inputs, False, Why.CONTRACT_NOT_FOUND), None
    role = next((party.role for party in facts.certificate.parties if party.email_key == entries.maintenance_email.key), None)
    if role is None:
        return RuleResult(Rule.CERTIFICATE, inputs, False, Why.ADDRESS_NOT_ON_CERTIFICATE), None
    return RuleResult(Rule.CERTIFICATE, {**inputs, "party": role}, True), role


def _issue_rule(certificate: CertificateFacts | None, today: date) -> RuleResult:
    if certificate is None:
        return RuleResult(Rule.ISSUED_BEFORE_TODAY, {"today": today.isoformat()}, False, Why.NOT_CHECKED)
    inputs = {"issued_on": certificate.issued_on.isoformat(), "today": today.isoformat()}
    passed = certificate.issued_on < today
    return RuleResult(Rule.ISSUED_BEFORE_TODAY, inputs, passed, None if passed else Why.ISSUE_DAY)


def _line_rule(facts: Facts, today: date) -> RuleResult:
    if facts.certificate is None:
        return RuleResult(Rule.ELIGIBLE_LINE, {"today": today.isoformat()}, False, Why.NOT_CHECKED)
    lines = [line for line in facts.certificate.lines if eligible(line.starts_on, line.contact, facts.mailboxes)]
    lasting = [line for line in lines if line_state(line.starts_on, line.ends_on, today) is not LineState.ENDED]
    inputs = {"lines": str(len(facts.certificate.lines)), "eligible": str(len(lines)), "not_ended": str(len(lasting)), "today": today.isoformat()}
    if lasting:
        return RuleResult(Rule.ELIGIBLE_LINE, inputs, True)
    return RuleResult(Rule.ELIGIBLE_LINE, inputs, False, Why.ALL_ENDED if lines else Why.NOT_ELIGIBLE)


def _own_domain_rule(entries: Normalised, facts: Facts) -> RuleResult:
    hosts = [address.host for address in (entries.email, entries.maintenance_email) if address is not None]
    own = [host for host in hosts if is_under(host, facts.own_domains)]
    return RuleResult(Rule.OWN_DOMAIN, {"hosts": " ".join(hosts)}, not own, Why.OWN_DOMAIN if own else None)


def _domain_rule(entries: Normalised, facts: Facts, today: date) -> tuple[RuleResult, Verdict | None, Grant | None]:
    """Rule 6: the domain rule, or a grant that covers the pair today."""
    inputs = {"email": _value(entries.email), "maintenance_email": _value(entries.maintenance_email)}
    email, maintenance = entries.email, entries.maintenance_email
    if email is None or maintenance is None:
        return RuleResult(Rule.DOMAIN, inputs, False, Why.FORM), None, None
    verdict = compare(email, maintenance, facts.shared_domains)
    inputs["verdict"] = verdict.value
    if domain_allows(email, maintenance, verdict):
        return RuleResult(Rule.DOMAIN, inputs, True), verdict, None
    grant = next((grant for grant in facts.grants if _covers(grant, email, maintenance, today)), None)
    if grant is not None:
        return RuleResult(Rule.DOMAIN, {**inputs, "grant": str(grant.id)}, True), verdict, grant
    return RuleResult(Rule.DOMAIN, inputs, False, Why(verdict.value)), verdict, None


def _covers(grant: Grant, email: Address, maintenance: Address, today: date) -> bool:
    alive = grant.ends_on is None or today <= grant.ends_on
    return alive and grant.host == email.host and grant.maintenance_key == maintenance.key


def _consent_rule(entries: Normalised, facts: Facts) -> RuleResult:
    inputs = {"consent": str(entries.consent).lower(), "shown": str(entries.consent_version or ""), "version": str(facts.privacy_version)}
    if not entries.consent:
        return RuleResult(Rule.CONSENT, inputs, False, Why.CONSENT_MISSING)
    current = entries.consent_version in (None, facts.privacy_version)
    return RuleResult(Rule.CONSENT, inputs, current, None if current else Why.CONSENT_OLD)


def _told(entries: Normalised, facts: Facts, results: dict[Rule, RuleResult], verdict: Verdict | None, *, pair_holds: bool) -> list[Refused]:
    """What the applicant is told, in the order of the form; nothing that the form's own faults say already."""
    told: list[Refused] = []
    # Told only to who knows a contract and its address, or anyone could try which user IDs exist.
    if pair_holds and results[Rule.USER_ID].code is Why.USER_ID_TAKEN:
        told.append(Refused("user_id_taken", "user_id"))
    for name, address in (("email", entries.email), ("maintenance_email", entries.maintenance_email)):
        if address is not None and is_under(address.host, facts.own_domains):
            told.append(Refused("own_domain", name, host=address.host))
    if results[Rule.OWN_DOMAIN].passed and not results[Rule.DOMAIN].passed and entries.email and entries.maintenance_email:
        told.append(_domain_refusal(entries.email, entries.maintenance_email, verdict))
    pair_typed = entries.contract_key is not None and entries.maintenance_email is not None
    if pair_typed and any(not result.passed for rule, result in results.items() if rule in _PAIR_RULES):
        told.append(_pair_refusal(entries, facts))
    consent = results.get(Rule.CONSENT)
    if consent is not None and consent.code is not None:
        told.append(Refused("consent_missing" if consent.code is Why.CONSENT_MISSING else "consent_old", "consent"))
    return told


def _domain_refusal(email: Address, maintenance: Address, verdict: Verdict | None) -> Refused:
    if verdict is Verdict.SUBDOMAINS_DIFFER:
        return Refused("subdomains_differ", "email", a=email.host, b=maintenance.host)
    if verdict is Verdict.SHARED_DOMAIN:
        return Refused("shared_domain", "email", host=email.host)
    if verdict is Verdict.DOMAINS_DIFFER:
        return Refused("domains_differ", "email", email_host=email.host, maintenance_host=maintenance.host)
    return Refused("address_host", "email", host=email.host)


def _pair_refusal(entries: Normalised, facts: Facts) -> Refused:
    """One text whatever failed; only the holder of an unchanged pair learns that their own address left the certificates."""
    key = entries.maintenance_email.key if entries.maintenance_email else ""
    if facts.stored_pair is not None and facts.stored_pair == (entries.contract_key, key):
        return Refused("pair_gone", "maintenance_email", m=_value(entries.maintenance_email), n="")
    return Refused("pair_refused", "contract_key", n="")


def _password_faults(applicant: Applicant, *, required: bool) -> list[Refused] | None:
    """What is wrong with the password; None where the present one stays."""
    password = applicant.password
    if not password and not required and not applicant.password_confirmation:
        return None
    faults = password_faults(password or "", user_id=applicant.user_id, email=applicant.email, contract_key=applicant.contract_key)
    if applicant.password_confirmation is not None and applicant.password_confirmation != (password or ""):
        faults.append(Refused("password_confirmation_differs", "password_confirmation"))
    return faults


def _name(typed: str, name: str, most: int, faults: list[Refused]) -> str:
    text = one_line(typed)
    if not text:
        faults.append(Refused("company_name_empty" if name == "company_name" else "person_name_empty", name))
    elif len(text) > most:
        faults.append(Refused("text_long", name, max=most, n=len(text)))
    return text


def _parsed(parse: Callable[[str, str], T], typed: str, name: str, faults: list[Refused]) -> T | None:
    try:
        return parse(typed, name)
    except Refused as fault:
        faults.append(fault)
        return None


def _repaired(applicant: Applicant) -> tuple[str, ...]:
    typed = {"user_id": applicant.user_id, "email": applicant.email, "maintenance_email": applicant.maintenance_email, "contract_key": applicant.contract_key}
    return tuple(name for name, value in typed.items() if not value.isascii() and value.strip() != fold(value) and fold(value).isascii())


def _value(address: Address | None) -> str:
    return address.value if address else ""
