"""Asking `rules.registration` about an applicant: the facts it needs in a fixed number of statements, and the kept refusal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.admission import PendingRegistration, Refusal
from models.contracts import Certificate, ContractLine, Party
from models.masters import DomainKind, MailDomain, PrivacyText, mailboxes
from models.people import Account
from models.requests import ExceptionRequest, RequestKind, holds_user_id, living_grants
from rules.addresses import parse_address
from rules.calendar import TOKYO, tokyo_date
from rules.contracts import CertificateFacts, LineFacts, PartyFacts
from rules.credentials import user_id_key
from rules.refusal import Refused
from rules.registration import Facts, Grant, Normalised, Trace, decide

_CONSENT = frozenset({"consent_missing", "consent_old"})


@dataclass(frozen=True)
class Judged:
    """What became of an application: the entries as they would be stored, the trace, and the 受付番号 of a kept refusal."""

    entries: Normalised
    trace: Trace
    reference: str = ""

    @property
    def passed(self) -> bool:
        """Whether all rules hold."""
        return self.trace.passed

    @property
    def refusals(self) -> list[Refused]:
        """Everything the applicant is told."""
        return self.trace.refusals(self.reference)


def judge_new(session: Session, entries: Normalised, *, blind: bool = False, now: datetime) -> tuple[Trace, Trace]:
    """The decision on a registration, and the one the applicant is told of.

    They differ only when the desk has gone `blind` to the contract after too many failures: then the pair is refused whatever it is.
    """
    facts = load_facts(session, entries, now=now)
    trace = decide(entries, facts, today=tokyo_date(now))
    told = decide(entries, replace(facts, certificate=None), today=tokyo_date(now)) if blind else trace
    return trace, told


def judge_pending(session: Session, pending: PendingRegistration, *, now: datetime) -> tuple[Normalised, Trace]:
    """The decision again when the confirmation link is used; the consent of the form stands."""
    entries = entries_of(pending)
    return entries, decide(entries, load_facts(session, entries, pending=pending, now=now), today=tokyo_date(now))


def judge_request(session: Session, request: ExceptionRequest, *, granted: bool = False, now: datetime) -> tuple[Normalised, Trace]:
    """The decision on a held request as it stands now; with `granted` as if its pair were allowed."""
    entries = entries_of(request)
    profile = request.kind == RequestKind.PROFILE
    account = session.get(Account, request.account_id) if profile else None
    facts = load_facts(session, entries, account=account, request=request, now=now)
    if granted:
        facts = replace(facts, grants=(*facts.grants, Grant(0, request.email_host, request.maintenance_email_key)))
    return entries, decide(entries, facts, today=tokyo_date(now), profile=profile)


def judge_profile(session: Session, account: Account, entries: Normalised, *, now: datetime) -> Trace:
    """The decision on an account's new entries: the rules of registration without the fifth."""
    return decide(entries, load_facts(session, entries, account=account, now=now), today=tokyo_date(now), profile=True)


def entries_of(applicant: Account | PendingRegistration | ExceptionRequest) -> Normalised:
    """Somebody as they stand, in the form in which they are judged; their consent is recorded elsewhere."""
    return Normalised(
        company_name=applicant.company_name,
        person_name=applicant.person_name,
        user_id=applicant.user_id,
        email=parse_address(applicant.email),
        maintenance_email=parse_address(applicant.maintenance_email),
        contract_key=applicant.contract_key,
        consent=True,
        consent_version=None,
        faults=(),
        repaired=(),
    )


def load_facts(
    session: Session,
    entries: Normalised,
    *,
    account: Account | None = None,
    pending: PendingRegistration | None = None,
    request: ExceptionRequest | None = None,
    now: datetime,
) -> Facts:
    """What the decision asks of the database: eight statements, the same for known and unknown user IDs, addresses and contracts."""
    domains: dict[DomainKind, set[str]] = {kind: set() for kind in DomainKind}
    for domain, kind in session.execute(select(MailDomain.domain, MailDomain.kind)):
        domains[DomainKind(kind)].add(domain)
    return Facts(
        certificate=_certificate(session, entries.contract_key or ""),
        mailboxes=mailboxes(session),
        shared_domains=frozenset(domains[DomainKind.SHARED]),
        own_domains=frozenset(domains[DomainKind.OWN]),
        grants=tuple(
            Grant(row.id, row.host, row.maintenance_email_key, row.ends_on)
            for row in living_grants(session, entries.maintenance_email.key if entries.maintenance_email else "", account_id=account.id if account else None)
        ),
        user_id_taken=is_taken(session, user_id_key(entries.user_id or ""), account=account, pending=pending, request=request, now=now),
        privacy_version=session.scalar(select(PrivacyText.id).order_by(PrivacyText.id.desc()).limit(1)) or 0,
        stored_pair=(account.contract_key, account.maintenance_email_key) if account else None,
    )


def is_taken(
    session: Session,
    key: str,
    *,
    account: Account | None = None,
    pending: PendingRegistration | None = None,
    request: ExceptionRequest | None = None,
    now: datetime,
) -> bool:
    """Whether a user ID belongs to another account than `account`, to another registration than `pending` whose link lives, or to an open request.

    Letters sent again are copies of one registration: they share its password hash, whose salt nobody else has.
    """
    of_account = exists().where(Account.user_id_key == key, Account.id != (account.id if account else 0))
    of_pending = exists().where(
        PendingRegistration.user_id_key == key,
        PendingRegistration.completed_at.is_(None),
        PendingRegistration.expires_at > now,
        PendingRegistration.password_hash != (pending.password_hash if pending else ""),
    )
    of_request = exists().where(holds_user_id(key, but=request.id if request else 0, now=now))
    return bool(session.scalar(select(of_account | of_pending | of_request)))


def keep_refusal(
    session: Session, kind: str, entries: Normalised, trace: Trace, *, told: Trace | None = None, client: str, now: datetime, **more: object
) -> str:
    """Keep a refused decision for staff and return the 受付番号 that the applicant may quote; "" when only the form was filled in wrongly.

    `told` is what the applicant was told of, where it is not the whole truth.
    """
    if all(refused.code in _CONSENT for refused in (told or trace).told):
        return ""
    refusal = Refusal(kind=kind, at=now, contract_key=entries.contract_key or "", trace={**trace.as_json(), **more}, client=client)
    session.add(refusal)
    session.flush()
    return reference(refusal.id, now)


def reference(number: int, at: datetime) -> str:
    """The 受付番号 of a refusal: the year in Japan and its number, 26-104732."""
    return f"{at.astimezone(TOKYO).year % 100:02}-{number}"


def _certificate(session: Session, key: str) -> CertificateFacts | None:
    """The certificate of a key; the three statements run whether or not there is one, or their time would tell."""
    found = session.execute(select(Certificate.id, Certificate.contract_key, Certificate.issued_on).where(Certificate.contract_key == key)).one_or_none()
    id_ = found.id if found else 0
    parties = session.execute(select(Party.role, Party.email_key).where(Party.certificate_id == id_).order_by(Party.id)).all()
    lines = session.execute(
        select(ContractLine.id, ContractLine.serial, ContractLine.starts_on, ContractLine.ends_on, ContractLine.contact).where(
            ContractLine.certificate_id == id_
        )
    ).all()
    if found is None:
        return None
    return CertificateFacts(
        key=found.contract_key,
        issued_on=found.issued_on,
        parties=tuple(PartyFacts(party.role, party.email_key) for party in parties),
        lines=tuple(LineFacts(line.id, line.serial, line.starts_on, line.ends_on, line.contact) for line in lines),
    )
