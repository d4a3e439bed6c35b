"""Judging many accounts at once as their next profile edit would be: the masters once, the certificates of all contracts in two statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from actions.decisions import entries_of
from models.contracts import Certificate, Party
from models.database import among
from models.masters import DomainKind, MailDomain
from models.people import Account
from models.requests import ExceptionGrant
from rules.addresses import Address
from rules.contracts import CertificateFacts, PartyFacts
from rules.registration import Facts, Grant, Trace, decide

_KEY: ColumnElement[str] = Certificate.contract_key.expression


@dataclass(frozen=True)
class Standing:
    """What the rules ask of the contracts: certificates by key with their parties' numbers, and the masters."""

    certificates: Mapping[str, CertificateFacts]
    party_ids: Mapping[str, Sequence[int]]
    shared_domains: frozenset[str]
    own_domains: frozenset[str]
    grants: Mapping[str, Sequence[tuple[int | None, Grant]]]
    """By the key of the maintenance e-mail, each with the account it is for (None: everyone)."""

    def with_address(self, party_ids: Collection[int], email_key: str) -> Standing:
        """The same contracts after the parties of `party_ids` have got another address."""
        moved = frozenset(party_ids)
        return replace(self, certificates={key: self._moved(key, facts, moved, email_key) for key, facts in self.certificates.items()})

    def without_grant(self, number: int) -> Standing:
        """The same after the grant `number` has been taken back."""
        return replace(self, grants={key: [held for held in granted if held[1].id != number] for key, granted in self.grants.items()})

    def _moved(self, key: str, facts: CertificateFacts, moved: frozenset[int], email_key: str) -> CertificateFacts:
        pairs = zip(self.party_ids[key], facts.parties, strict=True)
        return replace(facts, parties=tuple(PartyFacts(party.role, email_key) if id_ in moved else party for id_, party in pairs))


def load_standing(session: Session, contract_keys: Iterable[str]) -> Standing:
    """The standing of the contracts that some accounts name."""
    keys = sorted(set(contract_keys))
    certificates = session.execute(select(Certificate.id, Certificate.contract_key, Certificate.issued_on).where(among(session, _KEY, keys))).all()
    parties: dict[int, list[tuple[int, PartyFacts]]] = defaultdict(list)
    joined = select(Party.id, Party.certificate_id, Party.role, Party.email_key).join(Certificate, Certificate.id == Party.certificate_id)
    for row in session.execute(joined.where(among(session, _KEY, keys)).order_by(Party.id)):
        parties[row.certificate_id].append((row.id, PartyFacts(row.role, row.email_key)))
    domains: dict[DomainKind, set[str]] = {kind: set() for kind in DomainKind}
    for domain, kind in session.execute(select(MailDomain.domain, MailDomain.kind)):
        domains[DomainKind(kind)].add(domain)
    return Standing(
        certificates={
            row.contract_key: CertificateFacts(row.contract_key, row.issued_on, tuple(facts for _, facts in parties[row.id]), ()) for row in certificates
        },
        party_ids={row.contract_key: [id_ for id_, _ in parties[row.id]] for row in certificates},
        shared_domains=frozenset(domains[DomainKind.SHARED]),
        own_domains=frozenset(domains[DomainKind.OWN]),
        grants=_grants(session),
    )


def _grants(session: Session) -> Mapping[str, Sequence[tuple[int | None, Grant]]]:
    """Every grant that nobody has revoked; there are few beside the accounts."""
    found: dict[str, list[tuple[int | None, Grant]]] = defaultdict(list)
    columns = (ExceptionGrant.id, ExceptionGrant.host, ExceptionGrant.maintenance_email_key, ExceptionGrant.ends_on, ExceptionGrant.account_id)
    for row in session.execute(select(*columns).where(ExceptionGrant.revoked_at.is_(None)).order_by(ExceptionGrant.id)):
        found[row.maintenance_email_key].append((row.account_id, Grant(row.id, row.host, row.maintenance_email_key, row.ends_on)))
    return found


def trace_of(account: Account, standing: Standing, *, today: date, maintenance: Address | None = None) -> Trace:
    """The decision on the account's next profile edit as everything stands; with `maintenance` as if it had that maintenance e-mail."""
    entries = entries_of(account)
    if maintenance is not None:
        entries = replace(entries, maintenance_email=maintenance)
    key = entries.maintenance_email.key if entries.maintenance_email else ""
    facts = Facts(
        certificate=standing.certificates.get(account.contract_key),
        mailboxes=(),
        shared_domains=standing.shared_domains,
        own_domains=standing.own_domains,
        grants=tuple(grant for holder, grant in standing.grants.get(key, ()) if holder in (None, account.id)),
        user_id_taken=False,
        privacy_version=account.privacy_version,
        stored_pair=(account.contract_key, key),
    )
    return decide(entries, facts, today=today, profile=True)


def why_failed(trace: Trace) -> str:
    """The reason of the first rule that failed, "" where all hold."""
    failed = next((result for result in trace.results if not result.passed), None)
    return failed.code.value if failed and failed.code else ""
