"""Contracts: their keys, periods, eligible lines, and the verdict that staff see of a ticket's contract."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from rules.addresses import host_of, is_under, registrable
from rules.refusal import Refused
from rules.text import fold, fold_key, invisible, is_unknown

CONTACT = "J's チケットシステム"
"""The 問合せ先 of lines that the desk answers for since July 2014."""
CONTRACT_KEY_CHARACTERS = 80
LAST_NUMBERED_DAY = date(2018, 12, 31)
"""Certificates issued up to this day carry a contract number, later ones a contract name."""
FIRST_DESK_DAY = date(2014, 7, 1)
LAST_MAILBOX_DAY = date(2014, 7, 31)

_NOT_A_KEY = re.compile(r"[^A-Z0-9\-_./]")
_APOSTROPHES = re.compile("[‘’‛ʼ′`´＇]")
_BETWEEN_SERIALS = re.compile(r"[\s,、;；]+")


class Verdict(StrEnum):
    """What staff see of a ticket's contract; it never blocks a ticket."""

    ACTIVE = "active"
    NOT_STARTED = "not_started"
    EXPIRED = "expired"
    NOT_ELIGIBLE = "not_eligible"
    OTHER_PARTY = "other_party"
    NOT_FOUND = "not_found"
    UNKNOWN = "unknown"


class LineState(StrEnum):
    NOT_STARTED = "not_started"
    ACTIVE = "active"
    ENDED = "ended"


class Reason(StrEnum):
    """Why the verdict is what it is: how contract and serial were found."""

    CONTRACT_AND_SERIAL = "contract_and_serial"
    CONTRACT_ONLY = "contract_only"
    """The serial is 不明."""
    SERIAL_NOT_IN_CONTRACT = "serial_not_in_contract"
    SERIAL_ONLY = "serial_only"
    """The contract is 不明, the serial's own certificate counts."""
    SERIAL_NOT_FOUND = "serial_not_found"
    """The contract is 不明, and no line has the serial."""
    CONTRACT_NOT_FOUND = "contract_not_found"
    CONTRACT_NOT_FOUND_SERIAL_KNOWN = "contract_not_found_serial_known"
    """The line ids are those of the serial: likely a mistyped contract."""
    BOTH_UNKNOWN = "both_unknown"
    MATCHED = "matched"
    """Staff set the contract by hand (契約の照合)."""
    MATCHED_GONE = "matched_gone"
    """The contract that staff set is no certificate any more."""


class Path(StrEnum):
    """By which of the two typed values the lines were found."""

    CONTRACT = "contract"
    SERIAL = "serial"
    BOTH = "both"
    HAND = "hand"
    """By neither: staff set the contract."""
    NONE = "none"


@dataclass(frozen=True)
class LineFacts:
    id: int
    serial_key: str
    starts_on: date
    ends_on: date
    contact: str


@dataclass(frozen=True)
class PartyFacts:
    role: str
    email_key: str
    """The printed e-mail in lower case, "" where the certificate has none."""


@dataclass(frozen=True)
class CertificateFacts:
    key: str
    issued_on: date
    parties: tuple[PartyFacts, ...]
    lines: tuple[LineFacts, ...]


@dataclass(frozen=True)
class AccountFacts:
    email_key: str
    maintenance_key: str


@dataclass(frozen=True)
class Judgement:
    verdict: Verdict
    reason: Reason
    line_ids: tuple[int, ...]
    """The lines that the verdict rests on, at most `MOST_LINES`."""
    path: Path
    certificate_key: str | None = None


MOST_LINES = 20


def parse_contract_key(typed: str, field: str = "contract_key") -> str:
    """The stored form of a contract number or name, upper-case.

    Refuses at `field`: contract_key_empty, contract_key_invisible, contract_key_characters(c), contract_key_long(max, n).
    """
    key = fold_key(typed)
    if not key:
        raise Refused("contract_key_empty", field)
    if invisible(key):
        raise Refused("contract_key_invisible", field)
    wrong = _NOT_A_KEY.search(key)
    if wrong:
        raise Refused("contract_key_characters", field, c=wrong.group())
    if len(key) > CONTRACT_KEY_CHARACTERS:
        raise Refused("contract_key_long", field, max=CONTRACT_KEY_CHARACTERS, n=len(key))
    return key


@lru_cache(maxsize=4096)
def fold_contact(contact: str) -> str:
    """The form in which 問合せ先 cells are compared: folded, lower-case, one apostrophe, no blanks."""
    return "".join(_APOSTROPHES.sub("'", fold(_APOSTROPHES.sub("'", contact))).lower().split())


def eligible(starts_on: date, contact: str, mailboxes: Collection[str]) -> bool:
    """Whether the desk answers for a line (July 2014 satisfies either half); `mailboxes` in lower case."""
    folded = fold_contact(contact)
    if starts_on >= FIRST_DESK_DAY and folded == fold_contact(CONTACT):
        return True
    return starts_on <= LAST_MAILBOX_DAY and folded in mailboxes


def has_late_mailbox(starts_on: date, contact: str, mailboxes: Collection[str]) -> bool:
    """Whether a line starts after July 2014 and still names an old mailbox: not eligible, and the import plan warns."""
    return starts_on > LAST_MAILBOX_DAY and fold_contact(contact) in mailboxes


def line_state(starts_on: date, ends_on: date, today: date) -> LineState:
    """Where `today` stands against a line's period; its last day still counts."""
    if today < starts_on:
        return LineState.NOT_STARTED
    return LineState.ACTIVE if today <= ends_on else LineState.ENDED


def lookup_contract(typed: str) -> str | None:
    """The key to look a ticket's typed contract up by, None for 不明, nothing, or what no key can be."""
    if not typed.strip() or is_unknown(typed):
        return None
    try:
        return parse_contract_key(typed)
    except Refused:
        return None


def lookup_serials(typed: str) -> tuple[str, ...]:
    """The serial keys in a ticket's typed serial (people write several), none for 不明."""
    if is_unknown(typed):
        return ()
    pieces = (fold_key(piece) for piece in _BETWEEN_SERIALS.split(typed))
    return tuple(dict.fromkeys(piece for piece in pieces if piece))


def judge(
    typed_contract: str,
    typed_serial: str,
    *,
    certificate: CertificateFacts | None,
    serial_certificates: Iterable[CertificateFacts],
    account: AccountFacts | None,
    mailboxes: Collection[str],
    shared_domains: Collection[str],
    today: date,
) -> Judgement:
    """The verdict of a ticket's contract on `today`.

    `certificate` is what `lookup_contract` found, `serial_certificates` those with a line of `lookup_serials`
    (asked only where `certificate` is None). `account` is None for a phone ticket of nobody yet.
    """
    serials = lookup_serials(typed_serial)
    if certificate is not None:
        reason, path, lines = _lines_of_contract(certificate, serials)
        verdict = _verdict(certificate, lines, account, mailboxes=mailboxes, shared_domains=shared_domains, today=today)
        return Judgement(verdict, reason, _ids(lines), path, certificate.key)
    contract_unknown = not typed_contract.strip() or is_unknown(typed_contract)
    judged = [
        Judgement(
            _verdict(found, lines, account, mailboxes=mailboxes, shared_domains=shared_domains, today=today),
            Reason.SERIAL_ONLY,
            _ids(lines),
            Path.SERIAL,
            found.key,
        )
        for found in serial_certificates
        if (lines := _with_serials(found.lines, serials))
    ]
    best = min(judged, key=lambda judgement: _BEST_FIRST.index(judgement.verdict), default=None)
    if not contract_unknown:
        return _not_found(best)
    if best is not None:
        return best
    return Judgement(Verdict.UNKNOWN, Reason.SERIAL_NOT_FOUND if serials else Reason.BOTH_UNKNOWN, (), Path.NONE)


def judge_match(
    matched_contract: str,
    matched_serial: str,
    *,
    certificate: CertificateFacts | None,
    account: AccountFacts | None,
    mailboxes: Collection[str],
    shared_domains: Collection[str],
    today: date,
) -> Judgement:
    """As `judge`, for a contract that staff set by hand (its serial "" where the whole contract is meant)."""
    if certificate is None:
        return Judgement(Verdict.NOT_FOUND, Reason.MATCHED_GONE, (), Path.HAND)
    _, _, lines = _lines_of_contract(certificate, (matched_serial,) if matched_serial else ())
    verdict = _verdict(certificate, lines, account, mailboxes=mailboxes, shared_domains=shared_domains, today=today)
    return Judgement(verdict, Reason.MATCHED, _ids(lines), Path.HAND, matched_contract)


_BEST_FIRST = tuple(Verdict)


def is_party(certificate: CertificateFacts, account: AccountFacts, shared_domains: Collection[str]) -> bool:
    """Whether one of the certificate's parties is the account's company.

    The account's maintenance e-mail itself always counts; otherwise the registrable domain does, except on shared
    mail domains, where one domain is thousands of companies.
    """
    if any(party.email_key and party.email_key == account.maintenance_key for party in certificate.parties):
        return True
    host = host_of(account.email_key)
    if is_under(host, shared_domains):
        return False
    owned = registrable(host)
    return owned is not None and any(party.email_key and registrable(host_of(party.email_key)) == owned for party in certificate.parties)


def _lines_of_contract(certificate: CertificateFacts, serials: tuple[str, ...]) -> tuple[Reason, Path, tuple[LineFacts, ...]]:
    """The lines a ticket is about: those with its serial, else all of the contract."""
    if not serials:
        return Reason.CONTRACT_ONLY, Path.CONTRACT, certificate.lines
    lines = _with_serials(certificate.lines, serials)
    if lines:
        return Reason.CONTRACT_AND_SERIAL, Path.BOTH, lines
    return Reason.SERIAL_NOT_IN_CONTRACT, Path.CONTRACT, certificate.lines


def _with_serials(lines: tuple[LineFacts, ...], serials: tuple[str, ...]) -> tuple[LineFacts, ...]:
    return tuple(line for line in lines if line.serial_key in serials)


def _not_found(by_serial: Judgement | None) -> Judgement:
    """A typed contract that is none; the serial's lines are named beside it, and never make the verdict."""
    if by_serial is None:
        return Judgement(Verdict.NOT_FOUND, Reason.CONTRACT_NOT_FOUND, (), Path.NONE)
    return Judgement(Verdict.NOT_FOUND, Reason.CONTRACT_NOT_FOUND_SERIAL_KNOWN, by_serial.line_ids, Path.SERIAL, by_serial.certificate_key)


def _verdict(
    certificate: CertificateFacts,
    lines: tuple[LineFacts, ...],
    account: AccountFacts | None,
    *,
    mailboxes: Collection[str],
    shared_domains: Collection[str],
    today: date,
) -> Verdict:
    if account is not None and not is_party(certificate, account, shared_domains):
        return Verdict.OTHER_PARTY
    states = {line_state(line.starts_on, line.ends_on, today) for line in lines if eligible(line.starts_on, line.contact, mailboxes)}
    if not states:
        return Verdict.NOT_ELIGIBLE
    if LineState.ACTIVE in states:
        return Verdict.ACTIVE
    return Verdict.NOT_STARTED if LineState.NOT_STARTED in states else Verdict.EXPIRED


def _ids(lines: tuple[LineFacts, ...]) -> tuple[int, ...]:
    return tuple(line.id for line in lines[:MOST_LINES])
