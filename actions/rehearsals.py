"""Rehearsal: judging a would-be registration for staff; nothing is created. And what stands close to what was typed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from actions.decisions import judge_new
from actions.letters import Draft, worded, write_letters
from mail.desk import Desk
from models.actors import StaffMember
from models.base import AnyRow
from models.refusal_lists import certificates_with, parties_with_key, similar_keys
from rules.addresses import parse_address
from rules.near import is_near
from rules.refusal import Refused
from rules.registration import Applicant, Normalised, Trace, normalise

_EXPLANATION_CHARACTERS = 5_000


@dataclass(frozen=True)
class NearMisses:
    """What staff may tell who typed something almost right."""

    certificates: list[AnyRow]
    """Those on which the typed address stands: id, contract_key, issued_on, role."""
    parties: list[AnyRow]
    """Those of the certificate that was typed: id, role, name, email."""
    keys: list[AnyRow]
    """Contract keys that differ from the typed one by a slip: id, contract_key."""


def rehearse(session: Session, applicant: Applicant, *, now: datetime) -> tuple[Normalised, Trace]:
    """What would become of a registration with these entries; a password is not asked for, consent is taken as given."""
    entries = normalise(applicant, password_required=False)
    return entries, judge_new(session, entries, now=now)[0]


def near_misses(session: Session, contract_key: str, maintenance_key: str) -> NearMisses:
    """Certificates and keys close to what was typed."""
    certificates = [row for row in certificates_with(session, maintenance_key) if row.contract_key != contract_key] if maintenance_key else []
    keys = [row for row in similar_keys(session, contract_key) if is_near(contract_key, row.contract_key)] if contract_key else []
    return NearMisses(certificates, list(parties_with_key(session, contract_key)) if contract_key else [], keys)


def send_explanation(session: Session, email: str, text: str, *, by: StaffMember, desk: Desk, now: datetime) -> str:
    """Mail the explanation to the address a caller named, and record it. Returns the address.

    Refuses: what an address refuses, at email; text_empty, text_long(max, n) at text.
    """
    address = parse_address(email, "email")
    body = text.strip()
    if not body:
        raise Refused("text_empty", "text")
    if len(body) > _EXPLANATION_CHARACTERS:
        raise Refused("text_long", "text", max=_EXPLANATION_CHARACTERS, n=len(body))
    letter = worded(session, "explanation", desk=desk, message=body)
    write_letters(session, [Draft("explanation", f"explanation:{address.key}:{now.isoformat()}", letter, [address.value])], desk=desk, now=now)
    journal.record(session, "send_explanation", "letter", None, by=by, now=now, subject_name=address.value)
    return address.value
