"""A certificate's page: as it is printed, its lines, what wrote it, what it carries on, and who hangs on it, today or on a past day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from console.contract_search import PATH, day_of
from console.paging import address, number
from models.base import AnyRow
from models.contract_lists import LINES, SHOWN, accounts_on, batch_names, tickets_on
from models.contract_versions import ContractVersion, Event, LineVersion, contract_as_of, events_of
from models.contracts import Certificate
from models.masters import DomainKind, mail_domains, mailboxes
from models.renewals import renewals_of
from rules.calendar import TOKYO, tokyo_date
from rules.contracts import LAST_NUMBERED_DAY, AccountFacts, CertificateFacts, Judgement, LineFacts, LineState, PartyFacts, eligible, judge, line_state
from rules.rights import Area, Right
from web.call import Call

MOST_NEIGHBOURS = 20


@dataclass(frozen=True)
class LineView:
    """A line with what the day makes of it."""

    line: LineVersion
    state: LineState
    eligible: bool
    file_name: str


@dataclass(frozen=True)
class Neighbour:
    """A certificate whose lines carry on these ones, or are carried on by them."""

    certificate_id: int
    contract_key: str
    lines: int
    starts_on: date
    ends_on: date


@dataclass(frozen=True)
class Judged:
    """An account with what its ticket about this contract would be told."""

    account: AnyRow
    verdict: str


def view_of(call: Call, certificate: Certificate) -> dict[str, Any]:
    """The context of the page. `version` is None where the certificate was not there on the wanted day."""
    today, typed = tokyo_date(call.now), call.query("on").strip()[:20]
    day = day_of(typed)
    on = day or today
    version = contract_as_of(call.session, certificate, _end_of(on))
    return {
        "certificate": certificate,
        "on": on,
        "past": day is not None and day != today,
        "typed_on": typed,
        "misread": bool(typed) and day is None,
        "version": version,
        "may_correct": call.staff.may(Area.CONTRACTS, Right.WRITE),
        "events": _events(call, certificate),
        "renewed": [_neighbours(rows) for rows in renewals_of(call.session, certificate.id)],
        "shown": SHOWN,
        **(_content(call, certificate, version, on) if version else {}),
    }


def _end_of(day: date) -> datetime:
    """The midnight in Japan that ends `day`."""
    return datetime.combine(day, time(), TOKYO) + timedelta(days=1)


def _content(call: Call, certificate: Certificate, version: ContractVersion, on: date) -> dict[str, Any]:
    old_mailboxes, lines = mailboxes(call.session), list(version.lines.values())
    lines.sort(key=lambda line: line.id)
    shared = mail_domains(call.session, DomainKind.SHARED)
    facts = _facts(certificate, version)

    def judged(account: AccountFacts | None) -> Judgement:
        return judge(
            certificate.contract_key, "", certificate=facts, serial_certificates=(), account=account, mailboxes=old_mailboxes, shared_domains=shared, today=on
        )

    return {
        "numbered": version.issued_on <= LAST_NUMBERED_DAY,
        "families": list(dict.fromkeys(line.family for line in lines)),
        "line_count": len(lines),
        "verdict": judged(None).verdict,
        **_lines(call, certificate, lines, old_mailboxes, on),
        **_hanging(call, certificate, version, judged),
    }


def _facts(certificate: Certificate, version: ContractVersion) -> CertificateFacts:
    parties = tuple(PartyFacts(party.role, party.email_key) for party in version.parties.values())
    lines = tuple(LineFacts(line.id, line.serial, line.starts_on, line.ends_on, line.contact) for line in version.lines.values())
    return CertificateFacts(certificate.contract_key, version.issued_on, parties, lines)


def _lines(call: Call, certificate: Certificate, lines: Sequence[LineVersion], old_mailboxes: frozenset[str], on: date) -> dict[str, Any]:
    first = min(number(call.query("from")) or 0, len(lines))
    page = lines[first : first + LINES]
    names = batch_names(call.session, {line.batch_id for line in page if line.batch_id})
    here = f"{PATH}/{certificate.id}"

    def turn(at: int | None) -> str | None:
        return None if at is None else address(here, {"on": call.query("on"), "from": str(at) if at else ""})

    onward = first + LINES if first + LINES < len(lines) else None
    return {
        "lines": [
            LineView(
                line, line_state(line.starts_on, line.ends_on, on), eligible(line.starts_on, line.contact, old_mailboxes), names.get(line.batch_id or 0, "")
            )
            for line in page
        ],
        "first_line": first + 1,
        "page": {"previous_url": turn(max(0, first - LINES) if first else None), "next_url": turn(onward)},
    }


def _hanging(call: Call, certificate: Certificate, version: ContractVersion, judged: Any) -> dict[str, Any]:
    """Accounts and tickets of a certificate, each only for those who may see them."""
    keys = [party.email_key for party in version.parties.values() if party.email_key]
    may = call.staff.may
    found = accounts_on(call.session, certificate.contract_key, keys) if may("accounts", "r") else None
    return {
        "accounts": None
        if found is None
        else [Judged(account, judged(AccountFacts(account.email_key, account.maintenance_email_key)).verdict) for account in found],
        "tickets": tickets_on(call.session, certificate.contract_key) if may("tickets", "r") else None,
    }


def _events(call: Call, certificate: Certificate) -> list[tuple[Event, str]]:
    """What wrote the certificate, the newest first, each with its day in Japan."""
    events = events_of(call.session, certificate)
    if not any(event.kind == "added" for event in events):
        events.append(Event(certificate.created_at, "created", ""))
    return [(event, tokyo_date(event.at).isoformat()) for event in events]


def _neighbours(rows: Sequence[AnyRow]) -> list[Neighbour]:
    found: dict[int, list[AnyRow]] = {}
    for row in rows:
        found.setdefault(row.other_certificate_id, []).append(row)
    return [
        Neighbour(number, group[0].other_key, len(group), min(row.starts_on for row in group), max(row.ends_on for row in group))
        for number, group in [*found.items()][:MOST_NEIGHBOURS]
    ]
