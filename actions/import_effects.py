"""反映すると起きること: whose list of contracts changes, which accounts pass or fail from then on, which tickets get another verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from actions.verdicts import load_certificates
from models.base import AnyRow, AnySelect
from models.contracts import Certificate, ContractLine, Party, PartyRole
from models.database import among
from models.imports import ImportRow
from models.masters import DomainKind, mail_domains, mailboxes
from models.people import Account
from models.staging import ImportCertificate, ready
from models.tickets import Ticket
from rules.contracts import AccountFacts, CertificateFacts, LineFacts, PartyFacts, Verdict, judge, lookup_contract, lookup_serials

MOST_TICKETS = 1_000
"""Tickets whose verdict is worked out for a plan, the newest first."""
_STAGED = {
    PartyRole.AGENT: ImportCertificate.agent_email,
    PartyRole.OPERATOR: ImportCertificate.operator_email,
    PartyRole.END_USER: ImportCertificate.end_user_email,
}
_AFTER = tuple(func.lower(email) for email in _STAGED.values())


def effects_of(session: Session, batch_id: int, *, today: date) -> dict[str, Any]:
    """What applying the plan causes, as counts.

    `accounts` whose list of contracts changes, `gain` and `lose` of them those that get or lose lines; `results` of accounts whose maintenance
    e-mail comes to stand on, or vanishes from, their own certificate; `tickets` with another verdict, `verdicts` told as [before, after, count].
    """
    gained, lost = _gained(batch_id), _lost(batch_id)
    touched = or_(*(_among_keys(statement) for statement in (*_every(batch_id), _before(batch_id))))
    moves = _changed_verdicts(session, batch_id, today)
    return {
        "accounts": _count(session, touched),
        "gain": _count(session, or_(*(_among_keys(statement) for statement in gained))),
        "lose": _count(session, _among_keys(lost)),
        "results": _changed_results(session, batch_id),
        "tickets": sum(moves.values()),
        "verdicts": [[before.value, after.value, count] for (before, after), count in sorted(moves.items())],
    }


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Account).where(condition, Account.maintenance_email_key != "")) or 0


def _among_keys(statement: AnySelect) -> ColumnElement[bool]:
    return Account.maintenance_email_key.in_(statement)


def _every(batch_id: int) -> list[AnySelect]:
    """The e-mails that the written certificates will have."""
    return [select(key).where(ready(batch_id)) for key in _AFTER]


def _before(batch_id: int) -> AnySelect:
    """The e-mails that they have."""
    return select(Party.email_key).join(ImportCertificate, ImportCertificate.certificate_id == Party.certificate_id).where(ready(batch_id))


def _gained(batch_id: int) -> list[AnySelect]:
    """The e-mails of certificates that get lines, and those that come to stand on one."""
    found: list[AnySelect] = []
    for key in _AFTER:
        held = and_(Party.certificate_id == ImportCertificate.certificate_id, Party.email_key == key)
        statement = select(key).outerjoin(Party, held).where(ready(batch_id), or_(ImportCertificate.new_lines > 0, Party.id.is_(None)))
        found.append(statement)
    return found


def _lost(batch_id: int) -> AnySelect:
    """The e-mails of certificates that lose lines, and those that vanish from one."""
    return _before(batch_id).where(or_(ImportCertificate.withdrawn_lines > 0, Party.email_key.not_in(_AFTER)))


def _changed_results(session: Session, batch_id: int) -> int:
    """Accounts whose maintenance e-mail is on their certificate before or after, and not both: the next profile change passes or fails."""
    before = (
        select(Party.id)
        .where(Party.certificate_id == ImportCertificate.certificate_id, Party.email_key == Account.maintenance_email_key)
        .correlate_except(Party)
    )
    after = Account.maintenance_email_key.in_(_AFTER)
    statement = (
        select(func.count())
        .select_from(Account)
        .join(ImportCertificate, ImportCertificate.contract_key == Account.contract_key)
        .where(ready(batch_id), Account.maintenance_email_key != "", before.exists() != after)
    )
    return session.scalar(statement) or 0


def _changed_verdicts(session: Session, batch_id: int, today: date) -> Counter[tuple[Verdict, Verdict]]:
    """(Before, after) → how many unresolved tickets."""
    tickets = _tickets(session, batch_id)
    if not tickets:
        return Counter()
    typed = {ticket.id: (lookup_contract(ticket.contract_text), lookup_serials(ticket.serial_text)) for ticket in tickets}
    serials = sorted({serial for _, found in typed.values() for serial in found})
    keys = {key for key, _ in typed.values() if key}
    keys |= set(session.scalars(select(Certificate.contract_key).join(ContractLine).where(among(session, ContractLine.serial.expression, serials))))
    keys |= _bringing(session, batch_id, serials)
    before = {each.key: each for each in load_certificates(session, among(session, Certificate.contract_key.expression, sorted(keys)))}
    after = before | _after(session, batch_id, sorted(keys), before)
    rules = {"mailboxes": mailboxes(session), "shared_domains": mail_domains(session, DomainKind.SHARED), "today": today}
    moves: Counter[tuple[Verdict, Verdict]] = Counter()
    for ticket in tickets:
        was, becomes = (_verdict(ticket, *typed[ticket.id], known, rules) for known in (before, after))
        if was is not becomes:
            moves[was, becomes] += 1
    return moves


def _tickets(session: Session, batch_id: int) -> Sequence[AnyRow]:
    """The unresolved tickets that name a certificate of the plan, or one that nobody knows, so that their serial decides."""
    named = select(ImportCertificate.contract_key).where(ready(batch_id))
    known = select(Certificate.id).where(Certificate.contract_key == Ticket.contract_key).correlate(Ticket)
    by_serial = and_(Ticket.serial_key != "", ~known.exists())
    columns = (Ticket.id, Ticket.contract_text, Ticket.serial_text, Account.email_key, Account.maintenance_email_key)
    statement = select(*columns).outerjoin(Account, Account.id == Ticket.account_id)
    chosen = statement.where(Ticket.unresolved, or_(Ticket.contract_key.in_(named), by_serial))
    return session.execute(chosen.order_by(Ticket.id.desc()).limit(MOST_TICKETS)).all()


def _bringing(session: Session, batch_id: int, serials: Sequence[str]) -> set[str]:
    """The certificates of the plan's new and changed rows with one of `serials`."""
    if not serials:
        return set()
    mine = and_(ImportRow.batch_id == batch_id, ImportRow.status.in_(["new", "changed"]), among(session, ImportRow.serial.expression, serials))
    return set(session.scalars(select(ImportRow.contract_key).where(mine).distinct()))


def _after(session: Session, batch_id: int, keys: Sequence[str], before: Mapping[str, CertificateFacts]) -> dict[str, CertificateFacts]:
    """The written certificates among `keys` as they will be."""
    mine = and_(ready(batch_id), among(session, ImportCertificate.contract_key.expression, keys))
    written = session.scalars(select(ImportCertificate).where(mine)).all()
    rows: dict[str, list[ImportRow]] = {each.contract_key: [] for each in written}
    chosen = and_(ImportRow.batch_id == batch_id, among(session, ImportRow.contract_key.expression, list(rows)))
    for row in session.scalars(select(ImportRow).where(chosen).order_by(ImportRow.position)):
        rows[row.contract_key].append(row)
    return {each.contract_key: _facts(each, rows[each.contract_key], before.get(each.contract_key)) for each in written if each.issued_on}


def _facts(written: ImportCertificate, rows: Iterable[ImportRow], before: CertificateFacts | None) -> CertificateFacts:
    assert written.issued_on
    parties = tuple(PartyFacts(role, getattr(written, email.key).lower()) for role, email in _STAGED.items())
    told = {row.line_id if row.line_id is not None else -row.position - 1: row for row in rows if row.status != "missing" or row.confirmed}
    kept = tuple(line for line in before.lines if line.id not in told) if before else ()
    lines = tuple(_line(number, row) for number, row in told.items() if row.status in ("new", "changed", "unchanged"))
    return CertificateFacts(written.contract_key, written.issued_on, parties, kept + lines)


def _line(number: int, row: ImportRow) -> LineFacts:
    return LineFacts(number, row.serial, date.fromisoformat(row.starts_on), date.fromisoformat(row.ends_on), row.contact)


def _verdict(ticket: AnyRow, key: str | None, serials: Sequence[str], known: Mapping[str, CertificateFacts], rules: dict[str, Any]) -> Verdict:
    account = AccountFacts(ticket.email_key, ticket.maintenance_email_key) if ticket.email_key is not None else None
    certificate = known.get(key) if key else None
    by_serial = [] if certificate else [each for each in known.values() if any(line.serial_key in serials for line in each.lines)]
    return judge(ticket.contract_text, ticket.serial_text, certificate=certificate, serial_certificates=by_serial, account=account, **rules).verdict
