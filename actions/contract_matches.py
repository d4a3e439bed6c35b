"""契約の照合: staff say which contract a ticket is about. What the customer typed stays as it is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from actions import journal
from models.actors import StaffMember
from models.candidates import find_line
from models.search import take_out
from models.tickets import Ticket
from rules.contracts import parse_contract_key
from rules.refusal import Refused
from rules.text import fold_key, is_unknown, one_line

REASON_CHARACTERS = 300


def match_contract(session: Session, ticket: Ticket, contract: str, serial: str, *, reason: str, by: StaffMember, now: datetime) -> None:
    """Judge the ticket by this contract and serial from now on ("" or 不明: by the whole contract); the same once more changes nothing.

    Refuses: what `parse_contract_key` refuses, match_reason_empty, text_long(max, n), match_unknown (no certificate has such a line).
    """
    key, device, why = parse_contract_key(contract, "contract"), "" if is_unknown(serial) else fold_key(serial), one_line(reason)
    if not why:
        raise Refused("match_reason_empty", "reason")
    if len(why) > REASON_CHARACTERS:
        raise Refused("text_long", "reason", max=REASON_CHARACTERS, n=len(why))
    if find_line(session, key, device) is None:
        raise Refused("match_unknown", "serial" if device else "contract")
    if (ticket.matched_contract, ticket.matched_serial) != (key, device):
        _set(session, ticket, key, device, act="match_contract", reason=why, by=by, now=now)


def withdraw_match(session: Session, ticket: Ticket, *, by: StaffMember, now: datetime) -> None:
    """Judge the ticket by what its customer typed again. Refuses: match_gone."""
    if not ticket.matched_contract:
        raise Refused("match_gone")
    _set(session, ticket, "", "", act="withdraw_match", reason="", by=by, now=now)


def _set(session: Session, ticket: Ticket, contract: str, serial: str, *, act: str, reason: str, by: StaffMember, now: datetime) -> None:
    before = [ticket.matched_contract, ticket.matched_serial]
    ticket.matched_contract, ticket.matched_serial = contract, serial
    ticket.contract_key = contract or ("" if is_unknown(ticket.contract_text) else fold_key(ticket.contract_text))
    ticket.serial_key = serial or ("" if is_unknown(ticket.serial_text) else fold_key(ticket.serial_text))
    ticket.updated_at = now
    ticket.version += 1
    session.flush()
    take_out(session, ticket.id)
    journal.record(
        session, act, "ticket", ticket.id, by=by, now=now, contract_match=[_told(*before), _told(contract, serial)], reason=reason, subject_name=ticket.subject
    )


def _told(contract: str, serial: str) -> str:
    return " / ".join(part for part in (contract, serial) if part)
